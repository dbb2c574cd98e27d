from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.contracts.config import load_config
from features.contracts.errors import ConfigError
from serving.api.settings import Settings
from serving.config import ServingConfig
from serving.engine.campaigns import with_campaigns
from serving.engine.placements import Placement, check_default, load_placements
from serving.rules.boost import Boost

CONFIGS = Path(__file__).parents[3] / "configs"


def write(folder: Path, text: str) -> Path:
    file = folder / "home.yaml"
    file.write_text(text, encoding="utf-8")
    return folder


def test_without_files_there_are_placements() -> None:
    placements = load_placements()
    assert set(placements) == {"home", "detail", "cart", "after_pay", "push", "search_empty", "discover", "article"}
    assert all(placement.n == 5 for placement in placements.values())
    assert [rule.name for rule in placements["home"].chain.rules] == [
        "exclusions",
        "filters",
        "availability",
        "bought",
        "fatigue",
        "mmr",
        "diversity",
        "at_most",
    ]


def test_a_missing_folder_means_the_built_in_ones(tmp_path: Path) -> None:
    assert load_placements(tmp_path / "none") == load_placements()


def test_the_files_that_come_along_say_what_the_code_says() -> None:
    """Whoever reads the configuration reads what holds; descriptions aside."""
    shipped, built_in = load_placements(CONFIGS / "placements"), load_placements()
    assert set(shipped) == set(built_in)
    for name, placement in shipped.items():
        assert placement.model_copy(update={"description": ""}) == built_in[name]
    assert load_config(ServingConfig, CONFIGS / "serving.yaml") == ServingConfig()


def test_parameters_reach_their_rule(tmp_path: Path) -> None:
    text = "n: 8\nrules:\n  - {rule: bought, policy: exclude}\n  - {rule: diversity, per_category: 1}\n"
    placement = load_placements(write(tmp_path, text))["home"]
    chain = placement.chain.rules
    assert placement.n == 8
    assert [rule.name for rule in chain] == ["exclusions", "filters", "bought", "diversity", "at_most"]
    assert chain[2].config.model_dump(include={"policy", "days"}) == {"policy": "exclude", "days": 3.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules:\n  - {rule: magic}", "no rule 'magic'"),
        ("rules:\n  - {policy: exclude}", "needs its name"),
        ("rules:\n  - {rule: bought, polcy: exclude}", "polcy"),
        ("rules:\n  - {rule: bought, days: -1}", "days"),
        ("rules:\n  - {rule: at_most}", "always runs"),
        ("rules: availability", "rules"),
        ("rules:\n  - {rule: boost, boosts: [{items: [a], factor: 0}]}", "boosts.0.factor"),
        ("rules:\n  - {rule: block, blocks: [{form: 2026-01-01, items: [a]}]}", "blocks.0.form"),
        ("target: fame", "home.yaml:1: target"),
        ("n: 0", "home.yaml:1: n"),
        ("size: 5", "home.yaml:1: size"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_placements(write(tmp_path, text))


def test_rules_run_by_stage_whatever_their_order(tmp_path: Path) -> None:
    listed = ("explore", "pin", "mmr", "fatigue", "availability")
    text = "rules:\n" + "".join(f"  - {{rule: {name}}}\n" for name in listed)
    placement = load_placements(write(tmp_path, text))["home"]
    always = ["exclusions", "filters"]
    assert [rule.name for rule in placement.chain.rules] == [*always, *reversed(listed), "at_most"]
    assert placement.chain.explores
    assert not load_placements()["home"].chain.explores


# --- campaigns --------------------------------------------------------------------------------------------
CAMPAIGN = """from: 2026-06-01
until: 2026-06-07T12:00:00+08:00
placements: [home]
pins: [{item: i01, place: 2}]
boosts:
  - {categories: [Fresh], factor: 2}
  - {shops: [s], factor: 2, until: 2026-06-03}
blocks: [{brands: [b]}]
"""


def campaign(folder: Path, text: str) -> dict[str, Placement]:
    (folder / "june.yaml").write_text(text, encoding="utf-8")
    return with_campaigns(load_placements(), folder)


def test_a_campaign_adds_its_rules_to_its_placements(tmp_path: Path) -> None:
    placements = campaign(tmp_path, CAMPAIGN)
    names = [rule.name for rule in placements["home"].chain.rules]
    assert {"pin", "boost", "block"} <= set(names)
    assert placements["cart"] == load_placements()["cart"]
    assert "block" in [rule.name for rule in campaign(tmp_path, "blocks: [{items: [x]}]")["cart"].chain.rules]
    assert with_campaigns(load_placements(), tmp_path / "none") == load_placements()


def test_a_campaign_over_a_placement_that_was_asked_already_has_its_rules(tmp_path: Path) -> None:
    before = load_placements()
    plain = [rule.name for rule in before["home"].chain.rules]
    (tmp_path / "june.yaml").write_text(CAMPAIGN, encoding="utf-8")
    after = with_campaigns(before, tmp_path)["home"]
    assert {"pin", "boost", "block"} <= {rule.name for rule in after.chain.rules}
    assert [rule.name for rule in before["home"].chain.rules] == plain
    assert after.n == before["home"].n


def test_entries_keep_their_own_dates_and_have_the_campaign_s_else(tmp_path: Path) -> None:
    (boost,) = [rule for rule in campaign(tmp_path, CAMPAIGN)["home"].chain.rules if isinstance(rule, Boost)]
    whole, short = boost.config.boosts
    june = [int(datetime(2026, 6, day, 3, 59, tzinfo=UTC).timestamp()) for day in (1, 3, 7)]
    assert [whole.holds(at) for at in june] == [True, True, True]
    assert not whole.holds(june[2] + 60)
    assert not whole.holds(june[0] - 4 * 3600)
    assert [short.holds(at) for at in june] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pins:\n  - {item: a}", "june.yaml:2: pins.0.place: Field required"),
        ("blocks:\n  - {item: [a]}", "june.yaml:2: blocks.0.item"),
        ("blocks:\n  - {from: 2026-01-01}", "say what is meant"),
        ("from: soon", "june.yaml:1: from"),
        ("form: 2026-01-01", "june.yaml:1: form"),
        ("from: 2026-02-02\nuntil: 2026-02-01", "before it begins"),
        ("placements: [moon]", "no placement 'moon'"),
    ],
)
def test_mistakes_in_campaigns_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        campaign(tmp_path, text)


def test_the_default_placement_must_exist() -> None:
    with pytest.raises(ConfigError, match="no placement 'moon'"):
        check_default({"home": Placement()}, "moon")


def test_settings_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "serving.yaml").write_text("engine: {recent_events: 7}", encoding="utf-8")
    monkeypatch.setenv("MALLARD_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("MALLARD_CONFIGS", str(tmp_path))
    settings = Settings.from_environment()
    assert settings.config.engine.recent_events == 7
    assert settings.home.root == tmp_path / "var"
    assert "home" in settings.placements
