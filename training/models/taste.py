"""The user-item matrix of taste: how often, damped, whatever the order. The input of collaborative filtering."""

import numpy as np
import scipy.sparse as sp

from training.interactions import Float32, Interactions
from training.models.ragged import best_of_rows
from training.models.recency import weights_of


def user_items(data: Interactions, kinds: Float32) -> sp.csr_matrix:
    """(users with events, items) ``log2(1 + weighted events)`` per pair; ``implicit`` asks for the old matrix class."""
    _, row = np.unique(data.user, return_inverse=True)
    shape = (int(row.max()) + 1 if len(row) else 0, len(data.items))
    matrix = sp.csr_matrix((weights_of(data.kind, kinds), (row, data.item)), shape=shape)
    matrix.eliminate_zeros()
    matrix.data = np.log2(1 + matrix.data)
    return matrix.astype(np.float32)


def keep_heaviest(matrix: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """Only the ``n`` heaviest items of every user."""
    indptr = matrix.indptr.astype(np.int64)
    if np.diff(indptr).max(initial=0) <= n:
        return matrix
    place, counts = best_of_rows(indptr, matrix.indices, matrix.data, n)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_matrix((matrix.data[place], matrix.indices[place], starts), shape=matrix.shape)
