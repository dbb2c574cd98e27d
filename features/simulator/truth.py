"""Reading what is true of a simulated mall.

::

    truth/world.json            every parameter, the seed, the version of the law
    truth/users.parquet         latent parameters, true effect of a message, day of drop-out (registered people)
    truth/churn.parquet         true probabilities of no own action and of no purchase, expected purchases and spend
    truth/user_factors.npy      (users, f + 2) float32, rows as in users.parquet
    truth/item_factors.npy      (items, f + 2) float32, rows as in items.parquet
    truth/fraud.parquet         every fake event with its kind and ring
    truth/identities.parquet    which raw ids are one person

The affinity of a user and an item is the dot product of their factors: ``f`` latent tastes (category, brand and the
item's own), the item's quality, and minus the user's price sensitivity times the log price relative to the category.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import InputError, UnknownNameError
from features.contracts.ids import UNKNOWN, IdMap
from features.contracts.knowledge import ID_KIND, RAW_ID, USER
from features.contracts.progress import step
from features.simulator.block import Standing, relive
from features.simulator.browsing import affinities, click_probability
from features.simulator.catalogue import Catalogue, make_catalogue
from features.simulator.foresight import Foresight
from features.simulator.randomness import Float32, Float64
from features.simulator.world import HORIZONS, VERSION, World, make_world


@dataclass(frozen=True)
class Truth:
    """The truth of the mall in ``folder``."""

    folder: Path
    world: World

    @classmethod
    def open(cls, folder: Path) -> "Truth":
        """The truth of the mall that ``mallard simulate --out folder`` wrote.

        Raises :class:`InputError` when there is none, or when another version wrote it.
        """
        path = folder / "truth" / "world.json"
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{folder}: is no simulated mall, {path} cannot be read: {error}") from error
        if document.get("version") != VERSION:
            raise InputError(f"{path}: version {document.get('version')}, this Mallard knows {VERSION}; simulate anew")
        return cls(folder, make_world(**document["world"]))

    @cached_property
    def user_map(self) -> IdMap:
        """User id -> row of the user factors."""
        return IdMap.of(self._ids("truth/users.parquet", c.USER_ID))

    @cached_property
    def item_map(self) -> IdMap:
        """Item id -> row of the item factors."""
        return IdMap.of(self._ids("items.parquet", c.ITEM_ID))

    @cached_property
    def user_factors(self) -> Float32:
        """(users, f + 2), memory-mapped."""
        return np.asarray(np.load(self.folder / "truth" / "user_factors.npy", mmap_mode="r"))

    @cached_property
    def item_factors(self) -> Float32:
        """(items, f + 2), memory-mapped."""
        return np.asarray(np.load(self.folder / "truth" / "item_factors.npy", mmap_mode="r"))

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue as the simulation saw it: categories, popularity, featured items of each week."""
        return make_catalogue(self.world)

    def affinity(self, users: Sequence[str], items: Sequence[str]) -> Float32:
        """(r,) the true affinity of ``users[k]`` and ``items[k]``.

        Raises :class:`UnknownNameError` for an id that is no registered person or no item.
        """
        return affinities(self.user_factors, self._rows(self.user_map, users, "user"), self.item_factors,
                          self._rows(self.item_map, items, "item"))  # fmt: skip

    def click_probability(self, users: Sequence[str], items: Sequence[str], place: npt.ArrayLike = 0) -> Float64:
        """(r,) the probability of a click when the item stands at ``place`` (0 is the first), without fatigue.

        Exact for ``home_banner`` and ``search``; in the feed a category shown first on days running wears off.
        """
        return click_probability(self.world, self.affinity(users, items), np.asarray(place, dtype=np.int64))

    def churn(self, as_of: datetime, horizon_days: int) -> pa.Table:
        """True probabilities and expectations of everybody registered before ``as_of``, by user id.

        Raises :class:`UnknownNameError` when the truth was not written for that moment or horizon.
        """
        table = pq.read_table(self.folder / "truth" / "churn.parquet")
        moments = sorted(set(table.column("as_of").unique().to_pylist()))
        wanted = pc.and_(pc.equal(table.column("as_of"), pa.scalar(as_of, table.schema.field("as_of").type)),
                         pc.equal(table.column("horizon_days"), horizon_days))  # fmt: skip
        found = table.filter(wanted)
        if not len(found):
            raise UnknownNameError(
                f"no truth as of {as_of.isoformat()} for {horizon_days} days; there is for "
                f"{', '.join(moment.isoformat() for moment in moments)} and 7, 30 or 90 days"
            )
        return found.sort_by(c.USER_ID)

    @cached_property
    def person(self) -> dict[str, str]:
        """Account -> user id of the person behind it; fake accounts have none."""
        table = pq.read_table(self.folder / "truth" / "identities.parquet")
        real = table.filter(pc.and_(pc.equal(table[ID_KIND], USER), pc.invert(table["fake"])))
        return dict(zip(real[RAW_ID].to_pylist(), real["person"].to_pylist(), strict=True))

    def foresight(self, as_of: datetime, horizon_days: int) -> Foresight:
        """What everybody (rows as in ``user_map``) may be expected to buy within ``horizon_days`` from ``as_of``.

        The days before are lived again, which takes about as long as simulating them. Raises
        :class:`UnknownNameError` unless ``as_of`` is a midnight (UTC) of the simulated time.
        """
        day, rest = divmod(as_of - self.world.midnight, timedelta(days=1))
        if rest or not 0 <= day <= self.world.days or not 0 < horizon_days <= max(HORIZONS):
            raise UnknownNameError(
                f"the truth is known at midnights from {self.world.start} for {self.world.days} days and over at most "
                f"{max(HORIZONS)} days, not as of {as_of.isoformat()} for {horizon_days} days"
            )
        with step("living the simulated days again", total=self.world.blocks * day, unit="days") as task:
            parts = [relive(self.world, b, day, lambda _: task.advance()) for b in range(self.world.blocks)]
        return Foresight(self.world, self.catalogue, Standing.join(parts), day, horizon_days)

    def _ids(self, path: str, column: str) -> list[str]:
        ids: list[str] = pq.read_table(self.folder / path, columns=[column]).column(column).to_pylist()
        return ids

    @staticmethod
    def _rows(ids: IdMap, wanted: Sequence[str], what: str) -> npt.NDArray[np.int32]:
        rows = ids.indices(wanted)
        if (rows == UNKNOWN).any():
            missing = wanted[int(np.argmax(rows == UNKNOWN))]
            raise UnknownNameError(f"'{missing}' is no {what} of this mall (fake and second accounts have no taste)")
        return rows


def true_affinity(folder: Path, users: Sequence[str], items: Sequence[str]) -> Float32:
    """(r,) the true affinity of ``users[k]`` and ``items[k]`` in the mall of ``folder``; see :class:`Truth`."""
    return Truth.open(folder).affinity(users, items)
