"""Every declared tag by name, and the order in which tags build on each other."""

import importlib
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from features.contracts.errors import ConfigError, UnknownNameError
from features.contracts.rule_files import RuleFiles, rule_files
from features.contracts.tag_settings import DEFAULTS, TagSettings, tag_settings

if TYPE_CHECKING:  # Tag registers itself here
    from features.tags.spec.tag import Tag

_FAMILIES = "features.tags"
_RULES = "features.tags.rules"


@dataclass
class _State:
    """What is declared, and which of it comes from which rule files."""

    tags: dict[str, "Tag"] = field(default_factory=dict)
    rules: frozenset[str] = frozenset()
    files: RuleFiles | None = None
    settings: TagSettings = DEFAULTS


_state = _State()


def register(declared: "Tag") -> None:
    """Add a tag. A name that is taken raises :class:`ConfigError`."""
    if (taken := _state.tags.get(declared.name)) is not None:
        raise ConfigError(
            f"tag '{declared.name}' is declared twice: in family {taken.family.name} and in {declared.family.name}"
        )
    _state.tags[declared.name] = declared


def catalogue() -> Mapping[str, "Tag"]:
    """Every tag by name, families in alphabetical order, tags in the order of their declaration.

    Rule tags of :func:`features.contracts.rule_files.rule_files` are among them; steps of rules are not. A rule file
    that is wrong raises :class:`ConfigError`.
    """
    _load()
    ordered = sorted(_state.tags.values(), key=lambda declared: declared.family.name)
    return MappingProxyType({declared.name: declared for declared in ordered if not declared.hidden})


def python_tags() -> Mapping[str, "Tag"]:
    """The tags that are declared in Python, by name: what rules may build on."""
    _load_families()
    return {name: declared for name, declared in _state.tags.items() if name not in _state.rules}


def is_rule(name: str) -> bool:
    """Whether the tag comes from a rule file."""
    _load()
    return name in _state.rules


def _load() -> None:
    """Make sure that all families are declared, and that the rules are those of the files now in use."""
    _load_families()
    _settle()
    files = rule_files()
    if files is _state.files:
        return
    declared: Collection[Tag] = importlib.import_module(_RULES).read_tags(files.files()) if files.files() else ()
    # Bound anew rather than changed in place: another thread may be walking over the one before.
    python = {name: tag for name, tag in _state.tags.items() if name not in _state.rules}
    _state.tags = python | {tag.name: tag for tag in declared}
    _state.rules, _state.files = frozenset(tag.name for tag in declared), files


def _settle() -> None:
    """Make the settings in use part of every tag, so that nothing compiled under others is taken for it."""
    settings = tag_settings()
    if settings != _state.settings:
        _state.tags = {name: replace(tag, settings=settings) for name, tag in _state.tags.items()}
        _state.settings = settings


@cache
def _load_families() -> None:
    """Import every family file, which declares its tags."""
    package = importlib.import_module(_FAMILIES)
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:
            importlib.import_module(f"{_FAMILIES}.{module.name}")


def find(name: str) -> "Tag":
    """One tag; an unknown name raises :class:`UnknownNameError` with the nearest ones."""
    _load()
    if name not in _state.tags:
        near = get_close_matches(name, catalogue(), n=3)
        raise UnknownNameError(f"no tag is called '{name}'" + (f"; near: {', '.join(near)}" if near else ""))
    return _state.tags[name]


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
    _load()
    before = replace(_state)
    _state.tags = dict(_state.tags)
    try:
        for declared in tags:
            register(declared)
        yield
    finally:
        _state.tags, _state.rules, _state.files = before.tags, before.rules, before.files
