"""Ids of people who were erased: nothing of theirs comes into the lake again, from whichever old file.

::

    lake/erased/<keyed hash>    one file per id; JSON: what kind of id, and since when

The ids themselves are not kept. A hash under the identity key tells an id that comes again and does not give it away.
Whoever writes about people elsewhere looks and writes within :meth:`Tombstones.steady`: ids become refused between two
such blocks, never inside one, so that what a purge removes afterwards is all there is.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from fcntl import LOCK_EX, LOCK_SH, flock
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.knowledge import ANONYMOUS, ID_KIND, RAW_ID, USER
from features.identity import IdentityKey
from features.lake.commits import flush
from features.lake.mentions import renamed
from features.lake.quarantine import values_of

_PURPOSE: Final = "erased id"
#: A folder that changed less than this ago may change again within one tick of the clock that dates it.
_TICK_NANOSECONDS: Final = 100_000_000


class Tombstones:
    """The erased ids of one lake. Whatever another process adds counts from the next question on."""

    def __init__(self, root: Path, key: IdentityKey) -> None:
        self._folder = root / "erased"
        self._doors = (root / "erased.door", root / "erased.lock")
        self._key = key
        self._seen = (0, frozenset[str]())

    def add(self, kind: str, ids: Iterable[str], *, now: datetime) -> int:
        """Refuse ``ids`` (of :data:`USER` or :data:`ANONYMOUS`) from now on; returns how many are new.

        Waits for blocks of :meth:`steady` that are under way.
        """
        missing = {self.hash(kind, one) for one in ids} - self.hashes()
        if not missing:
            return 0
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._held(LOCK_EX):
            for name in missing:
                aside = self._folder / f".{uuid4().hex}"
                aside.write_text(json.dumps({ID_KIND: kind, c.ERASED_AT: now.isoformat()}), encoding="utf-8")
                flush(aside)
                aside.rename(self._folder / name)
            flush(self._folder)
        return len(missing)

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Nobody becomes refused while the block lasts; many may be in one, in all processes of this machine."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        with self._held(LOCK_SH):
            yield

    def lift(self, kind: str, ids: Iterable[str]) -> int:
        """Admit ``ids`` again; returns how many had been refused. What was erased does not come back by itself."""
        return self.lift_hashed(self.hash(kind, one) for one in ids)

    def lift_hashed(self, hashes: Iterable[str]) -> int:
        """As :meth:`lift`, of ids of which the hashes alone are known."""
        lifted = self.hashes().intersection(hashes)
        for name in lifted:
            (self._folder / name).unlink(missing_ok=True)
        if lifted:
            flush(self._folder)
        return len(lifted)

    def hashes(self) -> frozenset[str]:
        """Everything that is refused, as keyed hashes."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return frozenset()
        if changed != self._seen[0]:
            found = frozenset(file.name for file in self._folder.iterdir() if not file.name.startswith("."))
            self._seen = (changed if time.time_ns() - changed > _TICK_NANOSECONDS else 0, found)
        return self._seen[1]

    def hash(self, kind: str, external: str) -> str:
        """The keyed hash under which an id is refused."""
        return self._key.sign(_PURPOSE, f"{kind}\0{external}".encode(errors="surrogatepass"))

    def has(self, kind: str, external: str) -> bool:
        """Whether an id is refused."""
        return bool(refused := self.hashes()) and self.hash(kind, external) in refused

    def kept_events(self, rows: pa.Table) -> pa.BooleanArray | None:
        """(n,) which ``rows`` with a user and an anonymous id may be kept; ``None`` when all may.

        A row counts for its user, or for its anonymous id where it names none: on a shared device the others stay.
        """
        users = self._refused(USER, rows.column(c.USER_ID))
        visitors = self._refused(ANONYMOUS, rows.column(c.ANONYMOUS_ID))
        if not len(users) and not len(visitors):
            return None
        visits = pc.and_(pc.is_null(rows.column(c.USER_ID)), pc.is_in(rows.column(c.ANONYMOUS_ID), visitors))
        keep = ~pc.or_(pc.is_in(rows.column(c.USER_ID), users), visits).to_numpy()
        return None if keep.all() else pa.array(keep.astype(np.bool_))

    def without_mentions(self, events: pa.Table) -> pa.Table:
        """``events`` of others that name nobody who was erased."""
        return renamed(events, lambda one: self.has(USER, one), None) if self.hashes() else events

    def kept_raw(self, texts: pa.ChunkedArray) -> pa.BooleanArray | None:
        """(n,) which rows as they came hold no value that is an erased id; ``None`` when all may be kept."""
        if not self.hashes() or not len(texts):
            return None
        keep = [not any(self.is_refused(value) for value in values_of(text)) for text in texts.to_pylist()]
        return None if all(keep) else pa.array(keep, pa.bool_())

    def is_refused(self, external: str) -> bool:
        """Whether an id is refused, be it a user's or a visitor's."""
        return self.has(USER, external) or self.has(ANONYMOUS, external)

    def anybody_among(self, ids: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """(n,) which ``ids`` of users or visitors were erased."""
        found: npt.NDArray[np.bool_] = pc.is_in(ids, self._refused(ANONYMOUS, ids)).to_numpy()
        return found | self.among(ids)

    def kept_users(self, users: pa.Table) -> pa.Table:
        """``users``, rows with a ``user_id``, without those who were erased."""
        if not self.hashes():
            return users
        gone = self.among(users.column(c.USER_ID))
        return users.filter(pa.array(~gone)) if gone.any() else users

    def among(self, users: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """(n,) which ``users`` were erased."""
        found: npt.NDArray[np.bool_] = pc.is_in(users, self._refused(USER, users)).to_numpy()
        return found

    def kept_links(self, rows: pa.Table) -> pa.Table:
        """Links or logins without those that name an erased user or visitor."""
        gone = self._refused(USER, rows.column(c.USER_ID))
        named = pc.is_in(rows.column(c.USER_ID), gone)
        if c.ANONYMOUS_ID in rows.column_names:
            visitors = self._refused(ANONYMOUS, rows.column(c.ANONYMOUS_ID))
            named = pc.or_(named, pc.is_in(rows.column(c.ANONYMOUS_ID), visitors))
        return rows.filter(pc.invert(named))

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        # Two locks: who erases holds the door shut while he waits, else those who come and go would keep him out.
        door, lock = self._doors
        with door.open("a") as entrance, lock.open("a") as inside:
            flock(entrance, how)
            flock(inside, how)
            if how == LOCK_SH:
                entrance.close()
            yield

    def kept_aliases(self, aliases: pa.Table) -> pa.Table:
        """``aliases`` (``ALIAS_SCHEMA``) without rows of erased ids, or that count for an erased user."""
        if not self.hashes():
            return aliases
        raw, kind = aliases.column(RAW_ID), aliases.column(ID_KIND)
        gone = pc.and_(pc.equal(kind, USER), pc.is_in(raw, self._refused(USER, raw)))
        gone = pc.or_(gone, pc.and_(pc.equal(kind, ANONYMOUS), pc.is_in(raw, self._refused(ANONYMOUS, raw))))
        return aliases.filter(pc.invert(pc.or_(gone, pa.chunked_array([self.among(aliases.column(c.USER_ID))]))))

    def _refused(self, kind: str, ids: pa.ChunkedArray) -> pa.Array:
        refused = self.hashes()
        if not refused:
            return pa.array([], pa.string())
        found = [one for one in ids.unique().to_pylist() if one is not None and self.hash(kind, one) in refused]
        return pa.array(found, pa.string())
