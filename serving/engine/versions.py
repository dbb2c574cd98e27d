"""Which loaded version answers whom: the live one, and one that is tried beside it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from serving.engine.guard import Guard, GuardConfig
from serving.engine.live_model import LiveModel
from serving.engine.rollout import KIND, Mode, Rollout, end_rollout, read_rollout, rollout_file
from serving.engine.watching import Watched
from serving.store.protocol import Visitor
from training.deployment import live, pointer

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """A loaded version that is tried."""

    rollout: Rollout
    model: LiveModel
    guard: Guard


@dataclass(frozen=True)
class Loaded:
    """What a batch of questions is answered with. Replaced as a whole: a batch sees one state."""

    live: LiveModel | None = None
    trial: Trial | None = None

    def model_for(self, visitor: Visitor | None) -> LiveModel | None:
        """The version that answers this visitor; nobody in particular gets the live one."""
        trial = self.trial
        if trial is None or visitor is None or trial.rollout.mode is not Mode.CANARY:
            return self.live
        name = visitor.user_id or visitor.anonymous_id or ""
        return trial.model if trial.rollout.takes(name) else self.live

    @property
    def models(self) -> tuple[LiveModel, ...]:
        """Those that may answer."""
        return tuple(m for m in (self.live, self.trial.model if self.trial else None) if m is not None)


class Versions:
    """Follows the pointer and the rollout file of one home."""

    def __init__(self, home: Home, guard: GuardConfig, loaded: Callable[[], None]) -> None:
        """``loaded`` is called before another live version answers."""
        self._home, self._guard, self._on_load = home, guard, loaded
        self._pointer, self._rollout = Watched(pointer(home)), Watched(rollout_file(home))
        self.current = Loaded()

    def refresh(self) -> None:
        """Load what was deployed or is to be tried since the last look, and end a trial that went wrong.

        What is refused is logged, and the old stays.
        """
        if self._pointer.changed():
            try:
                self._follow_pointer()
            except Exception:
                # Whatever a damaged bundle provokes, the worker goes on with what it has.
                version = self.current.live.version if self.current.live else None
                _LOG.exception("the deployed recommendation bundle is refused, %s stays live", version)
        if self._rollout.changed():
            try:
                self._follow_rollout()
            except Exception:
                _LOG.exception("what is to be tried beside the live version cannot be read; nothing is tried")
                self.current = Loaded(self.current.live)
        trial = self.current.trial
        if trial is not None and (why := trial.guard.verdict()):
            self._end(trial.rollout.version, why)

    def _follow_pointer(self) -> None:
        path = live(self._home, KIND)
        current = self.current
        if path is None or (current.live is not None and current.live.path == path):
            return
        model = self._opened(path)
        self._on_load()
        trial = current.trial if current.trial is not None and current.trial.model.path != path else None
        self.current = Loaded(model, trial)
        _LOG.info("recommendation bundle %s is live", model.version)

    def _opened(self, path: Path) -> LiveModel:
        """The bundle at ``path``: the one that is tried already, or loaded anew."""
        trial = self.current.trial
        return trial.model if trial is not None and trial.model.path == path else LiveModel.load(path)

    def _follow_rollout(self) -> None:
        rollout = read_rollout(self._home)
        current = self.current
        if rollout is None or not rollout.running:
            self.current = Loaded(current.live)
            return
        try:
            model = LiveModel.load(self._home.bundles / KIND / rollout.version)
        except Exception as error:
            _LOG.exception("the bundle %s, which is to be tried, is refused", rollout.version)
            self._end(rollout.version, f"its bundle was refused: {error}")
            return
        self.current = Loaded(current.live, Trial(rollout, model, Guard(self._guard)))
        _LOG.info("recommendation bundle %s is tried: %s, share %g", model.version, rollout.mode, rollout.share)

    def _end(self, version: str, why: str) -> None:
        self.current = Loaded(self.current.live)
        try:
            end_rollout(self._home, why, version=version)
        except MissingStateError:
            return  # another worker saw the same
        _LOG.error("the trial of recommendation bundle %s was ended: %s", version, why)
