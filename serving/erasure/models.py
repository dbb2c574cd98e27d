"""Models that were trained while a person was there."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from features.contracts.home import Home
from features.contracts.ids import IdMap
from serving.erasure.receipt import Kept
from training.bundle import MANIFEST

_USERS = "users.npy"


def kept_models(home: Home, users: Collection[str]) -> tuple[Kept, ...]:
    """Bundles, deployed or registered with MLflow, whose files hold an id of ``users``."""
    deployed = _holding(home.bundles, users, "deployed")
    return (*deployed, *_holding(home.mlruns, users, "tracked"))


def _holding(root: Path, users: Collection[str], where: str) -> Iterator[Kept]:
    for file in sorted(root.rglob(_USERS)):
        manifest = file.with_name(MANIFEST)
        if not manifest.exists():
            continue
        known = IdMap.from_array(np.load(file, mmap_mode="r", allow_pickle=False))
        if any(user in known for user in users):
            told = json.loads(manifest.read_text(encoding="utf-8"))
            yield Kept(kind=told["kind"], version=told["version"], where=where)
