import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.ids import UNKNOWN, IdMap

names = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=12)


@given(st.sets(names, max_size=30), names)
def test_every_id_comes_back_and_strangers_are_unknown(ids: set[str], stranger: str) -> None:
    ids.discard(stranger)
    id_map = IdMap.of(ids)
    ordered = sorted(ids, key=str.encode)
    assert len(id_map) == len(ids)
    assert id_map.indices(ordered).tolist() == list(range(len(ids)))
    assert id_map.ids(np.arange(len(ids), dtype=np.int32)) == ordered
    assert [id_map.index(i) for i in ordered] == list(range(len(ids)))
    assert id_map.index(stranger) == UNKNOWN
    assert id_map.indices([stranger]).tolist() == [UNKNOWN]


def test_a_longer_id_with_a_known_start_is_unknown() -> None:
    id_map = IdMap.of(["ab", "cd"])
    assert id_map.index("abc") == UNKNOWN
    assert id_map.indices(["abc", "cd"]).tolist() == [UNKNOWN, 1]


def test_survives_a_round_trip_through_its_array() -> None:
    id_map = IdMap.of(["鸭", "b", "a"])
    again = IdMap.from_array(id_map.to_array())
    assert again.ids(np.array([0, 1, 2], dtype=np.int32)) == ["a", "b", "鸭"]


def test_nul_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        IdMap.of(["a\0b"])


def test_an_empty_map_knows_nobody() -> None:
    id_map = IdMap.of([])
    assert len(id_map) == 0
    assert id_map.index("a") == UNKNOWN
    assert id_map.indices(["a"]).tolist() == [UNKNOWN]
    assert id_map.indices([]).tolist() == []
