"""Golden rows of models that read a tag table: inputs and the outputs they must give, written once and replayed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.errors import BundleError
from features.tags import spec_hash
from training.bundle import GOLDEN, Bundle

Outputs = Mapping[str, npt.NDArray[np.float64]]

_ROWS = 20
#: Golden rows must come out this close; another processor may round the last digits otherwise.
_TOLERANCE = 1e-6


def golden_rows(examples: pa.Table, tags: Sequence[str], outputs: Callable[[pa.Table], Outputs]) -> dict[str, Any]:
    """What a bundle keeps: rows taken evenly, without ids, from a tag table, and what the model says of them."""
    taken = np.unique(np.linspace(0, examples.num_rows - 1, min(_ROWS, examples.num_rows)).astype(np.int64))
    rows = examples.take(pa.array(taken)).select(list(tags))
    told = outputs(_anonymous(rows))
    return {"inputs": rows.to_pydict(), "outputs": {name: _listed(values) for name, values in told.items()}}


def replay(bundle: Bundle, outputs: Callable[[pa.Table], Outputs]) -> None:
    """Ask again and compare; :class:`BundleError` names the first row and output that differ."""
    golden = bundle.json(GOLDEN)
    columns = {name: pa.array(values, pa.float64()) for name, values in golden["inputs"].items()}
    told = outputs(_anonymous(pa.table(columns)))
    for name, kept in golden["outputs"].items():
        wanted = np.array(kept, dtype=np.float64)
        near = np.isclose(told[name], wanted, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        if not near.all():
            row = int(np.argwhere(~near)[0][0])
            raise BundleError(
                f"bundle {bundle.path}: golden row {row} gives {name} {told[name][row]} instead of {wanted[row]}"
            )


def check_tags(bundle: Bundle, tags: Sequence[str]) -> None:
    """Raise :class:`BundleError` when one of the ``tags`` that a model reads is declared otherwise today."""
    today = spec_hash(tags)
    if today != bundle.manifest.tag_spec:
        raise BundleError(
            f"bundle {bundle.path} was trained on tags declared otherwise (tag spec {bundle.manifest.tag_spec}, today "
            f"{today}); train again"
        )


def check_kind(bundle: Bundle, kind: str) -> None:
    """Raise :class:`BundleError` when the bundle is of another kind."""
    if bundle.manifest.kind != kind:
        raise BundleError(f"bundle {bundle.path} is of kind '{bundle.manifest.kind}', not '{kind}'")


def _listed(values: npt.NDArray[np.float64]) -> list[Any]:
    """Numbers as JSON has them: what is not finite as null."""
    finite = values.astype(object)
    finite[~np.isfinite(values)] = None
    listed: list[Any] = finite.tolist()
    return listed


def _anonymous(rows: pa.Table) -> pa.Table:
    return rows.append_column(c.USER_ID, pa.array([str(row) for row in range(rows.num_rows)], pa.string()))
