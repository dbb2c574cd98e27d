"""Why an item is recommended, in a sentence for a person, in English and Chinese."""

import math
from dataclasses import dataclass
from typing import Protocol

from serving.rules import Purchases, Text
from training.interactions import SECONDS_PER_DAY


class Titles(Protocol):
    """What items are called."""

    def title(self, item: int) -> str | None:
        """The name of an item index, None when it has none."""
        ...

    def category(self, item: int) -> str | None:
        """The name of an item's innermost category."""
        ...


@dataclass(frozen=True)
class Words:
    """What is said of one source. ``{item}`` is the item that speaks for it, ``{category}`` the item's own category."""

    plain: Text
    because: Text | None = None  # when the item that speaks for it has a name
    category: Text | None = None  # when the item's category has one


_AFTER = Text("often bought after “{item}”", "买过「{item}」的人常接着购买")

#: The source of an item that the caller proposed and no candidate source did.
REQUEST = "request"

#: What is said of an item that the user had without buying it.
SEEN = Text("you looked at it before", "您曾看过")

#: By source: the candidate sources of models, and what rules bring in.
WORDS: dict[str, Words] = {
    "als": Words(Text("fits your taste", "符合您的偏好")),
    "articles": Words(
        Text("readers of the article chose it", "读过此文的人也选了它"),
        Text("chosen by readers of “{item}”", "读过「{item}」的人也选了它"),
    ),
    "arrivals": Words(Text("just arrived", "新品上架"), category=Text("new in {category}", "「{category}」新品")),
    "campaign": Words(Text("picked by the mall", "商城精选")),
    "complementary": Words(
        Text("goes well with it", "常与此商品一起购买"),
        Text("often bought together with “{item}”", "常与「{item}」一起购买"),
    ),
    "complements": Words(
        Text("goes well with what you chose", "与您选的商品很搭配"),
        Text("often bought together with “{item}”", "常与「{item}」一起购买"),
    ),
    "content": Words(
        Text("similar to what you looked at", "与您看过的商品相似"),
        Text("similar to “{item}”", "与「{item}」相似"),
    ),
    "covisit": Words(Text("often taken after what you had", "常在您买过的商品之后购买"), _AFTER),
    "covisit_buy": Words(Text("often bought after what you looked at", "看过同样商品的人常购买"), _AFTER),
    "item_knn": Words(
        Text("liked by people with a taste like yours", "与您喜好相近的人也喜欢"),
        Text("liked by people who like “{item}”", "喜欢「{item}」的人也喜欢"),
    ),
    "linear": Words(
        Text("goes with what you had", "与您买过的商品相配"), Text("goes with “{item}”", "与「{item}」相配")
    ),
    "repeat": Words(SEEN),
    "replenish": Words(Text("you buy it again and again", "您经常回购")),
    REQUEST: Words(Text("ranked for you", "按您的偏好排序")),
    "sessions": Words(
        Text("chosen on visits like yours", "浏览习惯与您相近的人也选了它"),
        Text("often chosen on one visit with “{item}”", "常与「{item}」在同一次浏览中被选中"),
    ),
    "similar": Words(
        Text("liked by the same people", "喜欢此商品的人也喜欢"), Text("similar to “{item}”", "与「{item}」相似")
    ),
    "trending": Words(Text("popular right now", "近期热门")),
    "user_knn": Words(Text("shoppers like you bought this", "与您相似的顾客买过")),
}
_GENERIC = Words(Text("recommended for you", "为您推荐"))


def habit_with(item: int, bought: Purchases, as_of: int) -> Text | None:
    """What is said of an item that the user bought, whoever recommends it; None when he never did."""
    place = bought.places.get(item)
    if place is None:
        return None
    ago = (as_of - int(bought.last[place])) / SECONDS_PER_DAY
    return _habit(int(bought.times[place]), float(bought.every[place]), ago)


def names_an_item(source: str) -> bool:
    """Whether the sentence for a source names the item that speaks for it."""
    return WORDS.get(source, _GENERIC).because is not None


def reason_for(source: str, item: int, because: int, titles: Titles) -> Text:
    """What is said of an item of ``source``; ``because`` is the item that speaks for it, -1 none."""
    words = WORDS.get(source, _GENERIC)
    name = titles.title(because) if words.because and because >= 0 else None
    if words.because and name is not None:
        return _filled(words.because, item=name)
    category = titles.category(item) if words.category else None
    return _filled(words.category, category=category) if words.category and category is not None else words.plain


def _habit(times: int, every: float, ago: float) -> Text:
    if times < 2 or not math.isfinite(every):
        return Text("you bought it before", "您曾买过")
    days = max(round(every), 1)
    en, zh = f"you buy this about every {_days(days)}", f"您大约每 {days} 天购买一次"
    last = round(ago)
    return Text(f"{en}, last {_days(last)} ago", f"{zh}，上次在 {last} 天前") if last > 0 else Text(en, zh)


def _filled(text: Text, **names: str) -> Text:
    return Text(text.en.format(**names), text.zh.format(**names))


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
