"""Channel: where the user comes from."""

from features.tags.spec import Family, Value, counts, real, share, tag, word
from features.tags.spec.bases import UserChannels

FAMILY = Family("channel", "渠道", "Where the user comes from.")
CHANNELS = FAMILY.dimension("channels", "Channels", "渠道")
PURCHASE_CHANNELS = FAMILY.dimension("purchase_channels", "Channels of purchase", "购买渠道")
WINDOWS = (30, 90, None)


@tag("main_channel", CHANNELS, word("no event names a channel"), title=("Main channel", "主要渠道"), over=WINDOWS)
def main_channel(channels: UserChannels) -> Value:
    """The channel with the most actions; of equals the first by name."""
    return channels.top(channels.actions)


@tag(
    "main_channel_share",
    CHANNELS,
    share("no event names a channel"),
    title=("Share of the main channel", "主要渠道占比"),
    over=WINDOWS,
)
def main_channel_share(channels: UserChannels) -> Value:
    """The part of actions with a channel that the main one holds."""
    return channels.top_share(channels.actions)


@tag("channels", CHANNELS, counts("channels"), title=("Channels used", "使用渠道数"), over=WINDOWS)
def channels_used(channels: UserChannels) -> Value:
    """Different channels in which the user did something."""
    return channels.distinct(channels.actions)


@tag(
    "purchase_channel",
    PURCHASE_CHANNELS,
    word("bought in no named channel"),
    title=("Main channel of purchases", "主要购买渠道"),
)
def purchase_channel(channels: UserChannels) -> Value:
    """The channel with the most purchase lines; of equals the first by name."""
    return channels.top(channels.purchases)


@tag(
    "purchase_channel_share",
    PURCHASE_CHANNELS,
    share("bought in no named channel"),
    title=("Share of the main channel of purchases", "主要购买渠道占比"),
)
def purchase_channel_share(channels: UserChannels) -> Value:
    """The part of purchase lines with a channel that the main one holds."""
    return channels.top_share(channels.purchases)


@tag("first_channel", CHANNELS, word("no event names a channel"), title=("First channel", "首次渠道"))
def first_channel(channels: UserChannels) -> Value:
    """The channel of his first action that names one; of channels within one hour the first by name."""
    return channels.first(-channels.oldest)


@tag("last_channel", CHANNELS, word("no event names a channel"), title=("Last channel", "最近渠道"))
def last_channel(channels: UserChannels) -> Value:
    """The channel of his last action that names one; of channels within one hour the first by name."""
    return channels.first(channels.newest)


@tag(
    "channel_entropy",
    CHANNELS,
    real("nats", "no event names a channel"),
    title=("Spread over channels", "渠道分散度"),
    over=(90,),
)
def channel_entropy(channels: UserChannels) -> Value:
    """Shannon entropy of actions over channels: 0 when all are in one."""
    return channels.entropy(channels.actions)
