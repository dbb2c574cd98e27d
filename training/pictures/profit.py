"""What contacting brings, and where tiers begin."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.pictures.style import CYCLE, QUIET, dress, explain, new_figure

Float64 = npt.NDArray[np.float64]


def profit(curves: Mapping[str, Float64], bounds: Mapping[str, float], *, title: str = "") -> Figure:
    """Expected profit by share of users contacted, the most likely to leave first.

    ``curves`` maps what is assumed of success to (n + 1,) profits of contacting the first 0, 1, … n users;
    ``bounds`` maps a tier to the share of users in it or above.
    """
    figure = new_figure(8, 4.8)
    axes = figure.subplots()
    for (name, curve), colour in zip(curves.items(), CYCLE, strict=False):
        share = np.arange(len(curve)) / max(len(curve) - 1, 1)
        axes.plot(share, curve, color=colour, linewidth=2, label=name)
    low, high = axes.get_ylim()
    for tier, share_of_tier in bounds.items():
        axes.axvline(share_of_tier, color=QUIET, linewidth=1, linestyle="--")
        axes.annotate(f"{tier} to here", (share_of_tier, high), rotation=90, va="top", ha="right", fontsize=8)
    axes.axhline(0, color=QUIET, linewidth=1)
    dress(axes, title or "Expected profit of contacting", "the most likely to leave are contacted first", grid="both")
    axes.set(xlim=(0, 1), ylim=(low, high), xlabel="share of users contacted", ylabel="expected profit (currency)")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    explain(axes, "lower left")
    return figure


def qini(share: Float64, gain: Float64, *, title: str = "") -> Figure:
    """What contacting the first ``share`` of users adds to the outcome, per user of all, against a random order."""
    figure = new_figure(7, 4.8)
    axes = figure.subplots()
    axes.plot(share, gain, color=CYCLE[0], linewidth=2.2, label="by foretold effect")
    axes.plot([0, 1], [0, gain[-1]], color=QUIET, linewidth=1, linestyle="--", label="random order")
    dress(axes, title or "Qini curve", "outcomes that contacting adds, on users held out", grid="both")
    axes.set(xlim=(0, 1), xlabel="share of users contacted", ylabel="added outcomes per user")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    explain(axes, "lower right")
    return figure
