"""When a user will buy next: P(no purchase until day t) as a curve, and the date that follows from it.

The curve is that of BG/NBD, whose mixture of gamma rates is closed in form, bent so that it passes through what other
models say at some days (the *knots*). Between knots the cumulative hazard keeps BG/NBD's shape and takes the knots'
size; after the last one it goes on in proportion. Bending a cumulative hazard by a factor is the proportional-hazards
assumption of Cox (1972), applied piece by piece.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from training.models.bgnbd import BgNbd, PurchaseHistory

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

#: How far a curve is followed (days): a purchase beyond it is as good as none.
HORIZON_DAYS: Final = 365
#: Days at which a date is looked for; between them the curve is taken as straight.
_GRID: Final = np.array([0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, HORIZON_DAYS], dtype=np.float64)
#: Probabilities are kept this far from 0 and 1, so that logarithms stay finite.
_EDGE: Final = 1e-6
#: Users whose curves are held at a time.
_CHUNK: Final = 100_000


@dataclass(frozen=True)
class Curves:
    """P(no purchase until day t) of ``n`` users."""

    rhythm: BgNbd
    history: PurchaseHistory  # of n users
    knots: tuple[float, ...]  # days, ascending
    hazard: Float64  # (n, k) cumulative hazard at the knots, rising along a row
    factor: Float64  # (n,) on the whole cumulative hazard

    @classmethod
    def of_rhythm(cls, rhythm: BgNbd, history: PurchaseHistory) -> Self:
        """BG/NBD's own curves."""
        n = len(history.age)
        return cls(rhythm, history, (), np.empty((n, 0)), np.ones(n))

    def bent(self, knots: tuple[float, ...], no_purchase: Float64) -> Self:
        """Curves through ``no_purchase`` (n, k) at days ``knots``; made to fall where it rises from knot to knot."""
        hazard = np.maximum.accumulate(-np.log(np.clip(no_purchase, _EDGE, 1 - _EDGE)), axis=1)
        return replace(self, knots=knots, hazard=hazard)

    def through(self, day: float, no_purchase: Float64) -> Self:
        """Every curve as a whole bent so that it passes through ``no_purchase`` (n,) on ``day``."""
        wanted = -np.log(np.clip(no_purchase, _EDGE, 1 - _EDGE))
        now = np.maximum(self._hazard(np.array([day]))[:, 0], _EDGE)
        return replace(self, factor=self.factor * wanted / now)

    def __len__(self) -> int:
        return len(self.factor)

    def take(self, rows: slice) -> Self:
        """The curves of ``rows``."""
        every = np.arange(len(self))[rows]
        return replace(self, history=self.history.take(every), hazard=self.hazard[rows], factor=self.factor[rows])

    def no_purchase(self, days: npt.ArrayLike) -> Float64:
        """(n, d) probability of no purchase until each of ``days`` (d,), day 0 being the moment asked from."""
        return np.asarray(np.exp(-self._hazard(np.asarray(days, dtype=np.float64))), dtype=np.float64)

    def next_purchase(self) -> Float64:
        """(n,) days until the next purchase: half of those who buy within :data:`HORIZON_DAYS` have bought by then.

        NaN where even that long a purchase is less likely than not: no date can be named.
        """
        found = np.full(len(self), np.nan)
        for start in range(0, len(self), _CHUNK):
            part = self.take(slice(start, start + _CHUNK))
            bought = 1.0 - part.no_purchase(_GRID)
            half = bought[:, -1] / 2.0
            after = np.argmax(bought >= half[:, None], axis=1)
            after = np.maximum(after, 1)
            row = np.arange(len(part))
            low, high = bought[row, after - 1], bought[row, after]
            share = (half - low) / np.maximum(high - low, 1e-12)
            day = _GRID[after - 1] + share * (_GRID[after] - _GRID[after - 1])
            found[start : start + _CHUNK] = np.where(half >= 0.25, day, np.nan)
        return found

    def _hazard(self, days: Float64) -> Float64:
        """(n, d) cumulative hazard, 0 on day 0."""
        own = np.column_stack([-np.log(np.clip(self._silent(day), 1e-12, 1.0)) for day in days])
        if not self.knots:
            return np.asarray(own * self.factor[:, None])
        silent = [-np.log(np.clip(self._silent(knot), 1e-12, 1.0)) for knot in self.knots]
        at = np.column_stack([np.zeros(len(self)), *silent])
        size = np.column_stack([np.zeros(len(self)), self.hazard])
        bent = np.empty_like(own)
        last = len(self.knots)
        for column, day in enumerate(days):
            piece = int(np.searchsorted(self.knots, day))
            if piece == last:  # beyond the last knot: in proportion
                ratio = size[:, last] / np.maximum(at[:, last], 1e-9)
                bent[:, column] = size[:, last] + ratio * (own[:, column] - at[:, last])
                continue
            width = at[:, piece + 1] - at[:, piece]
            along = np.clip((own[:, column] - at[:, piece]) / np.maximum(width, 1e-12), 0.0, 1.0)
            bent[:, column] = size[:, piece] + along * (size[:, piece + 1] - size[:, piece])
        return np.asarray(bent * self.factor[:, None])

    def _silent(self, day: float) -> Float64:
        return self.rhythm.no_purchase(self.history, day)


def days_overdue(history: PurchaseHistory) -> Float64:
    """(n,) days since the last purchase beyond the user's own mean pause; below 0 while it is not over.

    NaN for users with fewer than two purchase days, who have no rhythm yet.
    """
    repeats = history.frequency > 0
    pause = np.divide(history.recency, history.frequency, out=np.full(len(history.age), np.nan), where=repeats)
    return np.asarray(history.age - history.recency - pause, dtype=np.float64)
