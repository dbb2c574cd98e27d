"""For whom does it work? New and old users side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from training.pictures.style import INK, OTHER, OURS, dress, new_figure


@dataclass(frozen=True)
class Slice:
    """One group of users, or of items: what the model and its best rival reach there."""

    name: str  # "new users", "old users", ...
    users: int
    ours: float
    other: float


def slices(rows: Sequence[Slice], metric: str, *, other: str, title: str = "") -> Figure:
    """Pairs of bars of ``metric``, one pair per slice from the top in the order given; ``other`` names the rival."""
    if not rows:
        raise ValueError("there is no slice to draw")
    figure = new_figure(7.6, 1.8 + 0.5 * len(rows))
    axes = figure.subplots()
    places = np.arange(len(rows))[::-1]
    for offset, colour, label, values in (
        (0.19, OURS, "this model", [row.ours for row in rows]),
        (-0.19, OTHER, other, [row.other for row in rows]),
    ):
        axes.barh(places + offset, values, height=0.35, color=colour, label=label)
        for y, value in zip(places + offset, values, strict=True):
            axes.text(value, y, f" {value:.3f}", va="center", fontsize=8, color=INK)
    axes.set_yticks(places, [f"{row.name}\n{row.users:,} users" for row in rows])
    dress(axes, title or f"{metric} by group", grid="x")
    axes.set(xlabel=metric, ylim=(-0.6, len(rows) - 0.4))
    axes.margins(x=0.12)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    return figure
