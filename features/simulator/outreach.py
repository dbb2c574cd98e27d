"""What the mall sends and whom people bring: randomised messages, and invitations of newcomers."""

from typing import Final

import numpy as np
import pyarrow as pa

from features.contracts import properties as p
from features.contracts.events import EventType
from features.simulator.daylog import DayLog, numbered, properties
from features.simulator.dynamics import Day
from features.simulator.people import CHANNELS, People
from features.simulator.randomness import Int64
from features.simulator.visits import Sessions

#: Second of the day (UTC) at which campaigns go out: ten o'clock in China.
SEND_AT: Final = 2 * 3600.0
_BY_CHANNEL: Final = CHANNELS.index("wecom")
_INVITED_SHARE: Final = 0.2


def emit_messages(
    random: np.random.Generator, people: People, happened: Day, campaign: int, numbers: Int64, log: DayLog
) -> None:
    """The messages of a day with a ``campaign``, with the probability of each, and those that were opened."""
    for kind, rows in ((EventType.MESSAGE_SENT, happened.sent), (EventType.MESSAGE_OPEN, happened.opened)):
        who = np.flatnonzero(rows).astype(np.int32)
        message = pa.compute.binary_join_element_wise(numbered("m", numbers[who]), f"-{campaign}", "")
        keys = {p.MESSAGE_ID: message}
        at: float | np.ndarray[tuple[int], np.dtype[np.float64]] = SEND_AT
        if kind == EventType.MESSAGE_SENT:
            keys[p.CAMPAIGN] = pa.repeat(pa.scalar(f"campaign-{campaign:03d}"), len(who))
            keys[p.PROPENSITY] = pa.array(np.round(people.send_probability[who].astype(np.float64), 4))
        else:
            at = SEND_AT + 30 + np.minimum(random.exponential(5400, len(who)), 70_000)
        log.add(kind, len(who), properties(**keys), account=who, at=at, channel=_BY_CHANNEL)


def emit_invitations(
    random: np.random.Generator, people: People, sessions: Sessions, day: int, names: pa.Array, log: DayLog
) -> None:
    """A fifth of the day's newcomers came on the invitation of somebody who visits today."""
    came = np.flatnonzero((people.joined == day) & (random.random(len(people)) < _INVITED_SHARE))
    hosts = np.flatnonzero(~sessions.ghost & (people.joined[sessions.person] < day))
    if not len(hosts):
        return
    which = hosts[random.integers(0, len(hosts), len(came))]
    sessions.emit(log, EventType.INVITE, which, sessions.login[which] + random.uniform(5, 300, len(came)),
                  properties(**{p.INVITED: names.take(pa.array(came))}))  # fmt: skip
