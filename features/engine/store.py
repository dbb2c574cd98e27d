"""Built tag tables on disk: written aside, swapped in, looked up by user."""

import itertools
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from features.contracts import columns as c
from features.contracts.errors import InputError, MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.engine.summary import TagSummary, summarise
from features.engine.writing import ROW_GROUP, write_batches
from features.identity import IdentityKey
from features.lake.leftovers import aside as beside
from features.lake.rewriting import Naming, take_out
from features.lake.tombstones import Tombstones

_TABLE: Final = "tags.parquet"
_BUILD: Final = "build.json"
_LATEST: Final = "LATEST"

#: Builds that stay on disk, the newest among them; readers of the one before are not cut off.
_KEPT: Final = 3

LATEST: Final = "latest"
PREVIOUS: Final = "previous"


class TagBuild(BaseModel):
    """One build of the tag table."""

    model_config = ConfigDict(frozen=True)

    path: Path
    """The Parquet file, sorted by ``user_id``."""
    as_of: datetime
    built_at: datetime
    spec_hash: str
    users: int
    tags: dict[str, TagSummary]
    """Coverage and distribution per tag."""
    meanings: dict[str, str] = {}
    """Hash of the declaration per tag (:func:`features.tags.spec.meaning.meanings`), where the builder gave them."""

    @property
    def name(self) -> str:
        """What the build is called: its moment, the hash of its declarations and a number."""
        return self.path.parent.name


class TagStore:
    """The builds below ``home.tags``: a folder each, and a pointer to the last one."""

    def __init__(self, home: Home) -> None:
        self._root = home.tags
        self._erased = Tombstones(home.lake, IdentityKey.of(home))

    def write(
        self,
        tables: pa.Table | Iterable[pa.Table],
        as_of: datetime,
        spec: str,
        schema: pa.Schema | None = None,
        *,
        meanings: Mapping[str, str] | None = None,
    ) -> TagBuild:
        """Keep a built table and make it the latest. ``spec`` is the hash of its declarations.

        ``tables`` is the whole table, or batches of it in ascending order of ``user_id``, which need their ``schema``
        and are never in memory together. The pointer moves last, in one step: a reader sees the build before or this
        one, whole. Whatever goes wrong, be it in the batches themselves, leaves the builds as they are. Users who
        were erased, also while the table was made, are not in it.
        """
        if isinstance(tables, pa.Table):
            if c.USER_ID not in tables.column_names:
                raise InputError(f"a tag table needs the column {c.USER_ID}")
            schema = tables.schema
            tables = [tables.sort_by(c.USER_ID)]
        elif schema is None:
            raise InputError("batches of a tag table need their schema")
        folder = self._free_folder(as_of, spec)
        aside = beside(folder)
        aside.mkdir(parents=True)
        refused = self._erased.hashes()
        try:
            users = write_batches(map(self._erased.kept_users, tables), schema, aside / _TABLE)
            build = TagBuild(
                path=folder / _TABLE,
                as_of=as_of,
                built_at=datetime.now(UTC),
                spec_hash=spec,
                users=users,
                tags=summarise(aside / _TABLE),
                meanings=dict(meanings or {}),
            )
            with self._erased.steady():
                build = self._without_latecomers(build, aside, refused)
                aside.rename(folder)
                self._point_at(folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        self._drop_old(folder)
        return build

    def recount(self, build: TagBuild) -> None:
        """Note how many users ``build`` has, after some were taken out of its table."""
        users = pq.read_metadata(build.path).num_rows
        if users != build.users:
            _note(build.model_copy(update={"users": users}), build.path.parent)

    def builds(self) -> tuple[TagBuild, ...]:
        """Every kept build, in the order in which they were written."""
        folders = sorted(self._folders(), key=_written)
        return tuple(_read(folder) for folder in folders)

    def latest(self) -> TagBuild:
        """The newest build. :class:`MissingStateError` when there is none."""
        try:
            return _read(self._root / (self._root / _LATEST).read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            raise MissingStateError(f"{self._root}: no tags have been built; run `mallard tags build`") from None

    def get(self, name: str) -> TagBuild:
        """A build by its name, the beginning of it, ``latest``, or ``previous`` for the one written before that.

        Raises :class:`UnknownNameError` with the kept builds, also when several begin like that.
        """
        latest = self.latest()
        if name == LATEST:
            return latest
        folders = sorted(self._folders(), key=_written)
        names = [folder.name for folder in folders]
        if name == PREVIOUS:
            before = names[: names.index(latest.name)]
            if not before:
                raise MissingStateError(f"{latest.name} is the only kept build; build again with another --as-of")
            return _read(folders[len(before) - 1])
        found = [folder for folder in folders if folder.name == name] or [
            folder for folder in folders if folder.name.startswith(name)
        ]
        if len(found) == 1:
            return _read(found[0])
        problem = f"several builds begin with '{name}'" if found else f"there is no build '{name}'"
        raise UnknownNameError(f"{problem}; kept are {', '.join(names)}")

    def read(self, tags: Sequence[str] | None = None) -> pa.Table:
        """The latest table: ``user_id`` and these tags (all by default)."""
        build = self.latest()
        if tags is not None and (unknown := [name for name in tags if name not in build.tags]):
            raise UnknownNameError(f"the tag table of {build.as_of.isoformat()} has no tag {', '.join(unknown)}")
        return pq.read_table(build.path, columns=None if tags is None else [c.USER_ID, *tags])

    def profile(self, user_id: str) -> dict[str, Any]:
        """All tags of one user in the latest build, by name. An unknown user raises :class:`UnknownNameError`."""
        build = self.latest()
        rows = pq.read_table(build.path, filters=[(c.USER_ID, "==", user_id)]).to_pylist()
        if not rows:
            raise UnknownNameError(f"the tag table of {build.as_of.isoformat()} has no user '{user_id}'")
        return {name: value for name, value in rows[0].items() if name != c.USER_ID}

    def _without_latecomers(self, build: TagBuild, folder: Path, refused: frozenset[str]) -> TagBuild:
        """Note ``build`` in ``folder``, without users who were erased since ``refused`` was read."""
        new = self._erased.hashes() - refused
        if new:
            naming = Naming((c.USER_ID,), lambda table: self._erased.among(table[c.USER_ID]))
            gone = take_out(folder / _TABLE, naming, row_group=ROW_GROUP, write_statistics=[c.USER_ID])
            build = build.model_copy(update={"users": build.users - gone})
        _note(build, folder)
        return build

    def _folders(self) -> list[Path]:
        return [file.parent for file in self._root.glob(f"[!.]*/{_BUILD}")]

    def _free_folder(self, as_of: datetime, spec: str) -> Path:
        name = f"{as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}-{spec}"
        numbered = (self._root / f"{name}-{number}" for number in itertools.count(1))
        return next(folder for folder in numbered if not folder.exists())

    def _point_at(self, folder: Path) -> None:
        pointer = self._root / f".{_LATEST}.{os.getpid()}"
        pointer.write_text(folder.name, encoding="utf-8")
        pointer.replace(self._root / _LATEST)

    def _drop_old(self, newest: Path) -> None:
        """Remove all but the newest builds, by the time they were written."""
        builds = sorted((folder for folder in self._folders() if folder != newest), key=_written, reverse=True)
        for folder in builds[_KEPT - 1 :]:
            shutil.rmtree(folder)


def _note(build: TagBuild, folder: Path) -> None:
    aside = folder / f".{_BUILD}"
    aside.write_text(build.model_dump_json(exclude={"path"}), encoding="utf-8")
    aside.replace(folder / _BUILD)


def _read(folder: Path) -> TagBuild:
    text = (folder / _BUILD).read_text(encoding="utf-8")
    return TagBuild.model_validate({"path": folder / _TABLE, **json.loads(text)})


def _written(folder: Path) -> int:
    return (folder / _BUILD).stat().st_mtime_ns
