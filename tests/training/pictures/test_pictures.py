"""Pictures say what the data says: read back from the drawn artists, and every one becomes a PNG without warnings."""

import io
import threading

import matplotlib._pylab_helpers
import numpy as np
import pytest

from training.pictures import (
    Slice,
    Standing,
    calibration,
    gain_and_lift,
    importance,
    leaderboard,
    slices,
    source_recall,
)

RNG = np.random.default_rng(7)
PROBABILITY = RNG.random(600)
OUTCOME = RNG.random(600) < PROBABILITY


def every_picture():
    return {
        "calibration": calibration(PROBABILITY, OUTCOME),
        "gain": gain_and_lift({"pipeline": PROBABILITY, "recency": RNG.random(600)}, OUTCOME),
        "importance": importance([f"f{i}" for i in range(30)], np.arange(30.0)),
        "sources": source_recall({"repeat": {20: 0.1, 50: 0.2}, "als": {20: 0.05, 50: 0.3}}, users=9),
        "leaderboard": leaderboard([Standing("pipeline", "pipeline", 0.4, 0.3, 0.5)], "auc"),
        "slices": slices([Slice("new users", 3, 0.1, 0.2)], "auc", other="recency"),
    }


def png(figure):
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=40)
    return stream.getvalue()


@pytest.mark.parametrize("name", every_picture())
def test_every_picture_becomes_a_png(name):
    assert png(every_picture()[name]).startswith(b"\x89PNG")


def test_pictures_leave_no_global_state_and_draw_in_threads():
    drawn = []
    threads = [threading.Thread(target=lambda: drawn.append(png(calibration(PROBABILITY, OUTCOME)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == 3
    assert not matplotlib._pylab_helpers.Gcf.figs


def line(axes, label):
    return next(each for each in axes.lines if each.get_label() == label).get_xydata()


def test_calibration_bins_hold_equal_numbers_and_their_own_means():
    probability = np.array([0.1, 0.2, 0.6, 0.8])
    points = line(calibration(probability, np.array([False, True, True, True]), bins=2).axes[0], "this model")
    np.testing.assert_allclose(points, [[0.15, 0.5], [0.7, 1.0]])


def test_calibration_of_fewer_users_than_bins():
    assert len(line(calibration(np.array([0.3, 0.4]), np.array([True, False])).axes[0], "this model")) == 2


def test_gain_of_a_perfect_order_reaches_everything_first():
    outcome = np.array([True, False, False, True])
    axes = gain_and_lift({"m": np.array([0.9, 0.1, 0.2, 0.8])}, outcome).axes
    np.testing.assert_allclose(line(axes[0], "m")[:, 1], [0, 0.5, 1, 1, 1])
    np.testing.assert_allclose(line(axes[1], "m")[:, 1], [2, 2, 4 / 3, 1])


def test_gain_needs_both_outcomes():
    with pytest.raises(ValueError, match="0 of 3 users"):
        gain_and_lift({"m": np.ones(3)}, np.zeros(3, dtype=bool))


def test_importance_shows_the_largest_first_and_says_what_is_left_out():
    axes = importance(["small", "large", "none"], np.array([1.0, 3.0, 0.0]), most=2).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["large", "small"]
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0.25]
    assert "1 more features carry 0.0 %" in axes.texts[-1].get_text()


def test_sources_stand_in_order_of_reach():
    axes = every_picture()["sources"].axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["als", "repeat"]


def test_the_leaderboard_is_sorted_and_marks_the_pipeline():
    rows = [Standing("popular", "baseline", 0.1, 0.05, 0.15), Standing("pipeline", "pipeline", 0.4, 0.35, 0.45)]
    labels = leaderboard(rows, "auc").axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == ["pipeline", "popular"]
    assert labels[0].get_fontweight() == "bold"


def test_slices_stand_from_the_top_in_the_order_given():
    axes = slices([Slice("new users", 3, 0.1, 0.2), Slice("old users", 5, 0.3, 0.4)], "auc", other="x").axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    labels = dict(zip(names, axes.get_yticks(), strict=True))
    assert labels["new users\n3 users"] > labels["old users\n5 users"]
    assert [bar.get_width() for bar in axes.patches] == [0.1, 0.3, 0.2, 0.4]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: leaderboard([], "auc"),
        lambda: slices([], "auc", other="x"),
        lambda: source_recall({}, users=0),
    ],
)
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(ValueError, match="there is no"):
        draw()
