"""The interpreter, the packages, the folders and the ports. Standard library only: it must work when others do not."""

import importlib
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata

from features.contracts.home import Home
from features.contracts.identity import check_packages
from serving.cli.checkup.finding import Finding, State, examine

#: Compiled packages: that they are installed does not mean that they load.
_NATIVE = ("duckdb", "implicit", "lightgbm", "numpy", "pyarrow", "scipy", "sklearn")
_REINSTALL = "run 'make' in the project, or 'pip install .'"
_LEAST_GIB = 1.0
_NAME = re.compile(r"[\w.-]+")


def python(home: Home) -> Iterator[Finding]:
    """The interpreter and where our packages come from."""
    yield Finding("python", State.OK, f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}")
    yield examine("our packages", _our_packages)


def packages(home: Home) -> Iterator[Finding]:
    """What Mallard stands on is installed and loads."""
    missing = [name for name in _required() if not _installed(name)]
    if missing:
        yield Finding("packages", State.BROKEN, f"not installed: {', '.join(missing)}", _REINSTALL)
        return
    for name in _NATIVE:
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:
            yield Finding("packages", State.BROKEN, f"{name} does not load: {error}", _REINSTALL)
            return
    yield Finding("packages", State.OK, "all are installed and load")


def folders(home: Home) -> Iterator[Finding]:
    """Mallard can write where it has to."""
    for what, folder in (("home", home.root), ("mlruns", home.mlruns)):
        place = next(each for each in (folder.resolve(), *folder.resolve().parents) if each.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                room = os.statvfs(place)
        except OSError as error:
            yield Finding(what, State.BROKEN, f"{folder} cannot be written: {error.strerror}", "choose another folder")
            continue
        free = room.f_bavail * room.f_frsize / 2**30
        short = free < _LEAST_GIB
        yield Finding(
            what,
            State.BROKEN if short else State.OK,
            f"{folder} can be written, {free:.1f} GiB are free",
            f"make room: logs and models need at least {_LEAST_GIB:g} GiB" if short else "",
        )


def ports(home: Home) -> Iterator[Finding]:
    """The usual ports are free, or something answers there."""
    for port, what in ((8000, "serve"), (5000, "mlflow")):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            taken = probe.connect_ex(("127.0.0.1", port)) == 0
        detail = f"{port} is in use: by Mallard, or choose another with --port" if taken else f"{port} is free"
        yield Finding(f"port of {what}", State.OK, detail)


EXAMINATIONS = (python, packages, folders, ports)


def _our_packages() -> str:
    check_packages()
    return "features, training and serving are Mallard's"


def _required() -> Iterator[str]:
    for line in metadata.requires("mallard") or []:
        requirement, _, marker = line.partition(";")
        if "extra" not in marker and ("win32" not in marker or sys.platform != "win32"):
            yield _NAME.findall(requirement)[0]


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
