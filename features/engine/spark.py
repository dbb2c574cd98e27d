"""Spark: the engine of many machines; in local mode it runs anywhere Java does.

Importing this module without ``pyspark`` raises :class:`MissingExtraError`.
"""

import logging
import re
import shutil
import subprocess
import tempfile
import uuid
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from os import environ
from pathlib import Path
from types import TracebackType
from typing import Final

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.config import Config

from features.contracts.errors import MissingExtraError

try:
    from pyspark.logger import PySparkLogger
    from pyspark.sql import DataFrame, SparkSession
except ModuleNotFoundError as absent:
    raise MissingExtraError("the Spark engine is not installed: pip install mallard[spark]") from absent

#: The oldest Java that Spark 4 runs on.
JAVA: Final = 17

#: What the values of tags depend on; set on every session, also on one that is handed in.
_MEANING: Final = {
    "spark.sql.session.timeZone": "UTC",
    # A plain timestamp is naive, as in DuckDB; casting a zoned one to it gives UTC.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # Overflows and impossible casts are errors, as in DuckDB, and not nulls.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
}

#: Errors arrive as exceptions. Without an appender Spark would fall back on its own, talkative configuration.
_LOG: Final = """
rootLogger.level = off
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
"""

#: JSON texts are strings to Ibis' Spark dialect, already without quotes; Ibis names a Python function for what is none.
_UNQUOTED: Final = "CREATE OR REPLACE TEMPORARY FUNCTION unwrap_json_str(told STRING) RETURNS STRING RETURN told"


class SparkRelations:
    """Relations in one Spark session (:class:`features.engine.relations.Relations`).

    Works in a session of its own beside the ``session`` given, or beside a local one that it makes and stops. What is
    kept becomes Parquet below ``scratch`` (a temporary folder by default), which all executors must see, and is removed
    by :meth:`close`: use it in a ``with``.
    """

    dialect = "pyspark"
    users_at_once = 10_000_000  # Spark divides the work itself

    def __init__(self, session: SparkSession | None = None, scratch: Path | None = None) -> None:
        _let_ibis_write_spark()
        self._scratch = Path(tempfile.mkdtemp(prefix="mallard-spark-", dir=scratch))
        self._remove = weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        given = session or local_session(self._scratch)
        self._made = None if session else given
        self.session = given.newSession()
        for name, value in _MEANING.items():
            self.session.conf.set(name, value)
        self.session.sql(_UNQUOTED)
        self._kept: dict[str, Path] = {}

    def add(self, name: str, table: pa.Table) -> None:
        """Let ``name`` stand for an Arrow table."""
        folder = self._folder(name)
        folder.mkdir()
        # Spark knows no nanoseconds; a time that would lose some is refused.
        pq.write_table(table, folder / "table.parquet", coerce_timestamps="us", compression="zstd")
        self._stand(name, folder)

    def add_parquet(self, name: str, files: Iterable[str]) -> None:
        """Let ``name`` stand for the rows of Parquet files, columns matched by name."""
        self.session.read.option("mergeSchema", "true").parquet(*files).createOrReplaceTempView(name)

    def keep(self, name: str, sql: str) -> None:
        """Compute the rows of ``sql`` once, to Parquet: that also ends the plan, which would grow with every step."""
        folder = self._folder(name)
        self._frame(sql).write.parquet(str(folder))
        self._stand(name, folder)

    def view(self, name: str, sql: str) -> None:
        """Let ``name`` stand for ``sql``, computed at every use."""
        # As text: the relations it reads may be replaced before it is used.
        self.session.sql(f"CREATE OR REPLACE TEMPORARY VIEW `{name}` AS {sql}")

    def beside(self, name: str, tables: Sequence[str], key: str) -> None:
        """Let ``name`` stand for the rows of the first of ``tables``, with the columns of the others."""
        first, *others = tables
        rows = self.session.table(first)
        for other in others:
            rows = rows.join(self.session.table(other), key, "left")
        rows.orderBy(key).createOrReplaceTempView(name)

    def rows(self, sql: str) -> pa.Table:
        """The rows of ``sql``."""
        return self._frame(sql).toArrow()

    def schema(self, name: str) -> pa.Schema:
        """Columns of a relation. Like DuckDB, Spark is not asked which of them may be null."""
        columns = self.session.table(name).limit(0).toArrow().schema
        return pa.schema([column.with_nullable(True) for column in columns])

    def close(self) -> None:
        """Remove what was kept, and stop the session if it was made here."""
        if self._made is not None:
            self._made.stop()
        self._remove()

    def __enter__(self) -> "SparkRelations":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _frame(self, sql: str) -> DataFrame:
        return self.session.sql(sql)

    def _folder(self, name: str) -> Path:
        return self._scratch / f"{name}-{uuid.uuid4().hex}"

    def _stand(self, name: str, folder: Path) -> None:
        """Let ``name`` stand for the Parquet files of ``folder``, and drop the folder it stood for."""
        self.session.read.parquet(str(folder)).createOrReplaceTempView(name)
        if name in self._kept:
            shutil.rmtree(self._kept[name])
        self._kept[name] = folder


def local_session(scratch: Path, cores: int = 2, settings: Mapping[str, str] | None = None) -> SparkSession:
    """A quiet Spark inside this process: no web page, no Hive, nothing outside ``scratch``, no network but loopback.

    ``settings`` are further ones of Spark. A process has one Spark: where one runs, hand its session to
    :class:`SparkRelations` instead. Raises :class:`MissingExtraError` without a Java that is new enough.
    """
    _require_java()
    log = scratch / "log4j2.properties"
    log.write_text(_LOG, encoding="utf-8")
    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    ours = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={log.as_uri()}",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch / "local"),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": str(2 * cores),
        "spark.sql.adaptive.enabled": "true",
    }
    builder = SparkSession.builder.master(f"local[{cores}]").appName("mallard")
    for name, value in {**ours, **(settings or {})}.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():  # no pandas passes through here
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        return builder.getOrCreate()


def _let_ibis_write_spark() -> None:
    """Ibis' Spark dialect reads an option that only Ibis' Spark backend declares, which we do not use."""
    if ibis.options.pyspark is None:
        ibis.options.pyspark = _SparkOptions()


class _SparkOptions(Config):  # type: ignore[misc]  # Ibis' Config has no types
    treat_nan_as_null: bool = False


def _require_java() -> None:
    home = environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java") if home else "java")
    wanted = f"the Spark engine needs Java {JAVA} or newer"
    if java is None:
        raise MissingExtraError(f"{wanted}, and finds none: install it, or set JAVA_HOME to where it is")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603 - what JAVA_HOME names
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None or int(version[1]) < JAVA:
        raise MissingExtraError(f"{wanted}; {java} is {told.splitlines()[0] if told else 'silent about its version'}")
