"""A recommender on disk: everything that answering needs, in the format of :mod:`training.bundle`.

::

    recommender.json           sources with settings and limits, blend, clock, what was chosen and why
    ranker.json                LightGBM as text, absent when the blend ranks
    sources/<name>/*.npy       what each source learnt          statistics/*.npy   item aggregates of the features
    users.npy  items.npy       id maps                          log/*.npy          events, for histories
    catalogue/*.npy            categories, brands, shops,       facts/*.npy        on sale, in stock, titles
                               prices, dates of publication
    golden.json                lists of some users, replayed at load
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.catalogue import ON_SALE
from features.contracts.errors import BundleError
from features.contracts.ids import IdMap
from training.bundle import GOLDEN, Bundle, Manifest, write_bundle
from training.interactions import Bool, Clock, Histories, Int32, Interactions, ItemCatalogue
from training.models.blend import Blend
from training.models.item_statistics import ItemStatistics
from training.models.ranker import Ranker
from training.models.recommender import Recommender
from training.models.source import Arrays, sources
from training.models.texts import Texts

KIND = "recommend"
_RECOMMENDER, _RANKER = "recommender.json", "ranker.json"
_LOG = ("user", "item", "kind", "time", "quantity", "amount", "basket")
#: Absent from bundles of older versions: there it is unknown.
_LOG_SINCE = ("channel", "region")
_CATALOGUE = ("category", "department", "brand", "price")
_CATALOGUE_SINCE = ("shop", "published_at")
#: Users replayed at load, items per list, and how far scores may differ on another processor.
_GOLDEN_USERS, _GOLDEN_PLACES, _TOLERANCE = 16, 10, 1e-3


@dataclass(frozen=True)
class RecommendBundle:
    """A recommender with the ids, histories and item facts that answers are made of."""

    manifest: Manifest
    recommender: Recommender
    interactions: Interactions
    on_sale: Bool  # (items,)
    in_stock: Bool  # (items,) true where stock is not tracked
    titles: Texts
    shop_names: tuple[str, ...]  # by shop code of the catalogue
    choices: Mapping[str, Any]

    @property
    def users(self) -> IdMap:
        return self.interactions.users

    @property
    def items(self) -> IdMap:
        return self.interactions.items

    @property
    def catalogue(self) -> ItemCatalogue:
        return self.interactions.catalogue

    def title(self, item: int) -> str | None:
        """The name of an item index, None when it is not known."""
        return self.titles[item]

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> "RecommendBundle":
        """Open a bundle and replay its golden rows. Raises :class:`BundleError` when something does not fit."""
        if bundle.manifest.kind != KIND:
            raise BundleError(f"bundle {bundle.path} is of kind '{bundle.manifest.kind}', not '{KIND}'")
        plain = bundle.json(_RECOMMENDER)
        try:
            recommender = _recommender(bundle, plain)
            interactions = _interactions(bundle, plain)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"bundle {bundle.path}: {_RECOMMENDER} does not fit this version: {error!r}") from error
        facts = bundle.arrays("facts")
        opened = cls(
            bundle.manifest,
            recommender,
            interactions,
            facts["on_sale"],
            facts["in_stock"],
            Texts.from_arrays(bundle.arrays("facts/title")),
            tuple(plain.get("shop_names", ())),
            plain["choices"],
        )
        _replay(opened, bundle)
        return opened


def write_recommend_bundle(
    path: Path,
    manifest: Manifest,
    recommender: Recommender,
    data: Interactions,
    items: pa.Table | None,
    *,
    settings: Mapping[str, Mapping[str, Any]],
    choices: Mapping[str, Any],
    exclude_seen: bool,
) -> Bundle:
    """Write the bundle to ``path``.

    ``data`` is the log that histories come from, ``items`` the item table of the lake, ``settings`` the configuration
    values of each source (:attr:`FittedRecommender.settings`), ``exclude_seen`` the question of the golden rows.
    """
    arrays: Arrays = {"users": data.users.to_array(), "items": data.items.to_array()}
    arrays |= {f"log/{name}": getattr(data, name) for name in (*_LOG, *_LOG_SINCE)}
    arrays |= {f"catalogue/{name}": getattr(data.catalogue, name) for name in (*_CATALOGUE, *_CATALOGUE_SINCE)}
    arrays |= {f"statistics/{name}": array for name, array in recommender.statistics.arrays().items()}
    arrays |= _facts(data.items, items)
    for name, source in recommender.sources.items():
        arrays |= {f"sources/{name}/{key}": array for key, array in source.arrays().items()}
    plain = {
        "sources": [
            {"name": name, "limit": recommender.limits[name], "settings": dict(settings[name])}
            for name in recommender.source_names
        ],
        "blend": list(recommender.blend.weights),
        "shortlist": recommender.shortlist,
        "clock": str(data.clock),
        "channel_names": list(data.channel_names),
        "region_names": list(data.region_names),
        "category_names": list(data.catalogue.category_names),
        "brand_names": list(data.catalogue.brand_names),
        "shop_names": _shop_names(data, items),
        "choices": dict(choices),
    }
    texts = {
        _RECOMMENDER: json.dumps(plain, ensure_ascii=False, indent=1),
        GOLDEN: json.dumps(_golden(recommender, data, exclude_seen), indent=1),
    }
    if recommender.ranker is not None:
        texts[_RANKER] = recommender.ranker.to_text()
    return write_bundle(path, manifest, arrays=arrays, texts=texts)


def _recommender(bundle: Bundle, plain: Mapping[str, Any]) -> Recommender:
    known = sources()
    fitted, limits = {}, {}
    for entry in plain["sources"]:
        name = entry["name"]
        if name not in known:
            raise BundleError(f"bundle {bundle.path} needs the candidate source '{name}', which this version lacks")
        cls = known[name]
        fitted[name] = cls.from_arrays(cls.Config(**entry["settings"]), bundle.arrays(f"sources/{name}"))
        limits[name] = int(entry["limit"])
    ranker = Ranker.from_text(bundle.text(_RANKER)) if _RANKER in bundle.manifest.files else None
    statistics = ItemStatistics.from_arrays(bundle.arrays("statistics"))
    blend = Blend(tuple(plain["blend"]))
    # The ranker of an older bundle learnt from whole pools, and orders them.
    return Recommender(fitted, limits, statistics, blend, ranker, int(plain.get("shortlist", sys.maxsize)))


def _interactions(bundle: Bundle, plain: Mapping[str, Any]) -> Interactions:
    since = [name for name in _CATALOGUE_SINCE if f"catalogue/{name}.npy" in bundle.manifest.files]
    placed = [name for name in _LOG_SINCE if f"log/{name}.npy" in bundle.manifest.files]
    catalogue = ItemCatalogue(
        **{name: bundle.array(f"catalogue/{name}") for name in (*_CATALOGUE, *since)},
        category_names=tuple(plain["category_names"]),
        brand_names=tuple(plain["brand_names"]),
    )
    return Interactions(
        users=IdMap.from_array(bundle.array("users")),
        items=IdMap.from_array(bundle.array("items")),
        **{name: bundle.array(f"log/{name}") for name in (*_LOG, *placed)},
        clock=Clock(plain["clock"]),
        catalogue=catalogue,
        channel_names=tuple(plain.get("channel_names", ())),
        region_names=tuple(plain.get("region_names", ())),
    )


def _shop_names(data: Interactions, items: pa.Table | None) -> list[str]:
    """What the shop codes of the catalogue stand for, by code."""
    names = [""] * (int(data.catalogue.shop.max(initial=-1)) + 1)
    if items is not None and c.SHOP in items.column_names:
        place = data.items.indices(items[c.ITEM_ID].to_pylist())
        for item, name in zip(place.tolist(), items[c.SHOP].to_pylist(), strict=True):
            if item >= 0 and name and data.catalogue.shop[item] >= 0:
                names[data.catalogue.shop[item]] = name
    return names


def _facts(ids: IdMap, items: pa.Table | None) -> Arrays:
    on_sale = np.ones(len(ids), dtype=np.bool_)
    in_stock = np.ones(len(ids), dtype=np.bool_)
    titles: list[str | None] = [None] * len(ids)
    if items is not None:
        for place, row in zip(ids.indices(items[c.ITEM_ID].to_pylist()).tolist(), range(items.num_rows), strict=True):
            if place >= 0 and c.TITLE in items.column_names:
                titles[place] = items[c.TITLE][row].as_py()
        place = ids.indices(items[c.ITEM_ID].to_pylist())
        known = place >= 0
        if c.STATUS in items.column_names:
            shown = pc.fill_null(pc.equal(items[c.STATUS], ON_SALE), True).to_numpy(zero_copy_only=False)
            on_sale[place[known]] = shown[known]
        if c.STOCK in items.column_names:
            left = pc.fill_null(pc.greater(items[c.STOCK], 0), True).to_numpy(zero_copy_only=False)
            in_stock[place[known]] = left[known]
    texts = Texts.of(titles).arrays()
    return {"facts/on_sale": on_sale, "facts/in_stock": in_stock} | {f"facts/title/{k}": v for k, v in texts.items()}


def _asked(data: Interactions) -> tuple[Int32, Histories]:
    """Users spread over the whole map, and one of whom nothing is known, at the end of the log."""
    spread = np.linspace(0, max(len(data.users) - 1, 0), min(_GOLDEN_USERS, max(len(data.users), 1)))
    users = np.append(np.unique(spread.astype(np.int32)), np.int32(-1)).astype(np.int32)
    end = int(data.time.max(initial=0)) + 1
    return users, data.histories(users, end)


def _golden(recommender: Recommender, data: Interactions, exclude_seen: bool) -> dict[str, Any]:
    users, histories = _asked(data)
    ranked = recommender.recommend(histories, _GOLDEN_PLACES, exclude_seen=exclude_seen)
    rows = []
    for place, user in enumerate(users.tolist()):
        mine = ranked.row == place
        rows.append({"user": user, "items": ranked.item[mine].tolist(), "scores": ranked.score[mine].tolist()})
    return {"exclude_seen": exclude_seen, "rows": rows}


def _replay(opened: RecommendBundle, bundle: Bundle) -> None:
    """Ask again, one user at a time as a request would."""
    golden = bundle.json(GOLDEN)
    end = int(opened.interactions.time.max(initial=0)) + 1
    for row in golden["rows"]:
        history = opened.interactions.histories(np.array([row["user"]], dtype=np.int32), end)
        ranked = opened.recommender.recommend(history, _GOLDEN_PLACES, exclude_seen=golden["exclude_seen"])
        same = ranked.item.tolist() == row["items"]
        if not same or not np.allclose(ranked.score, row["scores"], rtol=_TOLERANCE, atol=_TOLERANCE):
            raise BundleError(
                f"bundle {bundle.path} does not reproduce its golden rows: user number {row['user']} should get items "
                f"{row['items']} and gets {ranked.item.tolist()}"
            )
