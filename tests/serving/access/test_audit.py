"""The audit log: what was done to it shows."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from features.identity.key import IdentityKey
from serving.access.audit import Asked, AuditDamagedError, AuditLog

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"

WRITE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from features.identity.key import IdentityKey
from serving.access.audit import Asked, AuditLog
log = AuditLog(Path(sys.argv[1]), IdentityKey(lambda: b"0123456789abcdef0123456789abcdef"))
for number in range(100):
    log.write(Asked(str(number), "k", "crm", "risk", "GET /x", ["u"], None), datetime(2026, 1, 1, tzinfo=UTC))
"""


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path, IdentityKey(lambda: KEY))
    for day in range(2):
        for number in range(3):
            asked = Asked(
                f"r{day}{number}", "k1", "crm", "risk", "GET /v1/users/{user_id}/churn", ["user-77"], "recall"
            )
            log.write(asked, NOON + timedelta(days=day))
    return log


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def test_lines_say_who_asked_and_why_and_hide_the_user(log: AuditLog, tmp_path: Path) -> None:
    lines = list(log.lines())
    assert [line["request_id"] for line in lines] == ["r00", "r01", "r02", "r10", "r11", "r12"]
    assert lines[0]["caller"] == "crm"
    assert lines[0]["purpose"] == "recall"
    assert lines[0]["users"] == [log.mask("user-77")]
    assert log.mask("user-77") != AuditLog(tmp_path, IdentityKey(lambda: KEY[::-1])).mask("user-77")
    assert [file.name for file in files(tmp_path)] == ["2026-01-01.jsonl", "2026-01-02.jsonl"]
    assert all(b"user-77" not in file.read_bytes() for file in files(tmp_path))


def test_a_whole_log_is_whole(log: AuditLog) -> None:
    count, head = log.verify()
    assert count == 6
    assert log.verify(head) == (6, head)


@pytest.mark.parametrize("file", [0, 1])
@pytest.mark.parametrize("line", [0, 1])
def test_a_line_taken_out_shows(log: AuditLog, tmp_path: Path, file: int, line: int) -> None:
    target = files(tmp_path)[file]
    lines = target.read_bytes().splitlines(keepends=True)
    target.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    with pytest.raises(AuditDamagedError, match=f"{target.name}:{line + 1}"):
        log.verify()


def test_a_changed_line_and_a_missing_day_show(log: AuditLog, tmp_path: Path) -> None:
    first, second = files(tmp_path)
    kept = first.read_bytes()
    first.write_bytes(kept.replace(b'"crm"', b'"abc"', 1))
    with pytest.raises(AuditDamagedError, match=r"2026-01-01\.jsonl:1"):
        log.verify()
    first.unlink()
    with pytest.raises(AuditDamagedError, match=f"{second.name}:1"):
        log.verify()


def test_a_cut_end_shows_against_a_noted_chain(log: AuditLog, tmp_path: Path) -> None:
    _, head = log.verify()
    last = files(tmp_path)[-1]
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    assert log.verify()[0] == 5
    with pytest.raises(AuditDamagedError, match="cut off"):
        log.verify(head)


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    log = AuditLog(tmp_path, IdentityKey(lambda: KEY))
    assert log.verify()[0] == 200
    assert all(orjson.loads(line)["call"] == "GET /x" for line in files(tmp_path)[0].read_bytes().splitlines())
