"""Time of day: when the user is here, and when to write to him. Hours are UTC, like everything in the log."""

from collections.abc import Callable

from features.tags.spec import Family, Range, Value, part, ratio, real, share, tag, whole
from features.tags.spec.bases import UserDayHours

FAMILY = Family("time_of_day", "时段", "When the user is here, and when to write to him (hours are UTC).")
PARTS = FAMILY.dimension("hours", "Hour profile", "时段分布")
MOMENTS = FAMILY.dimension("send_time", "Best time", "最佳时段")
WINDOWS = (90, None)

_PARTS = (
    ("night", (0, 5), ("Share of actions at night", "凌晨行为占比")),
    ("morning", (6, 11), ("Share of actions in the morning", "上午行为占比")),
    ("afternoon", (12, 17), ("Share of actions in the afternoon", "下午行为占比")),
    ("evening", (18, 23), ("Share of actions in the evening", "晚间行为占比")),
)


def _share_between(low: int, high: int) -> Callable[..., Value]:
    def expression(hours: UserDayHours) -> Value:
        return ratio(part(hours.actions, hours.hour.between(low, high)), hours.actions.sum())

    return expression


for _name, (_low, _high), _title in _PARTS:
    tag(
        f"{_name}_share",
        PARTS,
        share("not active in the window"),
        title=_title,
        over=WINDOWS,
        description=f"Actions from {_low:02}:00 to {_high:02}:59 UTC over all actions.",
    )(_share_between(_low, _high))


@tag(
    "best_send_hour",
    MOMENTS,
    whole("hour", "not active in the window", Range(0, 23)),
    title=("Best hour to write", "最佳触达时段"),
    over=WINDOWS,
)
def best_send_hour(hours: UserDayHours) -> Value:
    """The hour (UTC, 0 to 23) with the most actions; of equals the earliest."""
    return hours.top(hours.actions)


@tag(
    "purchase_hour", MOMENTS, whole("hour", "never bought", Range(0, 23)), title=("Usual hour of purchase", "常购时段")
)
def purchase_hour(hours: UserDayHours) -> Value:
    """The hour (UTC, 0 to 23) with the most purchase lines; of equals the earliest."""
    return hours.top(hours.purchases)


@tag(
    "open_hour",
    MOMENTS,
    whole("hour", "never opened a message", Range(0, 23)),
    title=("Usual hour of opening messages", "常打开消息时段"),
)
def open_hour(hours: UserDayHours) -> Value:
    """The hour (UTC, 0 to 23) in which he opened the most messages; of equals the earliest."""
    return hours.top(hours.messages_opened)


@tag(
    "hour_entropy",
    PARTS,
    real("nats", "not active in the window"),
    title=("Spread over the hours", "时段分散度"),
    over=WINDOWS,
)
def hour_entropy(hours: UserDayHours) -> Value:
    """Shannon entropy of actions over the hours of the day."""
    return hours.entropy(hours.actions)
