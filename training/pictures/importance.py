"""What does the model look at?"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.pictures.style import INK, OURS, dress, new_figure, percent


def importance(
    names: Sequence[str],
    weights: npt.NDArray[np.float64],
    *,
    measure: str = "the gain of all splits",
    most: int = 25,
    title: str = "What the model looks at",
) -> Figure:
    """Bars of the share of the total weight, the ``most`` important features first; the rest are one line of text.

    ``names`` and ``weights`` (n,) are aligned; weights are not negative. ``measure`` says what they are, such as
    LightGBM's gain or "mean |contribution|".
    """
    total = float(weights.sum()) or 1.0
    order = np.argsort(-weights, kind="stable")[:most]
    shares = weights[order] / total
    figure = new_figure(7.6, 1.4 + 0.27 * len(order))
    axes = figure.subplots()
    positions = np.arange(len(order))[::-1]
    axes.barh(positions, shares, color=OURS, height=0.68)
    axes.set_yticks(positions, [names[i] for i in order])
    edge = float(shares.max()) if len(shares) else 1.0
    for position, share in zip(positions, shares, strict=True):
        axes.text(share + edge * 0.012, position, percent(share), va="center", fontsize=8, color=INK)
    rest = len(names) - len(order)
    note = f"; {rest} more features carry {percent(max(0.0, 1 - float(shares.sum())))}" if rest else ""
    dress(axes, title, f"share of {measure}{note}", grid="x")
    axes.set(xlim=(0, edge * 1.14), ylim=(-0.7, len(order) - 0.3))
    axes.xaxis.set_visible(False)
    return figure
