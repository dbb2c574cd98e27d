"""Visit rhythm: when the user was here, how often, how long ago."""

from features.tags.spec import Family, Value, counts, part, ratio, real, share, tag, whole
from features.tags.spec.bases import ActiveDays, UserDays

FAMILY = Family("activity", "访问节律", "When the user was here, how often, and how long ago.")
WINDOWS = (7, 14, 30, 60, 90, 180, 365, None)


@tag("active_days", FAMILY, counts("days"), title=("Active days", "活跃天数"), over=WINDOWS)
def active_days(days: UserDays) -> Value:
    """UTC days on which the user did something himself; impressions and messages sent to him do not count."""
    return (days.actions > 0).sum()


@tag("actions", FAMILY, counts("events"), title=("Actions", "行为次数"), over=(7, 30, 90, None))
def actions(days: UserDays) -> Value:
    """Everything the user did himself, of any type."""
    return days.actions.sum()


@tag("sessions", FAMILY, counts("sessions"), title=("Sessions", "会话次数"), over=(7, 30, 90, None))
def sessions(days: UserDays) -> Value:
    """Different session ids per day; a session over midnight counts on both days. 0 where the log has no sessions."""
    return days.sessions.sum()


@tag("days_since_active", FAMILY, real("days", "never active"), title=("Days since the last action", "距最近活跃天数"))
def days_since_active(days: UserDays) -> Value:
    """Time from the last thing the user did himself to as_of, with fractions of a day."""
    return days.since_action.min()


@tag("tenure_days", FAMILY, real("days", "never active"), title=("Days since the first action", "距首次活跃天数"))
def tenure_days(days: UserDays) -> Value:
    """Time from the first thing the user did himself to as_of, with fractions of a day."""
    return days.since_first_action.max()


@tag("active_day_share", FAMILY, share("never active"), title=("Share of days active since the first", "活跃天数占比"))
def active_day_share(days: UserDays) -> Value:
    """Active days over all UTC days from the first active one to the day of as_of, both included."""
    acting = days.actions > 0
    return ratio(acting.sum(), days.age.max(where=acting) + 1)


@tag(
    "weekend_share",
    FAMILY,
    share("not active in the window"),
    title=("Share of actions at weekends", "周末行为占比"),
    over=(90, None),
)
def weekend_share(days: UserDays) -> Value:
    """Actions on Saturdays and Sundays (UTC) over all actions."""
    return ratio(part(days.actions, days.weekday >= 5), days.actions.sum())


@tag(
    "sessions_per_active_day",
    FAMILY,
    real("sessions", "not active in the window"),
    title=("Sessions per active day", "日均会话次数"),
    over=(30, 90, None),
)
def sessions_per_active_day(sessions: Value, active_days: Value) -> Value:
    """Sessions over active days."""
    return ratio(sessions, active_days)


@tag(
    "actions_per_active_day",
    FAMILY,
    real("events", "not active in the window"),
    title=("Actions per active day", "日均行为次数"),
    over=(30, 90, None),
)
def actions_per_active_day(actions: Value, active_days: Value) -> Value:
    """Depth of interaction: actions over active days."""
    return ratio(actions, active_days)


@tag(
    "active_gap_mean",
    FAMILY,
    real("days", "fewer than two active days"),
    title=("Mean days between active days", "平均活跃间隔"),
)
def active_gap_mean(days: ActiveDays) -> Value:
    """Mean number of days from one active day to the next."""
    return days.gap.mean()


@tag(
    "active_gap_max",
    FAMILY,
    whole("days", "fewer than two active days"),
    title=("Longest pause between active days", "最长活跃间隔"),
)
def active_gap_max(days: ActiveDays) -> Value:
    """The longest number of days from one active day to the next."""
    return days.gap.max()


@tag(
    "visit_overdue",
    FAMILY,
    real("times the mean gap", "fewer than two active days"),
    title=("Absence against his own mean", "访问逾期倍数"),
)
def visit_overdue(days_since_active: Value, active_gap_mean: Value) -> Value:
    """Days since the last action over the user's mean gap: above 1 he is later than usual."""
    return ratio(days_since_active, active_gap_mean)


@tag(
    "active_gap_last",
    FAMILY,
    whole("days", "fewer than two active days"),
    title=("Pause before the last active day", "最近一次活跃前间隔"),
)
def active_gap_last(days: ActiveDays) -> Value:
    """Days from the last active day but one to the last."""
    return days.gap.argmin(days.age)
