"""Many short texts as two arrays, so that workers share them memory-mapped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.interactions import Int64
from training.models.source import Arrays


@dataclass(frozen=True)
class Texts:
    """Texts by position; an empty one stands for "unknown" and reads as None."""

    start: Int64  # (n + 1,)
    utf8: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> "Texts":
        encoded = [(text or "").encode() for text in texts]
        start = np.concatenate([[0], np.cumsum([len(text) for text in encoded])]).astype(np.int64)
        return cls(start, np.frombuffer(b"".join(encoded), dtype=np.uint8))

    def __len__(self) -> int:
        return len(self.start) - 1

    def __getitem__(self, place: int) -> str | None:
        return self.utf8[int(self.start[place]) : int(self.start[place + 1])].tobytes().decode() or None

    def all(self) -> Sequence[str | None]:
        """Every text in order."""
        return [self[place] for place in range(len(self))]

    def arrays(self) -> Arrays:
        return {"start": self.start, "utf8": self.utf8}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Texts":
        """The inverse of :meth:`arrays`."""
        return cls(np.asarray(arrays["start"], dtype=np.int64), np.asarray(arrays["utf8"], dtype=np.uint8))
