import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.contracts.errors import BundleError
from tests.training.models.logs import everybody, random_log
from tests.training.models.test_recommender import assemble, trained
from training.bundle import GOLDEN, MANIFEST, Manifest, _sha256, read_bundle
from training.interactions import Clock
from training.models.recommend_bundle import RecommendBundle, write_recommend_bundle
from training.models.texts import Texts

MANIFEST_OF = Manifest(kind="recommend", version="v1", as_of="2020-01-01T00:00:00+00:00", code_version="test")


def write(path, log, recommender, items=None, manifest=MANIFEST_OF):
    settings = {name: {} for name in recommender.sources}
    return write_recommend_bundle(
        path, manifest, recommender, log, items, settings=settings, choices={"ranks": "x"}, exclude_seen=False
    )


@pytest.mark.parametrize("clock", list(Clock))
@pytest.mark.parametrize("make", [assemble, trained])
def test_what_is_read_answers_as_what_was_written(tmp_path, clock, make):
    log = random_log(clock=clock)
    recommender = make(log)
    write(tmp_path / "b", log, recommender)
    opened = RecommendBundle.from_bundle(read_bundle(tmp_path / "b"))
    a = recommender.recommend(everybody(log), 7, exclude_seen=True)
    b = opened.recommender.recommend(everybody(opened.interactions), 7, exclude_seen=True)
    assert np.array_equal(a.item, b.item)
    assert np.array_equal(a.score, b.score)
    assert opened.choices == {"ranks": "x"}
    assert opened.users.id(3) == log.users.id(3)


def test_where_events_happened_travels_with_it(tmp_path):
    log = random_log()
    log = replace(log, channel=(log.user % 2).astype(np.int16), channel_names=("app", "web"))
    write(tmp_path / "b", log, assemble(log))
    opened = RecommendBundle.from_bundle(read_bundle(tmp_path / "b")).interactions
    assert opened.channel_names == ("app", "web")
    assert everybody(opened).channel.tolist() == everybody(log).channel.tolist()


def test_item_facts_travel_with_it(tmp_path):
    log = random_log()
    items = pa.table(
        {
            "item_id": ["i00001", "i00002", "unheard of", "i00003"],
            "title": ["茶", None, "x", "Tea"],
            "status": ["on_sale", "off", "off", None],
            "stock": pa.array([0, 5, 5, None], pa.int64()),
        }
    )
    write(tmp_path / "b", log, assemble(log), items)
    opened = RecommendBundle.from_bundle(read_bundle(tmp_path / "b"))
    assert [opened.title(i) for i in range(4)] == [None, "茶", None, "Tea"]
    assert opened.on_sale[:4].tolist() == [True, True, False, True]
    assert opened.in_stock[:4].tolist() == [True, False, True, True]


def change(path, name, edit):
    """Edit a JSON member and its checksum, so that only the golden rows can notice."""
    plain = json.loads((path / name).read_text())
    edit(plain)
    (path / name).write_text(json.dumps(plain))
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["files"][name] = _sha256(path / name)
    (path / MANIFEST).write_text(json.dumps(manifest))


def test_a_model_that_answers_differently_is_refused(tmp_path):
    log = random_log()
    write(tmp_path / "b", log, assemble(log))
    change(tmp_path / "b", "recommender.json", lambda plain: plain.update(blend=[0, 0, 0, 0, 1]))
    with pytest.raises(BundleError, match="golden"):
        RecommendBundle.from_bundle(read_bundle(tmp_path / "b"))


def test_golden_rows_hold_lists_of_known_users_and_of_a_stranger(tmp_path):
    log = random_log()
    write(tmp_path / "b", log, assemble(log))
    rows = json.loads((tmp_path / "b" / GOLDEN).read_text())["rows"]
    assert len(rows) > 10
    assert {row["user"] for row in rows} >= {-1, 0, len(log.users) - 1}
    assert all(row["items"] for row in rows)


def test_a_source_that_this_version_lacks_is_named(tmp_path):
    log = random_log()
    write(tmp_path / "b", log, assemble(log))
    change(tmp_path / "b", "recommender.json", lambda plain: plain["sources"][0].update(name="oracle"))
    with pytest.raises(BundleError, match="oracle"):
        RecommendBundle.from_bundle(read_bundle(tmp_path / "b"))


def test_a_bundle_of_another_kind_is_refused(tmp_path):
    log = random_log()
    write(tmp_path / "b", log, assemble(log), manifest=replace(MANIFEST_OF, kind="churn"))
    with pytest.raises(BundleError, match="churn"):
        RecommendBundle.from_bundle(read_bundle(tmp_path / "b"))


def test_texts_keep_every_script_and_the_unknown():
    texts = Texts.of(["a", None, "", "抹茶 🍵"])
    back = Texts.from_arrays(texts.arrays())
    assert list(back.all()) == ["a", None, None, "抹茶 🍵"]
    assert len(Texts.of([])) == 0


def test_shops_and_dates_of_publication_travel_with_it(tmp_path):
    log = random_log()
    n = len(log.items)
    shop = np.full(n, -1, dtype=np.int32)
    shop[:2] = 1, 0
    published = np.where(shop >= 0, 1_700_000_000, -1)
    log = replace(log, catalogue=replace(log.catalogue, shop=shop, published_at=published))
    items = pa.table({"item_id": ["i00000", "unheard of", "i00001", "i00002"], "shop": ["s1", "s7", "s0", None]})
    write(tmp_path / "b", log, assemble(log), items)
    opened = RecommendBundle.from_bundle(read_bundle(tmp_path / "b"))
    assert opened.shop_names == ("s0", "s1")
    assert np.array_equal(opened.catalogue.shop, shop)
    assert np.array_equal(opened.catalogue.published_at, published)


def test_a_bundle_from_before_shops_opens_and_knows_none(tmp_path):
    log = random_log()
    write(tmp_path / "b", log, assemble(log))
    change(tmp_path / "b", "recommender.json", lambda plain: plain.pop("shop_names"))
    manifest = json.loads((tmp_path / "b" / MANIFEST).read_text())
    for name in ("catalogue/shop.npy", "catalogue/published_at.npy"):
        (tmp_path / "b" / name).unlink()
        del manifest["files"][name]
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest))
    opened = RecommendBundle.from_bundle(read_bundle(tmp_path / "b"))
    assert opened.shop_names == ()
    assert (opened.catalogue.shop == -1).all()
    assert (opened.catalogue.published_at == -1).all()
