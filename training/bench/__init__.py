"""``mallard bench``: any data set that a YAML file describes, every baseline, one table."""

from training.bench.churn import bench_churn
from training.bench.recommend import bench_recommend
from training.bench.report import table, write_result

__all__ = ["bench_churn", "bench_recommend", "table", "write_result"]
