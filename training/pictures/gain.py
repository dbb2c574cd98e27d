"""How much of what matters is found by contacting the top of the list?"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.pictures.style import CYCLE, QUIET, dress, explain, new_figure, percent

Float64 = npt.NDArray[np.float64]

_FIRST_SHARE = 0.01  # lift over fewer users than this is noise


def gain_and_lift(scores: Mapping[str, Float64], outcome: npt.NDArray[np.bool_], *, title: str = "") -> Figure:
    """Cumulative gain and lift of one or more models over the same users.

    ``scores`` maps a model's name to its (n,) scores, the product's own first; higher means more likely. ``outcome``
    is (n,) and needs both classes.
    """
    total = int(outcome.sum())
    n = len(outcome)
    if not 0 < total < n:
        raise ValueError(f"gain needs both outcomes; {total} of {n} users have it")
    share = np.arange(n + 1) / n
    ours = next(iter(scores.values()))
    tenth = outcome[np.argsort(-ours, kind="stable")[: n // 10]].sum() / total
    figure = new_figure(11, 4.8)
    gains, lifts = figure.subplots(1, 2)
    ideal = np.minimum(np.arange(n + 1) / total, 1)
    gains.plot(share, ideal, color=QUIET, linewidth=1, linestyle=":", label="perfect order")
    gains.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--", label="random order")
    start = max(1, int(n * _FIRST_SHARE))
    for (name, score), colour in zip(scores.items(), CYCLE, strict=False):
        order = np.argsort(-score, kind="stable")
        found = np.concatenate([[0], np.cumsum(outcome[order])]) / total
        width = 2.2 if colour == CYCLE[0] else 1.4
        gains.plot(share, found, color=colour, linewidth=width, label=name)
        lifts.plot(share[start:], found[start:] / share[start:], color=colour, linewidth=width, label=name)
    lifts.axhline(1, color=QUIET, linewidth=1, linestyle="--")
    dress(
        gains,
        title or "Cumulative gain",
        f"the first 10 % of {n:,} users hold {percent(tenth)} of {total:,} events",
        grid="both",
    )
    dress(lifts, "Lift", "times as many as in a random group of that size", grid="both")
    gains.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of users contacted", ylabel="share of events found")
    lifts.set(xlim=(0, 1), ylim=(0, None), xlabel="share of users contacted", ylabel="lift")
    gains.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for axes in (gains, lifts):
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    explain(gains, "lower right")
    explain(lifts, "upper right")
    return figure
