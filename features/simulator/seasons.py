"""The mall's calendar: seasons, weekdays, promotion days with price cuts, and campaign days."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from features.simulator.randomness import Float32, Int32
from features.simulator.world import HORIZONS, World

#: (month, day) -> strength of the pull on the log visit and order rate, share taken off prices.
_FESTIVALS: Final = {
    (3, 7): (0.35, 0.10),
    (3, 8): (0.6, 0.15),
    (6, 16): (0.4, 0.15),
    (6, 17): (0.5, 0.20),
    (6, 18): (0.9, 0.25),
    (11, 9): (0.5, 0.15),
    (11, 10): (0.7, 0.25),
    (11, 11): (1.1, 0.30),
    (12, 12): (0.7, 0.20),
}
_MONTH_END: Final = (0.15, 0.08)
_YEARLY_SWING: Final = 0.12  # visits in mid-December over those in mid-June, as a share of the mean
_CAMPAIGN_WEEKDAYS: Final = (2, 5)  # Wednesday and Saturday, in turn every second week
_PEAK_DAY: Final = 350


@dataclass(frozen=True)
class Seasons:
    """Arrays over days from the start; they reach beyond the end, as far as the longest horizon looks."""

    season: Float32  # (days + 90,) factor on visit rates
    pull: Float32  # (days + 90,) promotion strength; a person's coupon sensitivity times it adds to log rates
    price_cut: Float32  # (days + 90,) share taken off every price
    weekday: Int32  # (days + 90,) Monday is 0
    campaign: Int32  # (days + 90,) number of the campaign sent that day, -1 for none


def make_seasons(world: World) -> Seasons:
    """The calendar of ``world``."""
    days = [world.start + timedelta(days=d) for d in range(world.days + max(HORIZONS))]
    festival = [_festival(day) for day in days]
    turn = 2 * np.pi * (np.array([day.timetuple().tm_yday for day in days]) - _PEAK_DAY) / 365.25
    weeks = [(day.toordinal() // 7, day.weekday()) for day in days]
    sends = np.array([day == _CAMPAIGN_WEEKDAYS[week % 2] for week, day in weeks])
    return Seasons(
        season=(1 + _YEARLY_SWING * np.cos(turn)).astype(np.float32),
        pull=np.array([pull for pull, _ in festival], np.float32),
        price_cut=np.array([cut for _, cut in festival], np.float32),
        weekday=np.array([day.weekday() for day in days], np.int32),
        campaign=np.where(sends, np.cumsum(sends) - 1, -1).astype(np.int32),
    )


def _festival(day: date) -> tuple[float, float]:
    known = _FESTIVALS.get((day.month, day.day))
    if known is not None:
        return known
    return _MONTH_END if (day + timedelta(days=2)).month != day.month else (0.0, 0.0)
