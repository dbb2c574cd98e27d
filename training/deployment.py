"""Which bundles are live: one pointer file, flipped in one step, with the way back kept in it.

::

    bundles/<kind>/<version>/    the bundles
    bundles/live.json            {"recommend": ["v7", "v6"], "churn": ["v2"]}  live first, earlier ones after
"""

import fcntl
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.contracts.errors import BundleError, MissingStateError
from features.contracts.home import Home
from training.bundle import read_bundle

_POINTER = "live.json"
_KEPT = 10  # how many earlier versions can be rolled back to


@dataclass(frozen=True)
class Deployed:
    """What a flip did."""

    kind: str
    version: str
    previous: str | None
    path: Path


def pointer(home: Home) -> Path:
    """The pointer file. It is replaced, never edited: a new inode means a new deployment."""
    return home.bundles / _POINTER


def live(home: Home, kind: str) -> Path | None:
    """The live bundle of ``kind``, or None when nothing of that kind has been deployed."""
    versions = _read(home).get(kind, [])
    return home.bundles / kind / versions[0] if versions else None


def placed(home: Home, source: Path) -> Path:
    """Verify the bundle at ``source`` and copy it below ``MALLARD_HOME``, for workers to open; nothing is flipped.

    Raises :class:`BundleError` when it is damaged.
    """
    with locked(home):
        return _placed(home, source)


def deploy(home: Home, source: Path) -> Deployed:
    """Verify the bundle at ``source``, copy it below ``MALLARD_HOME`` and make it the live one of its kind.

    Raises :class:`BundleError` when the bundle is damaged; what was live stays live.
    """
    with locked(home):
        target = _placed(home, source)
        kind, version = target.parent.name, target.name
        state = _read(home)
        before = state.get(kind, [])
        state[kind] = [version, *(other for other in before if other != version)][: _KEPT + 1]
        _flip(home, state)
    return Deployed(kind, version, before[0] if before else None, target)


def _placed(home: Home, source: Path) -> Path:
    manifest = read_bundle(source).manifest
    target = home.bundles / manifest.kind / manifest.version
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = target.parent / f".{manifest.version}.{uuid.uuid4().hex}"
        try:
            shutil.copytree(source, staging)
            staging.replace(target)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    read_bundle(target)
    return target


def rollback(home: Home, kind: str) -> Deployed:
    """Make the version before the live one live again. Raises :class:`MissingStateError` when there is none."""
    with locked(home):
        state = _read(home)
        versions = state.get(kind, [])
        if len(versions) < 2:
            raise MissingStateError(f"there is no earlier '{kind}' deployment to go back to")
        target = home.bundles / kind / versions[1]
        read_bundle(target)
        state[kind] = versions[1:]
        _flip(home, state)
    return Deployed(kind, versions[1], versions[0], target)


def _read(home: Home) -> dict[str, list[str]]:
    file = pointer(home)
    try:
        state: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BundleError(f"{file}: the pointer to the live bundles cannot be read: {error}") from error
    return state


def _flip(home: Home, state: dict[str, list[str]]) -> None:
    file = pointer(home)
    staging = file.with_name(f".{_POINTER}.{uuid.uuid4().hex}")
    staging.write_text(json.dumps(state, indent=1), encoding="utf-8")
    staging.replace(file)


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Nobody else changes what is live meanwhile."""
    home.bundles.mkdir(parents=True, exist_ok=True)
    with (home.bundles / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
