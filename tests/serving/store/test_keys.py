import pytest

from features.contracts.errors import InputError
from serving.store import OnlineStore, check_key, create_key

NOW = 1_000


def test_a_key_opens_until_it_ends(store: OnlineStore) -> None:
    key = create_key(store, "mall", ["risk", "recommend"], now=NOW, lifetime_seconds=10)
    found = check_key(store, key.text, now=NOW + 9)
    assert found is not None
    assert found.scopes == ("recommend", "risk")
    assert check_key(store, key.text, now=NOW + 10) is None


def test_only_the_hash_is_kept(store: OnlineStore) -> None:
    key = create_key(store, "mall", ["risk"], now=NOW)
    secret = key.text.split("_", 2)[2]
    assert secret not in repr(store.keys())
    assert len(secret) >= 43  # 256 random bits


def test_a_revoked_key_is_closed(store: OnlineStore) -> None:
    key = create_key(store, "mall", ["risk"], now=NOW)
    store.revoke_key(key.record.id, NOW)
    assert check_key(store, key.text, now=NOW) is None


@pytest.mark.parametrize("text", ["", "mk_", "mk_0123456789ab_" + "x" * 43, "ключ", "mk_0123456789ab_\0"])
def test_other_texts_open_nothing(store: OnlineStore, text: str) -> None:
    assert check_key(store, text, now=NOW) is None


def test_a_changed_secret_opens_nothing(store: OnlineStore) -> None:
    key = create_key(store, "mall", ["risk"], now=NOW)
    changed = key.text[:-1] + ("A" if key.text[-1] != "A" else "B")
    assert check_key(store, changed, now=NOW) is None


@pytest.mark.parametrize(
    ("name", "scopes", "lifetime", "message"),
    [
        (" ", ["risk"], None, "name"),
        ("mall", [], None, "at least one scope"),
        ("mall", ["everything"], None, "no scope 'everything'"),
        ("mall", ["risk"], 0, "lifetime"),
    ],
)
def test_wrong_wishes_are_refused(
    store: OnlineStore, name: str, scopes: list[str], lifetime: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        create_key(store, name, scopes, now=NOW, lifetime_seconds=lifetime)
