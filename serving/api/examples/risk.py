"""Answers about churn, lists and tags."""

from typing import Final

from pydantic.config import JsonDict

_FROM: Final[JsonDict] = {
    "model_version": "churn-e8d1a64731f6",
    "as_of": "2026-01-01T00:00:00Z",
    "horizon_days": 28,
    "fallback": None,
}

_RISK: Final[JsonDict] = {
    "user_id": "1",
    "eligible": True,
    "probability": 0.160437,
    "low": 0.0979,
    "high": 0.251773,
    "tier": "blue",
    "expected_purchases": 1.546399,
    "value_at_risk": 12.70422,
    "reasons": [
        {
            "code": "purchase_days_30d",
            "value": 2.0,
            "raises": True,
            "text": {"en": "only 2 days with a purchase in the last 30 days", "zh": "近30天仅 2 天购买"},
        },
        {
            "code": "active_days_60d",
            "value": 5.0,
            "raises": True,
            "text": {"en": "only 5 active days in the last 60 days", "zh": "近60天仅 5 天活跃"},
        },
    ],
    "expected_value_30d": 84.6,
    "expected_value_90d": 251.3,
    "expected_value_365d": 964.8,
    "expected_next_purchase": "2026-01-11",
    "days_overdue": 9.755333,
    "survival": [
        {"day": 7, "no_purchase": 0.623852},
        {"day": 30, "no_purchase": 0.14162},
        {"day": 90, "no_purchase": 0.005517},
    ],
    "horizons": [
        {"days": 7.0, "probability": 0.533993, "low": 0.409877, "high": 0.654039},
        {"days": 28.0, "probability": 0.160437, "low": 0.0979, "high": 0.251773},
        {"days": 90.0, "probability": 0.018292, "low": 0.008125, "high": 0.040661},
    ],
    "uplift": 0.012,
    "action": {
        "name": "remind",
        "code": "reminder_is_enough",
        "text": {"en": "a reminder brings more than it costs", "zh": "提醒的收益高于成本"},
        "expected_profit": 0.178676,
    },
}

CHURN: Final[JsonDict] = {
    **_FROM,
    **_RISK,
    "request_id": "f1f2c751745d479f8b1f17d6f89d7582",
    "missing_models": [],
}

SCORES: Final[JsonDict] = {
    **_FROM,
    "request_id": "5a4f0f6f4be94b39a8d2a9a2f3f9f1c2",
    "users": [_RISK],
    "unknown_users": ["2"],
    "withheld_users": [],
    "missing_models": [],
}

CHURN_LIST: Final[JsonDict] = {
    **_FROM,
    "request_id": "5322ed08a5df48929b26b33a843cac6d",
    "snapshot": "20260101T081500Z-828317c4",
    "since": None,
    "missing_models": ["uplift"],
    "total": 166,
    "cursor": "WyIyMDI2MDEwMVQwODE1MDBaLTgyODMxN2M0IixudWxsLDFd",
    "items": [
        {
            "user_id": "355",
            "probability": 0.801753,
            "low": 0.7085,
            "high": 0.870622,
            "tier": "yellow",
            "segment": "lost",
            "expected_purchases": 0.183377,
            "value_at_risk": 7.060067,
            "reasons": [
                {
                    "code": "rhythm_no_purchase",
                    "value": 0.838468,
                    "raises": True,
                    "text": {
                        "en": "by the own rhythm a purchase in this period is unlikely (16 %)",
                        "zh": "按自身节奏，本期内购买的可能性低（16%）",
                    },
                }
            ],
            "consent_marketing": None,
            "holdout": False,
            "suppressed": False,
            "suppression_reason": None,
            "expected_value_30d": 9.4,
            "expected_value_90d": 27.9,
            "expected_value_365d": 106.2,
            "expected_next_purchase": "2026-03-19",
            "days_overdue": 207.020243,
            "uplift": None,
            "action": "remind",
            "action_reason": {
                "code": "reminder_is_enough",
                "text": {
                    "en": "a reminder brings more than it costs (by an assumed success rate, not a measured effect)",
                    "zh": "提醒的收益高于成本（依据假定的成功率，非实测效果）",
                },
            },
            "expected_profit": 0.077081,
            "horizons": [
                {"days": 7.0, "probability": 0.9045, "low": 0.8495, "high": 0.9408},
                {"days": 28.0, "probability": 0.8018, "low": 0.7085, "high": 0.8706},
                {"days": 90.0, "probability": 0.3884, "low": 0.2711, "high": 0.5202},
            ],
        }
    ],
}

TAGS: Final[JsonDict] = {
    "tag_spec": "f7dab25a463aad71",
    "tags": [
        {
            "name": "days_since_purchase",
            "family": "consumption",
            "dtype": "float64",
            "unit": "days",
            "null": "never bought",
            "window": "all time",
            "privacy": "behaviour",
            "title": {"en": "Days since the last purchase", "zh": "距最近购买天数"},
            "description": "Time from the last purchase to as_of, with fractions of a day.",
        }
    ],
}

PROFILE: Final[JsonDict] = {
    "user_id": "1",
    "as_of": "2026-01-01T00:00:00Z",
    "built_at": "2026-01-01T00:05:12Z",
    "source": "batch",
    "age_seconds": 28_800.25,
    "tag_spec": "f7dab25a463aad71",
    "tags": {
        "active_days_30d": 6,
        "average_order_value_365d": 47.363922,
        "days_since_purchase": 0.375174,
        "given_member_level": None,
        "lifecycle_stage": "active",
        "member_level": "V3",
        "top_department": "GROCERY",
        "weekend_share_90d": 0.133588,
    },
}
