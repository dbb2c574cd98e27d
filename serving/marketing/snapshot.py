"""Risk snapshots: the scores of all users at one moment, written once; nothing is taken out but who is erased.

::

    snapshots/churn/<snapshot id>/manifest.json    what it is, with the checksum of every file
                                  scores.arrow     rows of SNAPSHOT_SCHEMA, memory-mapped by the workers
                                  users.npy        user ids, sorted           } find one user's row
                                  rows.npy         and the row of each        } without a dictionary
                                  erased.json      numbers of rows that no reader sees; see serving.marketing.erasure
    snapshots/churn/latest                         the id of the newest one

A row keeps the number that it was written with: cursors name it, also after rows before it were taken out.
"""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.errors import BundleError, InputError, MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.contracts.ids import UNKNOWN, IdMap, Int32
from features.lake import Lake
from features.lake.leftovers import aside
from serving.marketing.columns import PROBABILITY, SNAPSHOT_SCHEMA
from training.models.churn_fallback import kept_reason

_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
_MANIFEST, _ERASED, _LATEST = "manifest.json", "erased.json", "latest"

#: Tells whether a file is still the one that was read: inode, time and size of the manifest and of ``erased.json``.
Signature = tuple[tuple[int, int, int] | None, ...]


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
    fallback: dict[str, str] = field(default_factory=dict)  # language -> why a simple rule scored; empty: a model did
    tiers: dict[str, float] = field(default_factory=dict)  # tier -> churn probability from which it begins
    gap_days: float = 0.0  # between the moment and the horizon, in which there is room to act
    version: int = 0  # of its files; one more whenever erased users were taken out
    removed: list[int] = field(default_factory=list)  # numbers of the rows that were taken out


@dataclass(frozen=True)
class Snapshot:
    """An opened snapshot: ``rows`` is memory-mapped, without users who were erased."""

    info: SnapshotInfo
    rows: pa.Table  # (n,) SNAPSHOT_SCHEMA
    number: Int32  # (n,) ascending: the number of each row
    gone: tuple[int, ...]  # numbers of rows of erased users, still in the files or not
    signature: Signature
    _whole: pa.Table
    _users: IdMap
    _row: Int32  # the number of each user's row

    def user(self, user_id: str) -> dict[str, Any] | None:
        """The row of one user, or None."""
        (row,) = self.rows_of(pa.chunked_array([[user_id]], pa.string()))
        if row == UNKNOWN:
            return None
        found: dict[str, Any] = self.rows.slice(int(row), 1).to_pylist()[0]
        return found

    def rows_of(self, user_ids: pa.ChunkedArray) -> Int32:
        """(k,) the row of each user, or -1."""
        positions = self._users.indices(user_ids.to_pylist())
        if not len(self.number) or not len(positions):
            return np.full(len(positions), UNKNOWN, dtype=np.int32)
        numbers = self._row[positions]
        rows = np.minimum(np.searchsorted(self.number, numbers), len(self.number) - 1)
        known = (positions != UNKNOWN) & (self.number[rows] == numbers)
        return np.where(known, rows, UNKNOWN).astype(np.int32)


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
    fallback: Mapping[str, str] | None = None,
    tiers: Mapping[str, float] | None = None,
    gap_days: float = 0.0,
) -> SnapshotInfo:
    """Write ``rows`` (of :data:`SNAPSHOT_SCHEMA`, any order) as the newest snapshot, erased users left out.

    Raises :class:`InputError` when rows have another schema, a user twice, or a probability outside 0 to 1.
    """
    ordered = _checked(rows).sort_by([(PROBABILITY, "descending"), (c.USER_ID, "ascending")])
    created = datetime.now(UTC)
    folder = churn_folder(home) / f"{created:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    staging = aside(folder)
    staging.mkdir(parents=True)
    erased = Lake(home).tombstones
    try:
        refused = erased.hashes()
        files = write_files(staging, ordered := erased.kept_users(ordered), version=0)
        with erased.steady():
            if erased.hashes() != refused:  # somebody was erased while it was written
                files = write_files(staging, ordered := erased.kept_users(ordered), version=0)
            info = SnapshotInfo(
                id=folder.name,
                as_of=as_of.astimezone(UTC).isoformat(),
                created_at=created.isoformat(),
                model_version=model_version,
                tag_spec=tag_spec,
                horizon_days=horizon_days,
                count=len(ordered),
                files=files,
                models=dict(models or {}),
                missing=list(missing),
                fallback=dict(fallback or {}),
                tiers=dict(tiers or {}),
                gap_days=gap_days,
            )
            (staging / _MANIFEST).write_text(json.dumps(vars(info), indent=1), encoding="utf-8")
            staging.replace(folder)
            _point_at(folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return info


def _point_at(folder: Path) -> None:
    """Make the snapshot in ``folder`` the newest."""
    pointer = folder.with_name(f".{_LATEST}.{uuid.uuid4().hex}")
    pointer.write_text(folder.name, encoding="utf-8")
    pointer.replace(folder.with_name(_LATEST))


def write_files(folder: Path, rows: pa.Table, *, version: int, number: Int32 | None = None) -> dict[str, str]:
    """Write the files of one ``version`` of a snapshot; their names and checksums.

    ``number`` (n,) are the numbers of the rows, their places unless rows were taken out before.
    """
    scores, named, placed = file_names(version)
    with pa.OSFile(str(folder / scores), "wb") as sink, pa.ipc.new_file(sink, SNAPSHOT_SCHEMA) as writer:
        writer.write_table(rows.combine_chunks())
    ids = rows[c.USER_ID].to_pylist()
    users = IdMap.of(ids)
    row = np.empty(len(ids), dtype=np.int32)
    row[users.indices(ids)] = np.arange(len(ids), dtype=np.int32) if number is None else number
    np.save(folder / named, users.to_array(), allow_pickle=False)
    np.save(folder / placed, row, allow_pickle=False)
    return {name: _sha256(folder / name) for name in (scores, named, placed)}


def latest_snapshot(home: Home) -> str | None:
    """The id of the newest snapshot, or None when none was ever written."""
    try:
        return (churn_folder(home) / _LATEST).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def snapshot_infos(home: Home) -> tuple[SnapshotInfo, ...]:
    """What every snapshot says of itself, in the order in which they were written."""
    folders = sorted(folder for folder in churn_folder(home).glob("*") if _FORM.fullmatch(folder.name))
    return tuple(read_info(folder) for folder in folders)


def open_snapshot(home: Home, snapshot_id: str | None = None) -> Snapshot:
    """Open a snapshot, the newest by default, and verify its checksums.

    Raises :class:`MissingStateError` when there is none at all, :class:`UnknownNameError` for an unknown id and
    :class:`BundleError` for a damaged one.
    """
    wanted = snapshot_id or latest_snapshot(home)
    if wanted is None:
        raise MissingStateError("no risk snapshot has been written yet; run 'mallard score'")
    folder = churn_folder(home) / wanted
    # The id comes from callers: only its exact form may become part of a path.
    if not _FORM.fullmatch(wanted) or not folder.is_dir():
        raise UnknownNameError(f"there is no risk snapshot '{wanted}'")
    while True:
        signature = signature_of(folder)
        try:
            return _opened(folder, signature)
        except BundleError:
            # Erased users may be taken out just now: the files that the manifest named are others then.
            if signature_of(folder) == signature:
                raise


def signature_of(folder: Path) -> Signature:
    """Another one whenever users were erased from the snapshot in ``folder``."""
    return tuple(_entry(folder / name) for name in (_MANIFEST, _ERASED))


def remasked(snapshot: Snapshot, home: Home) -> Snapshot | None:
    """``snapshot`` without who was erased since it was opened; None when its files are others by now."""
    folder = churn_folder(home) / snapshot.info.id
    signature = signature_of(folder)
    if signature == snapshot.signature:
        return snapshot
    if signature[0] != snapshot.signature[0]:
        return None
    return _masked(snapshot.info, snapshot._whole, snapshot._users, snapshot._row, erased_rows(folder), signature)


def erased_rows(folder: Path) -> tuple[int, ...]:
    """Numbers of the rows that no reader of the snapshot in ``folder`` sees, ascending."""
    try:
        return tuple(json.loads((folder / _ERASED).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()


def _opened(folder: Path, signature: Signature) -> Snapshot:
    info = read_info(folder)
    for name, expected in info.files.items():
        if not (folder / name).is_file() or _sha256(folder / name) != expected:
            raise BundleError(f"risk snapshot {folder}: file '{name}' is missing or damaged")
    scores, named, placed = file_names(info.version)
    with pa.memory_map(str(folder / scores)) as source:
        whole = _completed(pa.ipc.open_file(source).read_all(), folder)
    users = IdMap.from_array(np.load(folder / named, mmap_mode="r", allow_pickle=False))
    row = np.load(folder / placed, mmap_mode="r", allow_pickle=False)
    return _masked(info, whole, users, row, erased_rows(folder), signature)


def _masked(
    info: SnapshotInfo, whole: pa.Table, users: IdMap, row: Int32, erased: tuple[int, ...], signature: Signature
) -> Snapshot:
    numbers = row_numbers(info)
    hidden = np.flatnonzero(np.isin(numbers, np.array(erased, dtype=np.int32))).tolist()
    cuts = [-1, *hidden, len(whole)]
    # Slices of what is memory-mapped, not a copy of it.
    rows = pa.concat_tables([whole.slice(a + 1, b - a - 1) for a, b in pairwise(cuts)])
    gone = tuple(sorted({*erased, *info.removed}))
    return Snapshot(info, rows, np.delete(numbers, hidden), gone, signature, whole, users, row)


def row_numbers(info: SnapshotInfo) -> Int32:
    """(count,) ascending: the number of each row in the files."""
    return np.delete(np.arange(info.count + len(info.removed), dtype=np.int32), info.removed)


def file_names(version: int) -> tuple[str, str, str]:
    """Names of the files of one version: scores, users, rows."""
    mark = f".{version}" if version else ""
    return f"scores{mark}.arrow", f"users{mark}.npy", f"rows{mark}.npy"


def read_info(folder: Path) -> SnapshotInfo:
    """What the snapshot in ``folder`` says of itself. Raises :class:`BundleError` when it cannot be read."""
    try:
        document = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        kept = document.get("fallback")  # of snapshots of before a text, empty where a model scored
        return SnapshotInfo(**document | {"fallback": kept_reason(kept)._asdict() if kept else {}})
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise BundleError(f"risk snapshot {folder}: {_MANIFEST} cannot be read: {error}") from error


def churn_folder(home: Home) -> Path:
    """Where the risk snapshots of ``home`` lie."""
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


def _entry(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
