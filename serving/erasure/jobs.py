"""Erasures on disk: what is under way, and the receipts of those that are done.

::

    erasures/people/<keyed hash of an id>    the last erasure of whom the id is
    erasures/<erasure>/job.json              ids in clear, so that an erasure that was cut off can go on; goes last
    erasures/<erasure>/receipt.json          what was done, without an id
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from features.contracts.home import Home
from features.contracts.knowledge import ANONYMOUS, USER
from features.lake.commits import flush
from features.lake.erasure import Traces
from features.lake.person import Person
from features.lake.tombstones import Tombstones
from serving.erasure.receipt import Receipt

_JOB: Final = "job.json"
_RECEIPT: Final = "receipt.json"


class Removal(BaseModel):
    """What was found in one place, and when it was gone from there."""

    model_config = ConfigDict(frozen=True)

    found: dict[str, int]
    removed_at: datetime | None = None


class Job(BaseModel):
    """An erasure under way."""

    model_config = ConfigDict(frozen=True)

    id: str
    asked_at: datetime
    person: Person
    traces: Traces | None = None  # null until the lake was searched
    requests: tuple[str, ...] = ()  # ids of answers that events name which wait for the lake
    removals: dict[str, Removal] = {}

    def hashes(self, tombstones: Tombstones) -> list[str]:
        """The person's ids as they are refused, the one he was named by first."""
        users = [tombstones.hash(USER, user) for user in self.person.users]
        return users + [tombstones.hash(ANONYMOUS, visitor) for visitor in self.person.visitors]


class Jobs:
    """The erasures of one home. Holding it creates nothing."""

    def __init__(self, home: Home) -> None:
        self._root = home.erasures

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One erasure works at a time, over all processes of this machine."""
        with self._locked("working"):
            yield

    @contextmanager
    def asking(self) -> Iterator[None]:
        """One erasure is asked for at a time; this never waits for one that works."""
        with self._locked("asking"):
            yield

    def pending(self) -> list[str]:
        """Erasures that are not done, oldest first."""
        return sorted(file.parent.name for file in self._root.glob(f"[0-9]*/{_JOB}"))

    def last_of(self, hashed: str) -> str | None:
        """The last erasure of the person one of whose ids has this keyed hash."""
        try:
            return (self._root / "people" / hashed).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def job(self, erasure: str) -> Job | None:
        """An erasure that is not done."""
        try:
            return Job.model_validate_json((self._root / erasure / _JOB).read_bytes())
        except FileNotFoundError:
            return None

    def receipt(self, erasure: str) -> Receipt | None:
        """The receipt of an erasure that is done."""
        try:
            return Receipt.model_validate_json((self._root / erasure / _RECEIPT).read_bytes())
        except FileNotFoundError:
            return None

    def receipts(self) -> Iterator[Receipt]:
        """The receipts of all erasures that are done, oldest first."""
        for file in sorted(self._root.glob(f"[0-9]*/{_RECEIPT}")):
            yield Receipt.model_validate_json(file.read_bytes())

    def open(self, job: Job, hashes: list[str]) -> None:
        """Note a new erasure; ``hashes`` are the keyed hashes of the person's ids."""
        self.keep(job)
        for hashed in hashes:
            self._write(self._root / "people" / hashed, job.id)

    def keep(self, job: Job) -> None:
        """Note how far an erasure has come."""
        self._write(self._root / job.id / _JOB, job.model_dump_json(indent=1))

    def close(self, job: Job, receipt: Receipt) -> None:
        """Keep the receipt, then forget the ids."""
        self._write(self._root / job.id / _RECEIPT, receipt.model_dump_json(indent=1))
        (self._root / job.id / _JOB).unlink(missing_ok=True)
        flush(self._root / job.id)

    def receipt_file(self, erasure: str) -> Path:
        """Where the receipt of an erasure lies."""
        return self._root / erasure / _RECEIPT

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / f"{name}.lock").open("a") as stream:
            flock(stream, LOCK_EX)
            yield

    def _write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        for left in file.parent.glob(f".{file.name}.*"):
            left.unlink(missing_ok=True)  # of a process that was ended while it wrote
        aside = file.with_name(f".{file.name}.{uuid4().hex}")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(file)
        flush(file.parent)


def name_of(now: datetime) -> str:
    """A name for an erasure asked for at ``now``."""
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
