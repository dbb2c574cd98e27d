"""The audit log: who asked for whose data, and why. Lines are only ever added, and each vouches for the one before.

A line is a JSON object in a file per day (UTC). ``chain`` is a keyed hash of the line and of the ``chain`` before it,
over the ends of days too, so that a line that was changed, taken out or put in shows. Lines cut off at the very end
show only against a ``chain`` noted elsewhere, which is why ``mallard audit verify`` prints the last one and takes one
that must still be there.
"""

import fcntl
import hashlib
import hmac
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from features.contracts.errors import MallardError, StoreUnavailableError
from features.identity.key import HASH_PREFIX, IdentityKey

_START = "0" * 64
_TAIL_BYTES = 1 << 16
_SHOWN = 20  # users that one line names; how many there were is told as well
_MASK = 16  # hexadecimal digits


class AuditDamagedError(MallardError):
    """The audit log is not as it was written; the message names file and line."""


@dataclass(frozen=True)
class Asked:
    """One request for data."""

    request_id: str
    caller_id: str
    caller: str
    scope: str
    call: str
    """Method and route, without the ids in it."""
    users: Collection[str]
    """Whose data was asked for; empty: a list, or nobody's in particular."""
    purpose: str | None


class AuditLog:
    """The audit log below one folder; safe between threads and processes."""

    def __init__(self, folder: Path, key: IdentityKey) -> None:
        self._folder, self._key = folder, key

    def mask(self, user_id: str) -> str:
        """What stands for a user in the log: the same for the same user, and meaningless without the key."""
        hashed = self._key.hash("audit_user", f"user {user_id}")
        assert hashed is not None  # a text with a word in front is never a placeholder
        return hashed.removeprefix(HASH_PREFIX)[:_MASK]

    def write(self, asked: Asked, now: datetime) -> None:
        """Add a line. Raises :class:`StoreUnavailableError` when it cannot be written."""
        line = {
            "at": now.astimezone(UTC).isoformat(timespec="milliseconds"),
            "request_id": asked.request_id,
            "key": asked.caller_id,
            "caller": asked.caller,
            "scope": asked.scope,
            "call": asked.call,
            "users": [self.mask(user) for user in list(asked.users)[:_SHOWN]],
            "user_count": len(asked.users),
            "purpose": asked.purpose,
        }
        file = self._folder / f"{now.astimezone(UTC):%Y-%m-%d}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # One lock for all days: the first line of a day follows the last one of the day before.
            with (self._folder / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._append(file, line)
        except OSError as error:
            raise StoreUnavailableError(f"{file}: the audit log cannot be written: {error.strerror}") from error

    def lines(self) -> Iterator[dict[str, Any]]:
        """All lines, oldest first. Raises :class:`AuditDamagedError` for what is not JSON."""
        for _, _, line in self._read():
            yield line

    def verify(self, head: str | None = None) -> tuple[int, str]:
        """How many lines there are, and the last ``chain``.

        Raises :class:`AuditDamagedError` at the first line that does not follow the one before it, or when ``head``, a
        ``chain`` that was seen earlier, is not in the log any more.
        """
        count, before, met = 0, _START, head in {None, _START}
        for file, number, line in self._read():
            chain = str(line.pop("chain", ""))
            if not hmac.compare_digest(chain.encode(), self._chain(before, line).encode()):
                raise AuditDamagedError(
                    f"{file}:{number}: does not follow the line before it: changed, put in, or lines are missing"
                )
            count, before, met = count + 1, chain, met or chain == head
        if not met:
            raise AuditDamagedError(f"{self._folder}: no line ends in {head}: the end of the log was cut off")
        return count, before

    def _append(self, file: Path, line: dict[str, Any]) -> None:
        chained = {**line, "chain": self._chain(self._last_chain(), line)}
        data = orjson.dumps(chained, option=orjson.OPT_APPEND_NEWLINE)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if os.write(descriptor, data) != len(data):
                os.ftruncate(descriptor, size)  # a full disk took a part of the line
                raise OSError(28, "no space left on the device")
        finally:
            os.close(descriptor)

    def _last_chain(self) -> str:
        for file in reversed(self._files()):
            with file.open("rb") as handle:
                handle.seek(max(file.stat().st_size - _TAIL_BYTES, 0))
                tail = handle.read().splitlines()
            if tail:
                try:
                    return str(orjson.loads(tail[-1])["chain"])
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    # The line is reported by verify; what follows starts a chain that does not fit and says so too.
                    return _START
        return _START

    def _chain(self, before: str, line: dict[str, Any]) -> str:
        key = self._key.hash("audit_chain", "chain")
        assert key is not None
        text = before.encode() + orjson.dumps(line, option=orjson.OPT_SORT_KEYS)
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.jsonl"))

    def _read(self) -> Iterator[tuple[Path, int, dict[str, Any]]]:
        for file in self._files():
            with file.open("rb") as handle:
                for number, text in enumerate(handle, 1):
                    try:
                        line = orjson.loads(text)
                    except orjson.JSONDecodeError as error:
                        raise AuditDamagedError(f"{file}:{number}: not JSON: {error}") from error
                    if not isinstance(line, dict):
                        raise AuditDamagedError(f"{file}:{number}: not a JSON object")
                    yield file, number, line
