"""Snapshots as matrices: which tags a churn model may read, and training sets cut to size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts.errors import ConfigError
from features.tags import catalogue
from features.tags.spec import Privacy, closure
from training.models.churn_features import LINEAR_NAMES, LINEAR_TAGS, ChurnColumns, tag_values
from training.pipelines.snapshots import Snapshot
from training.pipelines.thinning import spread

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


def candidate_tags(wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """Numeric tags of behaviour, or those ``wanted`` among them.

    Never a statement about the person, and no rank among users, which drifts with them. :class:`ConfigError` names a
    wanted tag that does not qualify.
    """
    fit = tuple(
        name
        for name, tag in catalogue().items()
        if tag.numeric and all(t.privacy is Privacy.BEHAVIOUR and not t.of_population for t in closure([name]))
    )
    for name in wanted or ():
        if name not in fit:
            raise ConfigError(f"tags: '{name}' is not a numeric tag of behaviour, which is all that churn may read")
    return fit if wanted is None else tuple(name for name in fit if name in wanted)


def titles_of(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Tag -> its title in English and Chinese."""
    return {name: (catalogue()[name].title, catalogue()[name].title_zh) for name in names}


def telling_tags(tables: Sequence[pa.Table], names: Sequence[str]) -> tuple[str, ...]:
    """Of ``names`` those that tell users apart somewhere in ``tables``, and of equal ones the first.

    A log without views needs no tags of views. The catalogue names windows before all time, so of ``orders_365d`` and
    ``orders`` in a short log the window stays: it goes on meaning the same when the log grows.
    """
    seen: set[bytes] = set()
    kept = []
    for name in names:
        values = np.concatenate([tag_values(table, (name,))[:, 0] for table in tables])
        content = values.tobytes()
        if content not in seen and len(np.unique(values)) > 1:  # null counts as a value
            kept.append(name)
        seen.add(content)
    return tuple(kept)


def steady_tags(names: Sequence[str], history_days: float) -> tuple[str, ...]:
    """Of ``names`` those without a window longer than ``history_days``, the age of the log at the oldest snapshot.

    While a log is younger than a window, the window counts how old the log is, and a model would learn that.
    """
    return tuple(name for name in names if all((tag.window.days or 0) <= history_days for tag in closure([name])))


@dataclass(frozen=True)
class Rows:
    """Users of one or several snapshots, as the models read them."""

    columns: ChurnColumns
    label: Labels

    def __len__(self) -> int:
        return len(self.label)

    @property
    def one_class(self) -> bool:
        return bool(self.label.all() or not self.label.any())

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Rows":
        """The users at ``rows``."""
        c = self.columns
        return Rows(ChurnColumns(c.names, c.trees[rows], c.linear[rows], c.expected[rows]), self.label[rows])


def rows_of(snapshot: Snapshot, names: Sequence[str], horizon_days: float, history_days: float) -> Rows:
    """One snapshot's users; rhythms as fitted at that snapshot.

    Linear columns that are not steady are 0, so that the linear part gives them no weight.
    """
    columns = ChurnColumns.of(snapshot.tags, names, snapshot.rhythm, horizon_days)
    steady = steady_tags(LINEAR_TAGS, history_days)
    used = [name not in LINEAR_TAGS or name in steady for name in LINEAR_NAMES]
    return Rows(replace(columns, linear=columns.linear * used), snapshot.label)


def stack(parts: Sequence[Rows], most: int) -> Rows:
    """All rows of ``parts``, each thinned evenly so that there are at most ``most``."""
    share = min(1.0, most / max(1, sum(len(p) for p in parts)))
    thinned = [p.take(spread(len(p), max(1, int(len(p) * share)), turn)) for turn, p in enumerate(parts)]
    return Rows(
        ChurnColumns(
            names=parts[0].columns.names,
            trees=np.concatenate([p.columns.trees for p in thinned]),
            linear=np.concatenate([p.columns.linear for p in thinned]),
            expected=np.concatenate([p.columns.expected for p in thinned]),
        ),
        np.concatenate([p.label for p in thinned]),
    )
