import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.catalogue import USER_SCHEMA
from features.contracts.errors import ConfigError, InputError
from features.contracts.events import EventType
from features.contracts.home import Home
from features.contracts.knowledge import ALIAS_SCHEMA, ANONYMOUS, USER
from features.identity import IdentityKey, canonical_users, merge_rows, unmerge_rows
from features.identity.key import ENVIRONMENT
from features.lake import Lake
from tests.features.identity.facts import at, user_at
from tests.features.mall import event, table


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    return Home(root=tmp_path / "var", configs=tmp_path / "configs", mlruns=tmp_path / "mlruns")


@pytest.fixture
def lake(home: Home) -> Lake:
    return Lake(home)


def users(**identities: dict[str, object]) -> pa.Table:
    rows = [{c.USER_ID: user, c.IDENTITIES: json.dumps(given)} for user, given in identities.items()]
    return pa.Table.from_pylist(rows, schema=USER_SCHEMA)


def both(name: str, user: str | None, visitor: str, minute: int, received: int | None = None) -> dict[str, object]:
    row = event(EventType.VIEW, user or "", at(minute), event_id=name, anonymous_id=visitor, user_id=user)
    return row | {c.RECEIVED_AT: None if received is None else at(received)}


def test_users_who_share_a_strong_identity_are_one_from_then_on(lake: Lake) -> None:
    lake.upsert(users=users(ann={"phone": "138 1234 5678", "openid": "o1"}), now=at(1))
    lake.upsert(users=users(bob={"mobile": "+86-13812345678"}, cid={"device": "tablet"}), now=at(2))
    lake.upsert(users=users(dee={"device": "tablet", "openid": "unknown"}), now=at(3))
    aliases = lake.read_aliases()
    assert aliases.schema == ALIAS_SCHEMA
    assert canonical_users(aliases) == lake.canonical_users() == {"bob": "ann"}
    assert canonical_users(aliases, at(1.5)) == {}


def test_identities_are_never_in_clear(lake: Lake, home: Home) -> None:
    lake.upsert(users=users(ann={"phone": "13812345678", "wecom": ["w-secret", 77]}), now=at(1))
    (stored,) = lake.read_users().column(c.IDENTITIES).to_pylist()
    assert json.loads(stored)["phone"] == IdentityKey.of(home).hash("phone", "１３８１２３４５６７８")
    for file in home.root.rglob("*"):
        if file.is_file():
            assert b"13812345678" not in file.read_bytes()
            assert b"w-secret" not in file.read_bytes()
    assert home.identity_key.stat().st_mode & 0o777 == 0o600


def test_the_same_users_again_add_nothing(lake: Lake) -> None:
    for minute in (1, 2):
        lake.upsert(users=users(ann={"phone": "13812345678"}), now=at(minute))
    before = lake.fingerprint()
    lake.upsert(users=lake.read_users(), now=at(3))  # hashed values are not hashed once more
    assert lake.fingerprint() == before
    assert len(lake.read_links()) == 1


def test_a_new_phone_ends_the_old_ones_link(lake: Lake) -> None:
    lake.upsert(users=users(ann={"phone": "13812345678"}), now=at(1))
    lake.upsert(users=users(ann={"phone": "13900000001", "openid": "o"}), now=at(2))
    lake.upsert(users=users(bob={"phone": "13812345678"}), now=at(3))
    assert canonical_users(lake.read_aliases()) == lake.canonical_users() == {}
    lake.upsert(users=users(ann={"openid": "o"}), now=at(4))  # not mentioned is not ended
    lake.upsert(users=users(eve={"phone": "13900000001"}), now=at(5))
    assert canonical_users(lake.read_aliases()) == {"eve": "ann"}


def test_a_login_gives_the_visit_to_the_user_from_the_moment_it_was_received(lake: Lake) -> None:
    lake.append_events(table([both("1", None, "web", 1), both("2", "ann", "web", 5, 9)]), batch_id="one", now=at(9))
    answers = lake.read_aliases().to_pylist()
    assert user_at(answers, ANONYMOUS, "web", at(8), at(1)) is None
    assert user_at(answers, ANONYMOUS, "web", at(9), at(1)) == "ann"
    assert not any(row["id_kind"] == USER for row in answers)


def test_batches_of_one_log_tell_the_same_in_any_order(tmp_path: Path) -> None:
    rows = [both(str(n), ("ann", "bob", None)[n % 3], "tablet", 10 * n) for n in range(12)]
    batches = [table(rows[:4]), table(rows[4:7]), table(rows[7:])]
    told = []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        lake = Lake(Home(tmp_path / str(order), tmp_path, tmp_path))
        for number in order:
            lake.append_events(batches[number], batch_id=str(number), now=at(0))
            lake.append_events(batches[number], batch_id=f"{number} again", now=at(0))
        told.append(lake.read_aliases())
    answers = told[0].to_pylist()
    for minute in range(0, 120, 10):
        owner = user_at(answers, ANONYMOUS, "tablet", at(999), at(minute))
        assert owner == ("ann" if minute % 30 == 0 else "bob")
    assert told[1].equals(told[0])
    assert told[2].equals(told[0])


def test_an_operator_merges_and_undoes(lake: Lake) -> None:
    lake.upsert(users=users(ann={"openid": "a"}, bob={"openid": "b"}), now=at(1))
    merge = merge_rows("bob", "ann", reason="same person", at=at(2))
    assert lake.identify(links=merge, batch_id="m1", now=at(2))
    assert not lake.identify(links=merge, batch_id="m1", now=at(3))
    version = lake.links_version()
    assert canonical_users(lake.read_aliases()) == lake.canonical_users() == {"bob": "ann"}
    lake.identify(links=unmerge_rows("ann", "bob", reason="no", at=at(4)), batch_id="m2", now=at(4))
    assert lake.links_version() > version
    assert canonical_users(lake.read_aliases()) == lake.canonical_users() == {}
    assert canonical_users(lake.read_aliases(), at(3)) == {"bob": "ann"}


def test_another_key_is_noticed(lake: Lake, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lake.upsert(users=users(ann={"phone": "13812345678"}), now=at(1))
    monkeypatch.setenv(ENVIRONMENT, "another key that is long enough")
    with pytest.raises(ConfigError, match="not the one") as error:
        Lake(home).upsert(users=users(bob={"phone": "13812345678"}), now=at(2))
    assert "another key" not in str(error.value)
    monkeypatch.delenv(ENVIRONMENT)
    home.identity_key.unlink()
    with pytest.raises(ConfigError, match="is gone"):
        Lake(home).upsert(users=users(bob={"phone": "13812345678"}), now=at(2))


def test_two_homes_with_one_key_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "one key for both of the homes")
    keys = [IdentityKey.of(Home(tmp_path / name, tmp_path, tmp_path)) for name in ("a", "b")]
    assert keys[0].hash("openid", "o") == keys[1].hash("openid", "o")
    assert keys[0].hash("openid", "o") != keys[0].hash("unionid", "o")
    assert not (tmp_path / "a" / "identity.key").exists()


def test_a_short_key_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "short")
    with pytest.raises(ConfigError, match="16 characters"):
        IdentityKey.of(home).hash("openid", "o")


@pytest.mark.parametrize("text", ["[1]", "{", '{"phone": {"a": 1}}', '{"phone": true}'])
def test_identities_of_another_form_name_the_user(lake: Lake, text: str) -> None:
    rows = pa.Table.from_pylist([{c.USER_ID: "ann", c.IDENTITIES: text}], schema=USER_SCHEMA)
    with pytest.raises(InputError, match="user 'ann'"):
        lake.upsert(users=rows, now=at(1) + timedelta(0))
