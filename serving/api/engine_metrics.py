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
        # What is counted with every batch, by its labels: finding it costs more than counting.
        self._stages: dict[str, Histogram] = {}
        self._sources: dict[str, Counter] = {}
        self._versions: dict[str, tuple[Counter, Counter]] = {}

    def stage(self, name: str, seconds: float, questions: int) -> None:
        child = self._stages.get(name)
        if child is None:
            child = self._stages[name] = self._stage.labels(name)
        child.observe(seconds)
        if name == "prepare":
            self._batch.observe(questions)

    def candidates(self, found: Mapping[str, int]) -> None:
        for source, count in found.items():
            child = self._sources.get(source)
            if child is None:
                child = self._sources[source] = self._candidates.labels(source)
            child.inc(count)

    def answered(self, version: str, questions: int, failed: int) -> None:
        counted = self._versions.get(version)
        if counted is None:
            labels = self._answers.labels
            counted = self._versions[version] = labels(version, "whole"), labels(version, "failed")
        whole, broken = counted
        whole.inc(questions - failed)
        broken.inc(failed)

    def shadowed(self, version: str, overlap: float) -> None:
        self._overlap.labels(version).observe(overlap)
