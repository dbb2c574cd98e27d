"""Where the time of an answer goes, what the sources bring, and how a version on trial does, for Prometheus."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25)
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class EngineMetrics:
    """An :class:`~serving.engine.observing.Observer` that counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stage = Histogram(
            "mallard_stage_seconds",
            "Time of one stage for a batch of questions",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._batch = Histogram(
            "mallard_batch_questions",
            "Questions that were answered together",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self._candidates = Counter(
            "mallard_candidates", "Candidates that each source brought", ["source"], registry=registry
        )
        self._answers = Counter(
            "mallard_answers", "Ranked answers by the version that gave them", ["version", "outcome"], registry=registry
        )
        self._overlap = Histogram(
            "mallard_shadow_overlap",
            "Share of the shown items that the version in the shadow would have shown",
            ["version"],
            buckets=_SHARES,
            registry=registry,
        )

    def stage(self, name: str, seconds: float, questions: int) -> None:
        self._stage.labels(name).observe(seconds)
        if name == "prepare":
            self._batch.observe(questions)

    def candidates(self, found: Mapping[str, int]) -> None:
        for source, count in found.items():
            self._candidates.labels(source).inc(count)

    def answered(self, version: str, questions: int, failed: int) -> None:
        self._answers.labels(version, "failed").inc(failed)
        self._answers.labels(version, "whole").inc(questions - failed)

    def shadowed(self, version: str, overlap: float) -> None:
        self._overlap.labels(version).observe(overlap)
