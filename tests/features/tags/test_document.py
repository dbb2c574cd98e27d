from pathlib import Path

from features.tags import catalogue
from features.tags.document import describe, document

PAGE = Path(__file__).parents[3] / "docs" / "tags.md"


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == document(), "run: python -m features.tags.document > docs/tags.md"


def test_every_family_and_dimension_has_its_part():
    text = document()
    for declared in catalogue().values():
        assert f"## {declared.family.name} · {declared.family.title_zh}" in text
        dimension = declared.dimension
        assert f"### {dimension.title} · {dimension.title_zh} (`{dimension.name}`)" in text


def test_describe_tells_where_a_derived_tag_comes_from():
    told = describe(catalogue()["average_order_value_30d"])
    assert told["title (zh)"] == "近30天客单价"
    assert told["dimension"] == "spend (消费金额)"
    assert told["builds on"] == "spend_30d, orders_30d"
    assert told["events"] == "purchase"
    assert told["columns"] == "amount, event_id, order_id"
    assert told["empty"] == "no order in the window"
