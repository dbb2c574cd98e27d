"""What a training job tells the person who started it; kept beside the bundle for those who come later."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from features.contracts.errors import MissingStateError
from training.evaluation.paired import Paired
from training.tracking import Comparison, RegisteredModel, TrackedRun

Row = dict[str, Any]
_NAME = "report"


@dataclass(frozen=True)
class TrainReport:
    """A registered model and how it did on the window that nothing had seen."""

    kind: str
    version: str
    run_id: str
    as_of: str  # ISO 8601; the registered model has seen everything before
    cutoff: str  # ISO 8601; the judged model had seen everything before
    metric: str
    rows: Sequence[Row]  # one per model: model, kind, then its metrics; the product's own first
    comparisons: Sequence[Comparison]
    refusal: str | None  # why it may not be promoted as it stands, None when it may
    seconds: float
    stands_in: bool = False  # a fallback, which may be deployed and is never promoted

    def to_document(self) -> dict[str, Any]:
        """The report for machines."""
        comparisons = [{**vars(comparison), "paired": vars(comparison.paired)} for comparison in self.comparisons]
        return {**vars(self), "rows": list(self.rows), "comparisons": comparisons}

    def keep(self, run: TrackedRun) -> None:
        """Store it beside the run's bundle."""
        run.document(_NAME, self.to_document())

    @classmethod
    def of(cls, model: RegisteredModel) -> Self:
        """The report of a registered model. Raises :class:`MissingStateError` when its run kept none."""
        try:
            kept = json.loads(model.beside(f"{_NAME}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise MissingStateError(f"the run of {model.kind} version {model.version} kept no report") from None
        comparisons = [Comparison(**{**c, "paired": Paired(**c["paired"])}) for c in kept["comparisons"]]
        return cls(**{**kept, "comparisons": comparisons})

    def to_text(self) -> str:
        """The report for a person."""
        if not self.rows:
            return f"{self.kind} version {self.version}, as of {self.as_of[:10]}, not judged ({self.seconds:.0f} s)"
        names = [name for name in self.rows[0] if name not in ("model", "kind")]
        wide = max(len(str(row["model"])) for row in self.rows)
        lines = [
            f"{self.kind} version {self.version}, judged on what came after {self.cutoff[:10]} ({self.seconds:.0f} s)",
            f"  {'':{wide}}  {'':9}" + "".join(f"{name:>13}" for name in names),
        ]
        best_first = sorted(self.rows, key=lambda row: -float(row[self.metric]))
        for row in best_first:
            figures = "".join(f"{row[name]:>13.4f}" for name in names)
            lines.append(f"  {row['model']:{wide}}  {row['kind']:9}{figures}")
        lines += [f"  {comparison}" for comparison in self.comparisons]
        return "\n".join(lines)

    @property
    def advice(self) -> str:
        """What to do with the new version."""
        if self.refusal is None:
            return f"It may be promoted: mallard promote {self.kind}"
        let = f" Let it answer all the same with: mallard deploy {self.kind} --version {self.version}"
        return f"It may not be promoted: {self.refusal}.{let if self.stands_in else ''}"
