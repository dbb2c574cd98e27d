"""Ranked lists of many users into one Parquet file: blocks side by side in processes, written in the users' order.

A block is answered as a single request is, so a user's list is the one that the server would rank for him, before the
rules of a placement. Only a few blocks are in memory at a time; the file stands beside its place until it is whole.
"""

import multiprocessing
import signal
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from features.contracts import columns as c
from features.contracts.errors import InputError, MallardError
from features.contracts.events import TIMESTAMP
from features.contracts.ids import Int32
from features.contracts.progress import step
from features.lake.rewriting import Naming, take_out
from features.lake.tombstones import Tombstones
from serving.batch.asked import Asked
from serving.batch.columns import LISTS_SCHEMA
from training.bundle import read_bundle
from training.models.recommend_bundle import RecommendBundle
from training.models.recommender import Ranked

#: Users of one piece of work, and pieces per process that are done or waiting at a time.
_USERS: Final = 4_096
_AHEAD: Final = 3


@dataclass(frozen=True)
class ListsInfo:
    """What was written."""

    file: Path
    users: int
    rows: int
    model_version: str
    as_of: int  # seconds since 1970


@dataclass(frozen=True)
class Question:
    """What is asked about every user."""

    as_of: int  # seconds since 1970; only what happened before counts
    n: int
    exclude_seen: bool


def write_lists(
    bundle: RecommendBundle,
    folder: Path,
    asked: Asked,
    question: Question,
    out: Path,
    *,
    processes: int = 1,
    erased: Tombstones | None = None,
) -> ListsInfo:
    """Rank ``question.n`` items for everybody in ``asked`` into ``out``; rows of :data:`LISTS_SCHEMA`.

    ``folder`` is where ``bundle`` lies, so that other processes can open it. The file does not depend on
    ``processes``. Whoever was ``erased`` meanwhile is not in it. Raises :class:`InputError` when ``out`` cannot be
    written; what stood there stays until the end.
    """
    names = _Names(bundle, question.as_of)
    users, rows = len(asked), 0
    with ExitStack() as steady, _staging(out) as file:
        with (
            pq.ParquetWriter(file, LISTS_SCHEMA, compression="zstd") as writer,
            step("ranking", total=len(asked), unit="users") as task,
        ):
            for start, ranked in _answers(bundle, folder, asked, question, processes):
                block = asked.ids.slice(start, _USERS)
                writer.write_table(names.table(block, ranked))
                rows += len(ranked.item)
                task.advance(len(block))
        if erased is not None:
            rows -= _drop_erased(file, erased)
            before = erased.hashes()
            steady.enter_context(erased.steady())  # until the file is in its place
            if erased.hashes() != before:
                rows -= _drop_erased(file, erased)
            users -= int(erased.anybody_among(pa.chunked_array([asked.ids])).sum())
    return ListsInfo(out, users, rows, bundle.manifest.version, question.as_of)


def _drop_erased(file: Path, erased: Tombstones) -> int:
    """Take out who was erased while ``file`` was made; the number of rows."""
    return take_out(file, Naming((c.USER_ID,), lambda table: erased.anybody_among(table[c.USER_ID])))


class _Names:
    """Turns indices into what stands in the file."""

    def __init__(self, bundle: RecommendBundle, as_of: int) -> None:
        self._items = pa.array(bundle.items.ids(np.arange(len(bundle.items), dtype=np.int32)), pa.string())
        self._sources = pa.array(bundle.recommender.source_names, pa.string())
        self._version = pa.array([bundle.manifest.version])
        self._as_of = pa.scalar(as_of * 1_000_000, pa.int64()).cast(TIMESTAMP)

    def table(self, users: pa.Array, ranked: Ranked) -> pa.Table:
        """The rows of a block of ``users``."""
        total = len(ranked.row)
        starts = np.searchsorted(ranked.row, np.arange(len(users)))
        place = np.arange(total, dtype=np.int32) - starts[ranked.row] + 1
        columns = [
            users.take(pa.array(ranked.row)),
            pa.array(place.astype(np.int32)),
            pa.DictionaryArray.from_arrays(pa.array(ranked.item), self._items),
            pa.array(ranked.score),
            pa.DictionaryArray.from_arrays(pa.array(ranked.source), self._sources),
            pa.DictionaryArray.from_arrays(pa.array(np.zeros(total, np.int32)), self._version),
            pa.repeat(self._as_of, total),
        ]
        return pa.table(columns, schema=LISTS_SCHEMA)


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A file beside ``out`` that takes its place when the block ends well, and is removed when it does not."""
    if out.is_dir():
        raise InputError(f"{out}: is a folder; name a file")
    file = out.with_name(f".{out.name}.{uuid.uuid4().hex}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error}") from error
    try:
        yield file
        file.replace(out)
    finally:
        file.unlink(missing_ok=True)


# --- several processes --------------------------------------------------------------------------------------
@cache
def _open(folder: Path) -> RecommendBundle:
    """The bundle in ``folder``; a process opens it once."""
    return RecommendBundle.from_bundle(read_bundle(folder))


def _enter(folder: Path) -> None:
    """Make a worker ready: one thread for itself, and the end comes from the parent, not from the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)
    _open(folder)


def _work(folder: Path, users: Int32, question: Question) -> Ranked:
    return _rank(_open(folder), users, question)


def _rank(bundle: RecommendBundle, users: Int32, question: Question) -> Ranked:
    histories = bundle.interactions.histories(users, question.as_of)
    return bundle.recommender.recommend(histories, question.n, exclude_seen=question.exclude_seen)


def _answers(
    bundle: RecommendBundle, folder: Path, asked: Asked, question: Question, processes: int
) -> Iterator[tuple[int, Ranked]]:
    """(first user, lists) of each block, in order."""
    starts = range(0, len(asked), _USERS)
    if min(processes, len(starts)) < 2:
        for start in starts:
            yield start, _rank(bundle, asked.index[start : start + _USERS], question)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(starts)), context, _enter, (folder,)) as pool:
        waiting: deque[tuple[int, Future[Ranked]]] = deque()
        try:
            for start in starts:
                waiting.append((start, pool.submit(_work, folder, asked.index[start : start + _USERS], question)))
                if len(waiting) >= _AHEAD * processes:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        except BrokenProcessPool as error:
            raise MallardError(
                "a process that ranked was ended from outside, most likely for want of memory; "
                "nothing was written. Run it with fewer processes"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _first(waiting: deque[tuple[int, Future[Ranked]]]) -> tuple[int, Ranked]:
    start, future = waiting.popleft()
    return start, future.result()
