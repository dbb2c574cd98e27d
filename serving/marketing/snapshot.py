"""Risk snapshots: the scores of all users at one moment, written once and never changed.

::

    snapshots/churn/<snapshot id>/manifest.json    what it is, with the checksum of every file
                                  scores.arrow     rows of SNAPSHOT_SCHEMA, memory-mapped by the workers
                                  users.npy        user ids, sorted           } find one user's row
                                  rows.npy         and the row of each        } without a dictionary
    snapshots/churn/latest                         the id of the newest one
"""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.errors import BundleError, InputError, MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.contracts.ids import UNKNOWN, IdMap, Int32
from serving.marketing.columns import PROBABILITY, SNAPSHOT_SCHEMA

_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
_SCORES, _USERS, _ROWS, _MANIFEST, _LATEST = "scores.arrow", "users.npy", "rows.npy", "manifest.json", "latest"


@dataclass(frozen=True)
class SnapshotInfo:
    """What a snapshot says of itself. Times are ISO 8601."""

    id: str
    as_of: str  # the moment of the tags that were scored
    created_at: str
    model_version: str
    tag_spec: str
    horizon_days: int
    count: int
    files: dict[str, str]  # name -> SHA-256
    models: dict[str, str] = field(default_factory=dict)  # kind -> version of every model that had a say
    missing: list[str] = field(default_factory=list)  # kinds of model that were not there
    fallback: str = ""  # why a simple rule scored in place of a churn model
    tiers: dict[str, float] = field(default_factory=dict)  # tier -> churn probability from which it begins


@dataclass(frozen=True)
class Snapshot:
    """An opened snapshot: ``rows`` is memory-mapped."""

    info: SnapshotInfo
    rows: pa.Table
    _users: IdMap
    _row: Int32

    def user(self, user_id: str) -> dict[str, Any] | None:
        """The row of one user, or None."""
        position = self._users.index(user_id)
        if position == UNKNOWN:
            return None
        found: dict[str, Any] = self.rows.slice(int(self._row[position]), 1).to_pylist()[0]
        return found

    def rows_of(self, user_ids: pa.ChunkedArray) -> Int32:
        """(k,) the row of each user, or -1."""
        positions = self._users.indices(user_ids.to_pylist())
        return np.where(positions == UNKNOWN, UNKNOWN, self._row[positions]).astype(np.int32)


def save_snapshot(
    home: Home,
    rows: pa.Table,
    *,
    as_of: datetime,
    model_version: str,
    tag_spec: str,
    horizon_days: int,
    models: Mapping[str, str] | None = None,
    missing: Sequence[str] = (),
    fallback: str = "",
    tiers: Mapping[str, float] | None = None,
) -> SnapshotInfo:
    """Write ``rows`` (of :data:`SNAPSHOT_SCHEMA`, any order) as the newest snapshot.

    Raises :class:`InputError` when rows have another schema, a user twice, or a probability outside 0 to 1.
    """
    ordered = _checked(rows).sort_by([(PROBABILITY, "descending"), (c.USER_ID, "ascending")]).combine_chunks()
    created = datetime.now(UTC)
    snapshot_id = f"{created:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    staging = folder / f".{snapshot_id}"
    staging.mkdir()
    try:
        with pa.OSFile(str(staging / _SCORES), "wb") as sink, pa.ipc.new_file(sink, SNAPSHOT_SCHEMA) as writer:
            writer.write_table(ordered)
        ids = ordered[c.USER_ID].to_pylist()
        users = IdMap.of(ids)
        row = np.empty(len(ids), dtype=np.int32)
        row[users.indices(ids)] = np.arange(len(ids), dtype=np.int32)
        np.save(staging / _USERS, users.to_array(), allow_pickle=False)
        np.save(staging / _ROWS, row, allow_pickle=False)
        info = SnapshotInfo(
            id=snapshot_id,
            as_of=as_of.astimezone(UTC).isoformat(),
            created_at=created.isoformat(),
            model_version=model_version,
            tag_spec=tag_spec,
            horizon_days=horizon_days,
            count=len(ids),
            files={name: _sha256(staging / name) for name in (_SCORES, _USERS, _ROWS)},
            models=dict(models or {}),
            missing=list(missing),
            fallback=fallback,
            tiers=dict(tiers or {}),
        )
        (staging / _MANIFEST).write_text(json.dumps(vars(info), indent=1), encoding="utf-8")
        staging.replace(folder / snapshot_id)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    pointer = folder / f".{_LATEST}.{uuid.uuid4().hex}"
    pointer.write_text(snapshot_id, encoding="utf-8")
    pointer.replace(folder / _LATEST)
    return info


def latest_snapshot(home: Home) -> str | None:
    """The id of the newest snapshot, or None when none was ever written."""
    try:
        return (_folder(home) / _LATEST).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def open_snapshot(home: Home, snapshot_id: str | None = None) -> Snapshot:
    """Open a snapshot, the newest by default, and verify its checksums.

    Raises :class:`MissingStateError` when there is none at all, :class:`UnknownNameError` for an unknown id and
    :class:`BundleError` for a damaged one.
    """
    wanted = snapshot_id or latest_snapshot(home)
    if wanted is None:
        raise MissingStateError("no risk snapshot has been written yet; run 'mallard score'")
    folder = _folder(home) / wanted
    # The id comes from callers: only its exact form may become part of a path.
    if not _FORM.fullmatch(wanted) or not folder.is_dir():
        raise UnknownNameError(f"there is no risk snapshot '{wanted}'")
    try:
        info = SnapshotInfo(**json.loads((folder / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(f"risk snapshot {folder}: {_MANIFEST} cannot be read: {error}") from error
    for name, expected in info.files.items():
        if not (folder / name).is_file() or _sha256(folder / name) != expected:
            raise BundleError(f"risk snapshot {folder}: file '{name}' is missing or damaged")
    with pa.memory_map(str(folder / _SCORES)) as source:
        rows = _completed(pa.ipc.open_file(source).read_all(), folder)
    users = IdMap.from_array(np.load(folder / _USERS, mmap_mode="r", allow_pickle=False))
    return Snapshot(info, rows, users, np.load(folder / _ROWS, mmap_mode="r", allow_pickle=False))


def _folder(home: Home) -> Path:
    return home.snapshots / "churn"


def _completed(rows: pa.Table, folder: Path) -> pa.Table:
    """Rows of an older Mallard with the columns that it did not know, as unknown."""
    for place, column in enumerate(SNAPSHOT_SCHEMA):
        if column.name not in rows.column_names:
            if not column.nullable:
                raise BundleError(f"risk snapshot {folder}: has no column '{column.name}'; run 'mallard score' again")
            rows = rows.add_column(place, column, pa.nulls(rows.num_rows, column.type))
    return rows.select(SNAPSHOT_SCHEMA.names)


def _checked(rows: pa.Table) -> pa.Table:
    if not rows.schema.equals(SNAPSHOT_SCHEMA):
        raise InputError(f"a risk snapshot has the columns {SNAPSHOT_SCHEMA.names}, found {rows.schema.names}")
    probability = rows[PROBABILITY].to_numpy()
    if not ((probability >= 0) & (probability <= 1)).all():  # False for NaN as well
        raise InputError("a risk snapshot was refused: a probability is not between 0 and 1")
    if len(rows[c.USER_ID].unique()) != rows.num_rows:
        raise InputError("a risk snapshot was refused: a user occurs twice")
    return rows


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
