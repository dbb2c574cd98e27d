import numpy as np
import pytest

from training.pipelines.thinning import spread


@pytest.mark.parametrize("turn", [0, 1, 7, 12_345])
@pytest.mark.parametrize(("count", "kept"), [(10, 3), (1_000, 999), (23_570, 10_000), (5, 5), (3, 9), (0, 4)])
def test_positions_are_different_ones_evenly_apart(count: int, kept: int, turn: int) -> None:
    taken = spread(count, kept, turn)
    assert len(taken) == min(count, kept)
    assert len(np.unique(taken)) == len(taken)
    assert ((taken >= 0) & (taken < count)).all()
    if 1 < kept < count:
        assert np.diff(taken).max() <= count // kept + 1


def test_a_dozen_turns_leave_nobody_out_of_a_tenth() -> None:
    seen = np.unique(np.concatenate([spread(1_000, 100, turn) for turn in range(12)]))
    assert len(seen) > 900
