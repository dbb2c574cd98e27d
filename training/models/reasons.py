"""Why a user's risk is what it is: the strongest contributions, in words, in English and Chinese.

Windows of one tag (``orders_30d``, ``orders_90d``) say the same thing, so their contributions count together and the
strongest of them speaks. A concept without a phrase of its own falls back to the title of its tag.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int16 = npt.NDArray[np.int16]

MOST_REASONS: Final = 3
#: Contributions below this (in log-odds) are not worth a word.
_LEAST = 0.02
_WINDOW = re.compile(r"_(\d+)d$")


@dataclass(frozen=True)
class Phrase:
    """What to say when a concept raises the risk and when it lowers it. ``{value}`` and ``{days}`` are filled in."""

    raises: tuple[str, str]  # English, Chinese
    lowers: tuple[str, str]


@dataclass(frozen=True)
class Reason:
    """One reason of one user."""

    code: str  # the tag that speaks
    value: float | None  # its value for this user; None where the tag is null
    raises: bool
    weight: float  # contribution of the concept in log-odds
    text: str
    text_zh: str


PHRASES: Final[Mapping[str, Phrase]] = {
    "rhythm": Phrase(
        ("by his own rhythm a purchase in this period is unlikely", "按其自身购买节奏，本期内购买的可能性低"),
        ("by his own rhythm a purchase in this period is likely", "按其自身购买节奏，本期内很可能购买"),
    ),
    "days_since_purchase": Phrase(
        ("last purchase {value} days ago", "距上次购买已 {value} 天"),
        ("bought only {value} days ago", "{value} 天前刚购买过"),
    ),
    "days_since_active": Phrase(
        ("last seen {value} days ago", "距上次活跃已 {value} 天"),
        ("was here only {value} days ago", "{value} 天前刚活跃过"),
    ),
    "purchase_days": Phrase(
        ("bought on only {value} days{window}", "{window}仅有 {value} 天购买"),
        ("bought on {value} days{window}", "{window}有 {value} 天购买"),
    ),
    "active_days": Phrase(
        ("active on only {value} days{window}", "{window}仅活跃 {value} 天"),
        ("active on {value} days{window}", "{window}活跃 {value} 天"),
    ),
    "orders": Phrase(
        ("only {value} orders{window}", "{window}仅 {value} 笔订单"),
        ("{value} orders{window}", "{window}有 {value} 笔订单"),
    ),
    "spend": Phrase(
        ("spent only {value}{window}", "{window}仅消费 {value}"),
        ("spent {value}{window}", "{window}消费 {value}"),
    ),
    "average_order_value": Phrase(
        ("orders of {value} on average{window}", "{window}平均每单 {value}"),
        ("orders of {value} on average{window}", "{window}平均每单 {value}"),
    ),
    "purchase_overdue": Phrase(
        ("pause is {value} times his usual one", "停顿已达平时间隔的 {value} 倍"),
        ("pause is only {value} times his usual one", "停顿仅为平时间隔的 {value} 倍"),
    ),
    "purchase_gap_mean": Phrase(
        ("buys only every {value} days", "平均每 {value} 天才购买一次"),
        ("buys every {value} days", "平均每 {value} 天购买一次"),
    ),
    "purchase_gap_max": Phrase(
        ("has paused for up to {value} days before", "曾最长停购 {value} 天"),
        ("has never paused longer than {value} days", "停购从未超过 {value} 天"),
    ),
    "days_since_first_purchase": Phrase(
        ("first purchase was {value} days ago", "首次购买在 {value} 天前"),
        ("customer since {value} days", "成为买家已 {value} 天"),
    ),
    "cart_adds": Phrase(
        ("only {value} things put into the cart{window}", "{window}仅加购 {value} 次"),
        ("{value} things put into the cart{window}", "{window}加购 {value} 次"),
    ),
    "views": Phrase(
        ("only {value} items viewed{window}", "{window}仅浏览 {value} 次"),
        ("{value} items viewed{window}", "{window}浏览 {value} 次"),
    ),
    "sessions": Phrase(
        ("only {value} visits{window}", "{window}仅访问 {value} 次"),
        ("{value} visits{window}", "{window}访问 {value} 次"),
    ),
}


def concept(column: str) -> str:
    """The concept that a column belongs to: the tag without its window."""
    return "rhythm" if column.startswith("rhythm_") else _WINDOW.sub("", column)


def group(columns: Sequence[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Concepts in order of appearance, and (f,) the concept of each column."""
    names = [concept(column) for column in columns]
    concepts = tuple(dict.fromkeys(names))
    return concepts, np.array([concepts.index(name) for name in names], dtype=np.int64)


def nothing_said(users: int) -> tuple[Int16, Float64]:
    """What :func:`strongest` gives where nobody asked for reasons."""
    return np.full((users, MOST_REASONS), -1, dtype=np.int16), np.zeros((users, MOST_REASONS))


def strongest(
    contributions: Float64, columns: Sequence[str], want_raising: npt.NDArray[np.bool_]
) -> tuple[Int16, Float64]:
    """The column that speaks for each of a user's :data:`MOST_REASONS` strongest concepts, and the concept's weight.

    ``contributions`` is (n, f) in log-odds. Users in ``want_raising`` are told what raises their risk, the others what
    lowers it; when nothing does, the strongest of the other kind. Empty places hold column -1 and weight 0.
    """
    concepts, member = group(columns)
    totals = np.zeros((len(contributions), len(concepts)))
    speaker = np.empty((len(contributions), len(concepts)), dtype=np.int16)
    for index in range(len(concepts)):
        inside = np.flatnonzero(member == index)
        part = contributions[:, inside]
        totals[:, index] = part.sum(axis=1)
        same_sign = part * np.sign(totals[:, [index]])
        speaker[:, index] = inside[np.argmax(same_sign, axis=1)]
    sign = np.where(want_raising, 1.0, -1.0)[:, None]
    fitting = sign * totals
    none_fits = fitting.max(axis=1, initial=-np.inf) < _LEAST
    fitting[none_fits] *= -1.0
    most = min(MOST_REASONS, len(concepts))
    order = np.argsort(-fitting, axis=1, kind="stable")[:, :most]
    kept = np.take_along_axis(fitting, order, axis=1) >= _LEAST
    columns_out = np.full((len(contributions), MOST_REASONS), -1, dtype=np.int16)
    weights = np.zeros((len(contributions), MOST_REASONS))
    columns_out[:, :most] = np.where(kept, np.take_along_axis(speaker, order, axis=1), -1)
    weights[:, :most] = np.where(kept, np.take_along_axis(totals, order, axis=1), 0.0)
    return columns_out, weights


def say(column: str, value: float, weight: float, titles: Mapping[str, tuple[str, str]]) -> Reason:
    """One reason in words. ``titles`` gives (English, Chinese) for tags without a phrase; ``value`` NaN is unknown."""
    raises = weight > 0
    known = None if np.isnan(value) else float(value)
    phrase = PHRASES.get(concept(column))
    if phrase is None or (known is None and "{value}" in phrase.raises[0]):
        title, title_zh = titles.get(column, (column, column))
        shown, shown_zh = ("unknown", "未知") if known is None else (_number(known), _number(known))
        text, text_zh = f"{title}: {shown}", f"{title_zh}：{shown_zh}"
    else:
        window = _WINDOW.search(column)
        filled = {"value": _number(value)}
        english, chinese = phrase.raises if raises else phrase.lowers
        text = english.format(**filled, window=f" in the last {window[1]} days" if window else "")
        text_zh = chinese.format(**filled, window=f"近{window[1]}天" if window else "累计")
    return Reason(code=column, value=known, raises=raises, weight=float(weight), text=text, text_zh=text_zh)


def _number(value: float) -> str:
    if np.isnan(value):
        return "?"
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.1f}"
