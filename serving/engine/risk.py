"""The risk engine of one worker: churn scores from the latest tags by the live model."""

import logging
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.engine.store import TagBuild, TagStore
from serving.engine.watching import Watched
from serving.rules import Text
from training.bundle import read_bundle
from training.deployment import live, pointer
from training.models.churn import ChurnModel
from training.models.churn_scores import ChurnScores

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RiskReason:
    """One reason of one user."""

    code: str
    value: float | None
    raises: bool
    text: Text


@dataclass(frozen=True)
class UserRisk:
    """The risk of one user; amounts in the mall's currency, within the horizon."""

    user_id: str
    eligible: bool  # belongs to the population that the model was fitted for
    probability: float
    low: float
    high: float
    tier: str
    expected_purchases: float
    value_at_risk: float
    reasons: tuple[RiskReason, ...]


@dataclass(frozen=True)
class Risks:
    """An answer about a batch of users."""

    request_id: str
    model_version: str
    as_of: datetime
    horizon_days: int
    users: tuple[UserRisk, ...]
    unknown_users: tuple[str, ...]


@dataclass(frozen=True)
class _LiveChurn:
    path: Path
    version: str
    model: ChurnModel


class RiskEngine:
    """Answers questions for churn risk. Safe to share between threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._tags = TagStore(home)
        self._pointer = Watched(pointer(home))
        self._live: _LiveChurn | None = None
        # LightGBM's contributions keep buffers inside the model; two threads must not share them.
        self._lock = threading.Lock()

    @property
    def model_version(self) -> str | None:
        """The version that answers carry; None when nothing is loaded."""
        current = self._live
        return current.version if current else None

    def refresh(self) -> None:
        """Load what was deployed since the last look. A bundle that is refused is logged and the old one stays."""
        if not self._pointer.changed():
            return
        try:
            path = live(self._home, "churn")
            if path is not None and (self._live is None or self._live.path != path):
                bundle = read_bundle(path)
                self._live = _LiveChurn(path, bundle.manifest.version, ChurnModel.from_bundle(bundle))
                _LOG.info("churn bundle %s is live", self.model_version)
        except Exception:
            # Whatever a damaged bundle provokes, the worker goes on with what it has.
            _LOG.exception("the deployed churn bundle is refused, %s stays live", self.model_version)

    def score(self, user_ids: Sequence[str]) -> Risks:
        """Score users from their latest tags, in the order given.

        Users without tags are listed as unknown. Raises :class:`MissingStateError` when no churn model is deployed
        or no tags were built.
        """
        current = self._live
        if current is None:
            raise MissingStateError("no churn model is deployed, so no risk can be given; run 'mallard deploy churn'")
        build = self._tags.latest()
        table = _tags_of(build, user_ids, current.model.required_tags)
        users: dict[str, UserRisk] = {}
        if table.num_rows:
            with self._lock:
                scores = current.model.predict(table)
            users = {user: _risk(scores, row) for row, user in enumerate(scores.user_id)}
        return Risks(
            request_id=uuid.uuid4().hex,
            model_version=current.version,
            as_of=build.as_of,
            horizon_days=round(current.model.label.horizon_days),
            users=tuple(users[user] for user in user_ids if user in users),
            unknown_users=tuple(user for user in user_ids if user not in users),
        )


def _tags_of(build: TagBuild, user_ids: Sequence[str], tags: tuple[str, ...]) -> pa.Table:
    missing = [name for name in tags if name not in build.tags]
    if missing:
        raise MissingStateError(
            f"the tags of {build.as_of.isoformat()} lack {', '.join(missing)}, which the churn model reads; "
            "build all tags: 'mallard tags build'"
        )
    wanted = [(c.USER_ID, "in", list(user_ids))]
    return pq.read_table(build.path, columns=[c.USER_ID, *tags], filters=wanted)


def _risk(scores: ChurnScores, row: int) -> UserRisk:
    return UserRisk(
        user_id=scores.user_id[row],
        eligible=bool(scores.asked[row]),
        probability=float(scores.probability[row]),
        low=float(scores.low[row]),
        high=float(scores.high[row]),
        tier=str(scores.tier[row]),
        expected_purchases=float(scores.expected_purchases[row]),
        value_at_risk=float(scores.value_at_risk[row]),
        reasons=tuple(RiskReason(r.code, r.value, r.raises, Text(r.text, r.text_zh)) for r in scores.reasons(row)),
    )
