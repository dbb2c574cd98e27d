"""Watching the churn model: what lake, tag tables and snapshots hold, judged by :mod:`training.monitoring`."""

from serving.monitoring.report import MonitorReport
from serving.monitoring.watch import monitor

__all__ = ["MonitorReport", "monitor"]
