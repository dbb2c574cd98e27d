"""A version that is tried beside the live one: on a share of the users (canary), or unseen by anybody (shadow).

One file, ``bundles/rollout.json``, replaced in one step and followed by every worker::

    {"version": "recommend-…", "mode": "canary", "share": 0.1, "started_at": 1764230400, "ended_at": null, "why": ""}

It stays after the end, so that ``mallard canary`` can say how the last trial came out.
"""

import hashlib
import json
import time
import uuid
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from features.contracts.errors import BundleError, InputError, MissingStateError
from features.contracts.home import Home
from training.bundle import read_bundle
from training.deployment import live, locked

KIND = "recommend"
_FILE = "rollout.json"
_BUCKETS = 1_000_000


class Mode(StrEnum):
    """Whom a trial answers."""

    CANARY = "canary"  # a share of the visitors
    SHADOW = "shadow"  # nobody: it is asked beside the live version, and compared


@dataclass(frozen=True)
class Rollout:
    """One trial. Times are seconds since 1970."""

    version: str
    mode: Mode
    share: float  # of visitors (canary) or of questions that it is asked as well (shadow)
    started_at: int
    ended_at: int | None = None
    why: str = ""  # it ended

    @property
    def running(self) -> bool:
        return self.ended_at is None

    def takes(self, visitor: str) -> bool:
        """Whether the trial is for this visitor. It stays so while it runs; another version draws others."""
        digest = hashlib.blake2b(f"{self.version}\0{visitor}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % _BUCKETS < round(self.share * _BUCKETS)


def rollout_file(home: Home) -> Path:
    """The file that says what is tried; replaced, never edited."""
    return home.bundles / _FILE


def read_rollout(home: Home) -> Rollout | None:
    """The trial that runs, or the last one that ended; None when there never was one."""
    file = rollout_file(home)
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        return Rollout(**{**plain, "mode": Mode(plain["mode"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise BundleError(f"{file}: what is tried beside the live version cannot be read: {error}") from error


def start_rollout(home: Home, version: str, share: float, mode: Mode = Mode.CANARY) -> Rollout:
    """Try a version whose bundle lies below ``home``, in place of a trial that may run.

    Raises :class:`InputError` for a share outside (0, 1] and for the version that is live, :class:`MissingStateError`
    when nothing is live, :class:`BundleError` when the bundle is damaged.
    """
    if not 0 < share <= 1:
        raise InputError(f"share: {share} is not above 0 and at most 1")
    current = live(home, KIND)
    if current is None:
        raise MissingStateError("no recommendation model is live, so none can be tried beside it; deploy one first")
    if current.name == version:
        raise InputError(f"'{version}' is the live version; try another one beside it")
    read_bundle(home.bundles / KIND / version)
    return _write(home, Rollout(version, mode, share, int(time.time())))


def end_rollout(home: Home, why: str, *, version: str | None = None) -> Rollout:
    """End the trial that runs, of ``version`` if one is named. Raises :class:`MissingStateError` when there is none."""
    current = read_rollout(home)
    if current is None or not current.running or version not in {None, current.version}:
        raise MissingStateError("no version is tried at the moment")
    return _write(home, replace(current, ended_at=int(time.time()), why=why))


def _write(home: Home, rollout: Rollout) -> Rollout:
    file = rollout_file(home)
    with locked(home):
        staging = file.with_name(f".{_FILE}.{uuid.uuid4().hex}")
        staging.write_text(json.dumps(asdict(rollout), indent=1), encoding="utf-8")
        staging.replace(file)
    return rollout
