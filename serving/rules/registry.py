"""Finds every rule of this package, so that adding a file is all it takes."""

import importlib
import pkgutil
from functools import cache

import serving.rules as package
from features.contracts.errors import UnknownNameError
from serving.rules.rule import Rule


@cache
def rules() -> dict[str, type[Rule]]:
    """Every rule by name, in alphabetical order. Two of one name raise ``ValueError``."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    found: dict[str, type[Rule]] = {}
    pending = list(Rule.__subclasses__())
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if "name" not in cls.__dict__ or not cls.__module__.startswith(f"{package.__name__}."):
            continue
        if cls.name in found:
            raise ValueError(f"two rules are called {cls.name!r}: {found[cls.name]} and {cls}")
        found[cls.name] = cls
    return dict(sorted(found.items()))


def rule_class(name: str) -> type[Rule]:
    """The rule called ``name``; raises :class:`UnknownNameError` that lists the known ones."""
    try:
        return rules()[name]
    except KeyError:
        raise UnknownNameError(f"there is no rule '{name}'; the rules are {', '.join(rules())}") from None
