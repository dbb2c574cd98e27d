"""How every picture looks: one palette, one grid, no global state.

Figures are made as objects and drawn by Agg, so that pictures can be drawn in threads and on machines without a screen.
The colours are those of Okabe and Ito ("Color Universal Design", 2008), told apart with any kind of colour vision.
"""

from typing import Final, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

OURS: Final = "#0072B2"  # blue: what the picture is about
OTHER: Final = "#E69F00"  # orange: what it is compared with
SOURCE: Final = "#56B4E9"  # sky blue
GOOD: Final = "#009E73"  # bluish green
QUIET: Final = "#9AA5B1"  # grey: references and baselines
INK: Final = "#22303C"
PAPER: Final = "#FFFFFF"
_RULE: Final = "#E3E8EE"

#: Kind of a row in a leaderboard -> colour.
KIND_COLOURS: Final = {"pipeline": OURS, "blend": "#4C9FD6", "source": SOURCE, "baseline": QUIET, "oracle": OTHER}

#: For series of equal rank, in this order.
CYCLE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")

#: For series that are ordered, weakest first.
STEPS: Final = ("#A9D2EE", "#4C9FD6", "#0072B2", "#00456B")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches with a canvas of its own."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, title: str, subtitle: str = "", *, grid: Literal["both", "x", "y"] = "y") -> None:
    """Title at the left, a quieter line below it, light rules along ``grid`` (``x``, ``y`` or ``both``)."""
    axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold", pad=24 if subtitle else 10)
    if subtitle:
        axes.annotate(
            subtitle,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 7),
            textcoords="offset points",
            color="#5B6873",
            fontsize=9,
        )
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis=grid, color=_RULE, linewidth=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#B8C2CC")
    axes.tick_params(colors="#3E4C59", labelsize=9, length=0)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)


def explain(axes: Axes, where: str = "best") -> None:
    """A legend without a frame."""
    axes.legend(loc=where, frameon=False, fontsize=9, labelcolor=INK)


def percent(value: float) -> str:
    """``0.123`` as ``12 %``, ``0.0123`` as ``1.2 %``."""
    return f"{value:.0%}".replace("%", " %") if value >= 0.1 else f"{value:.1%}".replace("%", " %")
