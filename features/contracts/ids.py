"""External ids (text, the mall's) and internal indices (integers, an array's) and the one boundary between them."""

from collections.abc import Iterable, Sequence
from typing import NewType

import numpy as np
import numpy.typing as npt

UserId = NewType("UserId", str)
ItemId = NewType("ItemId", str)
UserIndex = NewType("UserIndex", int)
ItemIndex = NewType("ItemIndex", int)

Int32 = npt.NDArray[np.int32]

#: The index of an id that the map does not hold.
UNKNOWN = -1


class IdMap:
    """A fixed two-way map between ids and ``0 .. n-1``.

    Ids are kept sorted as fixed-width UTF-8 bytes, so that the map is one array that workers memory-map and search
    without building a dictionary. Index order is therefore id order (by UTF-8 bytes).
    """

    def __init__(self, sorted_ids: npt.NDArray[np.bytes_]) -> None:
        self._ids = sorted_ids

    @classmethod
    def of(cls, ids: Iterable[str]) -> "IdMap":
        """Build from any ids; duplicates count once. NUL bytes cannot be part of an id."""
        encoded = [i.encode() for i in dict.fromkeys(ids)]
        if any(b"\0" in i for i in encoded):
            raise ValueError("an id must not contain a NUL byte")
        width = max((len(i) for i in encoded), default=1)
        return cls(np.sort(np.array(encoded, dtype=f"S{max(width, 1)}")))

    @classmethod
    def from_array(cls, array: npt.NDArray[np.bytes_]) -> "IdMap":
        """Wrap an array written by :meth:`to_array` (it may be memory-mapped)."""
        return cls(array)

    def to_array(self) -> npt.NDArray[np.bytes_]:
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, external: str) -> bool:
        return self.index(external) != UNKNOWN

    def index(self, external: str) -> int:
        """The index of one id, or :data:`UNKNOWN`."""
        key = external.encode()
        if len(key) > self._ids.dtype.itemsize:
            return UNKNOWN
        position = int(self._ids.searchsorted(np.bytes_(key)))
        if position < len(self._ids) and self._ids[position] == key:
            return position
        return UNKNOWN

    def indices(self, external: Sequence[str] | npt.NDArray[np.str_]) -> Int32:
        """Indices of many ids, :data:`UNKNOWN` where the map does not hold one."""
        keys = np.array([e.encode() for e in external], dtype="S") if len(external) else np.empty(0, "S1")
        if not len(self._ids) or not len(keys):
            return np.full(len(keys), UNKNOWN, dtype=np.int32)
        positions = np.minimum(self._ids.searchsorted(keys), len(self._ids) - 1)
        return np.where(self._ids[positions] == keys, positions, UNKNOWN).astype(np.int32)

    def id(self, index: int) -> str:
        """The external id at ``index``."""
        external: bytes = self._ids[index]
        return external.decode()

    def ids(self, indices: Int32) -> list[str]:
        """External ids of many indices."""
        return [i.decode() for i in self._ids[indices].tolist()]
