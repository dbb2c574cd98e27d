from collections.abc import Callable
from datetime import datetime
from functools import cache

import pyarrow as pa
import pytest

from features.engine import EventTables, build_tags
from tests.features import mall


@pytest.fixture(scope="session")
def mall_tables() -> EventTables:
    return EventTables.from_arrow(mall.table(mall.events()), mall.items(), mall.users())


@pytest.fixture(scope="session")
def mall_tags(mall_tables: EventTables) -> Callable[[datetime], pa.Table]:
    """All tags of the mall at a moment, built once per moment."""
    return cache(lambda as_of: build_tags(mall_tables, as_of))
