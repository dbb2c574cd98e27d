from pathlib import Path

import pytest

from features.contracts.config import load_config
from features.contracts.errors import ConfigError
from serving.api.settings import Settings
from serving.config import ServingConfig
from serving.engine.placements import Placement, check_default, load_placements

CONFIGS = Path(__file__).parents[3] / "configs"


def write(folder: Path, text: str) -> Path:
    file = folder / "home.yaml"
    file.write_text(text, encoding="utf-8")
    return folder


def test_without_files_there_are_placements() -> None:
    placements = load_placements()
    assert {"home", "detail", "cart", "discover"} <= set(placements)
    assert [rule.name for rule in placements["home"].chain()] == [
        "exclusions",
        "filters",
        "availability",
        "bought",
        "diversity",
        "at_most",
    ]


def test_a_missing_folder_means_the_built_in_ones(tmp_path: Path) -> None:
    assert load_placements(tmp_path / "none") == load_placements()


def test_the_files_that_come_along_say_what_the_code_says() -> None:
    """Whoever reads the configuration reads what holds; descriptions and depths may be tuned in the files."""
    shipped, built_in = load_placements(CONFIGS / "placements"), load_placements()
    assert set(shipped) == set(built_in)
    for name, placement in shipped.items():
        assert placement.rules == built_in[name].rules
        assert placement.context_event == built_in[name].context_event
    assert load_config(ServingConfig, CONFIGS / "serving.yaml") == ServingConfig()


def test_parameters_reach_their_rule(tmp_path: Path) -> None:
    text = "n: 8\nrules:\n  - {rule: bought, policy: exclude}\n  - {rule: diversity, per_category: 1}\n"
    placement = load_placements(write(tmp_path, text))["home"]
    chain = placement.chain()
    assert placement.n == 8
    assert [rule.name for rule in chain] == ["exclusions", "filters", "bought", "diversity", "at_most"]
    assert chain[2].config.model_dump() == {"policy": "exclude", "days": 3.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules:\n  - {rule: magic}", "no rule 'magic'"),
        ("rules:\n  - {policy: exclude}", "needs its name"),
        ("rules:\n  - {rule: bought, polcy: exclude}", "polcy"),
        ("rules:\n  - {rule: bought, days: -1}", "days"),
        ("rules:\n  - {rule: at_most}", "always runs"),
        ("rules: availability", "rules"),
        ("n: 0", "home.yaml:1: n"),
        ("size: 5", "home.yaml:1: size"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_placements(write(tmp_path, text))


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
