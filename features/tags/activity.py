"""Visit rhythm: when the user was here, how often, for how long, how long ago."""

from collections.abc import Callable

from features.tags.spec import COUNTED_DAYS, Family, Range, Value, counts, part, ratio, real, share, sums, tag, whole
from features.tags.spec.bases import UserDays, UserWeekdays
from features.tags.spec.rhythm import ActiveDays, Streaks

FAMILY = Family("activity", "访问节律", "When the user was here, how often, and how long ago.")
VISITS = FAMILY.dimension("visits", "Visit rhythm", "访问节律")
SESSIONS = FAMILY.dimension("sessions", "Sessions", "会话")
DWELL = FAMILY.dimension("dwell", "Dwell time", "停留时长")
PAUSES = FAMILY.dimension("pauses", "Pauses between visits", "访问间隔")
STREAKS = FAMILY.dimension("streaks", "Runs of active days", "连续活跃")
WEEKDAYS = FAMILY.dimension("weekdays", "Weekday profile", "星期分布")
WINDOWS = (*COUNTED_DAYS, None)

_WEEK = (
    ("monday", ("Share of actions on Mondays", "周一行为占比")),
    ("tuesday", ("Share of actions on Tuesdays", "周二行为占比")),
    ("wednesday", ("Share of actions on Wednesdays", "周三行为占比")),
    ("thursday", ("Share of actions on Thursdays", "周四行为占比")),
    ("friday", ("Share of actions on Fridays", "周五行为占比")),
    ("saturday", ("Share of actions on Saturdays", "周六行为占比")),
    ("sunday", ("Share of actions on Sundays", "周日行为占比")),
)


@tag("active_days", VISITS, counts("days"), title=("Active days", "活跃天数"), over=(*COUNTED_DAYS, 365, None))
def active_days(days: UserDays) -> Value:
    """UTC days on which the user did something himself; impressions and messages sent to him do not count."""
    return (days.actions > 0).sum()


@tag("actions", VISITS, counts("events"), title=("Actions", "行为次数"), over=WINDOWS)
def actions(days: UserDays) -> Value:
    """Everything the user did himself, of any type."""
    return days.actions.sum()


@tag("sessions", SESSIONS, counts("sessions"), title=("Sessions", "会话次数"), over=(1, 7, 30, 90, None))
def sessions(days: UserDays) -> Value:
    """Different session ids per day; a session over midnight counts on both days. 0 where the log has no sessions."""
    return days.sessions.sum()


@tag("days_since_active", VISITS, real("days", "never active"), title=("Days since the last action", "距最近活跃天数"))
def days_since_active(days: UserDays) -> Value:
    """Time from the last thing the user did himself to as_of, with fractions of a day."""
    return days.since_action.min()


@tag("tenure_days", VISITS, real("days", "never active"), title=("Days since the first action", "距首次活跃天数"))
def tenure_days(days: UserDays) -> Value:
    """Time from the first thing the user did himself to as_of, with fractions of a day."""
    return days.since_first_action.max()


@tag("active_day_share", VISITS, share("never active"), title=("Share of days active since the first", "活跃天数占比"))
def active_day_share(days: UserDays) -> Value:
    """Active days over all UTC days from the first active one to the day of as_of, both included."""
    acting = days.actions > 0
    return ratio(acting.sum(), days.age.max(where=acting) + 1)


@tag(
    "weekend_share",
    WEEKDAYS,
    share("not active in the window"),
    title=("Share of actions at weekends", "周末行为占比"),
    over=(90, None),
)
def weekend_share(days: UserDays) -> Value:
    """Actions on Saturdays and Sundays (UTC) over all actions."""
    return ratio(part(days.actions, days.weekday >= 5), days.actions.sum())


@tag(
    "sessions_per_active_day",
    SESSIONS,
    real("sessions", "not active in the window"),
    title=("Sessions per active day", "日均会话次数"),
    over=(30, 90, None),
)
def sessions_per_active_day(sessions: Value, active_days: Value) -> Value:
    """Sessions over active days."""
    return ratio(sessions, active_days)


@tag(
    "actions_per_active_day",
    VISITS,
    real("events", "not active in the window"),
    title=("Actions per active day", "日均行为次数"),
    over=(30, 90, None),
)
def actions_per_active_day(actions: Value, active_days: Value) -> Value:
    """Depth of interaction: actions over active days."""
    return ratio(actions, active_days)


@tag(
    "actions_per_session",
    SESSIONS,
    real("events", "no session in the window"),
    title=("Actions per session", "每次会话行为数"),
    over=(30, 90),
)
def actions_per_session(actions: Value, sessions: Value) -> Value:
    """Actions over sessions."""
    return ratio(actions, sessions)


@tag(
    "views_per_session",
    SESSIONS,
    real("views", "no session in the window"),
    title=("Item views per session", "每次会话浏览数"),
    over=(30, 90),
)
def views_per_session(views: Value, sessions: Value) -> Value:
    """Item views over sessions."""
    return ratio(views, sessions)


@tag("dwells", DWELL, counts("events"), title=("Dwell reports", "停留上报次数"), over=WINDOWS)
def dwells(days: UserDays) -> Value:
    """Number of dwell events."""
    return days.dwells.sum()


@tag("dwell_seconds", DWELL, sums("seconds"), title=("Seconds on pages", "停留时长"), over=(7, 30, 60, 90, None))
def dwell_seconds(days: UserDays) -> Value:
    """Sum of the property dwell_seconds; negative times and more than six hours on one page are left out."""
    return days.dwell_seconds.sum()


@tag(
    "dwell_per_report",
    DWELL,
    real("seconds", "no dwell report in the window"),
    title=("Seconds per page", "单页平均停留时长"),
    over=(90, None),
)
def dwell_per_report(dwell_seconds: Value, dwells: Value) -> Value:
    """Seconds on pages over dwell events: how long he stays on one page."""
    return ratio(dwell_seconds, dwells)


@tag(
    "dwell_per_view",
    DWELL,
    real("seconds", "viewed nothing"),
    title=("Seconds on pages per item view", "每次浏览停留时长"),
    over=(90, None),
)
def dwell_per_view(dwell_seconds: Value, views: Value) -> Value:
    """Seconds on pages over item views."""
    return ratio(dwell_seconds, views)


@tag(
    "dwell_per_session",
    DWELL,
    real("seconds", "no session in the window"),
    title=("Seconds on pages per session", "每次会话停留时长"),
    over=(30, 90, None),
)
def dwell_per_session(dwell_seconds: Value, sessions: Value) -> Value:
    """Seconds on pages over sessions."""
    return ratio(dwell_seconds, sessions)


@tag(
    "active_gap_mean",
    PAUSES,
    real("days", "fewer than two active days"),
    title=("Mean days between active days", "平均活跃间隔"),
    over=(90, None),
)
def active_gap_mean(days: ActiveDays) -> Value:
    """Mean number of days from one active day to the next, over the pauses that ended in the window."""
    return days.gap.mean()


@tag(
    "active_gap_spread",
    PAUSES,
    real("days", "fewer than three active days"),
    title=("Spread of days between active days", "活跃间隔标准差"),
)
def active_gap_spread(days: ActiveDays) -> Value:
    """Sample standard deviation of the days from one active day to the next."""
    return days.gap.std(how="sample")


@tag(
    "active_gap_max",
    PAUSES,
    whole("days", "fewer than two active days"),
    title=("Longest pause between active days", "最长活跃间隔"),
)
def active_gap_max(days: ActiveDays) -> Value:
    """The longest number of days from one active day to the next."""
    return days.gap.max()


@tag(
    "visit_overdue",
    PAUSES,
    real("times the mean gap", "fewer than two active days"),
    title=("Absence against his own mean", "访问逾期倍数"),
)
def visit_overdue(days_since_active: Value, active_gap_mean: Value) -> Value:
    """Days since the last action over the user's mean gap: above 1 he is later than usual."""
    return ratio(days_since_active, active_gap_mean)


@tag(
    "active_gap_last",
    PAUSES,
    whole("days", "fewer than two active days"),
    title=("Pause before the last active day", "最近一次活跃前间隔"),
)
def active_gap_last(days: ActiveDays) -> Value:
    """Days from the last active day but one to the last."""
    return days.gap.argmin(days.age)


@tag(
    "days_to_next_visit",
    PAUSES,
    real("days", "fewer than two active days", Range()),
    title=("Days to the expected next visit", "距预期下次访问天数"),
)
def days_to_next_visit(active_gap_mean: Value, days_since_active: Value) -> Value:
    """The user's mean gap less the days since his last action: below 0 he is late."""
    return active_gap_mean - days_since_active


@tag(
    "visit_lateness",
    PAUSES,
    real("standard deviations", "fewer than three active days, or all gaps equal", Range()),
    title=("Lateness by his own spread", "访问逾期标准分"),
)
def visit_lateness(days_since_active: Value, active_gap_mean: Value, active_gap_spread: Value) -> Value:
    """Days since the last action less the mean gap, over the spread of the gaps: above 2 the absence is unusual."""
    return ratio(days_since_active - active_gap_mean, active_gap_spread)


@tag("current_streak", STREAKS, counts("days"), title=("Active days running, until now", "当前连续活跃天数"))
def current_streak(streaks: Streaks) -> Value:
    """Days running on which he was active, up to the day of as_of or the day before; 0 when he was here on neither."""
    return streaks.length.max(where=streaks.age <= 1)


@tag(
    "longest_streak",
    STREAKS,
    counts("days"),
    title=("Most active days running", "最长连续活跃天数"),
    over=(90, None),
)
def longest_streak(streaks: Streaks) -> Value:
    """The longest run of active days, of those that ended in the window."""
    return streaks.length.max()


def _share_of(day: int) -> Callable[..., Value]:
    def expression(week: UserWeekdays) -> Value:
        return ratio(part(week.actions, week.weekday == day), week.actions.sum())

    return expression


for _day, (_name, _title) in enumerate(_WEEK):
    tag(
        f"{_name}_share",
        WEEKDAYS,
        share("not active in the window"),
        title=_title,
        over=(90,),
        description=f"Actions on {_name.capitalize()}s (UTC) over all actions.",
    )(_share_of(_day))


@tag(
    "best_send_weekday",
    WEEKDAYS,
    whole("weekday", "not active in the window", Range(0, 6)),
    title=("Best weekday to write", "最佳触达星期"),
    over=(90, None),
)
def best_send_weekday(week: UserWeekdays) -> Value:
    """The weekday (UTC, 0 is Monday) with the most actions; of equals the earliest."""
    return week.top(week.actions)


@tag(
    "purchase_weekday",
    WEEKDAYS,
    whole("weekday", "never bought", Range(0, 6)),
    title=("Usual weekday of purchase", "常购星期"),
)
def purchase_weekday(week: UserWeekdays) -> Value:
    """The weekday (UTC, 0 is Monday) with the most purchase lines; of equals the earliest."""
    return week.top(week.purchases)


@tag(
    "weekday_entropy",
    WEEKDAYS,
    real("nats", "not active in the window"),
    title=("Spread over the weekdays", "星期分散度"),
    over=(90,),
)
def weekday_entropy(week: UserWeekdays) -> Value:
    """Shannon entropy of actions over the weekdays: 0 when all are on one."""
    return week.entropy(week.actions)
