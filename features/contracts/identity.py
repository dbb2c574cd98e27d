"""Makes sure that ``features``, ``training`` and ``serving`` are Mallard's own packages.

The names are common words: another distribution, or a stray folder on ``sys.path``, can shadow them.
"""

import importlib

from features.contracts.errors import ForeignPackageError

PACKAGES = ("features", "training", "serving")


def check_packages(names: tuple[str, ...] = PACKAGES) -> None:
    """Raise :class:`ForeignPackageError` when a package of ours resolves to somebody else's."""
    for name in names:
        module = importlib.import_module(name)
        if not getattr(module, "__mallard__", False):
            where = getattr(module, "__file__", None) or ", ".join(getattr(module, "__path__", []))
            raise ForeignPackageError(
                f"the Python package '{name}' is not Mallard's: it comes from {where}. "
                "Uninstall the other distribution or run Mallard from its own virtual environment."
            )
