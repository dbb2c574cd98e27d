"""Is the world still the one that the model was fitted for? Arrays and plain numbers in, findings out.

Nothing here reads a file or knows a snapshot: the caller hands over what it read.
"""

from training.monitoring.config import MonitorConfig
from training.monitoring.findings import Finding, Level, worst
from training.monitoring.outcomes import age_finding, closed_findings, expected_findings, segment_findings
from training.monitoring.reference import REFERENCE, Reference
from training.monitoring.shift import input_findings, score_findings

__all__ = [
    "REFERENCE",
    "Finding",
    "Level",
    "MonitorConfig",
    "Reference",
    "age_finding",
    "closed_findings",
    "expected_findings",
    "input_findings",
    "score_findings",
    "segment_findings",
    "worst",
]
