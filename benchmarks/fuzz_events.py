"""A hundred thousand malformed event rows against a running server: each is accepted, or named with its error.

    mallard keys create fuzz --scope ingest
    python benchmarks/fuzz_events.py --url http://127.0.0.1:8000 --key KEY --rows 100000 --seed 1

Rows begin as good events; fields are then dropped, added, or filled with nonsense. Ends with 1 when a call fails, an
answer leaves a row out, or a rejected row names no field.
"""

import argparse
import collections
import json
import random
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

NONSENSE: list[Any] = [
    None, "", " ", "\u0000", "💥" * 50, "x" * 10_000, -1, 0, 1e308, -1e308, 2**63, True, [], [1], {}, {"a": {"b": [1]}},
    "2026-13-45", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1e400", "../../etc",
    "'; DROP TABLE events; --", "\ud7ff",
]  # fmt: skip
FIELDS = ["event_id", "event_type", "user_id", "anonymous_id", "item_id", "occurred_at", "received_at", "session_id",
          "channel", "placement", "request_id", "quantity", "amount", "currency", "order_id", "properties"]  # fmt: skip
BATCH = 500


def main() -> None:
    """Send, and count what came back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)
    came: collections.Counter[str] = collections.Counter()
    faults: list[str] = []
    for start in range(0, chosen.rows, BATCH):
        rows = [malformed(chance, start + place) for place in range(BATCH)]
        status, answer = post(f"{chosen.url}/v1/events", chosen.key, rows)
        came[f"calls answered {status}"] += 1
        if status != 200:
            faults.append(f"rows from {start}: {status} {str(answer)[:200]}")
            continue
        results = answer["results"]
        if [result["index"] for result in results] != list(range(BATCH)):
            faults.append(f"rows from {start}: {len(results)} of {BATCH} have a result")
        for result in results:
            came[result["status"]] += 1
            if result["status"] == "rejected" and not (
                result.get("field") or result.get("errors") or result.get("reason")
            ):
                faults.append(f"row {start + result['index']}: rejected without a field: {result}")
    print(json.dumps({"rows": chosen.rows, **came, "faults": len(faults), "first_faults": faults[:5]}))
    sys.exit(1 if faults else 0)


def malformed(chance: random.Random, number: int) -> dict[str, Any]:
    """A good event, spoilt in one to four places."""
    row: dict[str, Any] = {
        "event_id": f"f{number}", "event_type": "view", "user_id": "u1", "item_id": "i1",
        "occurred_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    for _ in range(chance.randint(1, 4)):
        field = chance.choice(FIELDS)
        kind = chance.randrange(4)
        if kind == 0:
            row.pop(field, None)
        elif kind == 1:
            row[chance.choice(["", "unknown", "User_ID", "event id"])] = chance.choice(NONSENSE)
        else:
            row[field] = chance.choice(NONSENSE)
    return row


def post(url: str, key: str, rows: list[dict[str, Any]]) -> tuple[int, Any]:
    """Status and answer of one call."""
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps({"events": rows}).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(errors="replace")


if __name__ == "__main__":
    main()
