import math

import numpy as np

from training.evaluation.agreement import top_overlap


def test_overlap_is_the_share_that_both_name_over_users_of_whom_something_is_said() -> None:
    a = np.array([[1, 2, 3], [1, 2, -1], [-1, -1, -1]])
    b = np.array([[3, 2, 9], [1, -1, -1], [-1, -1, -1]])
    assert top_overlap(a, a) == 1.0
    assert top_overlap(a, b) == (2 / 3 + 1 / 2) / 2
    assert math.isnan(top_overlap(a[2:], b[2:]))
