"""The value model: what a user will spend within 30, 90 and 365 days, and when he will buy next.

Two opinions stand beside each other. BG/NBD with Gamma-Gamma foretells from the purchase rhythm alone; a two-part model
of LightGBM reads all tags: the probability of buying within the window times the spend of those who buy (gamma
deviance on the logarithm, so that no correction for the change of scale is needed). Which one speaks, or their mean,
was chosen on later data per window. Windows that the history could not teach go on from the longest taught one in
BG/NBD's proportions. It imports no pipeline, so the server loads it alone.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import expit

from features.contracts import columns as c
from features.contracts.errors import BundleError
from training.bundle import GOLDEN, Bundle, Manifest, write_bundle
from training.models.bgnbd import BgNbd
from training.models.boosting import log_odds
from training.models.churn_config import Population
from training.models.gamma_gamma import GammaGamma
from training.models.golden import check_kind, check_tags, golden_rows, replay
from training.models.next_purchase import Curves
from training.models.value_features import ValueColumns, required_tags

Float64 = npt.NDArray[np.float64]

KIND: Final = "value"
#: Logarithms of amounts stay below this: no user is foretold to spend more than some 10^13.
_MOST_LOG: Final = 30.0


class Opinion(StrEnum):
    """Who speaks for a window of spend, or for the curve of the next purchase."""

    RHYTHM = "bgnbd_gamma_gamma"
    TREES = "two_part"
    BOTH = "both"  # the mean of the two


@dataclass(frozen=True)
class Window:
    """Spend within ``days``, for a window that the history taught."""

    days: int
    opinion: Opinion
    level: float  # what BG/NBD's spend is multiplied by to have the sums of the past
    amount: lgb.Booster | None  # logarithm of the spend of those who buy; None where the trees have no say


@dataclass(frozen=True)
class ValueScores:
    """What is said of ``n`` users, in the order of the tag table."""

    user_id: list[str]
    spend: Float64  # (n, horizons) expected spend, in the events' currency, rising along a row
    curves: Curves  # of the next purchase
    asked: npt.NDArray[np.bool_]  # (n,) the user belongs to the population that the model was fitted for


@dataclass(frozen=True)
class ValueModel:
    """What was fitted. Immutable; scoring needs a tag table and nothing else."""

    horizons: tuple[int, ...]  # days
    population: Population
    tags: tuple[str, ...]  # that the trees read
    tag_spec: str  # hash of the declarations of all required tags
    rhythm: BgNbd
    money: GammaGamma
    buying: dict[int, lgb.Booster]  # day -> log-odds of a purchase by then
    windows: tuple[Window, ...]  # ascending
    curve: Opinion

    @property
    def required_tags(self) -> tuple[str, ...]:
        """Every tag that :meth:`predict` reads."""
        return required_tags(self.tags)

    def predict(self, tags: pa.Table) -> ValueScores:
        """Expected spend and curves of every user of a tag table.

        Raises :class:`InputError` that names a tag which the table lacks.
        """
        columns = ValueColumns.of(tags, self.tags, self.rhythm, self.money)
        buying = self._buying(columns)
        return ValueScores(
            user_id=tags[c.USER_ID].to_pylist(),
            spend=self._spend(columns, buying),
            curves=self._curves(columns, buying),
            asked=np.asarray(columns.history.frequency + columns.bought >= self.population.min_events),
        )

    def _buying(self, columns: ValueColumns) -> dict[int, Float64]:
        """Day -> (n,) probability of a purchase by then, rising with the day."""
        found: dict[int, Float64] = {}
        before = np.zeros(len(columns))
        for day, booster in self.buying.items():
            before = np.maximum(before, expit(log_odds(booster, columns.trees)))
            found[day] = before
        return found

    def _spend(self, columns: ValueColumns, buying: dict[int, Float64]) -> Float64:
        taught = {window.days: window_spend(window, columns, buying.get(window.days)) for window in self.windows}
        spend = np.empty((len(columns), len(self.horizons)))
        for place, days in enumerate(self.horizons):
            spend[:, place] = taught[days] if days in taught else self._grown(columns, taught, days)
        return np.maximum.accumulate(spend, axis=1)

    @staticmethod
    def _grown(columns: ValueColumns, taught: dict[int, Float64], days: int) -> Float64:
        """Spend within an untaught window: the nearest taught one times how much BG/NBD grows between the two."""
        if not taught:
            return columns.rhythm_spend(days)
        nearest = min(taught, key=lambda known: abs(known - days))
        short, long = columns.purchases(nearest), columns.purchases(days)
        growth = np.divide(long, short, out=np.full(len(long), days / nearest), where=short > 1e-9)
        return np.asarray(taught[nearest] * growth)

    def _curves(self, columns: ValueColumns, buying: dict[int, Float64]) -> Curves:
        curves = Curves.of_rhythm(self.rhythm, columns.history)
        if self.curve is Opinion.RHYTHM or not buying:
            return curves
        return curves.bent(tuple(buying), 1.0 - np.column_stack(list(buying.values())))

    # --- as a bundle ------------------------------------------------------------------------------------
    def to_bundle(
        self, path: Path, examples: pa.Table, *, version: str, as_of: str, code_version: str, run_id: str = ""
    ) -> Bundle:
        """Write to ``path``, which must not exist; golden rows come from ``examples``, a tag table."""
        payload = {
            "horizons": list(self.horizons),
            "population": self.population.model_dump(mode="json"),
            "tags": list(self.tags),
            "buying": list(self.buying),
            "windows": [
                {"days": w.days, "opinion": str(w.opinion), "level": w.level, "amount": w.amount is not None}
                for w in self.windows
            ],
            "curve": str(self.curve),
        }
        texts = {f"buying_{day}.txt": booster.model_to_string() for day, booster in self.buying.items()}
        texts |= {f"amount_{w.days}.txt": w.amount.model_to_string() for w in self.windows if w.amount is not None}
        texts[GOLDEN] = json.dumps(golden_rows(examples, self.required_tags, self._outputs))
        manifest = Manifest(
            kind=KIND,
            version=version,
            as_of=as_of,
            code_version=code_version,
            tag_spec=self.tag_spec,
            run_id=run_id,
            payload=payload,
        )
        return write_bundle(
            path, manifest, arrays={"rhythm": self.rhythm.to_array(), "money": self.money.to_array()}, texts=texts
        )

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self:
        """The model of a bundle, after its golden rows came out right.

        Raises :class:`BundleError` when the bundle is of another kind, when a tag it reads is declared otherwise today,
        or when a golden row differs.
        """
        check_kind(bundle, KIND)
        payload = bundle.manifest.payload
        try:
            model = cls(
                horizons=tuple(payload["horizons"]),
                population=Population.model_validate(payload["population"]),
                tags=tuple(payload["tags"]),
                tag_spec=bundle.manifest.tag_spec,
                rhythm=BgNbd.from_array(bundle.array("rhythm")),
                money=GammaGamma.from_array(bundle.array("money")),
                buying={day: _booster(bundle, f"buying_{day}.txt") for day in payload["buying"]},
                windows=tuple(_window(bundle, window) for window in payload["windows"]),
                curve=Opinion(payload["curve"]),
            )
        except (KeyError, ValueError, lgb.basic.LightGBMError) as error:
            raise BundleError(f"bundle {bundle.path}: not a whole value model: {error}") from error
        check_tags(bundle, model.required_tags)
        replay(bundle, model._outputs)
        return model

    def _outputs(self, tags: pa.Table) -> dict[str, Float64]:
        scores = self.predict(tags)
        return {"spend": scores.spend, "no_purchase": scores.curves.no_purchase(self.horizons)}


def window_spend(window: Window, columns: ValueColumns, buying: Float64 | None) -> Float64:
    """(n,) what a window's opinion says; ``buying`` is the probability of a purchase within it."""
    rhythm = window.level * columns.rhythm_spend(window.days)
    if window.opinion is Opinion.RHYTHM or window.amount is None or buying is None:
        return rhythm
    trees = buying * np.exp(np.minimum(log_odds(window.amount, columns.trees), _MOST_LOG))
    return trees if window.opinion is Opinion.TREES else (trees + rhythm) / 2.0


def _booster(bundle: Bundle, name: str) -> lgb.Booster:
    return lgb.Booster(model_str=bundle.text(name))


def _window(bundle: Bundle, kept: dict[str, Any]) -> Window:
    days = int(kept["days"])
    amount = _booster(bundle, f"amount_{days}.txt") if kept["amount"] else None
    return Window(days, Opinion(kept["opinion"]), float(kept["level"]), amount)
