"""Where a figure comes from: the code and the machine that made it."""

import os
import platform
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def code_version(root: Path = _ROOT) -> str:
    """The short hash of the checked-out commit, or the version of the installed distribution."""
    return _commit(root) or _installed_version()


def machine() -> str:
    """Processor, cores, memory, system and Python in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.1f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def _commit(root: Path) -> str:
    """Read the hash from the ``.git`` folder; git itself need not be there."""
    git = root / ".git"
    if git.is_file():  # a linked worktree names its folder
        git = root / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    head = git / "HEAD"
    if not (head.is_file() and (root / "pyproject.toml").is_file()):
        return ""
    content = head.read_text(encoding="utf-8").strip()
    if not content.startswith("ref:"):
        return content[:7]
    name = content.removeprefix("ref:").strip()
    common = git / "commondir"
    store = git / common.read_text(encoding="utf-8").strip() if common.is_file() else git
    if (store / name).is_file():
        return (store / name).read_text(encoding="utf-8").strip()[:7]
    packed = store / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line[:7] for line in lines if line.endswith(f" {name}")), "")


def _installed_version() -> str:
    try:
        return metadata.version("mallard")
    except metadata.PackageNotFoundError:
        return "unknown"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"
