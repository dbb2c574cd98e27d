"""Social: what the user passes on."""

from features.tags.spec import Family, Value, counts, flag, ratio, real, tag
from features.tags.spec.bases import UserDays

FAMILY = Family("social", "社交", "What the user passes on to others.")
WINDOWS = (30, 90, None)


@tag("shares", FAMILY, counts("events"), title=("Shares", "分享次数"), over=WINDOWS)
def shares(days: UserDays) -> Value:
    """Number of shares."""
    return days.shares.sum()


@tag("invites", FAMILY, counts("events"), title=("Invitations", "邀请次数"), over=WINDOWS)
def invites(days: UserDays) -> Value:
    """Number of invitations sent."""
    return days.invites.sum()


@tag("shares_per_view", FAMILY, real("shares per view", "viewed nothing"), title=("Shares per view", "浏览分享率"))
def shares_per_view(shares: Value, views: Value) -> Value:
    """Shares over item views."""
    return ratio(shares, views)


@tag("days_since_share", FAMILY, real("days", "never shared"), title=("Days since the last share", "距最近分享天数"))
def days_since_share(days: UserDays) -> Value:
    """Time since the last share, with fractions of a day."""
    return days.since_share.min()


@tag("inviter", FAMILY, flag(), title=("Invites others", "邀请用户"))
def inviter(invites: Value) -> Value:
    """Ever invited somebody."""
    return invites > 0
