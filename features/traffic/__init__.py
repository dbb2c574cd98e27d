"""Fake traffic: rules and an isolation forest that mark orders and clicks of no real customer."""

from features.traffic.config import TrafficConfig
from features.traffic.evaluation import Score, evaluate
from features.traffic.marking import Marked, mark
from features.traffic.report import Line, report
from features.traffic.rules import RULES

__all__ = ["RULES", "Line", "Marked", "Score", "TrafficConfig", "evaluate", "mark", "report"]
