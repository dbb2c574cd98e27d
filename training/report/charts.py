"""Where the marks of a chart stand, in per cent of its width. The template draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from training.report.words import Both, group, model

_MOST: Final = 12
_MARGIN: Final = 0.06
_FEW: Final = 30  # people below whom a group gets no verdict


@dataclass(frozen=True)
class Mark:
    """One line of the leaderboard."""

    name: Both
    code: str
    kind: str
    value: float
    at: float  # 0..100
    low: float
    high: float


@dataclass(frozen=True)
class Leaderboard:
    """The best lines, best first, with the line of the strongest simple list."""

    marks: Sequence[Mark]
    rival: float  # 0..100
    left_out: int


@dataclass(frozen=True)
class Pair:
    """One group: the recommender beside its rival."""

    name: Both
    users: int
    ours: float
    theirs: float
    ours_wide: float  # 0..100
    theirs_wide: float
    verdict: str  # "better", "worse", "even", or "few": too few people for an interval to mean much


def leaderboard(standings: Sequence[Mapping[str, Any]], against: str) -> Leaderboard:
    """The first lines by value; the rival ``against`` is always among them."""
    best = sorted(standings, key=lambda row: (-row["value"], row["model"]))
    shown = best[:_MOST]
    shown += [row for row in best[_MOST:] if row["model"] in (against, "pipeline")]
    start, end = min(row["low"] for row in shown), max(row["high"] for row in shown)
    span = (end - start) * (1 + 2 * _MARGIN) or 1.0
    left = start - span * _MARGIN / (1 + 2 * _MARGIN)

    def at(value: float) -> float:
        return round(float(100 * (value - left) / span), 2)

    marks = [
        Mark(
            model(row["model"]),
            row["model"],
            row["kind"],
            row["value"],
            *(at(row[p]) for p in ("value", "low", "high")),
        )
        for row in shown
    ]
    rival = next(mark.at for mark in marks if mark.code == against)
    return Leaderboard(marks, rival, len(best) - len(shown))


def pairs(slices: Mapping[str, Mapping[str, Any]]) -> list[Pair]:
    """Every group in the order of the result; bars stand on one scale."""
    widest = max((max(part["pipeline"], part["rival"]) for part in slices.values()), default=0.0) or 1.0
    return [
        Pair(
            group(name),
            part["users"],
            part["pipeline"],
            part["rival"],
            round(100 * part["pipeline"] / widest, 2),
            round(100 * part["rival"] / widest, 2),
            verdict(part["users"], part),
        )
        for name, part in slices.items()
    ]


def verdict(users: int, difference: Mapping[str, Any]) -> str:
    """What the interval of a ``difference`` (``low``, ``high``) between lists for so many users shows."""
    if users < _FEW:
        return "few"
    return "better" if difference["low"] > 0 else "worse" if difference["high"] < 0 else "even"
