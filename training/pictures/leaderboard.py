"""Who is best, and by how much more than chance?"""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from training.pictures.style import INK, KIND_COLOURS, QUIET, dress, new_figure


@dataclass(frozen=True)
class Standing:
    """One model's value of a metric with its 95 % interval (equal to the value where none was computed)."""

    model: str
    kind: str  # "pipeline", "source", "baseline" and so on, as in result.json
    value: float
    low: float
    high: float


def leaderboard(standings: Sequence[Standing], metric: str, *, note: str = "", title: str = "") -> Figure:
    """Points with intervals, best first. ``note`` is a line below the title, such as the paired difference."""
    if not standings:
        raise ValueError("there is no model to draw")
    rows = sorted(standings, key=lambda row: -row.value)
    figure = new_figure(7.6, 1.6 + 0.36 * len(rows))
    axes = figure.subplots()
    places = range(len(rows) - 1, -1, -1)
    span = max(row.high for row in rows) - min(row.low for row in rows) or 1.0
    for place, row in zip(places, rows, strict=True):
        colour = KIND_COLOURS.get(row.kind, QUIET)
        axes.plot([row.low, row.high], [place, place], color=colour, linewidth=3, alpha=0.55, solid_capstyle="round")
        axes.plot([row.value], [place], marker="o", markersize=8, color=colour)
        axes.text(row.high + span * 0.03, place, f"{row.value:.4f}", va="center", fontsize=9, color=INK)
    axes.set_yticks(list(places), [row.model for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.kind == "pipeline" else "normal")
    dress(axes, title or f"Leaderboard by {metric}", note, grid="x")
    axes.set(xlabel=f"{metric}, 95 % interval", ylim=(-0.7, len(rows) - 0.3))
    axes.set_xlim(min(row.low for row in rows) - span * 0.05, max(row.high for row in rows) + span * 0.16)
    kinds = [kind for kind in KIND_COLOURS if any(row.kind == kind for row in rows)]
    keys = [Line2D([], [], color=KIND_COLOURS[kind], marker="o", linewidth=3, label=kind) for kind in kinds]
    axes.legend(handles=keys, loc="lower right", frameon=False, fontsize=9, labelcolor=INK)
    return figure
