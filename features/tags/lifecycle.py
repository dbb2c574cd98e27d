"""Lifecycle: new, active, silent, lost."""

from typing import Final

import ibis

from features.contracts.tag_settings import tag_settings
from features.tags.spec import Family, Value, counts, flag, real, tag, whole, word
from features.tags.spec.rhythm import ActiveDays

FAMILY = Family("lifecycle", "生命周期", "Where the user stands between his first and his last visit.")
STAGES_OF_LIFE = FAMILY.dimension("lifecycle", "Lifecycle stage", "生命周期阶段")
RETURN = FAMILY.dimension("reactivation", "Coming back", "回流")

STAGES: Final = ("new", "active", "silent", "lost")

#: The mall's plans call days without a visit the trigger of a recall: three for courses, seven for the mall.
INACTIVE_COURSE: Final = 3
INACTIVE: Final = 7


def _stage(last: Value, first: Value) -> Value:
    limits = tag_settings().lifecycle
    return ibis.cases(
        (first.isnull(), ibis.null("string")),
        (last > limits.silent_days, "lost"),
        (last > limits.active_days, "silent"),
        (first <= limits.new_days, "new"),
        else_="active",
    )


@tag("lifecycle_stage", STAGES_OF_LIFE, word("never active", STAGES), title=("Lifecycle stage", "生命周期阶段"))
def lifecycle_stage(days_since_active: Value, tenure_days: Value) -> Value:
    """By visits: new (first within 30 days), active (last within 30), silent (within 90), lost (longer ago).

    The limits are set by lifecycle in configs/tags.yaml.
    """
    return _stage(days_since_active, tenure_days)


@tag("buyer_stage", STAGES_OF_LIFE, word("never bought", STAGES), title=("Buyer lifecycle stage", "购买生命周期阶段"))
def buyer_stage(days_since_purchase: Value, days_since_first_purchase: Value) -> Value:
    """By purchases: new (first within 30 days), active (last within 30), silent (within 90), lost (longer ago).

    The limits are set by lifecycle in configs/tags.yaml.
    """
    return _stage(days_since_purchase, days_since_first_purchase)


@tag("inactive_7d", STAGES_OF_LIFE, flag(), title=("Seven days without a visit", "七天未访问"))
def inactive_7d(days_since_active: Value) -> Value:
    """Did nothing himself for more than 7 days: the recall trigger of the mall's plans."""
    return days_since_active > INACTIVE


@tag("inactive_3d", STAGES_OF_LIFE, flag(), title=("Three days without a visit", "三天未访问"))
def inactive_3d(days_since_active: Value) -> Value:
    """Did nothing himself for more than 3 days: the recall trigger of the mall's courses."""
    return days_since_active > INACTIVE_COURSE


@tag(
    "days_in_stage", STAGES_OF_LIFE, real("days", "never active"), title=("Days in the lifecycle stage", "所处阶段天数")
)
def days_in_stage(
    lifecycle_stage: Value, days_since_active: Value, tenure_days: Value, days_since_return: Value
) -> Value:
    """Time since he entered lifecycle_stage: since the first action, since he stopped being new or came back from
    silence, since he fell silent, since he was lost."""
    limits = tag_settings().lifecycle
    grown = tenure_days - limits.new_days
    return ibis.cases(
        (lifecycle_stage == "new", tenure_days),
        (lifecycle_stage == "active", ibis.least(grown, days_since_return.cast("float64").fill_null(grown))),
        (lifecycle_stage == "silent", days_since_active - limits.active_days),
        (lifecycle_stage == "lost", days_since_active - limits.silent_days),
        else_=None,
    )


@tag(
    "days_to_first_purchase",
    STAGES_OF_LIFE,
    real("days", "never bought"),
    title=("Days from the first visit to the first purchase", "首访到首购天数"),
)
def days_to_first_purchase(tenure_days: Value, days_since_first_purchase: Value) -> Value:
    """Time from the first action to the first purchase."""
    return tenure_days - days_since_first_purchase


@tag("returns", RETURN, counts("times"), title=("Times he came back", "回流次数"))
def returns(days: ActiveDays) -> Value:
    """Pauses between active days that had made him silent: longer than active_days of the lifecycle (30)."""
    return (days.gap > tag_settings().lifecycle.active_days).sum()


@tag(
    "days_since_return",
    RETURN,
    whole("days", "never came back from silence"),
    title=("Days since he came back", "距最近回流天数"),
)
def days_since_return(days: ActiveDays) -> Value:
    """Whole days since the first active day after the last pause that had made him silent."""
    return days.age.min(where=days.gap > tag_settings().lifecycle.active_days)


@tag("reactivated", RETURN, flag(), title=("Came back", "回流用户"))
def reactivated(days_since_active: Value, active_gap_last: Value) -> Value:
    """Active by the limits of the lifecycle stages (30 days), after a pause that had made him lost (over 90)."""
    limits = tag_settings().lifecycle
    return (days_since_active <= limits.active_days) & (active_gap_last > limits.silent_days)
