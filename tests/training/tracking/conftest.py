"""A store of its own for every module: creating one takes a second or two."""

from pathlib import Path

import numpy as np
import pytest

from features.contracts.home import Home
from training.bundle import Manifest, write_bundle
from training.tracking import Tracker


def home_at(root: Path) -> Home:
    return Home(root=root / "var", configs=root / "configs", mlruns=root / "mlruns")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_at(tmp_path_factory.mktemp("tracked"))


@pytest.fixture(scope="module")
def tracker(home):
    return Tracker(home)


@pytest.fixture
def bundle(tmp_path):
    """Writes a small, valid bundle and returns its directory."""

    def write(kind="churn", version="v1", run_id=""):
        manifest = Manifest(kind=kind, version=version, as_of="2017-11-20", code_version="0.1.0", run_id=run_id)
        arrays = {"part/numbers": np.arange(3)}
        return write_bundle(tmp_path / version, manifest, arrays=arrays, texts={"golden.json": "[]"}).path

    return write
