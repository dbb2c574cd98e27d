"""Channel: where the user comes from."""

from features.tags.spec import Family, Value, counts, share, tag, word
from features.tags.spec.bases import UserChannels

FAMILY = Family("channel", "渠道", "Where the user comes from.")
WINDOWS = (30, 90, None)


@tag("main_channel", FAMILY, word("no event names a channel"), title=("Main channel", "主要渠道"), over=WINDOWS)
def main_channel(channels: UserChannels) -> Value:
    """The channel with the most actions; of equals the first by name."""
    return channels.top(channels.actions)


@tag(
    "main_channel_share",
    FAMILY,
    share("no event names a channel"),
    title=("Share of the main channel", "主要渠道占比"),
    over=WINDOWS,
)
def main_channel_share(channels: UserChannels) -> Value:
    """The part of actions with a channel that the main one holds."""
    return channels.top_share(channels.actions)


@tag("channels", FAMILY, counts("channels"), title=("Channels used", "使用渠道数"), over=WINDOWS)
def channels_used(channels: UserChannels) -> Value:
    """Different channels in which the user did something."""
    return channels.distinct(channels.actions)


@tag(
    "purchase_channel", FAMILY, word("bought in no named channel"), title=("Main channel of purchases", "主要购买渠道")
)
def purchase_channel(channels: UserChannels) -> Value:
    """The channel with the most purchase lines; of equals the first by name."""
    return channels.top(channels.purchases)
