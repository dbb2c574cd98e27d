"""Answers about an erasure, as it begins and when it is done."""

from typing import Final

from pydantic.config import JsonDict

_ERASURE: Final = "20260101T080000Z-55726c36"
_ASKED: Final = "2026-01-01T08:00:00.776930Z"
_FINISHED: Final = "2026-01-01T08:00:21.317911Z"

PENDING: Final[JsonDict] = {
    "erasure": _ERASURE,
    "state": "pending",
    "asked_at": _ASKED,
    "finished_at": None,
    "receipt": None,
}

DONE: Final[JsonDict] = {
    "erasure": _ERASURE,
    "state": "done",
    "asked_at": _ASKED,
    "finished_at": _FINISHED,
    "receipt": {
        "protocol": 1,
        "erasure": _ERASURE,
        "ids": ["40c9eb60afc4ccad778792ffac25884339f3c26634d325d937ba077ab504ee48"],
        "asked_at": _ASKED,
        "finished_at": _FINISHED,
        "removed": [
            {
                "place": "lake",
                "found": {"lake/events": 326, "lake/users": 1},
                "removed_at": "2026-01-01T08:00:20.084952Z",
            },
            {"place": "tags", "found": {"tags": 1}, "removed_at": "2026-01-01T08:00:21.057230Z"},
        ],
        "snapshots": {
            "snapshots/churn/20260101T001500Z-828317c4": {
                "scores.1.arrow": "e8d5497cd470f7436635f66c42910bc2750f29d50e3f25f4f1b8ffee0bfe4209"
            }
        },
        "verified": [
            {
                "place": "lake",
                "found": {"lake/events": 0, "lake/users": 0},
                "searched_at": "2026-01-01T08:00:21.198620Z",
            },
            {"place": "tags", "found": {"tags": 0}, "searched_at": "2026-01-01T08:00:21.307498Z"},
        ],
        "kept": [{"kind": "recommend", "version": "recommend-02490f67c58f", "where": "deployed"}],
        "statement": {
            "en": "328 records about the person were removed. All 2 places were searched again afterwards, and none "
            "is left. His ids are refused from now on. 1 models were trained before; they give nothing out about him "
            "until they are replaced.",
            "zh": "已删除该用户的 328 条记录；删除后重新检索全部 2 处存储，无残留；其标识今后不再接收。"
            "有 1 个模型在此前训练，替换之前不再输出其任何信息。",
        },
        "signature": "18cb75b688adca1cd91f4f953a38aa6c19eaac6b949d34491b7206579cb8ac10",
    },
}
