"""Answers for everybody at once, written to a file."""

from serving.batch.asked import Asked, everybody
from serving.batch.lists import LISTS_SCHEMA, ListsInfo, write_lists

__all__ = ["LISTS_SCHEMA", "Asked", "ListsInfo", "everybody", "write_lists"]
