"""One check per file. A new file is found by itself."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from features.quality.check import Check, registered

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

CHECKS: Final[dict[str, Check]] = registered()
"""Every check by name. A row that breaks several is counted under the first of this order."""

__all__ = ["CHECKS"]
