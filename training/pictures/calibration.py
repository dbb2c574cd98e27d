"""Do the probabilities come true?"""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy.stats import binom

from training.pictures.style import INK, OURS, QUIET, dress, explain, new_figure

Float64 = npt.NDArray[np.float64]


def calibration(probability: Float64, outcome: npt.NDArray[np.bool_], *, bins: int = 10, title: str = "") -> Figure:
    """Share of events against mean probability in bins of equal mass, with the 90 % band of a perfect model.

    ``probability`` and ``outcome`` are (n,). A point outside its grey band is more than chance: a calibrated model
    stays inside nine times in ten (Bröcker and Smith, "Increasing the Reliability of Reliability Diagrams", 2007).
    Below, how many users get which probability.
    """
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    said = np.array([probability[part].mean() for part in parts])
    seen = np.array([outcome[part].mean() for part in parts])
    count = np.array([len(part) for part in parts])
    low, high = (binom.ppf(q, count, said) / count for q in (0.05, 0.95))

    figure = new_figure(6.4, 6.4)
    top, bottom = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    top.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--", label="perfect")
    top.fill_between(said, low, high, color=QUIET, alpha=0.3, linewidth=0, label="90 % of a perfect model")
    top.plot(said, seen, color=OURS, linewidth=2, marker="o", markersize=6, label="this model")
    error = float(np.average(np.abs(said - seen), weights=count))
    dress(top, title or "Calibration", f"expected calibration error {error:.3f}, {len(order):,} users", grid="both")
    top.set(xlim=(0, 1), ylim=(0, 1), ylabel="share to whom it happened")
    top.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    explain(top, "upper left")

    bottom.hist(probability, bins=np.linspace(0, 1, 41).tolist(), color=OURS, alpha=0.85)
    dress(bottom, "")
    bottom.set(xlabel="probability given", ylabel="users")
    bottom.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    base = float(outcome.mean())
    bottom.axvline(base, color=INK, linewidth=1, linestyle=":")
    side = "right" if base > 0.5 else "left"
    bottom.text(base, bottom.get_ylim()[1], " base rate ", color=INK, fontsize=8, va="top", ha=side)
    return figure
