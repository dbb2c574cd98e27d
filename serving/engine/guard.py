"""Watches a version that is tried, and says when it must go: it fails more often, or takes longer, than the live one.

Times are compared between batches of the same size: a trial gets few questions, so that its batches are small, and a
question in a small batch takes longer whatever the model.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from pydantic import Field

from features.contracts.config import Config


class GuardConfig(Config):
    """When a trial is ended without anybody asking. Each worker judges by the questions that it answered itself."""

    least_questions: int = Field(default=100, ge=1)
    """Questions that the trial must have answered before it is judged (count)."""
    most_failures: float = Field(default=0.01, ge=0, le=1)
    """Share of questions that may fail, beyond the share that fails under the live version."""
    slowdown: float = Field(default=1.5, ge=1)
    """How many times as long as the live version's an answer may take."""


@dataclass
class _Seen:
    questions: int = 0
    failed: int = 0
    seconds: dict[int, float] = field(default_factory=lambda: defaultdict(float))  # by size of batch
    batches: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def note(self, questions: int, seconds: float, failed: int) -> None:
        self.questions += questions
        self.failed += failed
        self.seconds[questions] += seconds
        self.batches[questions] += 1


class Guard:
    """What was seen of the live version and of the trial since it began."""

    def __init__(self, config: GuardConfig) -> None:
        self._config = config
        self._live, self._trial = _Seen(), _Seen()

    def note(self, *, trial: bool, questions: int, seconds: float, failed: int) -> None:
        """One batch was answered."""
        (self._trial if trial else self._live).note(questions, seconds, failed)

    def verdict(self) -> str:
        """Why the trial must end; empty while it may go on."""
        trial, alive, config = self._trial, self._live, self._config
        if trial.questions < config.least_questions:
            return ""
        failures = trial.failed / trial.questions
        usual = alive.failed / alive.questions if alive.questions else 0.0
        if failures > usual + config.most_failures:
            return f"{failures:.1%} of its {trial.questions} answers failed, {usual:.1%} of the live version's"
        sizes = [size for size in trial.batches if size in alive.batches]
        compared = sum(trial.batches[size] * size for size in sizes)
        if compared < config.least_questions:
            return ""
        expected = sum(trial.batches[size] * alive.seconds[size] / alive.batches[size] for size in sizes)
        ratio = sum(trial.seconds[size] for size in sizes) / expected
        if ratio > config.slowdown:
            return f"its answers took {ratio:.2f} times as long as the live version's, over {compared} questions"
        return ""
