"""When a challenger may become the champion."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from training.evaluation.paired import Paired


@dataclass(frozen=True)
class Comparison:
    """The challenger against something else, on the same users of the same test fold."""

    metric: str
    against: str  # the name of a baseline or source, or "champion"
    paired: Paired  # challenger minus the other
    champion: str = ""  # registry version of the champion compared with; "" when it was not the champion

    def __str__(self) -> str:
        p = self.paired
        whom = f"champion version {self.champion}" if self.champion else self.against
        return f"{self.metric} {p.mean:+.4f}, 95 % interval [{p.low:+.4f}, {p.high:+.4f}], against {whom}"


def refusal(comparisons: Sequence[Comparison], champion: str) -> str | None:
    """Why a challenger with these comparisons may not become the champion, or None when it may.

    Every interval must lie above zero. When there is a champion (``champion`` is its registry version) one of the
    comparisons must be with that very version: one with its predecessor proves nothing about it.
    """
    if not comparisons:
        return "no paired comparison was recorded for it"
    against_champions = [c for c in comparisons if c.champion]
    if champion and not any(c.champion == champion for c in against_champions):
        made = ", ".join(f"version {c.champion}" for c in against_champions) or "baselines only"
        return f"the champion is version {champion} but the comparison was made with {made}; train or evaluate again"
    for comparison in comparisons:
        if not comparison.paired.better:
            return f"it is not shown to be better: {comparison}"
    return None


def to_text(comparisons: Sequence[Comparison]) -> str:
    """Comparisons as JSON text, the way the registry keeps them beside a version."""
    return json.dumps([{**vars(c), "paired": vars(c.paired)} for c in comparisons])


def from_text(text: str) -> tuple[Comparison, ...]:
    """The inverse of :func:`to_text`; no text means no comparison."""
    rows = json.loads(text) if text else []
    return tuple(Comparison(**{**row, "paired": Paired(**row["paired"])}) for row in rows)
