"""What a server process runs: the application, without what the libraries below it would load for comfort alone.

LightGBM wraps itself for scikit-learn and pandas where they are installed, and PyArrow loads pandas to look whether it
is handed a frame. A worker has arrays and tables: without the two it is ready a second sooner and 90 MB smaller.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


#: Everything else, and what libraries import at the first table that is read and the first connection.
_LATER = (
    "serving.api.app",
    "serving.api.logs",
    "serving.api.settings",
    "features.tags.rules",
    "pyarrow.dataset",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)


class _Absent(MetaPathFinder):
    """Finds no package of the given names, and lets nobody else find one."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._packages:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


@contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Within it, importing any of ``packages`` that is not loaded yet fails as if it were not installed."""
    finder = _Absent(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def load() -> None:
    """Import what a worker needs. Starts no thread and opens nothing: workers may be forked afterwards."""
    with absent("pandas", "sklearn"):
        import_module("lightgbm")
        # It looks for pandas once, at the first array that it makes.
        import_module("pyarrow").array([0])
    # Not before the lines above: names of our packages are imported when they are asked for.
    for module in _LATER:
        import_module(module)
    # Found by looking through folders, which otherwise the first bundle, tag and placement do.
    import_module("training.models.source").sources()
    import_module("features.tags.spec.registry").python_tags()
    import_module("serving.rules.registry").rules()


def app_from_environment() -> "FastAPI":
    """The factory that a server process calls: settings come from ``MALLARD_*``."""
    load()
    api = import_module("serving.api")
    settings = api.Settings.from_environment()
    api.write_logs(settings.config.logs)
    app: FastAPI = api.create_app(settings)
    return app
