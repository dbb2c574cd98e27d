"""The forms of a reason: pure functions of a user's values, each in English and Chinese.

A form is told the value of the tag that speaks, the value beside it (NaN: none), the days of its window (None: all
time), and whether the reason raises the risk. It answers None where the value is unknown and that says nothing.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAYS_ZH: Final = "一二三四五六日"


class Both(NamedTuple):
    """The same in English and Chinese."""

    en: str
    zh: str


class Phrase(Protocol):
    """A form, filled with the words of one tag."""

    @property
    def plain(self) -> float:
        """How well it reads: of two tags that add the same, that with the larger value speaks (share, 0 to 1)."""
        ...

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        """The sentence, or None."""
        ...


@dataclass(frozen=True)
class Count:
    """How often something was done. Beside it: the count over twice the window, which gives the time before."""

    one: str
    many: str
    zh: str  # with its measure word: "次访问"
    nothing_zh: str  # "访问"
    plain: float = 1.0

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        before = beside - value
        if days and before >= 0 and (before > value if raises else before < value):
            verb, verb_zh = ("fell", "降至") if raises else ("rose", "升至")
            return Both(
                f"{self.many} {verb} from {number(before)} to {number(value)} in {_span(days)}",
                f"近{days}天{self.nothing_zh}由之前{days}天的 {number(before)} {verb_zh} {number(value)}",
            )
        if value == 0:
            return Both(f"no {self.many}{_window(days)}", f"{_window_zh(days)}没有{self.nothing_zh}")
        only, only_zh = ("only ", "仅") if raises and days else ("", "有")
        noun = self.one if value == 1 else self.many
        return Both(
            f"{only}{number(value)} {noun}{_window(days)}", f"{_window_zh(days)}{only_zh} {number(value)} {self.zh}"
        )


@dataclass(frozen=True)
class More:
    """A count of which more is worse, such as refunds."""

    one: str
    many: str
    zh: str
    nothing_zh: str
    plain: float = 1.0

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        if value == 0:
            return Both(f"no {self.many}{_window(days)}", f"{_window_zh(days)}没有{self.nothing_zh}")
        noun = self.one if value == 1 else self.many
        return Both(f"{number(value)} {noun}{_window(days)}", f"{_window_zh(days)}有 {number(value)} {self.zh}")


@dataclass(frozen=True)
class Since:
    """Days since something; null means never. Beside it: the usual number of days between two such."""

    done: str  # "last purchase"
    never: str  # "has never bought"
    zh: str
    never_zh: str
    plain: float = 1.0

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return Both(self.never, self.never_zh)
        usual = "" if math.isnan(beside) else f", usually every {_days(beside)}"
        usual_zh = "" if math.isnan(beside) else f"，平时约每 {max(beside, 1):.0f} 天一次"
        return Both(f"{self.done} {_ago(value)}{usual}", f"{self.zh}{_ago_zh(value)}{usual_zh}")


@dataclass(frozen=True)
class Overdue:
    """A pause as a multiple of the usual one. Beside it: the usual one, in days."""

    what: str  # "pause between purchases"
    zh: str
    plain: float = 1.0

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        usual = "" if math.isnan(beside) else f" ({_days(beside)})"
        usual_zh = "" if math.isnan(beside) else f"（{max(beside, 1):.0f} 天）"
        only, only_zh = ("", "已达") if raises else ("only ", "仅为")
        return Both(
            f"{self.what} is {only}{number(value)} times the usual one{usual}",
            f"{self.zh}{only_zh}平时{usual_zh}的 {number(value)} 倍",
        )


@dataclass(frozen=True)
class Share:
    """Part of a whole."""

    what: str  # "of the messages opened"
    zh: str
    plain: float = 0.7

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        return Both(
            f"{100 * value:.0f} % {self.what}{_window(days)}", f"{_window_zh(days)}{self.zh} {100 * value:.0f}%"
        )


@dataclass(frozen=True)
class Value:
    """A number in a sentence: ``{}`` stands for it."""

    en: str
    zh: str
    plain: float = 0.7

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        shown = number(value)
        return Both(f"{self.en.format(shown)}{_window(days)}", f"{_window_zh(days)}{self.zh.format(shown)}")


@dataclass(frozen=True)
class Days:
    """A number of days in a sentence: ``{}`` stands for them in English, for their number in Chinese."""

    en: str
    zh: str
    plain: float = 0.7

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        return Both(
            f"{self.en.format(_days(value))}{_window(days)}", f"{_window_zh(days)}{self.zh.format(f'{value:.0f}')}"
        )


@dataclass(frozen=True)
class Trend:
    """Whether something grew or shrank against the window before."""

    many: str
    zh: str
    plain: float = 0.6

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        word, word_zh = ("fewer", "少于") if value < 0 else ("more", "多于") if value > 0 else ("as many", "持平于")
        than = "as" if value == 0 else "than"
        return Both(f"{word} {self.many} {than} in the {days} days before", f"近{days}天{self.zh}{word_zh}之前{days}天")


@dataclass(frozen=True)
class Moment:
    """A usual weekday (0 Monday) or hour."""

    en: str
    zh: str
    weekday: bool
    plain: float = 0.3

    def __call__(self, value: float, beside: float, days: int | None, *, raises: bool) -> Both | None:
        if math.isnan(value):
            return None
        if self.weekday:
            place = round(value) % 7
            return Both(self.en.format(WEEKDAYS[place]), self.zh.format(f"周{_WEEKDAYS_ZH[place]}"))
        hour = f"{round(value) % 24}:00"
        return Both(self.en.format(hour), self.zh.format(hour))


def number(value: float) -> str:
    """At most three digits that matter."""
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.1f}"


def _days(value: float) -> str:
    whole = max(round(value), 0) or 1 if value > 0 else round(value)
    return "1 day" if whole == 1 else f"{whole} days"


def _ago(value: float) -> str:
    return "today" if value < 1 else f"{_days(value)} ago"


def _ago_zh(value: float) -> str:
    return "就在今天" if value < 1 else f"在 {value:.0f} 天前"


def _span(days: int) -> str:
    return {7: "a week", 14: "two weeks", 30: "a month", 90: "three months"}.get(days, f"{days} days")


def _window(days: int | None) -> str:
    return "" if days is None else " in the last day" if days == 1 else f" in the last {days} days"


def _window_zh(days: int | None) -> str:
    return "累计" if days is None else f"近{days}天"
