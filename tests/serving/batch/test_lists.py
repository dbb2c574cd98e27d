"""Everybody's lists in a file are what the model says of each one alone, and appear whole or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from features.contracts import columns as c
from features.contracts.catalogue import USER_SCHEMA
from features.contracts.errors import InputError, MissingStateError
from features.contracts.home import Home
from features.contracts.ids import UNKNOWN
from features.lake import Lake
from serving.batch import LISTS_SCHEMA, Asked, everybody, write_lists
from serving.batch import lists as batch
from serving.batch.lists import Question
from serving.cli import program
from serving.cli.commands.lists import rank_everybody
from tests.serving import small_mall
from training.bundle import read_bundle
from training.deployment import live
from training.models.recommend_bundle import RecommendBundle

AS_OF = int(small_mall.MIDNIGHT.timestamp())
QUESTION = Question(AS_OF, 7, exclude_seen=False)


def opened(home: Home) -> tuple[Path, RecommendBundle]:
    folder = live(home, "recommend")
    assert folder is not None
    return folder, RecommendBundle.from_bundle(read_bundle(folder))


def some(bundle: RecommendBundle, users: int) -> Asked:
    index = np.arange(users, dtype=np.int32) % len(bundle.users)
    return Asked(pa.array([f"{n:05}" for n in range(users)]), index)


def add_users(home: Home) -> None:
    """A stranger, one who refuses personalisation and one who is erased."""
    rows = [
        {c.USER_ID: "stranger"},
        {c.USER_ID: "u03", c.CONSENT_PERSONALIZATION: False},
        {c.USER_ID: "u04", c.ERASED_AT: datetime(2026, 1, 1, tzinfo=UTC)},
    ]
    Lake(home).upsert(users=pa.Table.from_pylist(rows, schema=USER_SCHEMA), now=small_mall.MIDNIGHT)


def test_each_list_is_the_answer_to_one_question(deployed: Home, tmp_path: Path) -> None:
    folder, bundle = opened(deployed)
    asked = Asked(
        pa.array(["nobody", *bundle.users.ids(np.arange(9, dtype=np.int32))]), np.arange(-1, 9, dtype=np.int32)
    )
    info = write_lists(bundle, folder, asked, QUESTION, tmp_path / "lists.parquet")
    table = pq.read_table(tmp_path / "lists.parquet")
    assert table.schema.equals(LISTS_SCHEMA)
    assert (info.users, info.rows, info.model_version) == (10, table.num_rows, "r1")
    assert set(table["as_of"].to_pylist()) == {small_mall.MIDNIGHT}
    rows = table.to_pylist()
    for user, index in zip(asked.ids.to_pylist(), asked.index.tolist(), strict=True):
        mine = [row for row in rows if row[c.USER_ID] == user]
        alone = bundle.recommender.recommend(
            bundle.interactions.histories(np.array([index], dtype=np.int32), AS_OF), 7, exclude_seen=False
        )
        assert [row["rank"] for row in mine] == list(range(1, len(alone.item) + 1))
        assert [row[c.ITEM_ID] for row in mine] == bundle.items.ids(alone.item)
        assert [row["score"] for row in mine] == alone.score.tolist()
        assert [row["source"] for row in mine] == [bundle.recommender.source_names[s] for s in alone.source]


def test_two_processes_write_the_same_file(deployed: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_USERS", 64)
    folder, bundle = opened(deployed)
    asked = some(bundle, 300)
    for processes in (1, 2):
        write_lists(bundle, folder, asked, QUESTION, tmp_path / f"{processes}.parquet", processes=processes)
    one, two = (pq.read_table(tmp_path / f"{processes}.parquet") for processes in (1, 2))
    assert one.equals(two)
    assert one[c.USER_ID].unique().to_pylist() == asked.ids.to_pylist()


@pytest.mark.parametrize("processes", [1, 2])
def test_what_stood_there_stays_when_it_fails(
    deployed: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(batch, "_USERS", 64)
    folder, bundle = opened(deployed)
    asked = some(bundle, 300)
    broken = Asked(asked.ids.slice(0, 290), asked.index)  # fewer names than lists: the last block cannot be written
    out = tmp_path / "lists.parquet"
    out.write_text("before")
    with pytest.raises(IndexError):
        write_lists(bundle, folder, broken, QUESTION, out, processes=processes)
    assert out.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["lists.parquet"]


def test_everybody_has_a_list_but_the_erased(home: Home) -> None:
    add_users(home)
    _, bundle = opened(home)
    asked = everybody(home, bundle.users)
    index = dict(zip(asked.ids.to_pylist(), asked.index.tolist(), strict=True))
    trained = set(bundle.users.ids(np.arange(len(bundle.users), dtype=np.int32)))
    assert set(index) == (trained | {"stranger"}) - {"u04"}
    assert index["stranger"] == index["u03"] == UNKNOWN
    assert index["u05"] == bundle.users.index("u05")


def test_the_command_says_what_it_wrote(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_users(home)
    monkeypatch.setenv("MALLARD_HOME", str(home.root))
    out = tmp_path / "new" / "lists.parquet"
    ran = CliRunner().invoke(program, ["lists", "--n", "3", "--as-of", str(small_mall.MIDNIGHT), "--processes", "1",
                                       "--out", str(out)])  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert "items for" in ran.output
    assert set(pq.read_table(out)["rank"].to_pylist()) == {1, 2, 3}


def test_nothing_can_be_ranked_without_a_model(tmp_path: Path) -> None:
    empty = Home(tmp_path / "var", tmp_path / "configs", tmp_path / "mlruns")
    with pytest.raises(MissingStateError, match="mallard deploy recommend"):
        rank_everybody(empty, tmp_path / "out", n=5, as_of=None, exclude_seen=False, processes=1)


def test_a_folder_is_no_file(deployed: Home, tmp_path: Path) -> None:
    folder, bundle = opened(deployed)
    with pytest.raises(InputError, match="is a folder"):
        write_lists(bundle, folder, some(bundle, 3), QUESTION, tmp_path)
