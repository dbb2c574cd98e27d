from pathlib import Path

import numpy as np
import pytest

from features.contracts.errors import BundleError, MissingStateError
from features.contracts.home import Home
from training.bundle import Manifest, write_bundle
from training.deployment import deploy, live, pointer, rollback


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(root=tmp_path / "var", configs=tmp_path / "configs", mlruns=tmp_path / "mlruns")


def bundle(tmp_path: Path, version: str, kind: str = "recommend") -> Path:
    path = tmp_path / f"{kind}-{version}"
    manifest = Manifest(kind=kind, version=version, as_of="2026-01-01T00:00:00Z", code_version="0.1.0")
    write_bundle(path, manifest, arrays={"a": np.arange(3)}, texts={})
    return path


def test_nothing_is_live_before_the_first_deployment(home: Home) -> None:
    assert live(home, "recommend") is None
    with pytest.raises(MissingStateError, match="no earlier 'recommend' deployment"):
        rollback(home, "recommend")


def test_deploy_flips_one_pointer_and_rollback_goes_back(home: Home, tmp_path: Path) -> None:
    deploy(home, bundle(tmp_path, "v1"))
    deploy(home, bundle(tmp_path, "c1", kind="churn"))
    flipped = deploy(home, bundle(tmp_path, "v2"))
    assert (flipped.version, flipped.previous) == ("v2", "v1")
    assert live(home, "recommend") == home.bundles / "recommend" / "v2"
    back = rollback(home, "recommend")
    assert (back.version, back.previous) == ("v1", "v2")
    assert live(home, "recommend") == home.bundles / "recommend" / "v1"
    assert live(home, "churn") == home.bundles / "churn" / "c1"


def test_a_damaged_bundle_leaves_the_live_one_alone(home: Home, tmp_path: Path) -> None:
    deploy(home, bundle(tmp_path, "v1"))
    inode = pointer(home).stat().st_ino
    damaged = bundle(tmp_path, "v2")
    (damaged / "a.npy").write_bytes(b"nonsense")
    with pytest.raises(BundleError, match=r"'a\.npy' does not match"):
        deploy(home, damaged)
    assert live(home, "recommend") == home.bundles / "recommend" / "v1"
    assert pointer(home).stat().st_ino == inode


def test_deploying_the_live_version_again_keeps_the_way_back(home: Home, tmp_path: Path) -> None:
    deploy(home, bundle(tmp_path, "v1"))
    second = bundle(tmp_path, "v2")
    deploy(home, second)
    deploy(home, second)
    assert rollback(home, "recommend").version == "v1"


def test_a_broken_pointer_is_named(home: Home) -> None:
    home.bundles.mkdir(parents=True)
    pointer(home).write_text("{")
    with pytest.raises(BundleError, match=r"live\.json"):
        live(home, "recommend")
