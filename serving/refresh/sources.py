"""What a refresh stands on: the lake, who is who in it, and the last build of everybody."""

import logging
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import pyarrow as pa

from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.engine import EventTables, TagBuild, TagStore, build_tags
from features.identity import canonical_users
from features.lake import Lake
from features.tags import catalogue, spec_hash
from features.tags.spec import closure
from features.tags.spec.plan import plan

_LOG = logging.getLogger(__name__)


class Sources:
    """One state of the lake and of the last build, taken up anew when either changes. Belongs to one thread."""

    def __init__(self, home: Home, tags: Collection[str] | None = None) -> None:
        """Sources of ``tags``, all by default. Raises :class:`ConfigError` when the mall's rule tags are broken."""
        self._lake, self._store = Lake(home), TagStore(home)
        self.erased = self._lake.tombstones
        self._names = tuple(catalogue() if tags is None else tags)
        self.spec_hash = spec_hash(self._names)
        comparison = plan(closure(self._names)).comparison
        self._compared = () if comparison is None else tuple(comparison.inputs.table.columns[1:])
        self._waiting: str | None = None
        self.let_go()

    def let_go(self) -> None:
        """Hold nothing any more, so that the next :meth:`take_up` opens everything anew."""
        self.build: TagBuild | None = None
        self._tables: EventTables | None = None
        self._others: pa.Table | None = None
        self._fingerprint: str | None = None
        self._canonical: dict[str, str] = {}
        self._members: dict[str, tuple[str, ...]] = {}

    def take_up(self) -> bool:
        """Take up what has changed; false, with a line in the log, while something is missing for a refresh."""
        missing = self._missing()
        if missing != self._waiting and missing is not None:
            _LOG.warning("no tags are refreshed for now: %s", missing)
        self._waiting = missing
        return missing is None

    def canonical(self, user_id: str) -> str:
        """The user that ``user_id`` counts for."""
        return self._canonical.get(user_id, user_id)

    def members(self, user_id: str) -> tuple[str, ...]:
        """Every id under which events of the canonical user ``user_id`` may stand."""
        return self._members.get(user_id, (user_id,))

    def tags_of(self, users: Collection[str], as_of: datetime, recent: pa.Table) -> pa.Table:
        """The tag table of ``users``, from the lake and from ``recent`` events that may not be in it yet.

        Tags that compare users compare them with the last build's rows of the others.
        """
        if self._tables is None:
            raise MissingStateError("nothing was taken up yet")
        self._tables.add_recent(recent)
        return build_tags(self._tables, as_of, self._names, users, others=self._others)

    def _missing(self) -> str | None:
        try:
            build = self._store.latest()
        except MissingStateError as error:
            return str(error)
        if build.spec_hash != self.spec_hash or not build.tags.keys() >= set(self._compared):
            return f"the tags of {build.as_of.isoformat()} are of other declarations; run `mallard tags build`"
        if self._lake.is_empty:
            return "the lake holds no events"
        if self.build is None or build.name != self.build.name:
            self._others, self.build = self._store.read(self._compared), build
        fingerprint = self._lake.fingerprint()
        if fingerprint != self._fingerprint:
            self._open()
            self._fingerprint = fingerprint
        return None

    def _open(self) -> None:
        members: defaultdict[str, list[str]] = defaultdict(list)
        self._canonical = canonical_users(self._lake.read_aliases())
        for user, target in sorted(self._canonical.items()):
            members[target].append(user)
        self._members = {target: (target, *users) for target, users in members.items()}
        first, self._tables = self._tables is None, EventTables.from_lake(self._lake)
        if first and self.build is not None:
            # Writing the SQL of all tags takes seconds, once: now, and not when the first user is due.
            build_tags(self._tables, self.build.as_of, self._names, (), others=self._others)
