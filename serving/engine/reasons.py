"""Why an item is recommended, in a sentence for a person, in English and Chinese."""

import math
from collections.abc import Callable

from serving.rules import Text
from training.models.recommender import Evidence

_GENERIC = Text("recommended for you", "为您推荐")
_TRENDING = Text("popular right now", "近期热门")
_SIMILAR = Text("liked by the same people", "喜欢此商品的人也喜欢")
_COMPLEMENTARY = Text("goes well with it", "常与此商品一起购买")
_RANKED = Text("ranked for you", "按您的偏好排序")

_ABOUT_USER: dict[str, Text] = {
    "als": Text("fits your taste", "符合您的偏好"),
    "covisit": Text("often taken after what you had", "常在您买过的商品之后购买"),
    "item_knn": Text("liked by people with a taste like yours", "与您喜好相近的人也喜欢"),
    "repeat": Text("you looked at it or bought it before", "您曾看过或买过"),
    "trending": _TRENDING,
}


def reason_of(evidence: Evidence, title: Callable[[int], str | None]) -> Text:
    """The sentence for one recommended item; ``title`` gives the name of an item index, None when it has none."""
    if evidence.times > 1 and math.isfinite(evidence.every) and evidence.every >= 1:
        every, ago = round(evidence.every), max(round(evidence.ago), 0)
        return Text(
            f"you come back to it about every {_days(every)}, last {_days(ago)} ago",
            f"您大约每 {every} 天看或买一次，上次在 {ago} 天前",
        )
    if evidence.times > 0:
        return _ABOUT_USER["repeat"]
    because = title(evidence.because) if evidence.because >= 0 else None
    if because is not None:
        return Text(f"because of “{because}”", f"因为您看过或买过「{because}」")
    return _ABOUT_USER.get(evidence.source, _GENERIC)


def trending_reason() -> Text:
    """For an item that stands there because many people take it."""
    return _TRENDING


def similar_reason(intent: str) -> Text:
    """For an item that is near another one."""
    return _SIMILAR if intent == "similar" else _COMPLEMENTARY


def ranked_reason() -> Text:
    """For an item that the caller proposed and no source did."""
    return _RANKED


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
