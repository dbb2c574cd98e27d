"""The artifact that training writes and serving loads: a directory that anyone can read without running code.

::

    manifest.json      protocol, kind, version, as_of, run id, tag-spec hash, code version, SHA-256 per file, payload
    *.npy              arrays, memory-mapped by every worker
    *.txt  *.json      LightGBM models as text, small tables
    golden.json        inputs and the outputs they must give, replayed at load

Nothing is pickled. A bundle is written beside its final place and renamed, so it is whole or absent.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features.contracts.errors import BundleError

PROTOCOL = 1
MANIFEST = "manifest.json"
GOLDEN = "golden.json"


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself."""

    kind: str  # "recommend" or "churn"
    version: str  # unique; what answers carry as ``model_version``
    as_of: str  # ISO 8601; the moment up to which the model has seen data
    code_version: str
    tag_spec: str = ""  # hash of the tag declarations the model reads; "" when it reads none
    run_id: str = ""  # MLflow run
    payload: dict[str, Any] = field(default_factory=dict)  # what the kind itself needs to load
    files: dict[str, str] = field(default_factory=dict)  # relative name -> SHA-256
    created_at: str = ""
    protocol: int = PROTOCOL


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose checksums were found right."""

    path: Path
    manifest: Manifest

    def array(self, name: str) -> npt.NDArray[Any]:
        """An array, memory-mapped read-only. ``name`` without ``.npy``; ``/`` separates parts."""
        file = self._member(f"{name}.npy")
        # A plain array over the same map: numpy takes several times as long over each small part of a ``memmap``.
        return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))

    def arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """All arrays below ``prefix/`` by their remaining name."""
        start = f"{prefix}/"
        names = [n for n in self.manifest.files if n.startswith(start) and n.endswith(".npy")]
        return {n[len(start) : -4]: self.array(n[:-4]) for n in names}

    def text(self, name: str) -> str:
        return self._member(name).read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        return json.loads(self.text(name))

    def _member(self, name: str) -> Path:
        if name not in self.manifest.files:
            raise BundleError(f"bundle {self.path}: the manifest lists no file '{name}'")
        return self.path / name


def write_bundle(
    path: Path,
    manifest: Manifest,
    *,
    arrays: Mapping[str, npt.NDArray[Any]],
    texts: Mapping[str, str],
) -> Bundle:
    """Write a bundle to ``path``, which must not exist. ``texts`` maps file names to content."""
    if path.exists():
        raise BundleError(f"bundle {path} exists already; bundles are never overwritten")
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.parent / f".{path.name}.{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        for name, array in arrays.items():
            target = staging / f"{name}.npy"
            target.parent.mkdir(parents=True, exist_ok=True)
            np.save(target, array, allow_pickle=False)
        for name, content in texts.items():
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        files = {f.relative_to(staging).as_posix(): _sha256(f) for f in sorted(staging.rglob("*")) if f.is_file()}
        whole = Manifest(**{**vars(manifest), "files": files, "created_at": datetime.now(UTC).isoformat()})
        (staging / MANIFEST).write_text(json.dumps(vars(whole), indent=1, sort_keys=True), encoding="utf-8")
        staging.replace(path)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return Bundle(path, whole)


def read_bundle(path: Path) -> Bundle:
    """Open a bundle and verify its protocol and every checksum.

    Raises :class:`BundleError` that names the bundle and the file at fault.
    """
    try:
        raw = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**raw)
    except FileNotFoundError:
        raise BundleError(f"bundle {path}: there is no {MANIFEST}") from None
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(f"bundle {path}: {MANIFEST} cannot be read: {error}") from error
    if manifest.protocol != PROTOCOL:
        raise BundleError(
            f"bundle {path} has protocol {manifest.protocol}; this version of Mallard reads protocol {PROTOCOL}. "
            "Train again, or run the version that wrote it."
        )
    for name, expected in manifest.files.items():
        file = path / name
        if not file.is_file():
            raise BundleError(f"bundle {path}: file '{name}' is missing")
        if _sha256(file) != expected:
            raise BundleError(f"bundle {path}: file '{name}' does not match its checksum; it was damaged or changed")
    return Bundle(path, manifest)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
