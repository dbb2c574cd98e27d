"""A recommender's result as one HTML file that a product manager can read, in English and Chinese.

Everything stands in ``result.json`` (see :mod:`training.bench`): the report is a view of it and computes nothing.
"""

from training.report.page import render, write_report

__all__ = ["render", "write_report"]
