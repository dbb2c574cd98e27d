"""Answers for everybody at once, written to a file."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
    from serving.batch.asked import Asked, everybody
    from serving.batch.columns import LISTS_SCHEMA
    from serving.batch.lists import ListsInfo, write_lists

__all__ = ["LISTS_SCHEMA", "Asked", "ListsInfo", "everybody", "write_lists"]

__getattr__ = lazy(
    __name__,
    {
        "LISTS_SCHEMA": "serving.batch.columns",
        "Asked": "serving.batch.asked",
        "ListsInfo": "serving.batch.lists",
        "everybody": "serving.batch.asked",
        "write_lists": "serving.batch.lists",
    },
)
