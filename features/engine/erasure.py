"""A person out of what the engine keeps: folds of user-days, and the built tag tables."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.home import Home
from features.contracts.knowledge import ANONYMOUS, ID_KIND, RAW_ID
from features.engine.segments import ROW_GROUP, SegmentFolder
from features.engine.store import TagStore
from features.engine.writing import ROW_GROUP as TAG_ROW_GROUP
from features.lake.leftovers import sweep
from features.lake.person import Person
from features.lake.rewriting import Bools, Naming, count, one_of, take_out


class FoldErasure:
    """The kept folds of the lake of a home. A day stays folded: what is folded of others does not depend on him."""

    def __init__(self, home: Home) -> None:
        self._root = home.lake / "partials"

    def count(self, person: Person) -> dict[str, int]:
        """Rows that name him."""
        found = 0
        for root in sorted(self._root.glob("*")):
            with SegmentFolder(root).locked():
                found += sum(count(file, naming) for file, naming in _files(root, person))
        return {"lake/partials": found}

    def purge(self, person: Person) -> None:
        """Take him out, with the lock of each folder held."""
        for root in sorted(self._root.glob("*")):
            with SegmentFolder(root).locked():
                for file, naming in _files(root, person):
                    take_out(file, naming, row_group=ROW_GROUP)


class TagErasure:
    """The built tag tables of a home, of which several are kept."""

    def __init__(self, home: Home) -> None:
        self._store, self._root = TagStore(home), home.tags

    def count(self, person: Person) -> dict[str, int]:
        """Rows that name him, over all builds."""
        naming = Naming.by(c.USER_ID, person.users)
        return {"tags": sum(count(build.path, naming) for build in self._store.builds())}

    def purge(self, person: Person) -> None:
        """Take him out of every build, and remove builds that a crash cut off."""
        sweep(self._root)
        naming = Naming.by(c.USER_ID, person.users)
        for build in self._store.builds():
            with suppress(FileNotFoundError):  # an old build that went with the newest one
                take_out(build.path, naming, row_group=TAG_ROW_GROUP, write_statistics=[c.USER_ID])
                self._store.recount(build)


def _files(root: Path, person: Person) -> Iterator[tuple[Path, Naming]]:
    """Every table of folds below ``root``, also of segments that no manifest names, and how it names him.

    Call with the lock of ``root`` held.
    """
    for left in sorted(root.rglob(".*")):  # nobody else writes here now: a process was ended while it did
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
    for file in sorted(root.rglob("*.parquet")):
        yield file, _fold_naming(pq.read_schema(file), person)


def _fold_naming(schema: pa.Schema, person: Person) -> Naming:
    """How a table of folds names him; who was invited by others gets his alias."""
    columns = tuple(n for n in (c.USER_ID, RAW_ID, ID_KIND, p.INVITED) if n in schema.names)

    def his(table: pa.Table) -> Bools:
        found = np.zeros(len(table), dtype=np.bool_)
        if ID_KIND in columns:
            raw = table[RAW_ID if RAW_ID in columns else c.USER_ID]
            visits = pc.equal(table[ID_KIND], ANONYMOUS).to_numpy()
            found |= np.where(visits, one_of(raw, person.visitors), one_of(raw, person.users))
            if RAW_ID not in columns:
                return found
        return found | one_of(table[c.USER_ID], person.users)

    def mentioned(table: pa.Table) -> Bools:
        return one_of(table[p.INVITED], person.users)

    def change(table: pa.Table) -> pa.Table:
        kept = table.filter(pa.array(~his(table)))
        alias = pa.scalar(person.alias, kept.schema.field(p.INVITED).type)
        column = pc.if_else(pa.array(mentioned(kept)), alias, kept[p.INVITED])
        return kept.set_column(kept.schema.get_field_index(p.INVITED), kept.schema.field(p.INVITED), column)

    if p.INVITED not in columns:
        return Naming(columns, his)
    return Naming(columns, lambda table: his(table) | mentioned(table), change)
