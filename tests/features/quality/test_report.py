"""The quality report: figures, gaps, and the ways out."""

import json
from datetime import date
from pathlib import Path

import pytest

from features.contracts.config import load_config
from features.quality import QualityConfig, QualityReport
from tests.features.sources.rows import HEADER, csv_file, csv_rows, read


@pytest.fixture
def report(tmp_path: Path) -> QualityReport:
    rows = [f"u{i},i,2025-01-{day:02d},view,1,\n" for i, day in enumerate([1, 1, 2, 5, 9])]
    bad = ["u,i,2025-01-01,view,-1,1\n", "u,i,2025-01-01,fly,1,1\n", "u,i,2025-01-01,fly,-1,1\n"]
    return read(csv_file(tmp_path, HEADER + "".join(rows + bad)).parent).report


def test_counts_add_up(report: QualityReport) -> None:
    assert report.rows_in == 8
    assert report.accepted == 5
    assert report.quarantined == {"negative_quantity": 2, "unknown_event_type": 1}
    assert report.error_rate == pytest.approx(3 / 8)
    assert report.error_limit == 0.005
    assert not report.within_limit


def test_coverage_is_the_share_of_filled_values(report: QualityReport) -> None:
    assert report.coverage["user_id"] == 1
    assert report.coverage["amount"] == 0
    assert report.coverage["event_id"] == 0


def test_days_and_gaps(report: QualityReport) -> None:
    assert report.daily == {date(2025, 1, 1): 2, date(2025, 1, 2): 1, date(2025, 1, 5): 1, date(2025, 1, 9): 1}
    assert [(g.first.day, g.last.day, g.days) for g in report.gaps] == [(3, 4, 2), (6, 8, 3)]


def test_json_has_what_is_derived_and_reads_back(report: QualityReport) -> None:
    told = json.loads(report.to_json())
    assert told["error_rate"] == pytest.approx(3 / 8)
    assert told["within_limit"] is False
    assert told["gaps"][0] == {"first": "2025-01-03", "last": "2025-01-04", "days": 2}
    assert QualityReport.from_json(report.to_json()) == report


def test_text_is_plain_words(report: QualityReport) -> None:
    text = report.to_text()
    assert "37.500%, OVER the limit of 0.500%" in text
    assert "GAP 2025-01-03 to 2025-01-04: 2 days without events" in text
    assert "2025-01 █▅××▅×××▅" in text
    assert "events.csv row 6: quantity is '-1'" in text
    assert "数量为负" in text


def test_duplicates_are_no_errors(tmp_path: Path) -> None:
    text = "event_id," + HEADER + "".join(f"e{i % 90},{row}" for i, row in enumerate(csv_rows(100)))
    loaded = read(csv_file(tmp_path, text).parent)
    assert len(loaded.events) == 90
    assert loaded.report.duplicates == 10
    assert loaded.report.error_rate == 0


def test_the_shipped_configuration_holds_the_defaults() -> None:
    assert load_config(QualityConfig, Path("configs/quality.yaml")) == QualityConfig()
