"""Lifecycle: new, active, silent, lost."""

from typing import Final

import ibis

from features.tags.spec import Family, Value, flag, tag, word

FAMILY = Family("lifecycle", "生命周期", "Where the user stands between his first and his last visit.")

STAGES: Final = ("new", "active", "silent", "lost")
#: Days: first seen within NEW; last seen within ACTIVE, within SILENT, or longer ago.
NEW: Final = 30
ACTIVE: Final = 30
SILENT: Final = 90

#: The mall's plans call seven days without a visit the trigger of a recall.
INACTIVE: Final = 7


def _stage(last: Value, first: Value) -> Value:
    return ibis.cases(
        (first.isnull(), ibis.null("string")),
        (last > SILENT, "lost"),
        (last > ACTIVE, "silent"),
        (first <= NEW, "new"),
        else_="active",
    )


@tag("lifecycle_stage", FAMILY, word("never active", STAGES), title=("Lifecycle stage", "生命周期阶段"))
def lifecycle_stage(days_since_active: Value, tenure_days: Value) -> Value:
    """By visits: new (first within 30 days), active (last within 30), silent (within 90), lost (longer ago)."""
    return _stage(days_since_active, tenure_days)


@tag("buyer_stage", FAMILY, word("never bought", STAGES), title=("Buyer lifecycle stage", "购买生命周期阶段"))
def buyer_stage(days_since_purchase: Value, days_since_first_purchase: Value) -> Value:
    """By purchases: new (first within 30 days), active (last within 30), silent (within 90), lost (longer ago)."""
    return _stage(days_since_purchase, days_since_first_purchase)


@tag("inactive_7d", FAMILY, flag(), title=("Seven days without a visit", "七天未访问"))
def inactive_7d(days_since_active: Value) -> Value:
    """Did nothing himself for more than 7 days: the recall trigger of the mall's plans."""
    return days_since_active > INACTIVE


@tag("reactivated", FAMILY, flag(), title=("Came back", "回流用户"))
def reactivated(days_since_active: Value, active_gap_last: Value) -> Value:
    """Was here within 30 days, after the pause before his last active day had been over 90."""
    return (days_since_active <= ACTIVE) & (active_gap_last > SILENT)
