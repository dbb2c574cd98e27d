"""Ids of people who were erased: nothing of theirs comes into the lake again, from whichever old file.

::

    lake/erased/<keyed hash>    one file per id; JSON: what kind of id, and since when

The ids themselves are not kept. A hash under the identity key tells an id that comes again and does not give it away.
"""

import json
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.knowledge import ANONYMOUS, ID_KIND, USER
from features.identity import IdentityKey
from features.lake.commits import flush

_PURPOSE: Final = "erased id"
#: A folder that changed less than this ago may change again within one tick of the clock that dates it.
_TICK_NANOSECONDS: Final = 100_000_000


class Tombstones:
    """The erased ids of one lake. Whatever another process adds counts from the next question on."""

    def __init__(self, root: Path, key: IdentityKey) -> None:
        self._folder = root / "erased"
        self._key = key
        self._seen = (0, frozenset[str]())

    def add(self, kind: str, ids: Iterable[str], *, now: datetime) -> int:
        """Refuse ``ids`` (of :data:`USER` or :data:`ANONYMOUS`) from now on; returns how many are new."""
        new = 0
        for name in {self.hash(kind, one) for one in ids} - self.hashes():
            self._folder.mkdir(parents=True, exist_ok=True)
            aside = self._folder / f".{uuid4().hex}"
            aside.write_text(json.dumps({ID_KIND: kind, c.ERASED_AT: now.isoformat()}), encoding="utf-8")
            flush(aside)
            aside.rename(self._folder / name)
            new += 1
        if new:
            flush(self._folder)
        return new

    def lift(self, kind: str, ids: Iterable[str]) -> int:
        """Admit ``ids`` again; returns how many had been refused. What was erased does not come back by itself."""
        lifted = {self.hash(kind, one) for one in ids} & self.hashes()
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

    def kept_users(self, users: pa.Table) -> pa.Table:
        """``users`` (``USER_SCHEMA``) without those who were erased."""
        gone = self._refused(USER, users.column(c.USER_ID))
        return users.filter(pc.invert(pc.is_in(users.column(c.USER_ID), gone))) if len(gone) else users

    def kept_links(self, rows: pa.Table) -> pa.Table:
        """Links or logins without those that name an erased user or visitor."""
        gone = self._refused(USER, rows.column(c.USER_ID))
        named = pc.is_in(rows.column(c.USER_ID), gone)
        if c.ANONYMOUS_ID in rows.column_names:
            visitors = self._refused(ANONYMOUS, rows.column(c.ANONYMOUS_ID))
            named = pc.or_(named, pc.is_in(rows.column(c.ANONYMOUS_ID), visitors))
        return rows.filter(pc.invert(named))

    def _refused(self, kind: str, ids: pa.ChunkedArray) -> pa.Array:
        refused = self.hashes()
        if not refused:
            return pa.array([], pa.string())
        found = [one for one in ids.unique().to_pylist() if one is not None and self.hash(kind, one) in refused]
        return pa.array(found, pa.string())
