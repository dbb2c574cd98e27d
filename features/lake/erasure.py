"""A person out of the lake: events, quarantine, users, links, logins, flags and reports, under the lake's lock.

Every file keeps its name and is replaced whole; the erasure ends with a commit of its own, by which processes that
remember links and tables take them up anew. Each step may be repeated: what is gone already is not looked for again.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.home import Home
from features.contracts.progress import step
from features.identity import LINK_SCHEMA
from features.identity.links import REASON
from features.lake.commits import Commit, CommitLog, Staging, flush
from features.lake.mentions import mentioned, renamed
from features.lake.person import Person
from features.lake.quarantine import values_of
from features.lake.report_examples import count_examples, forget_examples
from features.lake.rewriting import Bools, Naming, count, one_of, take_out
from features.lake.staged import DICTIONARY

#: What of a sentence may be an id.
_WORD: Final = re.compile(r"[^\s,;:.()'\"，。；：（）]+")
_EVENTS: Final = "lake/events"
_ANYWHERE: Final = """
SELECT DISTINCT filename FROM read_parquet($files, filename = true)
WHERE user_id IN (SELECT unnest($users)) OR anonymous_id IN (SELECT unnest($devices))
    OR (contains(properties, $invited) AND list_bool_or([contains(properties, one) FOR one IN $users]))
"""
_COLUMNS: Final = (c.EVENT_ID, c.REQUEST_ID, c.USER_ID, c.ANONYMOUS_ID, c.OCCURRED_AT, c.PROPERTIES)


class Traces(BaseModel):
    """What of a person's events stands elsewhere: found before they go."""

    model_config = ConfigDict(frozen=True)

    events: tuple[str, ...] = ()  # ids of his events, by which they are flagged
    requests: tuple[str, ...] = ()  # ids of the answers that he was shown


class LakeErasure:
    """Searches the lake of a home for a person and takes him out."""

    def __init__(self, home: Home) -> None:
        self._root, self._reports = home.lake, home.reports
        self._log = CommitLog(home.lake)

    def traces(self, person: Person) -> Traces:
        """Ids of his events and of the lists that they name."""
        events: list[str] = []
        requests: set[str] = set()
        with self._log.locked():
            for file in self._candidates(person):
                with pq.ParquetFile(file) as source:
                    for batch in source.iter_batches(columns=list(_COLUMNS)):
                        table = pa.table(batch)
                        his = table.filter(pa.array(person.owns(table)))
                        events += his[c.EVENT_ID].to_pylist()
                        requests |= set(his[c.REQUEST_ID].drop_null().to_pylist())
        return Traces(events=tuple(sorted(events)), requests=tuple(sorted(requests)))

    def count(self, person: Person, traces: Traces) -> dict[str, int]:
        """Rows and examples of reports that name him, by place."""
        with self._log.locked():
            found = {
                place: sum(count(file, naming) for file in files)
                for place, files, naming, _ in self._places(person, traces)
            }
            return {**found, "reports": count_examples(self._log.folder, self._reports, person)}

    def purge(self, person: Person, traces: Traces, *, key: str, now: datetime) -> None:
        """Take him out of every file; ``key`` names the commit that says so."""
        with step("taking a person out of the lake"), self._log.locked():
            Staging.sweep(self._root)
            for _, files, naming, options in self._places(person, traces):
                for file in files:
                    take_out(file, naming, **options)
            forget_examples(self._log.folder, self._reports, person)
            self._commit(key, now)

    def _places(self, person: Person, traces: Traces) -> Iterator[tuple[str, list[Path], Naming, Mapping[str, Any]]]:
        events = {"use_dictionary": DICTIONARY}
        yield _EVENTS, self._candidates(person), events_naming(person), events
        ids = frozenset((*person.users, *person.visitors))
        raw = Naming(("raw",), lambda table: _holding(table, ids))
        yield "lake/quarantine", self._files("quarantine", "*.parquet"), raw, {}
        by_user = Naming.by(c.USER_ID, person.users)
        yield "lake/users", self._files("users", "*.parquet"), by_user, {}
        yield "lake/links", self._files("links", "*.parquet"), links_naming(person), {}
        yield "lake/logins", self._files("logins", "*.parquet"), logins_naming(person), {}
        flags = Naming.by(c.EVENT_ID, traces.events)
        yield "lake/flags", self._files("flags", "date=*/*.parquet"), flags, {}

    def _candidates(self, person: Person) -> list[Path]:
        """Event files in which an id of his stands anywhere; most files are told apart by their statistics."""
        files = self._files("events", "date=*/*.parquet")
        if not files:
            return []
        with duckdb.connect() as connection:
            given = {
                "files": [str(file) for file in files],
                "users": list(person.users),
                "invited": p.INVITED,
                "devices": [*person.visitors, *(stretch.anonymous_id for stretch in person.stretches)],
            }
            found = connection.execute(_ANYWHERE, given).fetchall()
        return sorted(Path(name) for (name,) in found)

    def _files(self, folder: str, pattern: str) -> list[Path]:
        """What lies there, named by a commit or left by a crash."""
        found = sorted((self._root / folder).glob(pattern))
        for file in found:
            if file.name.startswith("."):
                file.unlink()  # half of a file that was being written when a process was ended
        return [file for file in found if not file.name.startswith(".")]

    def _commit(self, key: str, now: datetime) -> None:
        if self._log.find(key) is not None:
            return
        number = self._log.next_number()
        # A file without rows: the log of links has changed, and says so by its length.
        target = f"links/{number:08d}-erased.parquet"
        (self._root / target).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(LINK_SCHEMA.empty_table(), self._root / target)
        flush(self._root / target)
        self._log.append(Commit(number=number, key=key, kind="erase", committed_at=now, links=target))


def events_naming(person: Person) -> Naming:
    """His events go; those of others that mention him get his alias in his place."""

    def others(one: str) -> bool:
        return one in person.users

    def change(events: pa.Table) -> pa.Table:
        return renamed(events.filter(pa.array(~person.owns(events))), others, person.alias)

    return Naming(_COLUMNS, lambda table: person.owns(table) | mentioned(table, others), change)


def links_naming(person: Person) -> Naming:
    """Links of his; a reason that an operator wrote at somebody else's link goes when it names him."""
    ids = frozenset((*person.users, *person.visitors))

    def told(table: pa.Table) -> Bools:
        reasons = (reason or "" for reason in table[REASON].to_pylist())
        return np.array([not ids.isdisjoint(_WORD.findall(reason)) for reason in reasons], dtype=np.bool_)

    def change(table: pa.Table) -> pa.Table:
        kept = table.filter(pa.array(~one_of(table[c.USER_ID], person.users)))
        reasons = pc.if_else(pa.array(told(kept)), None, kept[REASON])
        return kept.set_column(kept.schema.get_field_index(REASON), kept.schema.field(REASON), reasons)

    return Naming((c.USER_ID, REASON), lambda table: one_of(table[c.USER_ID], person.users) | told(table), change)


def logins_naming(person: Person) -> Naming:
    """Logins of his, and on devices that are his alone."""
    return Naming(
        (c.USER_ID, c.ANONYMOUS_ID),
        lambda table: one_of(table[c.USER_ID], person.users) | one_of(table[c.ANONYMOUS_ID], person.visitors),
    )


def _holding(rows: pa.Table, ids: frozenset[str]) -> Bools:
    return np.array([not ids.isdisjoint(values_of(text)) for text in rows["raw"].to_pylist()], dtype=np.bool_)
