"""Which concepts move a user's risk most, and the tag that says each of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from training.models.reasons.on_buying import BUYING
from training.models.reasons.on_contact import CONTACT
from training.models.reasons.on_visits import VISITS
from training.models.reasons.phrases import Both, Phrase, number

Float64 = npt.NDArray[np.float64]
Int16 = npt.NDArray[np.int16]
Int64 = npt.NDArray[np.int64]

MOST_REASONS: Final = 3
#: Contributions below this (in log-odds) are not worth a word.
_LEAST = 0.02
_WINDOW = re.compile(r"_(\d+)d$")

#: Concept -> stem of a tag -> how it is said. No stem stands under two concepts.
CONCEPTS: Final[Mapping[str, Mapping[str, Phrase]]] = {**BUYING, **VISITS, **CONTACT}
#: Every concept in Chinese.
CHINESE: Final[Mapping[str, str]] = {
    "purchase rhythm": "购买节奏",
    "purchases": "购买次数",
    "spend": "消费金额",
    "basket": "购物篮",
    "cart": "购物车",
    "wish list": "收藏",
    "supplies": "补货",
    "visits": "访问频次",
    "absence": "离开时长",
    "time on pages": "停留时长",
    "browsing": "浏览",
    "searching": "搜索",
    "interests": "兴趣",
    "time as a customer": "客龄",
    "coming back": "回流",
    "habits": "时间习惯",
    "channels": "渠道",
    "sharing": "分享与邀请",
    "writing and reading": "评价与阅读",
    "messages": "消息触达",
    "shown items": "曝光",
    "coupons and discounts": "优惠",
    "trouble": "售后与支付问题",
}
_CONCEPT_OF: Final = {stem: name for name, phrases in CONCEPTS.items() for stem in phrases}
_PHRASES: Final = {stem: phrase for phrases in CONCEPTS.values() for stem, phrase in phrases.items()}
#: The tag whose value is told beside another's, where it is no longer window of the same.
_BESIDE: Final = {
    "days_since_purchase": "purchase_gap_mean",
    "purchase_overdue": "purchase_gap_mean",
    "days_since_active": "active_gap_mean",
    "visit_overdue": "active_gap_mean",
    "regular_category_lateness": "regular_category_interval",
    "regular_item_lateness": "regular_item_interval",
}


@dataclass(frozen=True)
class Reason:
    """One reason of one user."""

    code: str  # the tag that speaks
    value: float | None  # its value for this user; None where the tag is null
    raises: bool
    weight: float  # contribution of the concept in log-odds
    text: str
    text_zh: str


def stem(column: str) -> str:
    """The tag without its window."""
    return _WINDOW.sub("", column)


def concept(column: str) -> str:
    """The concept that a column belongs to; what no table names, such as a rule of the mall, is one of its own."""
    name = stem(column)
    return _CONCEPT_OF.get(name, name)


def concepts_of(columns: Sequence[str]) -> tuple[tuple[str, ...], Int64]:
    """Concepts in order of appearance, and (f,) the concept of each column."""
    names = [concept(column) for column in columns]
    concepts = tuple(dict.fromkeys(names))
    place = {name: index for index, name in enumerate(concepts)}
    return concepts, np.array([place[name] for name in names], dtype=np.int64)


@lru_cache(maxsize=8)
def beside(columns: tuple[str, ...]) -> Int64:
    """(f,) the column whose value is told beside each column's, -1 none: twice its window, or what is usual for it."""
    place = {name: index for index, name in enumerate(columns)}
    return np.array([place.get(_partner(column), -1) for column in columns], dtype=np.int64)


def _partner(column: str) -> str:
    window = _WINDOW.search(column)
    return f"{stem(column)}_{2 * int(window[1])}d" if window else _BESIDE.get(column, "")


def nothing_said(users: int) -> tuple[Int16, Float64]:
    """What :func:`strongest` gives where nobody asked for reasons."""
    return np.full((users, MOST_REASONS), -1, dtype=np.int16), np.zeros((users, MOST_REASONS))


def strongest(
    contributions: Float64, columns: Sequence[str], want_raising: npt.NDArray[np.bool_]
) -> tuple[Int16, Float64]:
    """The column that speaks for each of a user's :data:`MOST_REASONS` strongest concepts, and the concept's weight.

    ``contributions`` is (n, f) in log-odds. Users in ``want_raising`` are told what raises their risk, the others what
    lowers it; when nothing does, the strongest of the other kind. Empty places hold column -1 and weight 0. Within a
    concept the column speaks that adds most, a column that says little in words counting less.
    """
    concepts, member = concepts_of(columns)
    plain = np.array([_PHRASES[name].plain if (name := stem(column)) in _PHRASES else 1.0 for column in columns])
    totals = np.zeros((len(contributions), len(concepts)))
    speaker = np.empty((len(contributions), len(concepts)), dtype=np.int16)
    for index in range(len(concepts)):
        inside = np.flatnonzero(member == index)
        part = contributions[:, inside]
        totals[:, index] = part.sum(axis=1)
        same_sign = part * np.sign(totals[:, [index]])
        speaker[:, index] = inside[np.argmax(same_sign * np.where(same_sign > 0, plain[inside], 1.0), axis=1)]
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


def say(
    column: str, value: float, weight: float, titles: Mapping[str, tuple[str, str]], beside: float = float("nan")
) -> Reason:
    """One reason in words; NaN is unknown. ``titles`` gives (English, Chinese) for what has no words of its own."""
    raises = weight > 0
    phrase = _PHRASES.get(stem(column))
    window = _WINDOW.search(column)
    days = int(window[1]) if window else None
    text = None if phrase is None else phrase(value, beside, days, raises=raises)
    known = None if np.isnan(value) else float(value)
    if text is None:
        title, title_zh = titles.get(column, (column, column))
        text = Both(f"{title}: {'unknown' if known is None else number(known)}",
                    f"{title_zh}：{'未知' if known is None else number(known)}")  # fmt: skip
    return Reason(code=column, value=known, raises=raises, weight=float(weight), text=text.en, text_zh=text.zh)
