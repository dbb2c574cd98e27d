"""What is missing for a churn model is said in both languages with the same numbers."""

import re
from datetime import UTC, datetime

import pytest

from features.contracts.events import EVENT_TYPES, MALL_INITIATED, Activity
from training.models.churn_config import ChurnLabel
from training.models.reasons import Both
from training.models.reasons.on_little_data import DONE, few_of_a_kind, no_event, short_history

CUTOFF = datetime(2026, 3, 1, tzinfo=UTC)
LABEL = ChurnLabel.model_validate({"horizon": "90d"})
LATER = ChurnLabel.model_validate({"horizon": "30d", "gap": "7d", "event": "activity"})


def test_no_event() -> None:
    assert no_event(LABEL.event, CUTOFF) == Both(
        "there is no purchase before 2026-03-01T00:00:00+00:00; churn cannot be learnt",
        "2026-03-01 00:00 之前没有购买记录，无法学习流失规律",
    )


def test_a_short_history() -> None:
    first, needed = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 9, 28, 12, tzinfo=UTC)
    assert short_history(LABEL, first, CUTOFF, needed) == Both(
        "history is too short: the first purchase before 2026-03-01T00:00:00+00:00 is at 2026-01-01T12:00:00+00:00, "
        "which is 58.5 days; a horizon of 90 days needs 270 days, "
        "so wait until 2026-09-28T12:00:00+00:00 or take a shorter horizon",
        "历史太短：2026-03-01 00:00 之前最早的购买在 2026-01-01 12:00，仅有 58.5 天；"
        "90 天的观察窗口需要 270 天历史，请等到 2026-09-28 12:00，或缩短观察窗口",
    )


@pytest.mark.parametrize(
    ("label", "left", "en", "zh"),
    [
        (LABEL, True, "12 users of 3 snapshots", "90 天内没有购买的用户只有 12 名"),
        (LABEL, False, "had a purchase within 90 days", "90 天内有过购买的用户只有 12 名"),
        (LATER, True, "activity within 30 days, from 7 days on", "从第 7 天起 30 天内没有活动的用户只有 12 名"),
    ],
)
def test_few_of_a_kind(label: ChurnLabel, left: bool, en: str, zh: str) -> None:
    said = few_of_a_kind(label, 12, 3, CUTOFF, 50, left=left)
    assert en in said.en
    assert zh in said.zh
    assert "at least 50 are needed" in said.en
    assert "至少需要 50 名" in said.zh


def test_whatever_may_be_the_label_has_a_chinese_word() -> None:
    assert set(DONE) == {*EVENT_TYPES, Activity.ANY} - {*MALL_INITIATED}
    assert all(re.fullmatch(r"[一-鿿]+", word) for word in DONE.values())
