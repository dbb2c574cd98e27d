"""Answers with items."""

from typing import Final

from pydantic.config import JsonDict

_EXCLUDED: Final[JsonDict] = {"en": "excluded by the request", "zh": "请求中已排除"}
_POPULAR: Final[JsonDict] = {"en": "popular right now", "zh": "近期热门"}
_SIMILAR: Final[JsonDict] = {"en": "liked by the same people", "zh": "喜欢此商品的人也喜欢"}
_HEAD: Final[JsonDict] = {"model_version": "recommend-02490f67c58f", "known": True, "degraded": []}
_BANANAS: Final[JsonDict] = {
    "item_id": "1082185",
    "source": "als",
    "reason": {
        "en": "you buy this about every 15 days, last 11 days ago",
        "zh": "您大约每 15 天购买一次，上次在 11 天前",
    },
    "title": "BANANAS",
    "sources": {},
    "propensity": None,
}

RECOMMENDED: Final[JsonDict] = {
    **_HEAD,
    "request_id": "b427e6a1d9d64b7b86c1aaa5d19e278f",
    "user_id": "1",
    "placement": "home",
    "personalized": True,
    "items": [
        {**_BANANAS, "score": 4.265045},
        {
            "item_id": "1127831",
            "score": 1.530376,
            "source": "covisit",
            "reason": {"en": "often bought after “BANANAS”", "zh": "买过「BANANAS」的人常接着购买"},
            "title": "STRAWBERRIES",
            "sources": {},
            "propensity": None,
        },
    ],
    "unknown_items": [],
    "dropped": [],
}

EXPLAINED: Final[JsonDict] = {
    **_HEAD,
    "request_id": "c4c49af7f7334d2b87d8892bc468ff8f",
    "user_id": "1",
    "placement": "cart",
    "personalized": True,
    "items": [
        {
            "item_id": "856942",
            "score": 3.9176,
            "source": "replenish",
            "reason": {
                "en": "you buy this about every 12 days, last 11 days ago",
                "zh": "您大约每 12 天购买一次，上次在 11 天前",
            },
            "title": "FRUIT/BREAKFAST BREAD",
            "sources": {"content": 0.297528, "linear": 0.317752, "replenish": 2.142991, "user_knn": 3.521407},
            "propensity": None,
        }
    ],
    "unknown_items": [],
    "dropped": [
        {"item_id": "1082185", "rule": "exclusions", "reason": _EXCLUDED},
        {"item_id": "981760", "rule": "exclusions", "reason": _EXCLUDED},
        {"item_id": "995242", "rule": "bought", "reason": {"en": "bought already", "zh": "近期已购买"}},
    ],
}

RANKED: Final[JsonDict] = {
    **_HEAD,
    "request_id": "bca852bf45d9433da2b70f94c358eeb5",
    "user_id": "1",
    "placement": "rank",
    "personalized": True,
    "items": [
        {**_BANANAS, "score": 4.218714},
        {
            "item_id": "995242",
            "score": 2.661101,
            "source": "als",
            "reason": {
                "en": "you buy this about every 17 days, last 3 days ago",
                "zh": "您大约每 17 天购买一次，上次在 3 天前",
            },
            "title": "FLUID MILK WHITE ONLY",
            "sources": {},
            "propensity": None,
        },
        {
            "item_id": "981760",
            "score": -4.096532,
            "source": "covisit",
            "reason": {
                "en": "often bought after “FLUID MILK WHITE ONLY”",
                "zh": "买过「FLUID MILK WHITE ONLY」的人常接着购买",
            },
            "title": "EGGS - X-LARGE",
            "sources": {},
            "propensity": None,
        },
    ],
    "unknown_items": [],
    "dropped": [],
}

TRENDING: Final[JsonDict] = {
    **_HEAD,
    "request_id": "1485860a062f44c19a2b4804b12b4f56",
    "items": [
        {
            "item_id": "1082185",
            "score": 7.463987,
            "source": "trending",
            "reason": _POPULAR,
            "title": "BANANAS",
            "sources": {},
            "propensity": None,
        },
        {
            "item_id": "1029743",
            "score": 6.911211,
            "source": "trending",
            "reason": _POPULAR,
            "title": "FLUID MILK WHITE ONLY",
            "sources": {},
            "propensity": None,
        },
    ],
}

SIMILAR: Final[JsonDict] = {
    **_HEAD,
    "request_id": "ea082ea6a6b34fd48fced20b3203c1ff",
    "items": [
        {
            "item_id": "1127831",
            "score": 0.709401,
            "source": "similar",
            "reason": _SIMILAR,
            "title": "STRAWBERRIES",
            "sources": {},
            "propensity": None,
        },
        {
            "item_id": "981760",
            "score": 0.675363,
            "source": "similar",
            "reason": _SIMILAR,
            "title": "EGGS - X-LARGE",
            "sources": {},
            "propensity": None,
        },
    ],
}
