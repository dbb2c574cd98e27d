"""Items as sparse vectors of what the catalogue says of them, whether or not anybody ever met them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import Field

from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.contracts.config import Config
from training.interactions import Int32, Int64, ItemCatalogue
from training.models.neighbours import Sparse
from training.models.ragged import distinct

#: Prices within a factor of about 1.6 share a band, and each price belongs to two overlapping bands.
_BAND = 0.5


class FieldWeights(Config):
    """How much each kind of feature says; 0 leaves it out."""

    category: float = Field(default=1.0, ge=0)
    """Each level of the category path."""
    brand: float = Field(default=1.0, ge=0)
    shop: float = Field(default=0.5, ge=0)
    price: float = Field(default=0.5, ge=0)
    """The price band."""
    word: float = Field(default=1.0, ge=0)
    """Each word of the title and each attribute."""


def item_features(catalogue: ItemCatalogue, weights: FieldWeights) -> Sparse:
    """(items, features) TF-IDF vectors of length 1; all zero for an item of which nothing is known.

    Salton and Buckley, "Term-weighting approaches in automatic text retrieval" (1988). Features of one item only are
    left out, for they lead nowhere.
    """
    items = len(catalogue.category)
    rows, columns, values = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0)]
    width = 0
    for weight, row, code in _fields(catalogue, weights):
        if not weight:
            continue
        used = distinct(code.astype(np.int64))
        rows.append(row)
        columns.append(np.searchsorted(used, code) + width)
        values.append(np.full(len(row), weight))
        width += len(used)
    row, column, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    holders = np.bincount(column, minlength=width)
    shared = holders[column] > 1
    row, column = row[shared], column[shared]
    value = value[shared] * np.log1p(items / holders[column])
    length = np.sqrt(np.bincount(row, weights=value**2, minlength=items))
    matrix = sp.coo_array(((value / length[row]).astype(np.float32), (row, column)), shape=(items, width))
    return sp.csr_array(matrix)


def _fields(catalogue: ItemCatalogue, weights: FieldWeights) -> Iterator[tuple[float, Int64, npt.NDArray[np.integer]]]:
    """For each kind of feature its weight, the items (k,) and the codes (k,)."""
    every = np.arange(len(catalogue.category), dtype=np.int64)
    for level in _levels(catalogue):
        yield weights.category, every[level >= 0], level[level >= 0]
    yield weights.brand, every[catalogue.brand >= 0], catalogue.brand[catalogue.brand >= 0]
    yield weights.shop, every[catalogue.shop >= 0], catalogue.shop[catalogue.shop >= 0]
    priced = np.flatnonzero(np.isfinite(catalogue.price) & (catalogue.price > 0))
    band = np.log(catalogue.price[priced].astype(np.float64)) / _BAND
    for shift in (0.0, 0.5):
        yield weights.price / np.sqrt(2), priced, np.floor(band + shift).astype(np.int64)
    yield weights.word, np.repeat(every, np.diff(catalogue.word_start)), catalogue.word


def _levels(catalogue: ItemCatalogue) -> list[Int32]:
    """(items,) codes of the category paths cut after each level; -1 where the path is shorter or unknown."""
    names = catalogue.category_names
    if not names:
        return [catalogue.category, catalogue.department]
    paths = [name.split(CATEGORY_SEPARATOR) for name in names]
    levels = []
    for depth in range(1, max(map(len, paths)) + 1):
        cut = [CATEGORY_SEPARATOR.join(path[:depth]) if len(path) >= depth else "" for path in paths]
        code_of = {name: code for code, name in enumerate(dict.fromkeys(filter(None, cut)))}
        table = np.array([*(code_of.get(name, -1) for name in cut), -1], dtype=np.int32)
        levels.append(table[catalogue.category])  # the last entry stands for an unknown category
    return levels
