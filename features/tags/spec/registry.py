"""Every declared tag by name, and the order in which tags build on each other."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from features.contracts.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:  # Tag registers itself here
    from features.tags.spec.tag import Tag

_FAMILIES = "features.tags"
_tags: dict[str, "Tag"] = {}


def register(declared: "Tag") -> None:
    """Add a tag. A name that is taken raises :class:`ConfigError`."""
    if (taken := _tags.get(declared.name)) is not None:
        raise ConfigError(
            f"tag '{declared.name}' is declared twice: in family {taken.family.name} and in {declared.family.name}"
        )
    _tags[declared.name] = declared


def catalogue() -> Mapping[str, "Tag"]:
    """Every tag by name, families in alphabetical order, tags in the order of their declaration."""
    _load_families()
    ordered = sorted(_tags.values(), key=lambda declared: declared.family.name)
    return MappingProxyType({declared.name: declared for declared in ordered})


@cache
def _load_families() -> None:
    """Import every family file, which declares its tags."""
    package = importlib.import_module(_FAMILIES)
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:
            importlib.import_module(f"{_FAMILIES}.{module.name}")


def find(name: str) -> "Tag":
    """One tag; an unknown name raises :class:`UnknownNameError` with the nearest ones."""
    _load_families()
    if name not in _tags:
        near = get_close_matches(name, _tags, n=3)
        raise UnknownNameError(f"no tag is called '{name}'" + (f"; near: {', '.join(near)}" if near else ""))
    return _tags[name]


def closure(names: Iterable[str] | None = None) -> tuple["Tag", ...]:
    """The tags and all they build on, inputs first. ``None`` means every tag.

    An unknown name raises :class:`UnknownNameError`; a circle raises :class:`ConfigError` naming its members.
    """
    done: dict[str, Tag] = {}
    for name in catalogue() if names is None else names:
        _visit(find(name), done, ())
    return tuple(done.values())


def _visit(declared: "Tag", done: dict[str, "Tag"], path: tuple[str, ...]) -> None:
    if declared.name in done:
        return
    if declared.name in path:
        circle = (*path[path.index(declared.name) :], declared.name)
        raise ConfigError(f"tags build on each other in a circle: {' -> '.join(circle)}")
    for name in declared.inputs:
        try:
            needed = find(name)
        except UnknownNameError as error:
            raise UnknownNameError(f"tag '{declared.name}' builds on '{name}': {error}") from error
        _visit(needed, done, (*path, declared.name))
    done[declared.name] = declared


@contextmanager
def registered(*tags: "Tag") -> Iterator[None]:
    """Add tags inside the block only, for tests and previews."""
    _load_families()
    before = dict(_tags)
    try:
        for declared in tags:
            register(declared)
        yield
    finally:
        _tags.clear()
        _tags.update(before)
