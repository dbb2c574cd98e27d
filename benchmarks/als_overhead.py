"""What training the ``als`` source costs beyond ``implicit`` itself.

::

    python benchmarks/als_overhead.py benchmarks/complete_journey.yaml --threads 2 --rounds 5

Both are fitted on the log of a recommendation benchmark with the same settings and threads, in turn, after an
unmeasured round of each. Ours starts from the events, the library from the finished matrix; the factors must be equal.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from features.contracts.config import load_config
from training.bench.config import RecommendBench
from training.bench.recommend import prepare
from training.models.als import Als, AlsConfig
from training.models.taste import user_items


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time of the als source against the library it calls.")
    parser.add_argument("config", type=Path, nargs="?", default=Path(__file__).with_name("complete_journey.yaml"))
    parser.add_argument("--threads", type=int, default=0, help="0 means all cores")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    bench = load_config(RecommendBench, asked.config)
    data = prepare(bench, asked.config.parent, datetime.now(UTC)).question.fold.train
    config = AlsConfig(threads=asked.threads)
    matrix = user_items(data, config.kinds.table())
    users, items = matrix.shape
    print(f"{bench.name}: {len(data):,} events, {users:,} users x {items:,} items, {matrix.nnz:,} pairs")

    def ours() -> np.ndarray:
        return Als.fit(data, config).arrays()["factors"]

    def library() -> np.ndarray:
        with threadpool_limits(limits=1, user_api="blas"):  # as its authors advise; ours does the same
            model = AlternatingLeastSquares(
                factors=config.factors,
                iterations=config.iterations,
                regularization=config.regularization,
                alpha=config.alpha,
                random_state=config.seed,
                num_threads=config.threads,
            )
            model.fit(matrix, show_progress=False)
        return np.asarray(model.item_factors)

    if not np.allclose(ours(), library(), rtol=1e-3, atol=1e-4):
        raise SystemExit("the factors differ: this compares two different things")
    wall: dict[str, list[float]] = {"als source": [], "implicit": []}
    for _ in range(asked.rounds):
        wall["als source"].append(_seconds(ours))
        wall["implicit"].append(_seconds(library))
    for name, seconds in wall.items():
        print(f"{name:<12} {median(seconds):7.3f} s median of {' '.join(f'{s:.3f}' for s in seconds)}")
    ratios = [a / b for a, b in zip(*wall.values(), strict=True)]
    print(f"als source / implicit: {median(ratios):.3f} (median of {asked.rounds} pairs)")


def _seconds(fit: Callable[[], np.ndarray]) -> float:
    started = time.perf_counter()
    fit()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
