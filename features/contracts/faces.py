"""The face of a package whose names are imported when somebody asks for them.

A process that reads a configuration need not load LightGBM, and the one that only starts workers is ready a second
earlier. Type checkers read the imports below ``TYPE_CHECKING`` in the package instead.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` (PEP 562) of ``package``: name -> the module that defines it."""

    def get(name: str) -> Any:
        if name in places:
            return getattr(import_module(places[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
