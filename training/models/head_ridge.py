"""Ridge regression of all items on all items, exact among the most frequent ones.

Minimises ``|Y - X B|^2 + penalty |B|^2`` under ``diag(B) = 0``, given only ``gram = X'X`` and ``cross = X'Y``:
``B = P (cross - diag(gamma))`` with ``P = (gram + penalty I)^-1`` and ``gamma`` such that the diagonal vanishes
(Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, section 3; with other targets than ``X``: Choi
et al., "Session-aware linear item-item models for session-based recommendation", WWW 2021, section 3). ``P`` is dense,
so only the ``head`` most frequent sources are solved together. Off them ``gram`` is small beside the penalty,
and is taken for diagonal: that is what lets a catalogue of 100 thousand items pass through memory.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse as sp

from training.interactions import Float32
from training.models.neighbours import Neighbours, Sparse
from training.models.ragged import Float64, best_of_rows

#: Items whose dense rows stand in memory at a time.
_BLOCK = 256

_Order = npt.NDArray[np.intp]


@dataclass(frozen=True)
class HeadRidge:
    """The settings of the regression."""

    regularization: float  # the penalty in units of the mean diagonal of ``gram``
    head: int  # items solved exactly: memory is 4 bytes times its square, time its cube
    targets: int  # entries of a row of ``cross`` that are kept, the largest
    neighbours: int  # entries of a row of ``B`` that are kept, the largest positive ones

    def fit(self, sources: Sparse, left: Sparse, right: Sparse) -> Neighbours:
        """``B`` for ``gram = sources' sources`` and ``cross = left' right``, all matrices (rows, items)."""
        energy: Float64 = np.asarray(sources.power(2).sum(axis=0), dtype=np.float64).ravel()
        items = len(energy)
        order = np.argsort(-energy, kind="stable")[: min(self.head, int((energy > 0).sum()))]
        cross = self._cross(left, right)
        penalty = self.regularization * float(energy[energy > 0].mean()) if energy.any() else 1.0
        alone = (1 / (energy + penalty)).astype(np.float32)
        rows = sp.csr_array(sp.diags_array(alone) @ cross)
        if not len(order):
            return Neighbours.strongest(rows, self.neighbours)
        solved = self._solve(sp.csr_array(sources[:, order]), cross[order], order, penalty)
        others = np.setdiff1d(np.arange(items), order)
        back = np.argsort(np.concatenate([order, others]), kind="stable")
        weights = sp.csr_array(sp.vstack([solved, rows[others]], format="csr")[back])
        return Neighbours.strongest(weights, self.neighbours)

    def _cross(self, left: Sparse, right: Sparse) -> Sparse:
        """``left' right`` without its diagonal, the largest entries of every row."""
        columns, parts = sp.csr_array(left.T), []
        for start in range(0, columns.shape[0], 2 * _BLOCK):
            part = sp.csr_array(columns[start : start + 2 * _BLOCK] @ right)
            part.data[part.indices == np.repeat(np.arange(part.shape[0]) + start, np.diff(part.indptr))] = 0
            parts.append(_largest(part, self.targets))
        return sp.csr_array(sp.vstack(parts, format="csr"))

    def _solve(self, head: Sparse, cross: Sparse, order: _Order, penalty: float) -> Sparse:
        """(head, items) the rows of ``B`` whose sources are ``order``; ``head`` are their columns of the sources."""
        inverse = _inverse(head, penalty)
        among = sp.coo_array(cross[:, order])
        into, out = among.coords
        loops = np.bincount(out, weights=inverse[out, into] * among.data, minlength=len(order))
        gamma = (loops / np.diag(inverse)).astype(np.float32)
        targets, parts = sp.csr_array(cross.T), []
        for start in range(0, len(order), _BLOCK):
            block = np.ascontiguousarray(inverse[start : start + _BLOCK].T)  # the inverse is symmetric
            weights = np.ascontiguousarray((targets @ block).T)
            weights[:, order] -= block.T * gamma
            parts.append(_strongest(weights, self.neighbours + 1))  # itself may be among them by a rounding error
        return sp.csr_array(sp.vstack(parts, format="csr"))


def _inverse(head: Sparse, penalty: float) -> Float32:
    """(head, head) ``(gram + penalty I)^-1``, by Cholesky in place."""
    gram = np.asfortranarray(sp.csr_array(head.T @ head).toarray(), dtype=np.float32)
    gram[np.diag_indices_from(gram)] += np.float32(penalty)
    factor, _ = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    upper, failed = scipy.linalg.lapack.spotri(factor, overwrite_c=True)
    assert not failed
    lower = np.tril_indices_from(upper, -1)
    upper[lower] = upper.T[lower]
    return np.asarray(upper, dtype=np.float32)


def _largest(matrix: Sparse, n: int) -> Sparse:
    """The ``n`` largest entries of every row."""
    place, counts = best_of_rows(matrix.indptr.astype(np.int64), matrix.indices, matrix.data, n)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_array((matrix.data[place], matrix.indices[place], starts), shape=matrix.shape)


def _strongest(dense: Float32, n: int) -> Sparse:
    """The ``n`` largest entries of every row, as far as they are positive."""
    take = min(n, dense.shape[1])
    best = np.argpartition(dense, dense.shape[1] - take, axis=1)[:, dense.shape[1] - take :]
    weight = np.maximum(np.take_along_axis(dense, best, axis=1), 0)
    starts = np.arange(len(dense) + 1) * take
    return sp.csr_array((weight.ravel(), best.ravel(), starts), shape=dense.shape)
