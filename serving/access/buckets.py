"""Rate limits that hold over all workers: token buckets in a file that every worker maps into its memory.

A bucket is kept as one number, the moment at which it will be full again (the virtual-scheduling form of the generic
cell rate algorithm, ITU-T I.371, annex A): a request moves it ahead by ``1 / per_second``, and is refused when it lies
further ahead than ``burst / per_second``. A bucket that is full is the same as a new one, so that its slot may go to
another caller.
"""

import fcntl
import hashlib
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.contracts.errors import StoreUnavailableError
from serving.access.config import RateConfig

_SLOT = struct.Struct("<16sq")  # who, and the moment of being full in nanoseconds since 1970
_PROBES = 64  # neighbours that are looked at for a slot


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a bucket says to one request."""

    allowed: bool
    remaining: int
    """Requests that may follow at once."""
    wait_seconds: float
    """Until the next one is let through; 0 when it would be now."""


class Buckets:
    """The buckets of all callers of one home. Safe between threads and processes: each slot has its own lock.

    The kernel drops the locks of a process that dies, so that a killed worker holds nobody up.
    """

    def __init__(self, file: Path, *, slots: int = 4096, clock: Callable[[], int] = time.time_ns) -> None:
        self._slots, self._clock = slots, clock
        self._thread = threading.Lock()
        self._place: dict[bytes, int] = {}
        size = slots * _SLOT.size
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # Blocks are taken now: a mapped write to a full disk would kill the process.
            os.posix_fallocate(self._fd, 0, size)
            self._map = mmap.mmap(self._fd, size)
        except OSError as error:
            raise StoreUnavailableError(f"{file}: the rate limits cannot be kept: {error}") from error

    def take(self, caller: str, rate: RateConfig) -> Allowance:
        """Take one token of ``caller``'s bucket."""
        who = hashlib.blake2b(caller.encode(), digest_size=16).digest()
        step = max(int(1e9 / rate.per_second), 1)
        room = step * rate.burst
        with self._thread:
            place = self._place.get(who)
            if place is None:
                place = self._claim(who)
            with self._locked(place):
                now = self._clock()
                holder, full_at = _SLOT.unpack_from(self._map, place * _SLOT.size)
                if holder != who:  # given away while it was full
                    full_at = now
                # A moment beyond the room comes from a clock that was set back, or from a larger limit of before.
                full_at = min(max(full_at, now), now + room)
                ahead = full_at + step - now
                allowed = ahead <= room
                if allowed:
                    full_at += step
                _SLOT.pack_into(self._map, place * _SLOT.size, who, full_at)
        wait = max(full_at + step - now - room, 0) / 1e9
        return Allowance(allowed, (room - (full_at - now)) // step, wait)

    def close(self) -> None:
        self._map.close()
        os.close(self._fd)

    def _claim(self, who: bytes) -> int:
        """A slot for ``who``: his own, else one that is free or has a full bucket, else the one that soonest will."""
        start = int.from_bytes(who[:8], "little") % self._slots
        places = [(start + step) % self._slots for step in range(min(_PROBES, self._slots))]
        held = [(_SLOT.unpack_from(self._map, place * _SLOT.size), place) for place in places]
        place = next((place for (holder, _), place in held if holder == who), None)
        if place is None:
            place = min(held, key=lambda slot: max(slot[0][1] - self._clock(), 0))[1]
        if len(self._place) >= self._slots:
            self._place.clear()
        self._place[who] = place
        return place

    @contextmanager
    def _locked(self, place: int) -> Iterator[None]:
        fcntl.lockf(self._fd, fcntl.LOCK_EX, _SLOT.size, place * _SLOT.size)
        try:
            yield
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN, _SLOT.size, place * _SLOT.size)
