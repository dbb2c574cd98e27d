"""``mallard audit``, ``mallard keys rotate``, and what the demo refuses."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson

from features.contracts.home import Home
from features.identity.key import IdentityKey
from serving.access.audit import Asked, AuditLog
from serving.store import check_key, create_key, open_store

NOW = int(datetime.now(UTC).timestamp())


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serving.cli", *words, "--home", str(root), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_audit_log_is_shown_and_verified(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "configs", tmp_path / "mlruns")
    log = AuditLog(home.audit, IdentityKey.of(home))
    for user in ("u1", "u2"):
        log.write(Asked("r", "k", "crm", "risk", "GET /x", [user], "recall"), datetime.now(UTC))
    shown = orjson.loads(run(tmp_path, "audit", "show", "--user", "u2").stdout)
    assert [line["users"] for line in shown] == [[log.mask("u2")]]
    assert orjson.loads(run(tmp_path, "audit", "verify").stdout)["lines"] == 2
    (file,) = home.audit.glob("*.jsonl")
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[1])
    damaged = run(tmp_path, "audit", "verify")
    assert damaged.returncode == 1
    assert f"{file.name}:1" in damaged.stderr


def test_a_key_is_rotated(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "configs", tmp_path / "mlruns")
    store = open_store(home)
    old = create_key(store, "mall", ["risk"], now=NOW)
    new = orjson.loads(run(tmp_path, "keys", "rotate", "mall", "--overlap", "1h").stdout)
    assert new["ending"] == [old.record.id]
    assert check_key(store, new["key"], now=NOW + 7200) is not None
    assert check_key(store, old.text, now=NOW + 1800) is not None
    assert check_key(store, old.text, now=NOW + 7200) is None
    store.close()
    assert run(tmp_path, "keys", "rotate", "mall", "--overlap", "soon").returncode == 2


def test_the_demo_shows_its_key_to_this_machine_only(tmp_path: Path) -> None:
    refused = run(tmp_path, "demo", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "this machine only" in refused.stderr
    assert not (tmp_path / "lake").exists()
