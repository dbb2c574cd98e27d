"""What it is worth to know more of somebody new: ``cold_start`` of a result as bars and sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from training.report.charts import verdict
from training.report.story import percent, signed
from training.report.words import Both

_OURS: Final = "pipeline"
_THEIRS: Final = "trending"

_GROUPS: Final[Mapping[str, Both]] = {
    "new users": Both("People who are new", "新用户"),
    "merged at login": Both("People who looked around before they logged in", "登录前已匿名来访的用户"),
}
#: What is known in each way of asking.
_WAYS: Final[Mapping[str, Both]] = {
    "nothing": Both("nothing", "无"),
    "context": Both("channel and hour", "渠道与时段"),
    "context and session": Both("channel, hour and what they did until then", "渠道、时段与此前行为"),
    "without the visit": Both("nothing from before the login", "不含登录前的行为"),
    "with the visit": Both("what they did before the login", "登录前的行为"),
}

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """One way of asking: the recommender beside what is trending."""

    name: Both
    ours: float
    theirs: float | None  # None: trending takes no part
    ours_wide: float  # 0..100
    theirs_wide: float
    gain: Mapping[str, float] | None  # of the recommender over the first way; None: it is the first
    low: float  # 0..100, where the bar ends with 95 % certainty when the first way is taken as it is
    high: float
    verdict: str  # "better", "worse", "even", "few"; "" of the first


@dataclass(frozen=True)
class Newcomers:
    """People who were asked about in several ways, the first of which knows least of them."""

    name: Both
    users: int
    ways: Sequence[Way]
    findings: Sequence[Both]


def newcomers(cold_start: Mapping[str, Part]) -> list[Newcomers]:
    """Every group of ``cold_start`` in the order of the result; bars stand on one scale."""
    widest = max((end for part in cold_start.values() for end in _ends(part)), default=0.0) or 1.0
    return [
        Newcomers(_GROUPS.get(name, Both(name, name)), part["users"], _ways(part, widest), _findings(part))
        for name, part in cold_start.items()
    ]


def _first(part: Part) -> float:
    """What the recommender reaches when least is known."""
    return float(next(iter(part["ways"][_OURS].values())))


def _ends(part: Part) -> Iterator[float]:
    """Where the marks of a group end, in its metric."""
    for values in part["ways"].values():
        yield from values.values()
    for gain in part["gains"][_OURS].values():
        yield _first(part) + gain["high"]


def _ways(part: Part, widest: float) -> list[Way]:
    theirs, gains, first = part["ways"].get(_THEIRS, {}), part["gains"][_OURS], _first(part)

    def wide(value: float) -> float:
        return round(100 * max(value, 0.0) / widest, 2)

    def way(name: str, value: float) -> Way:
        gain = gains.get(name)
        low, high = (value, value) if gain is None else (first + gain["low"], first + gain["high"])
        return Way(
            name=_name(name),
            ours=value,
            theirs=theirs.get(name),
            ours_wide=wide(value),
            theirs_wide=wide(theirs.get(name, 0.0)),
            gain=gain,
            low=wide(low),
            high=wide(high),
            verdict="" if gain is None else verdict(part["users"], gain),
        )

    return [way(name, value) for name, value in part["ways"][_OURS].items()]


def _findings(part: Part) -> list[Both]:
    """What each further way gains over the first; no difference is claimed that its interval does not show."""
    return [_finding(_name(way), part["users"], gain, _first(part)) for way, gain in part["gains"][_OURS].items()]


def _finding(known: Both, users: int, gain: Mapping[str, float], first: float) -> Both:
    found = verdict(users, gain)
    if found == "few":
        return Both(f"Knowing {known.en}: too few people to say.", f"已知{known.zh}：人数过少，无法判断。")
    if found == "even":
        return Both(
            f"Knowing {known.en}, the list is not shown to fit better.", f"已知{known.zh}：尚无证据表明列表更合适。"
        )
    word, word_zh = ("better", "提高") if found == "better" else ("worse", "降低")
    if not first:  # nothing fitted before, so that no share can be named
        return Both(f"Knowing {known.en}, the list fits {word}.", f"已知{known.zh}：列表契合度{word_zh}。")
    share, low, high = percent(abs(gain["mean"] / first)), signed(gain["low"] / first), signed(gain["high"] / first)
    return Both(
        f"Knowing {known.en}, the list fits {share} {word}, with 95 % certainty between {low} and {high}.",
        f"已知{known.zh}：列表契合度{word_zh} {share}，95% 置信区间为 {low} 至 {high}。",
    )


def _name(way: str) -> Both:
    return _WAYS.get(way, Both(way, way))
