"""A mall of a few dozen users with habits, written as any of the files that benchmarks read."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd

USERS, ITEMS, DAYS = 60, 40, 120
START = pd.Timestamp("2021-01-01", tz="UTC")


def log(seed: int = 1) -> pd.DataFrame:
    """Columns u, i, ts, kind, basket, value: each user returns to a few items and browses the rest."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(USERS):
        favourites = (user % 4) * 10 + rng.choice(10, 4, replace=False)
        for basket, day in enumerate(np.sort(rng.choice(DAYS, 14, replace=False))):
            moment = START + pd.Timedelta(days=int(day), hours=int(rng.integers(8, 20)))
            for item in {*rng.choice(favourites, 2).tolist(), int(rng.integers(ITEMS))}:
                rows.append((f"u{user:03d}", 1000 + item, moment, "buy", f"o{user}-{basket}", 5.0 + item))
                rows.append((f"u{user:03d}", 1000 + item, moment - pd.Timedelta(minutes=9), "view", None, None))
    frame = pd.DataFrame(rows, columns=["u", "i", "ts", "kind", "basket", "value"])
    return frame.sort_values("ts", ignore_index=True)


def catalogue() -> pd.DataFrame:
    items = np.arange(ITEMS)
    return pd.DataFrame({"i": 1000 + items, "c": [f"Shelf {k // 10} > Row {k // 5}" for k in items]})


COLUMNS = "{user_id: u, item_id: i, occurred_at: ts, event_type: kind, amount: value, order_id: basket}"
MAPPED = f"columns: {COLUMNS}\n  event_map: {{buy: purchase}}"


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write in the format of the ending; ``.txt.gz`` means sequences."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif ".csv" in path.suffixes:
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        records = json.loads(frame.to_json(orient="records", date_format="iso"))
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    else:
        lines = [f"{u} {' '.join(map(str, g['i'].drop_duplicates()))}\n" for u, g in frame.groupby("u")]
        path.write_bytes(gzip.compress("".join(lines).encode()))


def config(folder: Path, interactions: str, split: str, more: str = "") -> Path:
    """Write a recommendation benchmark file."""
    path = folder / "bench.yaml"
    path.write_text(
        f"name: small-mall\ninteractions:\n  {interactions}\nsplit: {split}\nk: [5, 10]\nbudget_minutes: 0.2\n{more}\n",
        encoding="utf-8",
    )
    return path
