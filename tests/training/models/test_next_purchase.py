import numpy as np
import pytest

from training.models.bgnbd import BgNbd, PurchaseHistory
from training.models.next_purchase import Curves, days_overdue

RHYTHM = BgNbd(r=0.243, alpha=4.414 * 7, a=0.793, b=2.426)
HISTORY = PurchaseHistory(
    frequency=np.array([0.0, 5.0, 30.0, 4.0]),
    recency=np.array([0.0, 100.0, 300.0, 20.0]),
    age=np.array([50.0, 110.0, 301.0, 200.0]),
)
DAYS = np.arange(0, 366)


def test_the_curve_starts_at_one_falls_and_is_bgnbds_own() -> None:
    curves = Curves.of_rhythm(RHYTHM, HISTORY)
    told = curves.no_purchase(DAYS)
    assert told[:, 0] == pytest.approx(1.0)
    assert (np.diff(told, axis=1) <= 1e-12).all()
    assert told[:, 90] == pytest.approx(RHYTHM.no_purchase(HISTORY, 90.0))


def test_a_bent_curve_passes_through_its_knots_and_still_falls() -> None:
    knots = (7.0, 30.0, 90.0)
    wanted = np.array([[0.99, 0.9, 0.8], [0.9, 0.5, 0.2], [0.6, 0.3, 0.1], [0.999, 0.99, 0.98]])
    curves = Curves.of_rhythm(RHYTHM, HISTORY).bent(knots, wanted)
    assert curves.no_purchase(knots) == pytest.approx(wanted, rel=1e-6)
    assert (np.diff(curves.no_purchase(DAYS), axis=1) <= 1e-12).all()


def test_the_whole_curve_is_bent_through_the_calibrated_probability() -> None:
    wanted = np.array([0.7, 0.2, 0.05, 0.97])
    curves = Curves.of_rhythm(RHYTHM, HISTORY).bent((30.0,), np.full((4, 1), 0.5)).through(28.0, wanted)
    assert curves.no_purchase([28.0])[:, 0] == pytest.approx(wanted, rel=1e-6)
    assert (np.diff(curves.no_purchase(DAYS), axis=1) <= 1e-12).all()


def test_knots_that_rise_are_made_to_fall() -> None:
    curves = Curves.of_rhythm(RHYTHM, HISTORY).bent((7.0, 30.0), np.tile([0.5, 0.9], (4, 1)))
    assert curves.no_purchase([30.0])[:, 0] == pytest.approx(0.5)


def test_the_date_halves_those_who_buy_and_is_not_named_where_none_buys() -> None:
    curves = Curves.of_rhythm(RHYTHM, HISTORY)
    days = curves.next_purchase()
    bought = 1 - curves.no_purchase(DAYS)
    for row in np.flatnonzero(np.isfinite(days)):
        at = 1 - curves.take(slice(row, row + 1)).no_purchase([days[row]])[0, 0]
        assert at == pytest.approx(bought[row, 365] / 2, abs=0.02)
    assert np.isnan(days[3])  # bought often, then nothing for half a year
    assert days[2] < 30


def test_overdue_is_measured_by_the_own_pause() -> None:
    late = days_overdue(HISTORY)
    assert np.isnan(late[0])
    assert late[1:] == pytest.approx([10 - 20, 1 - 10, 180 - 5])
