"""The page says what the result says, in both languages, and asks for nothing from outside."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.training.report.results import RIVAL, cold_start, result, standing
from training.models.baselines import baselines
from training.models.source import sources
from training.report import render, write_report
from training.report.charts import leaderboard, pairs
from training.report.newcomers import newcomers
from training.report.story import headline, percent, signed
from training.report.words import MODELS, group

PAGE = render(result())


class Reader(HTMLParser):
    """The text by language, and what is left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.text = {"en": "", "zh": "", None: ""}
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br"):
            self.open.append((tag, dict(attrs).get("lang", self.open[-1][1] if self.open else None)))

    def handle_endtag(self, tag):
        if tag not in ("line", "circle", "rect"):
            assert self.open[-1][0] == tag
        self.open.pop()

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text[self.open[-1][1] if self.open else None] += data + "\n"


@pytest.fixture(scope="module")
def read() -> Reader:
    reader = Reader()
    reader.feed(PAGE)
    assert reader.open == []
    return reader


def test_the_headline_says_how_much_more_is_found(read):
    assert "The recommender finds 9.0 % more of what people buy next than the strongest simple list" in read.text["en"]
    assert "推荐系统多命中 9.0 % 的用户接下来购买的商品" in read.text["zh"]
    assert "between +6.0 % and +12 %" in read.text["en"]
    assert "“own favourites, then best sellers”" in read.text["en"]


@pytest.mark.parametrize(
    ("figures", "english"),
    [
        ((-0.02, -0.03, -0.01), "finds 10 % less of what people buy next"),
        ((0.01, -0.01, 0.03), "is not shown to find more"),
    ],
)
def test_no_difference_is_claimed_that_the_interval_does_not_show(figures, english):
    assert english in headline(result(*figures)).en


def test_other_targets_than_purchases_are_not_called_buying():
    assert "what people take next" in headline({**result(), "target": ["view", "purchase"]}).en


def test_nothing_comes_from_outside_and_nothing_runs(read):
    assert not re.search(r"https?://|@import|url\(", PAGE)
    assert {tag for tag, _ in read.tags} & {"script", "link", "img", "iframe"} == set()
    assert not any(name.startswith("on") for _, attributes in read.tags for name in attributes)


def test_every_passage_is_said_in_both_languages(read):
    english = sum(attributes.get("lang") == "en" for _, attributes in read.tags)
    assert english == sum(attributes.get("lang") == "zh" for _, attributes in read.tags) > 50
    assert not re.search(r"[一-鿿]", read.text["en"])
    assert {"english", "chinese"} <= {attributes.get("id") for _, attributes in read.tags}


def test_titles_and_categories_are_text_and_never_markup(read):
    assert "milk <b> ✓" in read.text[None]
    assert "items of “TEA & <CAKE>”" in read.text["en"]
    assert "milk &lt;b&gt;" in PAGE


def test_reasons_of_examples(read):
    for said in ("comes back to it about every 7 days, last 1 day ago", "had it before", "because of “bread”",
                 "fits the person's taste", "recommended"):  # fmt: skip
        assert f"{said}\n" in read.text["en"]
    assert "因为「bread」" in read.text["zh"]


def test_choices_name_who_ranks_and_who_was_left_out(read):
    assert "The order is made by: the learnt order." in read.text["en"]
    assert "by +0.0100 in ndcg@10 (95 % interval +0.0010 to +0.0200)" in read.text["en"]
    assert "Left out, as they added nothing: trending." in read.text["en"]


def test_a_result_with_little_in_it_makes_a_page_too():
    little = {**result(), "slices": {}, "examples": [], "choices": {}, "validation": []}
    assert "</html>" in render(little)


def test_the_leaderboard_keeps_the_rival_however_weak_it_is():
    many = [standing(f"m{n}", "source", 1 - n / 100) for n in range(20)] + [standing("last", "baseline", 0.1)]
    board = leaderboard(many, "last")
    assert [mark.code for mark in board.marks] == [f"m{n}" for n in range(12)] + ["last"]
    assert board.left_out == 8
    assert board.rival == board.marks[-1].at
    assert all(0 <= mark.low <= mark.at <= mark.high <= 100 for mark in board.marks)


def test_groups_are_judged_by_their_interval_and_share_a_scale():
    found = pairs(result()["slices"])
    assert [pair.verdict for pair in found] == ["worse", "even", "better", "even"]
    assert {(pair.ours_wide, pair.theirs_wide) for pair in found} == {(50.0, 100.0)}
    few = {**result()["slices"]["history 0"], "users": 29}
    assert pairs({"history 0": few})[0].verdict == "few"


def test_newcomers_stand_on_the_page_where_they_were_asked_about(read):
    assert "When somebody new comes" in read.text["en"]
    assert "新客到来时" in read.text["zh"]
    assert "1,500 people" in read.text["en"]
    assert "Knowing channel and hour, the list is not shown to fit better.\n" in read.text["en"]
    assert (
        "Knowing channel, hour and what they did until then, the list fits 50 % better, "
        "with 95 % certainty between +25 % and +150 %.\n" in read.text["en"]
    )
    assert "已知渠道、时段与此前行为：列表契合度提高 50 %，95% 置信区间为 +25 % 至 +150 %。\n" in read.text["zh"]
    assert "Knowing what they did before the login: too few people to say.\n" in read.text["en"]
    nobody = {name: part for name, part in result().items() if name != "cold_start"}
    assert "When somebody new comes" not in render(nobody)
    assert "When somebody new comes" not in render({**nobody, "cold_start": {}})


def test_bars_of_newcomers_share_a_scale_and_carry_their_interval():
    new, merged = newcomers(cold_start())
    assert [way.ours_wide for way in new.ways] == [40.0, 42.0, 60.0]
    assert [(way.low, way.high) for way in new.ways] == [(40.0, 40.0), (38.0, 46.0), (50.0, 100.0)]
    assert [way.verdict for way in new.ways] == ["", "even", "better"]
    assert [way.theirs for way in merged.ways] == [None, None]
    assert [way.verdict for way in merged.ways] == ["", "few"]


def test_where_nothing_fitted_before_no_share_is_named():
    part = cold_start()["new users"]
    part["ways"]["pipeline"]["nothing"] = 0.0
    (group,) = newcomers({"new users": part})
    assert group.findings[1].en == "Knowing channel, hour and what they did until then, the list fits better."


def test_names_in_plain_words():
    assert group("history 5-19").en == "people with 5 to 19 events"
    assert group("history 500+").zh == "有 500 次以上行为的用户"
    assert group("unheard of").en == "unheard of"
    assert (percent(0.123), percent(0.0123), percent(0), signed(-0.5)) == ("12 %", "1.2 %", "0 %", "−50 %")


def test_every_source_and_baseline_has_a_plain_name():
    assert {*sources(), *baselines()} - set(MODELS) == set()


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "new" / "report.html"
    write_report(result(), path)
    assert path.read_text(encoding="utf-8") == PAGE
    with pytest.raises(KeyError):
        write_report({}, path)
    assert list(path.parent.iterdir()) == [path]
    assert RIVAL in PAGE
