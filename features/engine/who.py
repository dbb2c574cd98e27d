"""Whose rows a build looks at."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import ibis
import pyarrow as pa

from features.contracts import columns as c
from features.engine.relations import Relations
from features.tags.spec.vocabulary import Value

#: Every user of a log with the number of his slice, where an engine walks through slices.
SLICES: Final = "user_slices"
SLICE: Final = "slice"

_NAMED: Final = "named_users"
_OF_SLICE: Final = "users_of_slice"


@dataclass(frozen=True)
class Who:
    """Everybody, users by name, or one slice of the relation :data:`SLICES`."""

    names: tuple[str, ...] | None = None
    slice: int | None = None

    @classmethod
    def named(cls, users: Collection[str]) -> "Who":
        """These users."""
        return cls(names=tuple(sorted(set(users))))

    @property
    def everyone(self) -> bool:
        """Whether nobody is left out."""
        return self.names is None and self.slice is None

    def add_to(self, relations: Relations) -> None:
        """Provide what :meth:`of` reads."""
        if self.names is not None:
            relations.add(_NAMED, pa.table({c.USER_ID: pa.array(self.names, pa.string())}))
        elif self.slice is not None:
            relations.view(_OF_SLICE, f"SELECT {c.USER_ID} FROM {SLICES} WHERE {SLICE} = {self.slice}")  # noqa: S608 - a number

    def of(self, rows: Value) -> Value:
        """Their rows, in an engine that :meth:`add_to` has seen. One query serves all slices."""
        if self.everyone:
            return rows
        wanted = _OF_SLICE if self.names is None else _NAMED
        return rows.semi_join(ibis.table({c.USER_ID: "string"}, name=wanted), c.USER_ID)


EVERYONE: Final = Who()
