"""Visits: who comes when, with which account, on which channel and device, known or not yet known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from features.contracts import properties as p
from features.contracts.events import EventType
from features.simulator.daylog import ACCOUNT, ANONYMOUS, BOTH, Counters, DayLog, Values, numbered, properties
from features.simulator.dynamics import Day
from features.simulator.people import ALIPAY, CHANNELS, People
from features.simulator.randomness import Bool, Float64, Int8, Int32, Int64
from features.simulator.world import World

_LATEST_START: Final = 86_400 - 3_600
_SAME_CHANNEL: Final = 0.8
_HOUSEHOLD_DEVICE: Final = 0.5
_SECOND_ACCOUNT: Final = 0.3


@dataclass(frozen=True)
class Sessions:
    """The ``s`` visits of a day."""

    person: Int32  # (s,)
    account: Int32  # (s,) with which he came
    number: Int64  # (s,)
    start: Float64  # (s,) second of the day
    channel: Int8  # (s,)
    login: Float64  # (s,) second from which the visitor is known
    ghost: Bool  # (s,)
    last: Bool  # (s,) the person's last one of the day

    def __len__(self) -> int:
        return len(self.person)

    def emit(self, log: DayLog, kind: EventType, which: Int64, at: Float64, text: pa.Array | None = None,
             **columns: Values) -> None:  # fmt: skip
        """Add events of the visits ``which`` at seconds ``at``, under the ids that are known by then."""
        who = np.where(self.ghost[which] | (at < self.login[which]), ANONYMOUS, ACCOUNT)
        log.add(kind, len(which), text, account=self.account[which], at=at, session=self.number[which],
                channel=self.channel[which], who=who, person=self.person[which], **columns)  # fmt: skip


def open_sessions(
    random: np.random.Generator,
    world: World,
    people: People,
    happened: Day,
    sent_at: float,
    counters: Counters,
    log: DayLog,
    numbers: Int64,
) -> Sessions:
    """The visits of the day's visitors; ``numbers`` (n,) are the device numbers of people."""
    visitors = np.flatnonzero(happened.visited).astype(np.int32)
    counts = 1 + np.minimum(random.poisson(people.more_visits[visitors]), 3)
    person = np.repeat(visitors, counts)
    n = len(person)
    start = (people.peak[person] + random.normal(0, 1.8, n)) % 24 * 3600
    early = happened.sent[person] & (start < sent_at)
    start = np.minimum(np.where(early, sent_at + random.exponential(7200, n), start), _LATEST_START)
    order = np.lexsort((start, person))
    person, start = person[order], start[order]
    channel = np.where(random.random(n) < _SAME_CHANNEL, people.first_channel[person],
                       random.integers(0, len(CHANNELS), n)).astype(np.int8)  # fmt: skip
    second = (people.second[person] >= 0) & (random.random(n) < _SECOND_ACCOUNT)
    account = np.where(second, len(people) + people.second[person], person).astype(np.int32)
    hidden = (random.random(n) < world.anonymous_share) & ~people.ghost[person]
    sessions = Sessions(
        person=person,
        account=account,
        number=counters.take("sessions", n),
        start=start,
        channel=np.where(second, ALIPAY, channel).astype(np.int8),
        login=np.where(hidden, start + random.uniform(20, 90, n), start),
        ghost=people.ghost[person],
        last=np.append(person[1:] != person[:-1], True) if n else np.zeros(0, np.bool_),
    )
    shared = people.shared_device[person]
    borrowed = (shared >= 0) & (random.random(n) < _HOUSEHOLD_DEVICE)
    device = numbers[np.where(borrowed, shared, people.device[person])]
    who = np.where(sessions.ghost, ANONYMOUS, np.where(hidden, BOTH, ACCOUNT))
    text = properties(**{p.DEVICE: numbered("d", device)})
    log.add(EventType.SESSION_START, n, text, account=account, at=sessions.login, session=sessions.number,
            channel=sessions.channel, who=who, person=person)  # fmt: skip
    return sessions
