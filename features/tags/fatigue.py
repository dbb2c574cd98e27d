"""Fatigue: how much the mall says to the user, and whether he still listens."""

from features.contracts.tag_settings import tag_settings
from features.tags.spec import COUNTED_DAYS, Family, Value, counts, flag, ratio, real, tag, whole, word
from features.tags.spec.bases import UserDays
from features.tags.spec.rhythm import QuietDays
from features.tags.spec.shown import SHOWN_DAYS, ShownRuns

FAMILY = Family("fatigue", "触达疲劳", "How much the mall says to the user, and whether he still listens.")
MESSAGES = FAMILY.dimension("messages", "Messages", "消息触达")
IMPRESSIONS = FAMILY.dimension("impressions", "Impressions", "曝光")
SAMENESS = FAMILY.dimension("sameness", "The same again", "同类疲劳")
COUNTED = (*COUNTED_DAYS, None)
WINDOWS = (7, 30, 90)


@tag("messages_sent", MESSAGES, counts("messages"), title=("Messages sent to him", "触达消息数"), over=COUNTED)
def messages_sent(days: UserDays) -> Value:
    """Messages the mall sent to the user."""
    return days.messages_sent.sum()


@tag("messages_opened", MESSAGES, counts("messages"), title=("Messages opened", "打开消息数"), over=COUNTED)
def messages_opened(days: UserDays) -> Value:
    """Messages the user opened."""
    return days.messages_opened.sum()


@tag(
    "message_open_rate",
    MESSAGES,
    real("opened per sent", "nothing was sent"),
    title=("Message open rate", "消息打开率"),
    over=WINDOWS,
)
def message_open_rate(messages_opened: Value, messages_sent: Value) -> Value:
    """Messages opened over messages sent in the same window; above 1 when older ones are opened."""
    return ratio(messages_opened, messages_sent)


@tag("impressions", IMPRESSIONS, counts("impressions"), title=("Impressions", "曝光次数"), over=COUNTED)
def impressions(days: UserDays) -> Value:
    """Impressions the mall made on the user."""
    return days.impressions.sum()


@tag(
    "click_through_rate",
    IMPRESSIONS,
    real("clicks per impression", "no impressions"),
    title=("Clicks per impression", "点击率"),
    over=WINDOWS,
)
def click_through_rate(clicks: Value, impressions: Value) -> Value:
    """Clicks over impressions in the same window."""
    return ratio(clicks, impressions)


@tag("messages_since_active", MESSAGES, counts("messages"), title=("Messages since the last visit", "最近活跃后触达数"))
def messages_since_active(days: QuietDays) -> Value:
    """Messages sent on the days after the last day on which the user did something himself."""
    return days.messages_sent.sum()


@tag(
    "impressions_since_active",
    IMPRESSIONS,
    counts("impressions"),
    title=("Impressions since the last visit", "最近活跃后曝光数"),
)
def impressions_since_active(days: QuietDays) -> Value:
    """Impressions on the days after the last day on which the user did something himself."""
    return days.impressions.sum()


@tag(
    "days_since_message_sent",
    MESSAGES,
    real("days", "never written to"),
    title=("Days since the last message", "距最近触达天数"),
)
def days_since_message_sent(days: UserDays) -> Value:
    """Time since the mall last wrote to the user, with fractions of a day."""
    return days.since_message_sent.min()


@tag(
    "days_since_message_opened",
    MESSAGES,
    real("days", "never opened a message"),
    title=("Days since a message was opened", "距最近打开消息天数"),
)
def days_since_message_opened(days: UserDays) -> Value:
    """Time since the user last opened a message, with fractions of a day."""
    return days.since_message_opened.min()


@tag(
    "days_since_impression",
    IMPRESSIONS,
    real("days", "never shown anything"),
    title=("Days since the last impression", "距最近曝光天数"),
)
def days_since_impression(days: UserDays) -> Value:
    """Time since the mall last showed him something, with fractions of a day."""
    return days.since_impression.min()


@tag(
    "messages_since_opened",
    MESSAGES,
    counts("messages"),
    title=("Messages since one was opened", "最近打开后触达数"),
)
def messages_since_opened(days: QuietDays) -> Value:
    """Messages sent on the days after the last day on which he opened one; all of them when he never did."""
    return days.messages_unopened.sum()


@tag(
    "shown_category",
    SAMENESS,
    word("shown nothing of a known category"),
    title=("Category shown last", "最近主要曝光品类"),
    over=(SHOWN_DAYS,),
)
def shown_category(shown: ShownRuns) -> Value:
    """The category with the most impressions on the last day that has any; of equals the first by name."""
    return shown.category.argmin(shown.age)


@tag(
    "shown_category_run",
    SAMENESS,
    whole("days", "shown nothing of a known category"),
    title=("Days running of the category shown last", "同类连续曝光天数"),
    over=(SHOWN_DAYS,),
)
def shown_category_run(shown: ShownRuns) -> Value:
    """Days running, up to the last one with impressions, on which one category had the most of them."""
    return shown.length.argmin(shown.age)


@tag(
    "shown_category_run_longest",
    SAMENESS,
    whole("days", "shown nothing of a known category"),
    title=("Most days running of one category shown", "同类最长连续曝光天数"),
    over=(SHOWN_DAYS,),
)
def shown_category_run_longest(shown: ShownRuns) -> Value:
    """The most days running on which one category had the most impressions."""
    return shown.length.max()


@tag("tired_of_category", SAMENESS, flag(), title=("Tired of a category", "同类疲劳"))
def tired_of_category(shown_category_run_30d: Value) -> Value:
    """The same category was shown most for tired_after_days of configs/tags.yaml (3) or more days running."""
    return shown_category_run_30d >= tag_settings().tired_after_days
