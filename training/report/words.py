"""The words of the report. Every sentence is said in both languages or not at all."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Both(NamedTuple):
    """The same in English and Chinese."""

    en: str
    zh: str


#: Models by the name they have in a result; one that is not here keeps its name.
MODELS: Final[Mapping[str, Both]] = {
    "pipeline": Both("the recommender", "推荐系统"),
    "blend": Both("a fixed blend of the methods", "各方法的固定混合"),
    "oracle": Both("what could be known at best", "理论上限"),
    "als": Both("taste in common (ALS)", "共同口味（ALS）"),
    "arrivals": Both("new arrivals that fit", "合口味的新品"),
    "complements": Both("goes with the last purchase", "与上次购买搭配"),
    "content": Both("similar by description", "描述相似"),
    "covisit": Both("taken after this", "随后常看常买"),
    "covisit_buy": Both("bought after this", "随后常购买"),
    "item_knn": Both("liked by the same people", "同好也喜欢"),
    "linear": Both("linear model of items", "商品线性模型"),
    "user_knn": Both("next basket of people alike", "相似用户的下一篮"),
    "repeat": Both("what the person had before", "曾看过或买过"),
    "replenish": Both("used up by now", "该补货了"),
    "sessions": Both("visits like this one", "相似的访问"),
    "articles": Both("goods that go with articles read", "与所读文章相关的商品"),
    "trending": Both("trending", "近期热门"),
    "popular": Both("best sellers", "畅销榜"),
    "popular_recent": Both("best sellers of four weeks", "近四周畅销榜"),
    "personal_frequency": Both("own favourites by count", "个人常购"),
    "personal_frequency_then_popular": Both("own favourites, then best sellers", "个人常购，再补畅销"),
    "basket_frequency_decayed": Both("own favourites, lately", "个人近期常购"),
    "basket_frequency_decayed_then_popular": Both("own favourites lately, then best sellers", "个人近期常购，再补畅销"),
    "ranker": Both("the learnt order", "学习排序"),
}

KINDS: Final[Mapping[str, Both]] = {
    "pipeline": Both("the recommender", "推荐系统"),
    "blend": Both("a part of it", "其组成部分"),
    "source": Both("a single method", "单一方法"),
    "baseline": Both("a simple list", "简单榜单"),
    "oracle": Both("upper limit", "理论上限"),
}

_GROUPS: Final[Mapping[str, Both]] = {
    "history 0": Both("people of whom nothing is known", "没有任何历史的用户"),
    "heavy users": Both("the most active tenth", "最活跃的 10% 用户"),
    "new users": Both("people first seen in the last 28 days", "近 28 天内首次出现的用户"),
    "old users": Both("people known for longer", "更早出现的用户"),
    "merged at login": Both("people who first came without login", "先匿名访问、登录后合并的用户"),
    "items without events": Both("items that nobody had touched", "从无行为记录的商品"),
    "items with 1-4 events": Both("new and rare items (1-4 events)", "新品与冷门商品（1-4 次行为）"),
}

#: What speaks for an item, where neither the item itself nor another one does.
_SOURCES: Final[Mapping[str, Both]] = {
    "als": Both("fits the person's taste", "符合其偏好"),
    "linear": Both("fits the person's taste", "符合其偏好"),
    "item_knn": Both("liked by people with a taste alike", "喜好相近的人也喜欢"),
    "user_knn": Both("liked by people with a taste alike", "喜好相近的人也喜欢"),
    "trending": Both("popular right now", "近期热门"),
    "arrivals": Both("a new arrival", "新品"),
}
_GENERIC: Final = Both("recommended", "为其推荐")


def model(name: str) -> Both:
    """A model in plain words."""
    return MODELS.get(name, Both(name, name))


def group(name: str) -> Both:
    """A slice of the comparison in plain words."""
    if name in _GROUPS:
        return _GROUPS[name]
    if bounds := re.fullmatch(r"history (\d+)(?:-(\d+)|\+)", name):
        low, high = bounds.groups()
        return (
            Both(f"people with {low} to {high} events", f"有 {low}-{high} 次行为的用户")
            if high
            else Both(f"people with {low} events or more", f"有 {low} 次以上行为的用户")
        )
    if name.startswith("category "):
        category = name.removeprefix("category ")
        return Both(f"items of “{category}”", f"「{category}」类商品")
    return Both(name, name)


def reason(entry: Mapping[str, Any]) -> Both:
    """Why an item of an example stands in its list."""
    if entry["times"] > 1 and entry["every_days"] is not None and entry["every_days"] >= 1:
        every, ago = round(entry["every_days"]), max(round(entry["days_ago"]), 0)
        return Both(
            f"comes back to it about every {_days(every)}, last {_days(ago)} ago",
            f"大约每 {every} 天看或买一次，上次在 {ago} 天前",
        )
    if entry["times"]:
        return Both("had it before", "曾看过或买过")
    if entry["because"]:
        return Both(f"because of “{entry['because']}”", f"因为「{entry['because']}」")
    return _SOURCES.get(entry["source"], _GENERIC)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
