"""Trying settings while there is time: one Optuna study for each thing that is tuned, which can be taken up again.

Settings are drawn by the tree-structured Parzen estimator (Bergstra et al., "Algorithms for Hyper-Parameter
Optimization", NeurIPS 2011) as Optuna has it (Akiba et al., "Optuna", KDD 2019). Every setting is scored in the same
parts, groups of users say, and compared with another part by part.
"""

import hashlib
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.pruners import WilcoxonPruner
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from features.contracts.errors import MallardError
from training.evaluation.ranking import Float64
from training.pipelines.tuning_space import FreshSampler, Range, Space, ended, key

#: The score of settings on one part after the other; higher is better.
Judge = Callable[[dict[str, Any]], Iterator[float]]

#: A trial is given up when Wilcoxon's signed-rank test says at this level that it is behind the best.
_GIVEN_UP = 0.05
#: Parts that a trial is scored on at least. For fewer, SciPy goes through every permutation where differences are tied.
_FEWEST_PARTS = 14
#: Trials of one study at most, those of earlier runs included.
_MOST_TRIALS = 100


@dataclass(frozen=True)
class Tried:
    """One trial that ended."""

    study: str  # what was tuned: ``covisit``
    number: int  # counts up from 0 within the study
    settings: dict[str, Any]
    pruned: bool
    value: float  # mean over the parts it was scored on
    seconds: float


@dataclass(frozen=True)
class Tuned:
    """What a study came to."""

    settings: dict[str, Any]
    """The best values of what was searched; the default's when nothing is better by more than noise."""
    marks: dict[str, float]
    """Mean score of every trial by what it changed: ``default``, ``half_life=30, lift=0``.

    Trials that were given up count with the parts they were scored on.
    """


class Studies:
    """Where studies are kept: the SQLite database at ``file``, else memory.

    ``version`` is that of the code: what another one found out does not count. ``clock`` gives seconds; ``on_trial``
    hears of every trial as it ends. Raises :class:`MallardError` that names the file when it cannot be opened.
    """

    def __init__(
        self,
        file: Path | None = None,
        *,
        version: str = "",
        clock: Callable[[], float] = time.monotonic,
        on_trial: Callable[[Tried], None] | None = None,
    ) -> None:
        self.clock = clock
        self._version = version
        self._on_trial = on_trial
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._storage = _open(file) if file else None

    def tune(
        self,
        name: str,
        values: Mapping[str, Sequence[Any] | Range],
        default: Mapping[str, Any],
        judge: Judge,
        *,
        fingerprint: str,
        deadline: float,
        seed: int = 0,
        cheap: frozenset[str] = frozenset(),
        lead: float = 1.0,
    ) -> Tuned:
        """Try settings of ``name``, the default first, until the clock passes ``deadline`` or nothing is left to try.

        What an earlier run tried on what ``fingerprint`` stands for is known already, also when it was killed; nothing
        is tried twice. ``judge`` is asked last about settings that differ from those before in ``cheap`` alone, as far
        as that can be had. A trial that has begun goes on past the deadline. Settings replace the default when they
        ``lead`` it by more than that many standard errors.
        """
        space = Space(values, default)
        kept = self._kept(name, space, fingerprint)
        study = _working(kept, space, cheap, seed)
        trials = ended(study)
        known = {key(trial.params) for trial in trials}
        if key(space.default) not in known:
            study.enqueue_trial(space.default)
        while len(trials) < _MOST_TRIALS and self.clock() < deadline and space.untried(known, {}) != []:
            trial = study.ask(space.distributions)
            done = _run(study, trial, judge(space.decode(trial.params)))
            if kept:
                kept.add_trial(done)
            if self._on_trial:
                self._on_trial(_tried(name, done, space))
            trials.append(done)
            known.add(key(done.params))
        marks = {_label(trial.params, space): _mean(trial) for trial in trials}
        return Tuned(space.decode(_best(trials, space, lead)), marks)

    def _kept(self, name: str, space: Space, fingerprint: str) -> Study | None:
        """The study in the database; another space or other data is another study."""
        if self._storage is None:
            return None
        spelled = {name: repr(distribution) for name, distribution in space.distributions.items()}
        digest = hashlib.blake2b(json.dumps([self._version, fingerprint, spelled]).encode(), digest_size=8).hexdigest()
        return optuna.create_study(
            storage=self._storage, study_name=f"{name}-{digest}", direction="maximize", load_if_exists=True
        )


def fingerprint_of(*things: object) -> str:
    """Equal for equal arrays, dataclasses of them, and plain values; what else a dataclass holds does not count."""
    digest = hashlib.blake2b(digest_size=16)

    def add(thing: object) -> None:
        if isinstance(thing, np.ndarray):
            digest.update(f"{thing.dtype}{thing.shape}".encode())
            digest.update(np.ascontiguousarray(thing).view(np.uint8).data)
        elif is_dataclass(thing):
            for field in fields(thing):
                add(getattr(thing, field.name))
        elif isinstance(thing, str | int | float | bool | dict | list | tuple):
            digest.update(json.dumps(thing, sort_keys=True).encode())

    for thing in things:
        add(thing)
    return digest.hexdigest()


def _open(file: Path) -> RDBStorage:
    logging.getLogger("alembic").setLevel(logging.ERROR)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return RDBStorage(f"sqlite:///{file.resolve().as_posix()}")
    except Exception as error:
        raise MallardError(f"the studies in {file} cannot be opened: {error}; the file may be deleted") from error


def _working(kept: Study | None, space: Space, cheap: frozenset[str], seed: int) -> Study:
    """A study in memory that knows what ``kept`` knows: a database that hears of every part would take longer."""
    known = kept.get_trials(deepcopy=False) if kept else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        pruner = WilcoxonPruner(p_threshold=_GIVEN_UP, n_startup_steps=_FEWEST_PARTS)
    # A run that goes on where another stopped would draw the same numbers again.
    sampler = FreshSampler(space, cheap, seed + len(known))
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    study.add_trials(known)
    return study


def _run(study: Study, trial: optuna.Trial, scores: Iterator[float]) -> FrozenTrial:
    """Score a trial part by part until it is plain that it is behind."""
    seen: list[float] = []
    for part, score in enumerate(scores):
        seen.append(score)
        trial.report(score, part)
        if trial.should_prune():
            return study.tell(trial, state=TrialState.PRUNED)
    return study.tell(trial, float(np.mean(seen)))


def _parts(trial: FrozenTrial) -> Float64:
    return np.array([trial.intermediate_values[part] for part in sorted(trial.intermediate_values)])


def _mean(trial: FrozenTrial) -> float:
    return float(_parts(trial).mean())


def _best(trials: Sequence[FrozenTrial], space: Space, lead: float) -> dict[str, Any]:
    """The parameters with the highest mean among those that lead the default by more than ``lead`` standard errors.

    Of equals the one that changes least.
    """
    whole = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    usual = [_parts(trial) for trial in whole if trial.params == space.default]
    best, mark = space.default, 0.0
    for trial in sorted(whole, key=partial(_changes, space=space)) if usual else []:
        gap = _parts(trial) - usual[0]
        if len(gap) > 1 and gap.mean() > max(mark, lead * float(gap.std(ddof=1)) / np.sqrt(len(gap))):
            best, mark = trial.params, float(gap.mean())
    return best


def _changes(trial: FrozenTrial, space: Space) -> int:
    return sum(trial.params[name] != value for name, value in space.default.items())


def _label(params: Mapping[str, Any], space: Space) -> str:
    changed = {name: value for name, value in space.decode(params).items() if params[name] != space.default[name]}
    return ", ".join(f"{n}={v:g}" if isinstance(v, float) else f"{n}={v}" for n, v in changed.items()) or "default"


def _tried(name: str, trial: FrozenTrial, space: Space) -> Tried:
    taken = trial.duration
    return Tried(
        name,
        trial.number,
        space.decode(trial.params),
        trial.state is TrialState.PRUNED,
        _mean(trial),
        taken.total_seconds() if taken else 0.0,
    )
