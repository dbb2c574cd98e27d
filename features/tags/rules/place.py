"""Where in the catalogue a rule stands: its family and its dimension."""

from typing import Final

from features.tags.rules.located import Located, near, only
from features.tags.spec.registry import python_tags
from features.tags.spec.vocabulary import Dimension, Family

RULES: Final = Family("rules", "规则", "What the mall itself decided to know of its users, written in configs/tags.")

#: Keys that say the place, of a file or of a rule.
PLACE: Final = ("family", "dimension")


def place_of(entries: dict[str, Located], default: Dimension) -> Dimension:
    """The dimension that the keys name: one of the catalogue, or a new one of their family.

    A new family is written ``{name, zh, about}``, a new dimension ``{name, en, zh}``.
    """
    family = _family(entries["family"]) if "family" in entries else None
    if "dimension" not in entries:
        return default if family is None else family.whole
    return _dimension(entries["dimension"], family, default.family)


def needed(at: Located, key: str, what: str) -> Located:
    """The value of a key that must stand there."""
    entries = at.mapping(what)
    if key not in entries:
        raise at.error(f"{what}: needs the key '{key}'")
    return entries[key]


def _family(at: Located) -> Family:
    known = {tag.family.name: tag.family for tag in python_tags().values()} | {RULES.name: RULES}
    if not isinstance(at.value, dict):
        return known[_known(at, "family", known, "name, zh and about")]
    name, zh, about = _new(at, "family", ("name", "zh", "about"), known)
    return Family(name, zh, about)


def _dimension(at: Located, family: Family | None, default: Family) -> Dimension:
    known = {
        tag.dimension.name: tag.dimension
        for tag in python_tags().values()
        if family is None or tag.family.name == family.name
    }
    if not isinstance(at.value, dict):
        return known[_known(at, "dimension", known, "name, en and zh")]
    name, en, zh = _new(at, "dimension", ("name", "en", "zh"), known)
    return (family or default).dimension(name, en, zh)


def _known(at: Located, what: str, known: dict[str, Family] | dict[str, Dimension], new: str) -> str:
    name = at.text(what)
    if name not in known:
        told = near(name, known) or f"; known are {', '.join(sorted(known))}"
        raise at.error(f"{what}: there is no '{name}'{told}; a new one needs {new}")
    return name


def _new(at: Located, what: str, keys: tuple[str, str, str], known: object) -> tuple[str, str, str]:
    only(at.mapping(what), keys, what)
    first, second, third = (needed(at, key, what).text(f"{what} {key}") for key in keys)
    if isinstance(known, dict) and first in known:
        raise at.error(f"{what}: '{first}' is there already; give its name alone")
    return first, second, third
