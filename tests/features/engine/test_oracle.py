"""Every tag that reads events equals an independent SQL query on the events themselves."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from features.tags import Tag, catalogue
from tests.features import mall
from tests.features.engine.oracle import ORACLE, Oracle

MOMENTS = (mall.AS_OF, mall.MIDDAY, mall.START + timedelta(days=150, hours=5))
DIRECT = [tag for tag in catalogue().values() if tag.base is not None]


def stem(tag: Tag) -> str:
    return tag.name.removesuffix(tag.window.suffix)


@pytest.fixture(scope="module", params=MOMENTS, ids=str)
def moment(request: pytest.FixtureRequest) -> datetime:
    given: datetime = request.param
    return given


@pytest.fixture(scope="module")
def oracle(moment: datetime) -> Oracle:
    return Oracle(mall.table(mall.events()), mall.items(), mall.users(), moment)


def test_every_tag_that_reads_events_has_an_oracle():
    assert {stem(tag) for tag in DIRECT} - set(ORACLE) == set()


def test_population_is_who_did_something(mall_tags: Callable[[datetime], pa.Table], moment: datetime, oracle: Oracle):
    users = mall_tags(moment)["user_id"].to_pylist()
    assert users == oracle.population()
    assert "only-written-to" not in users


def test_values_equal_the_oracle(mall_tags: Callable[[datetime], pa.Table], moment: datetime, oracle: Oracle):
    table = mall_tags(moment)
    users = table["user_id"].to_pylist()
    wrong = []
    for tag in DIRECT:
        expected = oracle.values(stem(tag), tag.window.days)
        for user, value in zip(users, table[tag.name].to_pylist(), strict=True):
            if not same(value, expected.get(user, tag.kind.nulls.fill)):
                wrong.append(f"{tag.name} of {user}: {value}, oracle {expected.get(user)}")
    assert wrong == []


def test_the_mall_exercises_every_tag(mall_tags: Callable[[datetime], pa.Table]):
    """A tag that is null or 0 for everybody would equal any oracle."""
    tables = [mall_tags(moment) for moment in MOMENTS]
    silent = {tag.name for tag in DIRECT if not any(any(table[tag.name].to_pylist()) for table in tables)}
    assert silent <= {
        "gender",
        "income",
        "marital_status",
        "household_size",
        "given_member_level",
        "accepts_personalization",
    }


def same(value: Any, expected: Any) -> bool:
    if isinstance(value, float) and isinstance(expected, int | float):
        return math.isclose(value, expected, rel_tol=0, abs_tol=1e-6)  # tags keep six digits after the point
    return bool(value == expected)
