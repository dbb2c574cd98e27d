"""What watching came to: findings, whether to train again, and what could not be looked at."""

from dataclasses import dataclass
from typing import Any, Final

from training.monitoring import Finding, Level, worst

#: Findings that a new training answers. That many users of a segment leave is not the model's fault.
_ANSWERED_BY_TRAINING: Final = frozenset({"inputs", "scores", "calibration", "ranking", "age"})


@dataclass(frozen=True)
class Note:
    """Something that was not judged, and why; in English and Chinese."""

    text: str
    text_zh: str


@dataclass(frozen=True)
class MonitorReport:
    """One look at the churn model."""

    snapshot: str
    as_of: str
    model_version: str
    users: int
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    watched_at: str

    @property
    def level(self) -> Level:
        """The most urgent finding's."""
        return worst(self.findings)

    @property
    def retrain(self) -> tuple[Finding, ...]:
        """The findings that ask for a new training, the most urgent first; empty when none does."""
        asking = [f for f in self.findings if f.about in _ANSWERED_BY_TRAINING and f.level >= Level.YELLOW]
        return tuple(sorted(asking, key=lambda finding: -finding.level))

    def to_json(self) -> dict[str, Any]:
        """For machines, and for the page."""
        return {
            "snapshot": self.snapshot,
            "as_of": self.as_of,
            "model_version": self.model_version,
            "users": self.users,
            "watched_at": self.watched_at,
            "level": self.level.name.lower(),
            "exit_code": int(self.level),
            "retrain": {"needed": bool(self.retrain), "because": [_said(finding) for finding in self.retrain]},
            "findings": [finding.to_json() for finding in self.findings],
            "notes": [vars(note) for note in self.notes],
        }


def _said(finding: Finding) -> dict[str, str]:
    """What a finding says, in both languages."""
    return {"text": finding.text, "text_zh": finding.text_zh}
