"""Data quality: one check per file, quarantine, and the report."""

from features.quality.check import Batch, Check, Finding
from features.quality.checks import CHECKS
from features.quality.config import QualityConfig
from features.quality.report import Gap, QualityReport, Tally
from features.quality.rows import RowError, RowScreener, ScreenedRows
from features.quality.screening import MALFORMED, QUARANTINE_SCHEMA, Screened, screen

__all__ = [
    "CHECKS",
    "MALFORMED",
    "QUARANTINE_SCHEMA",
    "Batch",
    "Check",
    "Finding",
    "Gap",
    "QualityConfig",
    "QualityReport",
    "RowError",
    "RowScreener",
    "Screened",
    "ScreenedRows",
    "Tally",
    "screen",
]
