"""How a model did, user by user, kept so that a later challenger can be compared on the same users."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.bundle import read_bundle
from training.evaluation.paired import Paired, paired_bootstrap, paired_bootstrap_statistic, weighted_auc
from training.evaluation.spend import weighted_gini
from training.tracking import CHAMPION, Comparison, RegisteredModel, TrackedRun, Tracker

Float64 = npt.NDArray[np.float64]
_FOLDER = "judgement"


@dataclass(frozen=True)
class Judgement:
    """One model on one window of one lake."""

    cutoff: str  # ISO 8601
    fingerprint: str  # of the lake
    metric: str
    users: npt.NDArray[np.str_]  # (n,) external ids, ascending
    value: Float64  # (n,) the metric of each user, or the score that ``outcome`` is predicted by
    outcome: npt.NDArray[Any] | None = None  # (n,) yes or no, or an amount, where the metric is no mean over users

    def minus(self, other: "Judgement") -> Paired:
        """This model minus the other, over the users that both were asked about."""
        _, mine, theirs = np.intersect1d(self.users, other.users, assume_unique=True, return_indices=True)
        if self.outcome is None:
            return paired_bootstrap(self.value[mine], other.value[theirs])
        statistic = weighted_auc if self.outcome.dtype == np.bool_ else weighted_gini
        return paired_bootstrap_statistic(statistic, self.outcome[mine], self.value[mine], other.value[theirs])

    def keep(self, run: TrackedRun) -> None:
        """Store it beside the run's bundle."""
        arrays = {
            "about": np.array([self.cutoff, self.fingerprint, self.metric]),
            "users": self.users,
            "value": self.value,
        }
        if self.outcome is not None:
            arrays["outcome"] = self.outcome
        run.arrays(_FOLDER, arrays)

    @classmethod
    def of(cls, model: RegisteredModel) -> "Judgement | None":
        """The judgement that was kept for a registered model."""
        folder = model.beside(_FOLDER)
        if not folder.is_dir():
            return None
        arrays = {file.stem: np.load(file, allow_pickle=False) for file in folder.glob("*.npy")}
        cutoff, fingerprint, metric = arrays["about"].tolist()
        return cls(cutoff, fingerprint, metric, arrays["users"], arrays["value"], arrays.get("outcome"))


def against_champion(
    tracker: Tracker, kind: str, challenger: Judgement, ask_again: Callable[[Path], Judgement]
) -> tuple[Comparison | None, str]:
    """The challenger against the champion of ``kind``, or None and why there is no fair comparison ("": no champion).

    A champion that was judged on the very window is compared by what it scored then. One that has seen nothing after
    the cut-off is asked again, by ``ask_again`` with its bundle. One that has seen part of the window would have an
    unfair advantage, so no comparison is made.
    """
    champion = tracker.alias(kind, CHAMPION)
    if champion is None:
        return None, ""
    before = Judgement.of(champion)
    if before is None or (before.cutoff, before.fingerprint, before.metric) != (
        challenger.cutoff,
        challenger.fingerprint,
        challenger.metric,
    ):
        seen_until = read_bundle(champion.path).manifest.as_of
        if seen_until > challenger.cutoff:
            return None, (
                f"the champion (version {champion.version}) has seen data up to {seen_until[:10]}, after the cut-off "
                f"{challenger.cutoff[:10]} of this comparison; train again when a whole horizon has passed since"
            )
        before = ask_again(champion.path)
    return Comparison(challenger.metric, CHAMPION, challenger.minus(before), champion.version), ""
