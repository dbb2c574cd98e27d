"""Metrics over arrays and frames, splits, paired tests. Knows no model."""
