"""Tables about people: the user table that the mall hands in, and the truth about each person."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.catalogue import USER_SCHEMA
from features.contracts.events import TIMESTAMP
from features.contracts.knowledge import ANONYMOUS, ID_KIND, RAW_ID, USER
from features.simulator.daylog import properties
from features.simulator.dynamics import Dynamics
from features.simulator.expectation import Outlook
from features.simulator.fraud import Fraud
from features.simulator.people import CHANNELS, People
from features.simulator.randomness import Float32, Int32, Int64
from features.simulator.world import HORIZONS, World

_CITIES: Final = ("杭州", "上海", "成都", "广州", "武汉", "西安", "长沙", "郑州")
_AGES: Final = ("18-24", "25-34", "35-44", "45-54", "55-64")
_GENDERS: Final = ("f", "m")
_HASH: Final = 0x9E3779B97F4A7C15  # odd, so multiplying by it modulo 2**64 is one to one
_DAY: Final = 86_400

#: Who a raw id really is. ``household`` is shared by people who share a device.
IDENTITY_TRUTH_SCHEMA: Final = pa.schema(
    [
        pa.field(ID_KIND, pa.string(), nullable=False),
        pa.field(RAW_ID, pa.string(), nullable=False),
        pa.field("person", pa.string(), nullable=False),
        pa.field("household", pa.string()),
        pa.field("fake", pa.bool_(), nullable=False),
    ]
)

CHURN_TRUTH_SCHEMA: Final = pa.schema(
    [
        pa.field(c.USER_ID, pa.string(), nullable=False),
        pa.field("as_of", TIMESTAMP, nullable=False),
        pa.field("horizon_days", pa.int16(), nullable=False),
        pa.field("p_no_action", pa.float32(), nullable=False),
        pa.field("p_no_purchase", pa.float32(), nullable=False),
        pa.field("expected_orders", pa.float32(), nullable=False),
        pa.field("expected_purchases", pa.float32(), nullable=False),  # lines, as the events count them
        pa.field("expected_spend", pa.float32(), nullable=False),  # CNY
    ]
)


@dataclass(frozen=True)
class Census:
    """Everybody of a block by local number: people and ghosts, then second accounts, then fake accounts."""

    people: People
    fraud: Fraud
    numbers: Int64  # (accounts,) numbers that are unique in the mall
    user_ids: pa.Array  # (accounts,)
    visitor_ids: pa.Array  # (people,) anonymous ids
    second_owner: Int32  # (second accounts,) person
    first_fake: int
    ended: Int32  # (people,) day of drop-out, -1 while alive


def user_rows(world: World, census: Census) -> pa.Table:
    """The accounts of a block in ``USER_SCHEMA``."""
    rows, owner, joined = _accounts(census)
    person = np.where(owner >= 0, owner, 0)
    fake = owner < 0
    number = census.numbers[np.where(fake, rows, person)].astype(np.uint64)
    whole = number * np.uint64(_HASH)
    own = census.numbers[rows].astype(np.uint64) * np.uint64(_HASH)
    identities = properties(openid=_hexadecimal("op", own), unionid=_hexadecimal("un", whole),
                            phone_hash=_hexadecimal("ph", whole ^ np.uint64(_HASH)))  # fmt: skip
    pick = (whole >> np.uint64(20)).astype(np.int64)
    about = properties(
        age=pa.array(_AGES).take(pa.array(pick % len(_AGES))),
        city=pa.array(_CITIES).take(pa.array(pick // 7 % len(_CITIES))),
        gender=pa.array(_GENDERS).take(pa.array(pick // 61 % len(_GENDERS))),
    )
    channel = np.where(fake, CHANNELS.index("web"), census.people.first_channel[person])
    table = {
        c.USER_ID: census.user_ids.take(pa.array(rows)),
        c.IDENTITIES: identities,
        c.DEMOGRAPHICS: pc.if_else(pa.array(pick // 127 % 5 == 0), pa.scalar(None, pa.string()), about),
        c.REGISTERED_AT: _moments(world, joined),
        c.SOURCE_CHANNEL: pa.array(CHANNELS).take(pa.array(channel.astype(np.int64))),
        c.MEMBER_LEVEL: pa.nulls(len(rows), pa.string()),
        c.CONSENT_PERSONALIZATION: pa.array(pick // 251 % 20 != 0),
        c.CONSENT_MARKETING: pa.array(census.people.consent[person] & ~fake),
        c.ERASED_AT: pa.nulls(len(rows), TIMESTAMP),
    }
    return pa.table([table[name] for name in USER_SCHEMA.names], schema=USER_SCHEMA)


def truth_rows(world: World, census: Census, dynamics: Dynamics, worth: Float32, error: Float32) -> pa.Table:
    """Latent parameters and fate of the registered people of a block, in the order of their factors."""
    registered = np.flatnonzero(~census.people.ghost)
    people = census.people.some(registered)
    ended = census.ended[registered]
    quiet = int(np.flatnonzero(dynamics.seasons.pull == 0)[0])
    state = (np.zeros(len(people), np.int8), np.ones(len(people), np.int8), np.zeros(len(people), np.int8))
    lift = dynamics.visit(people, quiet, *state, np.int8(1)) - dynamics.visit(people, quiet, *state, np.int8(0))
    columns: dict[str, pa.Array | Float32 | Int32] = {
        c.USER_ID: census.user_ids.take(pa.array(registered)),
        "registered_at": _moments(world, people.joined),
        "lifetime_end": pc.if_else(pa.array(ended >= 0), _moments(world, ended), pa.scalar(None, TIMESTAMP)),
        "visit_rate": people.visit_rate,
        "order_rate": people.order_rate,
        "drop_out_rate": people.drop_out_rate,
        "coupon_sensitivity": people.coupon_sensitivity,
        "price_sensitivity": people.price_sensitivity,
        "message_effect": people.message_effect,
        "message_visit_uplift": lift,
        "send_probability": people.send_probability,
        "message_tiring": people.tiring,
        "message_opening": people.opening,
        "bad_experience": people.bad_experience,
        "coupon_use": people.coupon_use,
        "line_worth": worth[registered],
        "line_worth_error": error[registered],
    }
    return pa.table(columns)


def identity_rows(census: Census) -> pa.Table:
    """Which raw ids are one person."""
    rows, owner, _ = _accounts(census)
    person = np.where(owner >= 0, owner, rows)
    ids = census.user_ids
    registered = np.flatnonzero(~census.people.ghost)
    ghosts = np.flatnonzero(census.people.ghost)
    shared = census.people.shared_device
    visitors = np.concatenate((registered, ghosts))
    whose = pa.chunked_array([ids.take(pa.array(registered)), census.visitor_ids.take(pa.array(ghosts))])
    account_home = np.where(owner >= 0, shared[np.where(owner >= 0, owner, 0)], -1)
    columns = [
        pa.chunked_array([pa.repeat(pa.scalar(USER), len(rows)), pa.repeat(pa.scalar(ANONYMOUS), len(visitors))]),
        pa.chunked_array([ids.take(pa.array(rows)), census.visitor_ids.take(pa.array(visitors))]),
        pa.chunked_array([ids.take(pa.array(person)), *whose.chunks]),
        pa.chunked_array([_homes(ids, account_home), _homes(ids, shared[visitors])]),
        pa.array(np.concatenate((owner < 0, np.zeros(len(visitors), np.bool_)))),
    ]
    return pa.table(columns, schema=IDENTITY_TRUTH_SCHEMA)


def churn_rows(world: World, ids: pa.Array, future: Outlook, basket: Float32, lines: float, day: int) -> pa.Table:
    """The true future of people ``ids`` (n,) at midnight before ``day``; ``basket`` is the worth of an order."""
    n = len(ids)
    parts = []
    for row, horizon in enumerate(HORIZONS):
        orders = future.orders[row]
        parts.append(pa.table([
            ids, _moments(world, np.full(n, day)), pa.array(np.full(n, horizon, np.int16)),
            np.clip(future.no_action[row], 0, 1), np.clip(future.no_purchase[row], 0, 1), orders,
            orders * np.float32(lines), (future.spend[row] * basket).astype(np.float32),
        ], schema=CHURN_TRUTH_SCHEMA))  # fmt: skip
    return pa.concat_tables(parts)


def _accounts(census: Census) -> tuple[Int64, Int64, Int64]:
    """Local numbers of all accounts, the person behind each (-1: nobody), and the day of registration."""
    registered = np.flatnonzero(~census.people.ghost)
    seconds = len(census.people) + np.arange(len(census.second_owner))
    fakes = census.first_fake + np.arange(len(census.fraud))
    rows = np.concatenate((registered, seconds, fakes))
    owner = np.concatenate((registered, census.second_owner, np.full(len(fakes), -1)))
    joined = np.concatenate((census.people.joined[registered], census.people.joined[census.second_owner],
                             census.fraud.joined))  # fmt: skip
    return rows, owner.astype(np.int64), joined.astype(np.int64)


def _homes(ids: pa.Array, first: Int32) -> pa.Array:
    return ids.take(pa.array(first, mask=first < 0))


def _moments(world: World, days: Int32 | Int64) -> pa.Array:
    seconds = int(world.midnight.timestamp()) + days.astype(np.int64) * _DAY
    return pa.array(seconds * 1_000_000).cast(TIMESTAMP)


def _hexadecimal(letters: str, numbers: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> pa.Array:
    return pa.array([f"{letters}{number:016x}" for number in numbers.tolist()], pa.string())
