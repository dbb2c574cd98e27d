import json
from pathlib import Path

import numpy as np
import pytest

from features.contracts.errors import BundleError
from training.bundle import MANIFEST, Manifest, read_bundle, write_bundle

MANIFEST_OF = Manifest(kind="recommend", version="v1", as_of="2026-01-01T00:00:00Z", code_version="0.1.0")


def write(path: Path) -> Path:
    arrays = {"als/items": np.eye(3, dtype=np.float32), "users": np.array([b"a", b"b"])}
    write_bundle(path, MANIFEST_OF, arrays=arrays, texts={"ranker.txt": "tree", "facts.json": '{"a": 1}'})
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    bundle = read_bundle(write(tmp_path / "b"))
    assert bundle.manifest.kind == "recommend"
    assert bundle.array("als/items").tolist() == np.eye(3).tolist()
    assert list(bundle.arrays("als")) == ["items"]
    assert bundle.text("ranker.txt") == "tree"
    assert bundle.json("facts.json") == {"a": 1}
    users = bundle.array("users")
    assert type(users) is np.ndarray
    assert isinstance(users.base, np.memmap)
    with pytest.raises(BundleError, match=r"lists no file 'nothing\.npy'"):
        bundle.array("nothing")


def test_a_changed_file_is_found_and_named(tmp_path: Path) -> None:
    path = write(tmp_path / "b")
    (path / "ranker.txt").write_text("another tree")
    with pytest.raises(BundleError, match=r"'ranker\.txt' does not match its checksum"):
        read_bundle(path)
    (path / "ranker.txt").unlink()
    with pytest.raises(BundleError, match=r"'ranker\.txt' is missing"):
        read_bundle(path)


def test_another_protocol_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b")
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps({**manifest, "protocol": 99}))
    with pytest.raises(BundleError, match="protocol 99"):
        read_bundle(path)


@pytest.mark.parametrize("damage", ["{half", '{"kind": "recommend"}', '{"unknown": 1}'])
def test_an_unreadable_manifest_is_refused(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "b")
    (path / MANIFEST).write_text(damage)
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        read_bundle(path)


def test_bundles_are_never_overwritten_and_never_half_written(tmp_path: Path) -> None:
    path = write(tmp_path / "b")
    with pytest.raises(BundleError, match="exists already"):
        write(path)
    with pytest.raises(ValueError, match="pickle"):
        write_bundle(tmp_path / "c", MANIFEST_OF, arrays={"bad": np.array([object()])}, texts={})
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
