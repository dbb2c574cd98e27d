"""Equality of tag tables: exact but for the last digits of real numbers, whose sums have no fixed order."""

import numpy as np
import pyarrow as pa


def assert_equal_tables(found: pa.Table, expected: pa.Table) -> None:
    assert found.schema == expected.schema
    assert found["user_id"].to_pylist() == expected["user_id"].to_pylist()
    for field in found.schema:
        left, right = found[field.name], expected[field.name]
        if pa.types.is_floating(field.type):
            np.testing.assert_array_equal(left.is_null(), right.is_null(), err_msg=field.name)
            np.testing.assert_allclose(
                left.to_numpy(), right.to_numpy(), rtol=1e-9, atol=1e-9, equal_nan=True, err_msg=field.name
            )
        else:
            assert left.to_pylist() == right.to_pylist(), field.name
