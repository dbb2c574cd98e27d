"""The catalogue: categories, brands, latent item factors, popularity, prices and the day an item appears."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import CATEGORY_SEPARATOR, ITEM_SCHEMA, ON_SALE
from features.contracts.events import TIMESTAMP
from features.simulator.randomness import Float32, Float64, Int32, Purpose, generator
from features.simulator.world import World

_DEPARTMENTS: Final = {
    "Fresh": ("Fruit", "Vegetables", "Meat", "Seafood"),
    "Grocery": ("Snacks", "Drinks", "Noodles", "Spices"),
    "Beauty": ("Skin care", "Make-up", "Hair", "Perfume"),
    "Mother and baby": ("Diapers", "Formula", "Toys", "Clothes for children"),
    "Home": ("Kitchen", "Bedding", "Cleaning", "Light"),
    "Fashion": ("Women", "Men", "Shoes", "Bags"),
    "Electronics": ("Phones", "Audio", "Accessories", "Appliances"),
    "Sports": ("Running", "Outdoor", "Fitness", "Cycling"),
    "Books": ("Novels", "Children", "Learning", "Comics"),
    "Health": ("Vitamins", "Tea", "Care", "Devices"),
}
_ITEMS_PER_LEAF: Final = 60
_MOST_LEAVES: Final = 320
_NEW_SHARE: Final = 0.15
_REPLENISHED_SHARE: Final = 0.35
_FEATURED: Final = 20  # items of the home banner in one week

#: Columns of the factor matrices after the latent dimensions.
EXTRA_FACTORS: Final = 2


@dataclass(frozen=True)
class Catalogue:
    """``n`` items, ordered by category and, within one, by the day they appear.

    The items of category ``k`` that are on sale on day ``d`` are therefore a run, and an item of the run is drawn by
    popularity with one search in ``cumulative``.
    """

    factors: Float32  # (n, f + 2) latent factors, quality, log price relative to the category
    category: Int32  # (n,) leaf category
    price: Float64  # (n,) list price, CNY
    published: Int32  # (n,) day of appearance, negative before the start
    cumulative: Float64  # (n + 1,) running sum of popularity
    starts: Int32  # (k + 1,) first item of each category
    category_factors: Float32  # (k, f)
    category_weight: Float32  # (k,) log size of a category's demand
    cycle: Int32  # (n,) days after which a bought item is used up, 0 where it is not; independent of the price
    category_names: tuple[str, ...]  # (k,) paths
    brand: Int32  # (n,)
    featured: Int32  # (weeks, 20) items of the home banner
    width: int  # digits of an item id

    def __len__(self) -> int:
        return len(self.category)

    def ends(self, day: int) -> Int32:
        """(k,) one past the last item of each category that is on sale on ``day``."""
        seen = np.concatenate(([0], np.cumsum(self.published <= day)))
        return (self.starts[:-1] + seen[self.starts[1:]] - seen[self.starts[:-1]]).astype(np.int32)

    def draw(self, random: np.random.Generator, categories: Int32, ends: Int32) -> tuple[Int32, Float64]:
        """An item by popularity for each of ``categories`` (any shape), and its probability given the category."""
        low, high = self.cumulative[self.starts[categories]], self.cumulative[ends[categories]]
        at = low + random.random(categories.shape) * (high - low)
        found = np.searchsorted(self.cumulative, at, side="right") - 1
        items = np.clip(found, self.starts[categories], ends[categories] - 1).astype(np.int32)
        return items, (self.cumulative[items + 1] - self.cumulative[items]) / (high - low)

    def ids(self) -> pa.Array:
        """(n,) external ids."""
        return pa.array([f"i{n:0{self.width}d}" for n in range(len(self))], pa.string())

    def to_table(self, world: World) -> pa.Table:
        """The catalogue in ``ITEM_SCHEMA``."""
        paths = np.array(self.category_names, dtype=object)
        leaves = [name.rsplit(CATEGORY_SEPARATOR, 1)[1] for name in self.category_names]
        published = [world.midnight + timedelta(days=int(day)) for day in self.published]
        named = enumerate(zip(self.category, self.brand, strict=True))
        table = {
            c.ITEM_ID: self.ids(),
            c.TITLE: [f"{leaves[k]} by B{b:04d} no. {n}" for n, (k, b) in named],
            c.CATEGORY: pa.array(paths[self.category], pa.string()),
            c.BRAND: [f"B{b:04d}" for b in self.brand],
            c.SHOP: [f"shop-{b % 97:02d}" for b in self.brand],
            c.PRICE: pa.array(self.price),
            c.STOCK: pa.array(200 + (np.arange(len(self)) * 37) % 800),
            c.STATUS: pa.repeat(pa.scalar(ON_SALE), len(self)),
            c.PUBLISHED_AT: pa.array(published, TIMESTAMP),
            c.ATTRIBUTES: [f'{{"cycle_days": {d}}}' if d else None for d in self.cycle.tolist()],
        }
        return pa.table([pa.array(table[f.name], f.type) for f in ITEM_SCHEMA], schema=ITEM_SCHEMA)


def make_catalogue(world: World) -> Catalogue:
    """The catalogue of ``world``; depends on the world alone."""
    random = generator(world.seed, Purpose.CATALOGUE)
    names = _leaf_names(min(max(world.items // _ITEMS_PER_LEAF, 6), _MOST_LEAVES, world.items // 3))
    leaves, f = len(names), world.factors
    department = np.unique([name.split(CATEGORY_SEPARATOR, 1)[0] for name in names], return_inverse=True)[1]
    scale = 1 / np.sqrt(f)
    category_factors = (random.normal(0, scale, (department.max() + 1, f))[department]
                        + random.normal(0, scale, (leaves, f)))  # fmt: skip
    demand = random.normal(0, 0.6, leaves)
    shares = np.exp(random.normal(0, 0.5, leaves))
    category = np.sort(np.concatenate((np.arange(leaves), random.choice(leaves, world.items - leaves,
                                                                        p=shares / shares.sum()))))  # fmt: skip
    published = np.where(random.random(world.items) < _NEW_SHARE, random.integers(0, world.days, world.items),
                         -random.integers(1, 700, world.items))  # fmt: skip
    starts = np.searchsorted(category, np.arange(leaves + 1))
    published[starts[:-1]] = -365
    published = published[np.lexsort((published, category))]
    brands = random.integers(0, 24, world.items) + 24 * department[category]
    brand_factors = random.normal(0, 0.6 * scale, (brands.max() + 1, f))
    own = random.normal(0, 0.8 * scale, (world.items, f))
    relative = random.normal(0, 0.45, world.items)
    level = np.exp(random.normal(3.6, 0.6, leaves))
    quality = random.normal(0, 0.35, world.items)
    popularity = np.exp(random.normal(0, 1.1, world.items) + quality)
    weeks = -(-world.days // 7)
    replenished = random.random(world.items) < _REPLENISHED_SHARE
    cycle = np.where(replenished, random.integers(7, 35, leaves)[category], 0).astype(np.int32)
    return Catalogue(
        factors=np.column_stack((category_factors[category] + brand_factors[brands] + own, quality, relative)).astype(
            np.float32
        ),
        category=category.astype(np.int32),
        price=np.maximum(np.round(level[category] * np.exp(relative), 1), 0.5),
        published=published.astype(np.int32),
        cumulative=np.concatenate(([0.0], np.cumsum(popularity))),
        starts=starts.astype(np.int32),
        category_factors=category_factors.astype(np.float32),
        category_weight=demand.astype(np.float32),
        cycle=cycle,
        category_names=names,
        brand=brands.astype(np.int32),
        featured=_featured(random, published, popularity, weeks),
        width=max(5, len(str(world.items))),
    )


def _featured(random: np.random.Generator, published: Int32, popularity: Float64, weeks: int) -> Int32:
    """(weeks, 20) different items that are on sale when their week begins, by popularity."""
    rows = []
    for week in range(weeks):
        keys = random.random(len(published)) ** (1 / popularity)
        keys[published > week * 7] = -1.0
        rows.append(np.argsort(-keys, kind="stable")[:_FEATURED])
    return np.array(rows, np.int32)


def _leaf_names(leaves: int) -> tuple[str, ...]:
    groups = [(top, middle) for top, middles in _DEPARTMENTS.items() for middle in middles]
    order = [groups[(n * 13) % len(groups)] for n in range(leaves)]  # 13 and 40 share no factor: departments mix early
    return tuple(sorted(
        CATEGORY_SEPARATOR.join((top, middle, f"{middle} {n // len(groups) + 1}"))
        for n, (top, middle) in enumerate(order)
    ))  # fmt: skip
