"""The groups of users that churn is judged in. They are looked up for judging and never enter a model."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.contracts import columns as c
from features.engine import EventTables, build_tags
from training.evaluation.segments import judge_segments
from training.pipelines.churn_judge import PIPELINE

Bool = npt.NDArray[np.bool_]

#: What marketing works with: name of the side -> tag.
SEGMENTS: Final = {"stage": "lifecycle_stage", "level": "member_level", "channel": "main_channel"}
#: Statements about the person, for fairness: a model that never reads them may still be worse for some.
FAIRNESS: Final = {"age": "age", "gender": "gender", "region": "city"}

_MOST_GROUPS: Final = 8
_BAND_YEARS: Final = 10


def judge_by_segment(
    tables: EventTables, cutoff: datetime, users: Sequence[str], label: Bool, probability: npt.NDArray[np.float64]
) -> dict[str, dict[str, Any]]:
    """``side: value`` -> figures of the group (see :func:`judge_segments`) and its ``kind``, segment or fairness.

    ``users``, ``label`` and ``probability`` are (n,). Users of whom a side is not known are in none of its groups.
    """
    sides = {**SEGMENTS, **FAIRNESS}
    table = build_tags(tables, cutoff, list(sides.values())).to_pandas().set_index(c.USER_ID).reindex(list(users))
    groups = {
        f"{side}: {value}": members
        for side, tag in sides.items()
        for value, members in _groups(_banded(table[tag]) if side == "age" else table[tag])
    }
    judged = judge_segments(label, probability, groups)
    return {
        name: {"kind": "fairness" if name.split(":")[0] in FAIRNESS else "segment", **figures}
        for name, figures in judged.items()
    }


def judge_frame(tables: EventTables, cutoff: datetime, frame: pd.DataFrame, label: str) -> dict[str, dict[str, Any]]:
    """The same for a frame of ``evaluate_churn`` whose outcomes are in column ``label``."""
    return judge_by_segment(
        tables, cutoff, frame[c.USER_ID].tolist(), frame[label].to_numpy(dtype=np.bool_), frame[PIPELINE].to_numpy()
    )


def _groups(values: pd.Series) -> list[tuple[str, Bool]]:
    """The largest groups by value, and the others together when there are more."""
    counts = values.value_counts()
    named = sorted(str(value) for value in counts.index[:_MOST_GROUPS])
    text = values.astype("string")
    found = [(name, (text == name).fillna(value=False).to_numpy(dtype=np.bool_)) for name in named]
    if len(counts) > _MOST_GROUPS:
        rest = text.notna().to_numpy() & ~text.isin(named).fillna(value=False).to_numpy(dtype=np.bool_)
        found.append(("others", rest))
    return found


def _banded(values: pd.Series) -> pd.Series:
    """Ages in years as bands of ten; what is a band already stays."""
    years = pd.to_numeric(values, errors="coerce")
    low = (years // _BAND_YEARS * _BAND_YEARS).astype("Int64")
    bands = low.astype("string") + "-" + (low + _BAND_YEARS - 1).astype("string")
    return bands.where(years.notna(), values.astype("string"))
