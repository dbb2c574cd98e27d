"""Facts of a few items, for tests of rules."""

from typing import Any

import numpy as np

from features.contracts.ids import IdMap
from serving.rules import ItemFacts, Names, Slate


def facts(
    n: int, *, paths: tuple[str, ...] = (), brands: tuple[str, ...] = (), shops: tuple[str, ...] = (), **given: Any
) -> ItemFacts:
    """Items ``i00``, ``i01`` ... of which only what is ``given`` is known."""
    unknown = np.full(n, -1, dtype=np.int32)
    defaults = {
        "category": unknown,
        "department": unknown,
        "brand": unknown,
        "shop": unknown,
        "price": np.full(n, np.nan, np.float32),
        "available": np.ones(n, np.bool_),
    }
    below: dict[str, set[int]] = {}
    for code, path in enumerate(paths):
        levels = path.split(" > ")
        for depth in range(len(levels)):
            below.setdefault(" > ".join(levels[: depth + 1]), set()).add(code)
    names = Names(
        IdMap.of(f"i{k:02}" for k in range(n)),
        paths,
        {path: frozenset(codes) for path, codes in below.items()},
        {name: code for code, name in enumerate(brands)},
        {name: code for code, name in enumerate(shops)},
    )
    arrays = {name: np.array(given.get(name, value), value.dtype) for name, value in defaults.items()}
    return ItemFacts(**arrays, names=names)


def slate(items: Any) -> Slate:
    """``items`` best first."""
    return Slate.of(np.array(items, np.int32), -np.arange(len(items), dtype=np.float32))
