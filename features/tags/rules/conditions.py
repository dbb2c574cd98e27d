"""Conditions as they stand in a rule file."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from features.contracts.durations import Duration
from features.tags.rules.located import Located, only
from features.tags.rules.rule import ALL, ANY, NOT, All, Any, Behaviour, Condition, Not, Threshold, Verb, Where
from features.tags.spec.windows import ALL_TIME, Window

_AT_LEAST: Final = "at_least"
_AT_MOST: Final = "at_most"
_WITHIN: Final = "within"
_NONE: Final = "none"  # instead of a number: no event at all
_KEYS: Final = (*Where, _AT_LEAST, _AT_MOST, _NONE, _WITHIN)
_DURATION: Final[TypeAdapter[Duration]] = TypeAdapter(Duration)


def condition_of(at: Located, what: str) -> Condition:
    """Read a condition: keys are ``all``, ``any``, ``not``, a verb, or the name of a tag; all of them must hold."""
    parts = tuple(_part(key, value) for key, value in at.mapping(what).items())
    return parts[0] if len(parts) == 1 else All(parts)


def _part(key: str, value: Located) -> Condition:
    if key == ALL:
        return All(_several(key, value))
    if key == ANY:
        return Any(_several(key, value))
    if key == NOT:
        return Not(condition_of(value, key))
    return _behaviour(Verb(key), value) if key in set(Verb) else Threshold(key, value)


def _several(key: str, value: Located) -> tuple[Condition, ...]:
    return tuple(condition_of(part, key) for part in value.sequence(key))


def _behaviour(verb: Verb, at: Located) -> Behaviour:
    if at.value == _NONE:
        return Behaviour(verb, None, (), ALL_TIME, 0, 0)
    entries = at.mapping(verb)
    only(entries, _KEYS, verb)
    named = [where for where in Where if where in entries]
    if len(named) > 1:
        raise at.error(f"{verb}: give one of {', '.join(Where)}, not {' and '.join(named)}; write two clauses")
    where = named[0] if named else None
    return Behaviour(
        verb,
        where,
        () if where is None else _words(entries[where], where),
        _window(entries[_WITHIN]) if _WITHIN in entries else ALL_TIME,
        *_bounds(entries, at, verb),
    )


def _words(at: Located, where: Where) -> tuple[str, ...]:
    parts = at.sequence(where) if isinstance(at.value, tuple) else (at,)
    return tuple(dict.fromkeys(part.text(where) for part in parts))


def _bounds(entries: dict[str, Located], at: Located, verb: Verb) -> tuple[int, int | None]:
    """Least and most events; without a word on either at least one."""
    if _NONE in entries:
        if entries[_NONE].value is not True:
            raise entries[_NONE].error(f"{verb}: '{_NONE}' can only be true; leave it out otherwise")
        if _AT_LEAST in entries or _AT_MOST in entries:
            raise at.error(f"{verb}: '{_NONE}' stands alone, without {_AT_LEAST} or {_AT_MOST}")
        return 0, 0
    most = _count(entries[_AT_MOST], _AT_MOST) if _AT_MOST in entries else None
    least = _count(entries[_AT_LEAST], _AT_LEAST) if _AT_LEAST in entries else int(most is None)
    if most is None and least == 0:
        raise entries[_AT_LEAST].error(f"{_AT_LEAST}: 0 is true of everybody; write '{_NONE}: true' for no event")
    if most is not None and most < least:
        raise entries[_AT_MOST].error(f"{_AT_MOST}: {most} is below {_AT_LEAST} {least}, so nobody can match")
    return least, most


def _count(at: Located, key: str) -> int:
    if at.value == _NONE:
        return 0
    if isinstance(at.value, int) and not isinstance(at.value, bool) and at.value >= 0:
        return at.value
    raise at.error(f"{key}: expected a whole number from 0, found {at.told}")


def _window(at: Located) -> Window:
    try:
        length = _DURATION.validate_python(at.value)
    except ValidationError:
        raise at.error(f"{_WITHIN}: {at.told} is no duration; write days or weeks such as 30d or 4w") from None
    if length.total_seconds() % 86_400:
        raise at.error(f"{_WITHIN}: {at.told} is no whole number of days; write days or weeks such as 30d or 4w")
    return Window(length.days)
