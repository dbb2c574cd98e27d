"""A home of its own for every test, and ``mallard`` called inside this process."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from features.contracts.home import Home
from serving.cli import program
from training.bundle import Manifest, write_bundle
from training.tracking import Tracker

MAPPING = """\
columns: {user_id: uid, item_id: sku, occurred_at: at, event_type: what, amount: paid}
event_map: {buy: purchase, look: view}
"""

ROWS = """\
uid,sku,at,what,paid
u1,i1,2026-01-01T10:00:00Z,look,
u1,i1,2026-01-02T10:00:00Z,buy,9.5
u2,i2,2026-01-02T11:00:00Z,buy,20
u2,i1,2026-01-05T09:00:00Z,look,
"""


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = Home(root=tmp_path / "var", configs=tmp_path / "configs", mlruns=tmp_path / "mlruns")
    monkeypatch.setenv("MALLARD_HOME", str(home.root))
    monkeypatch.setenv("MALLARD_CONFIGS", str(home.configs))
    monkeypatch.setenv("MALLARD_MLRUNS", str(home.mlruns))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture(scope="session")
def blank_store(tmp_path_factory):
    """An MLflow database without runs: creating one takes seconds, copying it does not."""
    root = tmp_path_factory.mktemp("blank")
    Tracker(Home(root=root, configs=root, mlruns=root))
    return root / "mlflow.db"


@pytest.fixture
def tracked(home, blank_store):
    """``home`` with an MLflow database in place."""
    home.mlruns.mkdir()
    shutil.copy(blank_store, home.mlruns)
    return home


@pytest.fixture
def mallard(home):
    """Call ``mallard`` with arguments and get its exit code, output and errors."""

    def call(*arguments):
        result = CliRunner().invoke(program, [str(a) for a in arguments])
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def log(tmp_path):
    """A small log with columns of its own, and the mapping to read it."""
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    return tmp_path / "log.csv"


@pytest.fixture
def filled(mallard, log):
    """``mallard`` over a home whose lake holds the small log."""
    assert mallard("ingest", log, "--mapping", log.with_name("mapping.yaml")).code == 0
    return mallard


@pytest.fixture
def bundle(tmp_path):
    """Writes a small, valid bundle and returns its directory."""

    def write(kind="churn", version="v1") -> Path:
        manifest = Manifest(kind=kind, version=version, as_of="2026-01-05", code_version="0.1.0")
        folder = tmp_path / "made" / kind / version
        return write_bundle(folder, manifest, arrays={"n": np.arange(3)}, texts={"golden.json": "[]"}).path

    return write
