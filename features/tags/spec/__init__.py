"""How a tag is declared: kinds of value, windows, the tables tags are computed from, and the registry."""

from features.tags.spec.registry import catalogue, closure, find
from features.tags.spec.tag import Tag, tag
from features.tags.spec.vocabulary import (
    Choices,
    Dimension,
    Dtype,
    Family,
    Kind,
    Privacy,
    Range,
    Value,
    counts,
    flag,
    part,
    ratio,
    real,
    share,
    sums,
    whole,
    word,
)
from features.tags.spec.windows import ALL_TIME, COUNTED_DAYS, Window

__all__ = [
    "ALL_TIME",
    "COUNTED_DAYS",
    "Choices",
    "Dimension",
    "Dtype",
    "Family",
    "Kind",
    "Privacy",
    "Range",
    "Tag",
    "Value",
    "Window",
    "catalogue",
    "closure",
    "counts",
    "find",
    "flag",
    "part",
    "ratio",
    "real",
    "share",
    "sums",
    "tag",
    "whole",
    "word",
]
