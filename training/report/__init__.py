"""A result as one HTML file that a product manager can read, in English and Chinese.

Everything stands in ``result.json`` (see :mod:`training.bench`): the report is a view of it and computes nothing.
"""

from training.report.churn_page import render_churn, write_churn_report
from training.report.monitor_page import render_monitor, write_monitor_page
from training.report.page import render, write_report

__all__ = ["render", "render_churn", "render_monitor", "write_churn_report", "write_monitor_page", "write_report"]
