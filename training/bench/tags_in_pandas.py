"""Twenty tags the way a person would write them in pandas: the yardstick of ``mallard bench tags``."""

from datetime import datetime, timedelta

import pandas as pd

from features.contracts import columns as c
from features.contracts.events import MALL_INITIATED, EventType

#: The tags that :func:`pandas_tags` computes; the benchmark checks them against the build.
PANDAS_TAGS = (
    "active_days_30d", "active_days", "actions_30d", "views_30d", "views", "cart_adds_30d", "purchases_90d",
    "orders_30d", "orders_90d", "orders", "spend_30d", "spend_90d", "spend", "max_order_value", "days_since_active",
    "days_since_purchase", "tenure_days", "distinct_items_bought", "top_category_90d", "main_channel",
)  # fmt: skip

PANDAS_READS = (
    c.EVENT_ID, c.USER_ID, c.EVENT_TYPE, c.ITEM_ID, c.OCCURRED_AT, c.ORDER_ID, c.AMOUNT, c.CHANNEL,
)  # fmt: skip

_INTEREST = {
    EventType.VIEW: 1, EventType.CLICK: 1, EventType.FAVORITE: 3, EventType.CART_ADD: 3, EventType.PURCHASE: 5,
}  # fmt: skip


def pandas_tags(events: pd.DataFrame, items: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """:data:`PANDAS_TAGS` by user at ``as_of`` (midnight) from the events known before it. Times are naive UTC."""
    own = events[~events[c.EVENT_TYPE].isin([str(kind) for kind in MALL_INITIATED])]
    bought = events[events[c.EVENT_TYPE] == EventType.PURCHASE]
    order = bought[c.ORDER_ID].fillna(bought[c.EVENT_ID])
    tags = pd.DataFrame(index=pd.Index(sorted(own[c.USER_ID].unique()), name=c.USER_ID))

    def last(rows: pd.DataFrame, days: int) -> pd.DataFrame:
        return rows[rows[c.OCCURRED_AT] >= as_of - timedelta(days=days)]

    def number(rows: pd.DataFrame, kind: EventType) -> pd.Series:
        return rows[rows[c.EVENT_TYPE] == kind].groupby(c.USER_ID).size()

    day = own[c.OCCURRED_AT].dt.floor("D")
    for name, rows in (("_30d", last(own, 30)), ("", own)):
        tags[f"active_days{name}"] = day[rows.index].groupby(rows[c.USER_ID]).nunique()
        tags[f"views{name}"] = number(rows, EventType.VIEW)
    tags["actions_30d"] = last(own, 30).groupby(c.USER_ID).size()
    tags["cart_adds_30d"] = number(last(own, 30), EventType.CART_ADD)
    tags["purchases_90d"] = number(last(own, 90), EventType.PURCHASE)
    for name, rows in (("_30d", last(bought, 30)), ("_90d", last(bought, 90)), ("", bought)):
        daily = order[rows.index].groupby([rows[c.USER_ID], day[rows.index]]).nunique()
        tags[f"orders{name}"] = daily.groupby(level=0).sum()
        tags[f"spend{name}"] = rows.groupby(c.USER_ID)[c.AMOUNT].sum()
    paid = bought.groupby([bought[c.USER_ID], day[bought.index], order])[c.AMOUNT].sum()
    tags["max_order_value"] = paid.groupby(level=0).max()
    tags["days_since_active"] = _days(as_of - own.groupby(c.USER_ID)[c.OCCURRED_AT].max())
    tags["days_since_purchase"] = _days(as_of - bought.groupby(c.USER_ID)[c.OCCURRED_AT].max())
    tags["tenure_days"] = _days(as_of - own.groupby(c.USER_ID)[c.OCCURRED_AT].min())
    tags["distinct_items_bought"] = bought.groupby(c.USER_ID)[c.ITEM_ID].nunique()
    recent = last(own, 90).merge(items[[c.ITEM_ID, c.CATEGORY]], on=c.ITEM_ID)
    weight = recent[c.EVENT_TYPE].map({str(kind): value for kind, value in _INTEREST.items()}).fillna(0)
    tags["top_category_90d"] = _strongest(weight.groupby([recent[c.USER_ID], recent[c.CATEGORY]]).sum())
    tags["main_channel"] = _strongest(own.groupby([c.USER_ID, c.CHANNEL]).size())
    counts = tags.columns.difference(["top_category_90d", "main_channel", "days_since_active", "days_since_purchase",
                                      "tenure_days", "max_order_value"])  # fmt: skip
    tags[counts] = tags[counts].fillna(0)
    return tags[list(PANDAS_TAGS)]


def _days(span: pd.Series) -> pd.Series:
    days: pd.Series = span.dt.total_seconds() / 86_400
    return days


def _strongest(weights: pd.Series) -> pd.Series:
    """Per user the key of the greatest positive weight; of equals the first in order of the key."""
    user, key = map(str, weights.index.names)
    rows = weights[weights > 0].rename("weight").reset_index().sort_values(["weight", key], ascending=[False, True])
    return rows.drop_duplicates(user).set_index(user)[key]
