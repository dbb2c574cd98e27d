"""One rule per file. A new file is found by itself."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from features.traffic.rule import Rule, registered

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

RULES: Final[dict[str, Rule]] = registered()
"""Every rule by name."""

__all__ = ["RULES"]
