"""Value: RFM scores and tiers, member level, high value, repurchase."""

from typing import Final

import ibis

from features.tags.spec import Family, Range, Value, flag, real, share, sums, tag, whole, word

FAMILY = Family("value", "价值", "What the user is worth: RFM, member level, high value, repurchase.")

#: Member levels: reaching either figure over the last 365 days gives the level, V1 is everybody else's.
LEVELS: Final = ("V1", "V2", "V3", "V4", "V5")
LEVEL_SPEND: Final = (200.0, 1_000.0, 3_000.0, 10_000.0)
LEVEL_ACTIVE_DAYS: Final = (12, 48, 120, 240)

#: Spend per month above which a user is of high value.
HIGH_VALUE: Final = 500.0

_SCORE: Final = Range(1, 5)
TIERS: Final = ("champion", "loyal", "promising", "new_buyer", "at_risk", "cannot_lose", "hibernating")


def _fifth(value: Value) -> Value:
    """1 to 5 by rank among the users who have a value: equal values share a score, null stays null."""
    rank = value.percent_rank().over(ibis.window(group_by=value.isnull(), order_by=value))
    score = (rank * 5).floor().cast("int64").clip(upper=4) + 1
    return ibis.ifelse(value.isnull(), ibis.null("int64"), score)


@tag(
    "recency_score",
    FAMILY,
    whole("score", "never bought", _SCORE),
    title=("RFM recency score", "RFM 最近购买评分"),
    of_population=True,
)
def recency_score(days_since_purchase: Value) -> Value:
    """Fifth of the buyers by days since the last purchase; 5 bought most recently."""
    return _fifth(-days_since_purchase)


@tag(
    "frequency_score",
    FAMILY,
    whole("score", "no order in 365 days", _SCORE),
    title=("RFM frequency score", "RFM 购买频次评分"),
    of_population=True,
)
def frequency_score(orders_365d: Value) -> Value:
    """Fifth of the buyers of the last 365 days by number of orders; 5 ordered most."""
    return _fifth(orders_365d.nullif(0))


@tag(
    "money_score",
    FAMILY,
    whole("score", "spent nothing in 365 days", _SCORE),
    title=("RFM money score", "RFM 消费金额评分"),
    of_population=True,
)
def money_score(spend_365d: Value) -> Value:
    """Fifth of the buyers of the last 365 days by spend; 5 spent most."""
    return _fifth(spend_365d.nullif(0.0))


@tag("rfm_score", FAMILY, whole("score", "no order in 365 days", Range(3, 15)), title=("RFM score", "RFM 总分"))
def rfm_score(recency_score: Value, frequency_score: Value, money_score: Value) -> Value:
    """Sum of the three scores, 3 to 15."""
    return recency_score + frequency_score + money_score


@tag("rfm_tier", FAMILY, word("never bought", TIERS), title=("RFM tier", "RFM 分层"))
def rfm_tier(recency_score: Value, frequency_score: Value, money_score: Value) -> Value:
    """Named tier by recency and the better of frequency and money (no order in 365 days counts as 1)."""
    strength = ibis.greatest(frequency_score.fill_null(1), money_score.fill_null(1))
    return ibis.cases(
        (recency_score.isnull(), ibis.null("string")),
        ((recency_score >= 4) & (strength >= 4), "champion"),
        ((recency_score >= 3) & (strength >= 3), "loyal"),
        ((recency_score >= 4) & (strength == 2), "promising"),
        (recency_score >= 4, "new_buyer"),
        (strength >= 5, "cannot_lose"),
        (strength >= 3, "at_risk"),
        else_="hibernating",
    )


@tag(
    "spend_rank",
    FAMILY,
    share("spent nothing in 365 days"),
    title=("Rank by spend", "消费金额排名"),
    of_population=True,
)
def spend_rank(spend_365d: Value) -> Value:
    """Rank by spend of the last 365 days among those who spent: 0 the least, 1 the most."""
    spent = spend_365d.nullif(0.0)
    rank = spent.percent_rank().over(ibis.window(group_by=spent.isnull(), order_by=spent))
    return ibis.ifelse(spent.isnull(), ibis.null("float64"), rank)


@tag("member_level", FAMILY, word("never", LEVELS), title=("Member level", "会员等级"))
def member_level(spend_365d: Value, active_days_365d: Value) -> Value:
    """V1 to V5 by spend or active days of the last 365 days, whichever is higher (LEVEL_SPEND, LEVEL_ACTIVE_DAYS)."""
    steps = zip(LEVELS[:0:-1], LEVEL_SPEND[::-1], LEVEL_ACTIVE_DAYS[::-1], strict=True)
    reached = [((spend_365d >= spend) | (active_days_365d >= days), level) for level, spend, days in steps]
    return ibis.cases(*reached, else_=LEVELS[0])


@tag("monthly_spend_90d", FAMILY, sums("currency per month"), title=("Monthly spend, last 90 days", "近90天月均消费"))
def monthly_spend_90d(spend_90d: Value) -> Value:
    """Spend of the last 90 days over three months: the user's ARPU."""
    return spend_90d / 3


@tag("high_value", FAMILY, flag(), title=("High value", "高价值用户"))
def high_value(monthly_spend_90d: Value) -> Value:
    """Monthly spend above HIGH_VALUE (500)."""
    return monthly_spend_90d > HIGH_VALUE


@tag("repurchased", FAMILY, flag(), title=("Bought again", "已复购"))
def repurchased(purchase_days: Value) -> Value:
    """Bought on two or more days."""
    return purchase_days > 1


@tag("repurchased_90d", FAMILY, flag(), title=("Bought again within 90 days", "近90天复购"))
def repurchased_90d(purchase_days: Value, purchase_days_90d: Value) -> Value:
    """Bought in the last 90 days, and that was not his first day with a purchase."""
    return (purchase_days_90d > 0) & (purchase_days > 1)


@tag(
    "net_spend",
    FAMILY,
    real("currency", "never", Range()),
    title=("Spend less refunds", "净消费金额"),
    over=(90, 365, None),
)
def net_spend(spend: Value, refunded_amount: Value) -> Value:
    """Spend less refunds of the same window; below 0 when older purchases came back."""
    return spend - refunded_amount
