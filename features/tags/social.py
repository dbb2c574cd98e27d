"""Social: what the user passes on."""

from features.tags.spec import Family, Value, counts, flag, ratio, real, share, tag
from features.tags.spec.bases import UserDays

FAMILY = Family("social", "社交", "What the user passes on to others.")
SHARING = FAMILY.dimension("sharing", "Sharing", "分享")
INVITING = FAMILY.dimension("inviting", "Inviting", "邀请")
WINDOWS = (30, 90, None)


@tag("shares", SHARING, counts("events"), title=("Shares", "分享次数"), over=WINDOWS)
def shares(days: UserDays) -> Value:
    """Number of shares."""
    return days.shares.sum()


@tag("invites", INVITING, counts("events"), title=("Invitations", "邀请次数"), over=WINDOWS)
def invites(days: UserDays) -> Value:
    """Number of invitations sent."""
    return days.invites.sum()


@tag("shares_per_view", SHARING, real("shares per view", "viewed nothing"), title=("Shares per view", "浏览分享率"))
def shares_per_view(shares: Value, views: Value) -> Value:
    """Shares over item views."""
    return ratio(shares, views)


@tag("days_since_share", SHARING, real("days", "never shared"), title=("Days since the last share", "距最近分享天数"))
def days_since_share(days: UserDays) -> Value:
    """Time since the last share, with fractions of a day."""
    return days.since_share.min()


@tag("inviter", INVITING, flag(), title=("Invites others", "邀请用户"))
def inviter(invites: Value) -> Value:
    """Ever invited somebody."""
    return invites > 0


@tag(
    "days_since_invite",
    INVITING,
    real("days", "never invited anybody"),
    title=("Days since the last invitation", "距最近邀请天数"),
)
def days_since_invite(days: UserDays) -> Value:
    """Time since the last invitation, with fractions of a day."""
    return days.since_invite.min()


@tag("invited_users", INVITING, counts("users"), title=("Users he brought", "邀请到的用户数"), over=(90, None))
def invited_users(days: UserDays) -> Value:
    """Different users who came by his invitations (property invited_user_id), per day of invitation."""
    return days.invited.sum()


@tag(
    "invite_success",
    INVITING,
    share("invited nobody"),
    title=("Invitations that brought a user", "邀请成功率"),
)
def invite_success(invited_users: Value, invites: Value) -> Value:
    """Users he brought over invitations."""
    return ratio(invited_users, invites)
