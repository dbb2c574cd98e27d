"""Social: what the user passes on."""

from features.tags.spec import COUNTED_DAYS, Family, Value, counts, flag, ratio, real, share, tag
from features.tags.spec.bases import UserDays
from features.tags.spec.invited import InvitedBuyers

FAMILY = Family("social", "社交", "What the user passes on to others.")
SHARING = FAMILY.dimension("sharing", "Sharing", "分享")
INVITING = FAMILY.dimension("inviting", "Inviting", "邀请")
COUNTED = (*COUNTED_DAYS, None)
WINDOWS = (7, 30, 90, None)


@tag("shares", SHARING, counts("events"), title=("Shares", "分享次数"), over=COUNTED)
def shares(days: UserDays) -> Value:
    """Number of shares."""
    return days.shares.sum()


@tag("invites", INVITING, counts("events"), title=("Invitations", "邀请次数"), over=COUNTED)
def invites(days: UserDays) -> Value:
    """Number of invitations sent."""
    return days.invites.sum()


@tag(
    "shares_per_view",
    SHARING,
    real("shares per view", "viewed nothing"),
    title=("Shares per view", "浏览分享率"),
    over=WINDOWS,
)
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


@tag("invited_users", INVITING, counts("users"), title=("Users he brought", "邀请到的用户数"), over=WINDOWS)
def invited_users(days: UserDays) -> Value:
    """Different users who came by his invitations (property invited_user_id), per day of invitation."""
    return days.invited.sum()


@tag(
    "invite_success",
    INVITING,
    share("invited nobody"),
    title=("Invitations that brought a user", "邀请成功率"),
    over=WINDOWS,
)
def invite_success(invited_users: Value, invites: Value) -> Value:
    """Users he brought over invitations."""
    return ratio(invited_users, invites)


@tag(
    "invited_buyers",
    INVITING,
    counts("users"),
    title=("Users he brought who bought", "邀请用户中的购买人数"),
    over=(90, None),
)
def invited_buyers(invited: InvitedBuyers) -> Value:
    """Different users who came by his invitations (property invited_user_id) and have paid for a purchase since.

    Merged ids count as one user, and he himself not at all; an id that no identity knows is compared as it is.
    """
    return invited.buyer.nunique()
