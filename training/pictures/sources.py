"""How much of the truth does each candidate source reach?"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.pictures.style import INK, STEPS, dress, explain, new_figure, percent


def source_recall(recalls: Mapping[str, Mapping[int, float]], *, users: int, title: str = "") -> Figure:
    """Grouped bars of recall at each list length, one group per source, the furthest-reaching source first.

    ``recalls`` maps source -> list length k -> recall in 0..1; ``users`` is the number of test users. A row called
    ``union`` is what the ranker gets to choose from.
    """
    lengths = sorted({k for row in recalls.values() for k in row})
    if not lengths:
        raise ValueError("there is no recall to draw")
    names = sorted(recalls, key=lambda name: -recalls[name].get(lengths[-1], 0.0))
    figure = new_figure(max(6.4, 1.6 + 0.42 * len(names) * (len(lengths) + 1)), 4.6)
    axes = figure.subplots()
    width = 0.8 / len(lengths)
    for place, (k, colour) in enumerate(zip(lengths, STEPS[-len(lengths) :], strict=False)):
        values = [recalls[name].get(k, 0.0) for name in names]
        middle = np.arange(len(names)) + (place - (len(lengths) - 1) / 2) * width
        axes.bar(middle, values, width=width * 0.92, color=colour, label=f"first {k}")
        for x, value in zip(middle, values, strict=True):
            axes.text(x, value, percent(value), ha="center", va="bottom", fontsize=7, color=INK)
    axes.set_xticks(range(len(names)), names)
    dress(axes, title or "Reach of the candidate sources", f"share of the items taken next, {users:,} test users")
    axes.set(ylabel="recall", xlim=(-0.6, len(names) - 0.4))
    axes.margins(y=0.1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    explain(axes, "upper right")
    return figure
