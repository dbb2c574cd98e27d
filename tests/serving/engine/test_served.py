"""The log of lists that chance had a part in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

from serving.engine.asking import Recommendation, RecommendedItem
from serving.engine.served import SERVED_SCHEMA, ServedLog, read_served
from serving.rules import Text

NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)


def answer(number: int, items: int = 2) -> Recommendation:
    shown = tuple(
        RecommendedItem(f"商品{k}", None if k else 1.5, "repeat", Text("", ""), propensity=0.9) for k in range(items)
    )
    return Recommendation(f"r{number}", "v1", "u1", "home", True, True, (), shown)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log = ServedLog(tmp_path / "served", 30)
    log.write(answer(1), "click", NOON)
    log.write(answer(2, items=0), "click", NOON)
    log.close()
    table = read_served(tmp_path / "served", FIRST, LAST)
    assert table.schema == SERVED_SCHEMA
    first, second = table.to_pylist()
    assert first == {
        "request_id": "r1",
        "served_at": datetime.fromtimestamp(NOON, UTC),
        "placement": "home",
        "target": "click",
        "model_version": "v1",
        "place": 1,
        "item_id": "商品0",
        "source": "repeat",
        "score": 1.5,
        "propensity": 0.9,
    }
    assert (second["place"], second["score"]) == (2, None)
    assert "u1" not in (tmp_path / "served" / "2026-06-01.jsonl").read_text(encoding="utf-8")


def test_workers_and_threads_write_whole_lines_to_one_file(tmp_path: Path) -> None:
    logs = [ServedLog(tmp_path, 30) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda k: logs[k % 3].write(answer(k, items=20), "click", NOON), range(300)))
    assert read_served(tmp_path, FIRST, LAST).num_rows == 6000


def test_old_days_go_and_days_can_be_chosen(tmp_path: Path) -> None:
    log = ServedLog(tmp_path, 2)
    for day in range(4):
        log.write(answer(day), "click", NOON + day * 86_400)
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["2026-06-02", "2026-06-03", "2026-06-04"]
    chosen = read_served(tmp_path, date(2026, 6, 3), date(2026, 6, 3))
    assert set(chosen["request_id"].to_pylist()) == {"r2"}


def test_a_line_that_a_crash_cut_off_is_passed_over(tmp_path: Path) -> None:
    log = ServedLog(tmp_path, 30)
    log.write(answer(1), "click", NOON)
    with (tmp_path / "2026-06-01.jsonl").open("ab") as file:
        file.write(b'{"request_id": "r2", "ser')
    assert read_served(tmp_path, FIRST, LAST).num_rows == 2


def test_it_can_be_switched_off_and_nobody_waits_for_a_broken_disk(tmp_path: Path) -> None:
    ServedLog(tmp_path / "off", 0).write(answer(1), "click", NOON)
    assert not (tmp_path / "off").exists()
    (tmp_path / "file").write_text("", encoding="utf-8")
    ServedLog(tmp_path / "file", 30).write(answer(1), "click", NOON)
    assert read_served(tmp_path / "off", FIRST, LAST).num_rows == 0
