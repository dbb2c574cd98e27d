"""``mallard tags`` from the outside, on a small lake."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from features.contracts.rule_files import using_rules
from features.engine import EventTables, TagStore, build_tags
from features.lake import Lake
from features.tags import spec_hash
from features.tags.spec.meaning import meanings
from tests.serving.cli.conftest import MAPPING

RULE = """\
rules:
  - name: looker
    title: {en: Looker, zh: 只看不买}
    description: {en: Looked and did not buy., zh: 浏览未购买。}
    type: word
    values:
      - value: keen
        when: {viewed: {at_least: 2, within: 30d}, bought: none}
      - value: some
        when: {viewed: {at_least: 1}}
"""


@pytest.fixture
def log(tmp_path):
    """Forty users: user n views n % 4 items a day apart and every fifth one buys."""
    start = datetime(2026, 1, 1, 10, tzinfo=UTC)
    rows = ["uid,sku,at,what,paid"]
    for number in range(40):
        days = [(start + timedelta(days=place)).isoformat() for place in range(number % 4 + 1)]
        rows += [f"u{number:02},i{place},{day},look," for place, day in enumerate(days)]
        if number % 5 == 0:
            rows.append(f"u{number:02},i1,{(start + timedelta(days=4)).isoformat()},buy,{number + 1}")
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    return tmp_path / "log.csv"


@pytest.fixture
def rules(home):
    """Writes a rule file into the configuration of the home."""

    def write(text=RULE, name="mine.yaml"):
        home.tag_rules.mkdir(parents=True, exist_ok=True)
        (home.tag_rules / name).write_text(text, encoding="utf-8")
        return home.tag_rules / name

    return write


#: Enough to show; a build of all tags compiles for seconds, and only one test needs it.
FEW = ("views", "views_30d", "orders", "spend", "spend_30d", "days_since_purchase", "lifecycle_stage", "high_value")


@pytest.fixture
def built(filled, home):
    """Keeps a build of a few tags, among them rules of the home."""

    def build(day=10, *, rules=()):
        as_of = datetime(2026, 1, day, tzinfo=UTC)
        names = [*FEW, *rules]
        with using_rules(home.tag_rules):
            table = build_tags(EventTables.from_lake(Lake(home)), as_of, names)
            return TagStore(home).write(table, as_of, spec_hash(names), meanings=meanings(names))

    return build


def test_tags_are_listed_by_family_and_dimension(mallard):
    listed = mallard("--json", "tags", "list").document
    assert len(listed) >= 250
    one = listed[0]
    same = mallard("--json", "tags", "list", "--family", one["family"], "--dimension", one["dimension"]).document
    assert one in same
    assert {tag["dimension"] for tag in same} == {one["dimension"]}
    text = mallard("tags", "list", "--family", "value").out
    assert "rfm_tier" in text
    assert "RFM 分层" in text
    family = mallard("tags", "list", "--family", "astral")
    assert (family.code, "the families are activity, " in family.err) == (2, True)
    assert mallard("tags", "list", "--dimension", "astral").code == 2


def test_a_tag_is_described_with_lineage_and_without_a_build(filled):
    outcome = filled("--json", "tags", "describe", "orders_30d")
    told = outcome.document
    assert told["lineage"] == {"events": ["purchase"], "columns": ["event_id", "order_id"]}
    assert (told["refresh"], told["declared in"], told["last_build"]) == ("near real time", "Python", None)
    assert filled("--json", "tags", "describe", "recency_score").document["refresh"] == "batch"
    assert "run `mallard tags build`" in filled("tags", "describe", "orders_30d").out
    unknown = filled("tags", "describe", "order_30d")
    assert (unknown.code, "near: orders_30d" in unknown.err) == (2, True)


def test_after_a_build_describe_tells_coverage_freshness_and_spread(filled, built):
    built()
    build = filled("--json", "tags", "describe", "views_30d").document["last_build"]
    assert (build["coverage"], build["minimum"], build["maximum"]) == (1.0, 1.0, 4.0)
    assert build["newest_input"] == "2026-01-04T10:00:00+00:00"
    assert build["histogram"] == [{"value": str(n), "share": 0.25} for n in (1, 2, 3, 4)]
    text = filled("tags", "describe", "days_since_purchase").out
    assert "coverage:       20.0% of 40 users" in text
    assert "(null)" in text
    assert "█" in text
    assert "valid:          ≥ 0" in text


def test_a_profile_shows_what_stands_out_by_dimension(filled, built):
    missing = filled("tags", "profile", "u35")
    assert (missing.code, "mallard tags build" in missing.err) == (5, True)
    built()
    document = filled("--json", "tags", "profile", "u35").document
    strongest = document["strongest"]
    assert set(document["tags"]) == set(FEW)
    assert [entry["bits"] for entry in strongest] == sorted((entry["bits"] for entry in strongest), reverse=True)
    assert strongest[0]["share"] <= 0.2, "one of eight buyers, with the most active days"
    assert sum(entry["tag"].startswith("spend") for entry in strongest) == 1, "one window is enough"
    text = filled("tags", "profile", "u35").out
    assert f"{len(strongest)} of {len(document['tags'])} tags" in text
    assert strongest[0]["title_zh"] in text
    everything = filled("--json", "tags", "profile", "u35", "--all").document["strongest"]
    assert {entry["tag"] for entry in everything} == set(document["tags"])
    nobody = filled("tags", "profile", "nobody")
    assert (nobody.code, "nobody" in nobody.err) == (2, True)


def test_a_profile_can_be_computed_now(filled):
    document = filled("--json", "tags", "profile", "u03", "--as-of", "2026-01-02").document
    assert (document["as_of"], document["source"]) == ("2026-01-02T00:00:00+00:00", "computed now")
    assert document["tags"]["views"] == 1
    assert {entry["bits"] for entry in document["strongest"]} == {None}, "there is no build to compare with"
    nobody = filled("tags", "profile", "nobody", "--now")
    assert (nobody.code, "nobody" in nobody.err) == (2, True)
    assert filled("tags", "builds").out == "no tags have been built; run `mallard tags build`\n"


def test_two_builds_are_compared(filled, built, rules):
    built(3)
    alone = filled("tags", "diff")
    assert (alone.code, "only kept build" in alone.err) == (5, True)
    rules()
    built(10, rules=["looker"])
    first, second = filled("--json", "tags", "builds").document
    assert [build["as_of"][:10] for build in (first, second)] == ["2026-01-03", "2026-01-10"]
    found = filled("--json", "tags", "diff", "20260103", "latest").document
    assert (found["before"]["name"], found["after"]["name"]) == (first["name"], second["name"])
    assert (found["added"], found["removed"], found["redefined"]) == (["looker"], [], [])
    assert found["users"] == {"common": 40, "gone": 0, "new": 0}
    views = next(tag for tag in found["tags"] if tag["tag"] == "views")
    assert (views["changed"], views["mean_change"]) == (0.5, 0.75)
    text = filled("tags", "diff", "--top", "2").out
    assert "added      looker" in text
    assert "tags with smaller effects are not shown" in text
    unknown = filled("tags", "diff", "19990101")
    assert (unknown.code, first["name"] in unknown.err) == (2, True)


def test_a_rule_is_previewed_before_it_is_there(filled, tmp_path, home):
    file = tmp_path / "new.yaml"
    file.write_text(RULE, encoding="utf-8")
    (document,) = filled("--json", "tags", "preview", file, "--sample", "2").document
    values = {entry["value"]: entry for entry in document["values"]}
    assert (values["keen"]["users"], values["some"]["users"], document["users"]) == (24, 16, 40)
    assert values["keen"]["share"] == 0.6
    assert len(values["keen"]["sample"]) == 2
    assert "Looker · 只看不买" in filled("tags", "preview", file).out
    assert not home.tags.exists(), "nothing is written"
    assert filled("tags", "preview", "looker").code == 2


def test_a_preview_says_which_words_no_item_has(filled, rules):
    rules(RULE.replace("bought: none", "bought: {brand: Akme, none: true}"))
    (document,) = filled("--json", "tags", "preview", "looker").document
    assert document["notes"] == ["no item has the brand 'Akme'"]


def test_a_rule_of_a_file_stands_in_for_the_one_that_is_there(filled, rules, tmp_path):
    kept = rules()
    changed = tmp_path / "changed.yaml"
    changed.write_text(RULE.replace("at_least: 2", "at_least: 4"), encoding="utf-8")
    keen = {}
    for file in (kept, changed):
        (document,) = filled("--json", "tags", "preview", file).document
        keen[file] = next(entry["users"] for entry in document["values"] if entry["value"] == "keen")
    assert keen == {kept: 24, changed: 8}


def test_rules_are_tags_like_others(filled, rules):
    rules()
    told = filled("--json", "tags", "describe", "looker").document
    assert (told["declared in"], told["valid"], told["description_zh"]) == (
        "a rule file",
        "keen | some",
        "浏览未购买。",
    )
    assert told["inputs"] == ["Events of 'viewed', last 30 days", "Events of 'bought'", "Events of 'viewed'"]
    assert told["lineage"]["events"] == ["click", "purchase", "view"]


def test_a_build_holds_every_tag_and_every_rule(filled, rules):
    rules()
    built = filled("--json", "tags", "build").document
    assert len(built["tags"]) == len(filled("--json", "tags", "list").document) >= 250
    assert built["tags"]["looker"]["top"] == {"keen": 0.6, "some": 0.4}
    assert not [name for name in built["tags"] if name.startswith("_")], "steps of rules are no columns"


def test_a_broken_rule_stops_builds_and_nothing_else(filled, built, rules, home, log):
    before = built()
    rules(RULE.replace("viewed: {at_least: 1}", "order_30d: '>= 1'"))
    for arguments in (["tags", "build"], ["tags", "list"], ["tags", "preview", "looker"]):
        refused = filled(*arguments)
        assert refused.code == 2, arguments
        assert "mine.yaml:10: there is no tag 'order_30d'; near: orders_30d" in refused.err
    assert TagStore(home).latest() == before
    assert filled("quality").code == 0
    assert filled("ingest", log, "--mapping", log.with_name("mapping.yaml")).code == 0
    assert filled("keys", "list").code == 0


def test_a_moment_before_the_first_event_and_no_moment_at_all_leave_the_last_build(filled, built, home):
    before = built()
    early = filled("tags", "build", "--as-of", "2025-12-31")
    assert (early.code, "the first event of a user is at 2026-01-01 10:00:00" in early.err) == (2, True)
    moment = filled("tags", "build", "--as-of", "yesterday")
    assert (moment.code, "'yesterday' is no ISO 8601 time" in moment.err) == (2, True)
    assert TagStore(home).latest() == before
    assert json.loads(before.path.with_name("build.json").read_text(encoding="utf-8"))["users"] == 40
    assert sorted(path.name for path in home.tags.iterdir()) == sorted([before.name, "LATEST"])


def test_an_empty_lake_builds_and_previews_nothing(mallard, rules, home):
    rules()
    for arguments in (["build"], ["preview", "looker"], ["profile", "u1", "--now"]):
        outcome = mallard("tags", *arguments)
        assert outcome.code == 5, arguments
        assert "mallard ingest" in outcome.err
    assert not home.tags.exists()
