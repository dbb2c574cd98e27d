"""Value: RFM scores and tiers, member level, high value, repurchase."""

from typing import Final

import ibis

from features.contracts.tag_settings import tag_settings
from features.tags.spec import Family, Range, Value, flag, real, share, sums, tag, whole, word
from features.tags.spec.rhythm import PurchaseDays

FAMILY = Family("value", "价值", "What the user is worth: RFM, member level, high value, repurchase.")
RFM = FAMILY.dimension("rfm", "RFM", "RFM")
ARPU = FAMILY.dimension("arpu", "ARPU and value", "客均价值")
MEMBERSHIP = FAMILY.dimension("member_level", "Member level", "会员等级")
REPURCHASE = FAMILY.dimension("repurchase", "Repurchase", "复购")

#: V1 is everybody's; what gives the others is a setting.
LEVELS: Final = ("V1", "V2", "V3", "V4", "V5")

_SCORE: Final = Range(1, 5)
TIERS: Final = ("champion", "loyal", "promising", "new_buyer", "at_risk", "cannot_lose", "hibernating")


def _fifth(value: Value) -> Value:
    """1 to 5 by rank among the users who have a value: equal values share a score, null stays null."""
    rank = value.percent_rank().over(ibis.window(group_by=value.isnull(), order_by=value))
    score = (rank * 5).floor().cast("int64").clip(upper=4) + 1
    return ibis.ifelse(value.isnull(), ibis.null("int64"), score)


@tag(
    "recency_score",
    RFM,
    whole("score", "never bought", _SCORE),
    title=("RFM recency score", "RFM 最近购买评分"),
    of_population=True,
)
def recency_score(days_since_purchase: Value) -> Value:
    """Fifth of the buyers by days since the last purchase; 5 bought most recently."""
    return _fifth(-days_since_purchase)


@tag(
    "frequency_score",
    RFM,
    whole("score", "no order in 365 days", _SCORE),
    title=("RFM frequency score", "RFM 购买频次评分"),
    of_population=True,
)
def frequency_score(orders_365d: Value) -> Value:
    """Fifth of the buyers of the last 365 days by number of orders; 5 ordered most."""
    return _fifth(orders_365d.nullif(0))


@tag(
    "money_score",
    RFM,
    whole("score", "spent nothing in 365 days", _SCORE),
    title=("RFM money score", "RFM 消费金额评分"),
    of_population=True,
)
def money_score(spend_365d: Value) -> Value:
    """Fifth of the buyers of the last 365 days by spend; 5 spent most."""
    return _fifth(spend_365d.nullif(0.0))


@tag("rfm_score", RFM, whole("score", "no order in 365 days", Range(3, 15)), title=("RFM score", "RFM 总分"))
def rfm_score(recency_score: Value, frequency_score: Value, money_score: Value) -> Value:
    """Sum of the three scores, 3 to 15."""
    return recency_score + frequency_score + money_score


@tag("rfm_tier", RFM, word("never bought", TIERS), title=("RFM tier", "RFM 分层"))
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
    ARPU,
    share("spent nothing in 365 days"),
    title=("Rank by spend", "消费金额排名"),
    of_population=True,
)
def spend_rank(spend_365d: Value) -> Value:
    """Rank by spend of the last 365 days among those who spent: 0 the least, 1 the most."""
    spent = spend_365d.nullif(0.0)
    rank = spent.percent_rank().over(ibis.window(group_by=spent.isnull(), order_by=spent))
    return ibis.ifelse(spent.isnull(), ibis.null("float64"), rank)


@tag("member_level", MEMBERSHIP, word("never", LEVELS), title=("Member level", "会员等级"))
def member_level(spend_365d: Value, active_days_365d: Value) -> Value:
    """V1 to V5 by spend or active days of the last 365 days, whichever gives the higher.

    What gives a level is set by level_spend (200, 1000, 3000, 10000) and level_active_days (12, 48, 120, 240) in
    configs/tags.yaml.
    """
    settings = tag_settings()
    steps = zip(LEVELS[:0:-1], settings.level_spend[::-1], settings.level_active_days[::-1], strict=True)
    reached = [((spend_365d >= spend) | (active_days_365d >= days), level) for level, spend, days in steps]
    return ibis.cases(*reached, else_=LEVELS[0])


@tag("monthly_spend_90d", ARPU, sums("currency per month"), title=("Monthly spend, last 90 days", "近90天月均消费"))
def monthly_spend_90d(spend_90d: Value) -> Value:
    """Spend of the last 90 days over three months: the user's ARPU."""
    return spend_90d / 3


@tag("high_value", ARPU, flag(), title=("High value", "高价值用户"))
def high_value(monthly_spend_90d: Value) -> Value:
    """Monthly spend above high_value_monthly_spend of configs/tags.yaml (500)."""
    return monthly_spend_90d > tag_settings().high_value_monthly_spend


@tag(
    "spend_to_next_level",
    MEMBERSHIP,
    real("currency", "has the highest level"),
    title=("Spend to the next member level", "升级所需消费"),
)
def spend_to_next_level(spend_365d: Value, member_level: Value) -> Value:
    """What is missing of the spend that gives the level above his (level_spend in configs/tags.yaml)."""
    steps = zip(LEVELS, tag_settings().level_spend, strict=False)
    return ibis.cases(*((member_level == level, spend - spend_365d) for level, spend in steps), else_=None)


@tag("monthly_spend", ARPU, real("currency per month", "never active"), title=("Monthly spend", "月均消费"))
def monthly_spend(spend: Value, tenure_days: Value) -> Value:
    """Spend over months (30 days) since the first action, at least one: the user's ARPU over all time."""
    return spend / ibis.greatest(tenure_days / 30, 1.0)


@tag("monthly_spend_365d", ARPU, sums("currency per month"), title=("Monthly spend, last 365 days", "近365天月均消费"))
def monthly_spend_365d(spend_365d: Value) -> Value:
    """Spend of the last 365 days over twelve months."""
    return spend_365d / 12


@tag(
    "engagement_score",
    ARPU,
    whole("score", "not active in 90 days", _SCORE),
    title=("Engagement score", "活跃度评分"),
    of_population=True,
)
def engagement_score(active_days_90d: Value) -> Value:
    """Fifth of the users active in the last 90 days by their active days; 5 was here most."""
    return _fifth(active_days_90d.nullif(0))


@tag("repurchased", REPURCHASE, flag(), title=("Bought again", "已复购"))
def repurchased(purchase_days: Value) -> Value:
    """Bought on two or more days."""
    return purchase_days > 1


@tag("repurchased_90d", REPURCHASE, flag(), title=("Bought again within 90 days", "近90天复购"))
def repurchased_90d(purchase_days: Value, purchase_days_90d: Value) -> Value:
    """Bought in the last 90 days, and that was not his first day with a purchase."""
    return (purchase_days_90d > 0) & (purchase_days > 1)


@tag(
    "net_spend",
    ARPU,
    real("currency", "never", Range()),
    title=("Spend less refunds", "净消费金额"),
    over=(90, 365, None),
)
def net_spend(spend: Value, refunded_amount: Value) -> Value:
    """Spend less refunds of the same window; below 0 when older purchases came back."""
    return spend - refunded_amount


@tag(
    "second_purchase_after",
    REPURCHASE,
    whole("days", "bought on fewer than two days"),
    title=("Days from the first purchase to the second", "首购到复购天数"),
)
def second_purchase_after(days: PurchaseDays) -> Value:
    """Days from the first day with a purchase to the second."""
    return days.age.max() - days.age.max(where=days.gap.notnull())
