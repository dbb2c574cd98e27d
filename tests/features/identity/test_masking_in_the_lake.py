"""No file that ingest leaves behind holds personal data in clear."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.home import Home
from features.lake import Lake
from features.quality import QualityReport
from features.sources import SourceSpec, open_source

SECRETS = ("13812345678", "zhang@example.com", "11010519491231002X", "tablet-77")


def test_ingest_masks_rows_and_quarantine_and_says_so(tmp_path: Path) -> None:
    rows = [
        {"q": "13812345678 zhang@example.com", "device_id": "tablet-77"},
        {"q": "11010519491231002X"},
        {"q": "red shoes", "price": "199.00"},
    ]
    lines = [
        {
            c.EVENT_TYPE: "search",
            c.USER_ID: f"u{number}",
            c.OCCURRED_AT: f"2025-01-0{number + 1}T00:00:00Z",
            c.PROPERTIES: row,
        }
        for number, row in enumerate(rows)
    ]
    lines.append({**lines[0], c.EVENT_TYPE: "13812345678"})
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + '\n{"q": "13812345678', "utf-8")
    home = Home(root=tmp_path / "var", configs=tmp_path / "configs", mlruns=tmp_path / "mlruns")
    lake = Lake(home)
    source = open_source(SourceSpec(path="log.jsonl"), tmp_path)
    report = lake.ingest(source, now=datetime(2025, 2, 1, tzinfo=UTC), allow_over_limit=True)
    assert (report.accepted, report.rejected) == (3, 2)
    assert report.masked == {"email": 1, "phone": 1, "resident_id": 1}
    assert QualityReport.from_json(report.to_json()).masked == report.masked
    assert "phone 1" in report.to_text()
    kept = [t for file in lake.event_files() for t in pq.ParquetFile(file).read().column(c.PROPERTIES).to_pylist()]
    assert '{"q":"red shoes","price":"199.00"}' in [text.replace(": ", ":").replace(", ", ",") for text in kept]
    everything = [*kept, *map(str, lake.read_quarantine().to_pylist())]
    everything += [file.read_text() for file in home.root.rglob("*.json")] + [
        f.read_text() for f in home.root.rglob("*.txt")
    ]
    assert [secret for secret in SECRETS if any(secret in text for text in everything)] == []
