"""Fatigue: how much the mall says to the user, and whether he still listens."""

from features.tags.spec import Family, Value, counts, ratio, real, tag
from features.tags.spec.bases import QuietDays, UserDays

FAMILY = Family("fatigue", "触达疲劳", "How much the mall says to the user, and whether he still listens.")
WINDOWS = (7, 30, 90)


@tag("messages_sent", FAMILY, counts("messages"), title=("Messages sent to him", "触达消息数"), over=WINDOWS)
def messages_sent(days: UserDays) -> Value:
    """Messages the mall sent to the user."""
    return days.messages_sent.sum()


@tag("messages_opened", FAMILY, counts("messages"), title=("Messages opened", "打开消息数"), over=WINDOWS)
def messages_opened(days: UserDays) -> Value:
    """Messages the user opened."""
    return days.messages_opened.sum()


@tag(
    "message_open_rate",
    FAMILY,
    real("opened per sent", "nothing was sent"),
    title=("Message open rate", "消息打开率"),
    over=WINDOWS,
)
def message_open_rate(messages_opened: Value, messages_sent: Value) -> Value:
    """Messages opened over messages sent in the same window; above 1 when older ones are opened."""
    return ratio(messages_opened, messages_sent)


@tag("impressions", FAMILY, counts("impressions"), title=("Impressions", "曝光次数"), over=WINDOWS)
def impressions(days: UserDays) -> Value:
    """Impressions the mall made on the user."""
    return days.impressions.sum()


@tag(
    "click_through_rate",
    FAMILY,
    real("clicks per impression", "no impressions"),
    title=("Clicks per impression", "点击率"),
    over=WINDOWS,
)
def click_through_rate(clicks: Value, impressions: Value) -> Value:
    """Clicks over impressions in the same window."""
    return ratio(clicks, impressions)


@tag("messages_since_active", FAMILY, counts("messages"), title=("Messages since the last visit", "最近活跃后触达数"))
def messages_since_active(days: QuietDays) -> Value:
    """Messages sent on the days after the last day on which the user did something himself."""
    return days.messages_sent.sum()


@tag(
    "impressions_since_active",
    FAMILY,
    counts("impressions"),
    title=("Impressions since the last visit", "最近活跃后曝光数"),
)
def impressions_since_active(days: QuietDays) -> Value:
    """Impressions on the days after the last day on which the user did something himself."""
    return days.impressions.sum()


@tag(
    "days_since_message_sent",
    FAMILY,
    real("days", "never written to"),
    title=("Days since the last message", "距最近触达天数"),
)
def days_since_message_sent(days: UserDays) -> Value:
    """Time since the mall last wrote to the user, with fractions of a day."""
    return days.since_message_sent.min()


@tag(
    "days_since_message_opened",
    FAMILY,
    real("days", "never opened a message"),
    title=("Days since a message was opened", "距最近打开消息天数"),
)
def days_since_message_opened(days: UserDays) -> Value:
    """Time since the user last opened a message, with fractions of a day."""
    return days.since_message_opened.min()
