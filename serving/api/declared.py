"""What a route declares, worked out once: which parameters it takes, what has to be called before it, in which order.

The framework keeps it as a tree (``Dependant``) and walks through that tree at every call, asking of every parameter
what kind it is. The tree does not change while a worker lives.
"""

from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from inspect import iscoroutinefunction
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import parse_qsl

from fastapi import Request, params
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_SINGLE = (str, int, float, NoneType)


class UndeclarableError(TypeError):
    """A route declares something that only the framework reads."""


class NotAsDeclaredError(Exception):
    """A call is not what the route declares."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that is called before the route."""

    call: Callable[..., Awaitable[Any]]
    takes: tuple[tuple[str, int], ...]
    """Its arguments: results of steps before it."""
    request_name: str | None


class Dependencies:
    """What a route depends on, in an order in which each has what it takes. Nothing is called twice."""

    def __init__(self, dependant: Dependant) -> None:
        self._steps: list[_Step] = []
        self._places: dict[Any, int] = {}
        self._named = self._add_below(dependant)

    def _add_below(self, dependant: Dependant) -> tuple[tuple[str, int], ...]:
        places = [(below.name, self._place(below)) for below in dependant.dependencies]
        return tuple((name, place) for name, place in places if name is not None)

    def _place(self, dependant: Dependant) -> int:
        call = dependant.call
        known = self._places.get(call)
        if known is not None:
            return known
        own = (*dependant.path_params, *dependant.query_params, *dependant.body_params)
        if call is None or own or not _is_plain(dependant) or not _is_coroutine(call):
            raise UndeclarableError(f"{call} is not a coroutine of a request and of other such coroutines")
        takes = self._add_below(dependant)
        self._steps.append(_Step(call, takes, dependant.request_param_name or dependant.http_connection_param_name))
        self._places[call] = len(self._steps) - 1
        return self._places[call]

    async def solve(self, request: Request) -> dict[str, Any]:
        """The arguments that the route gets of them."""
        made: list[Any] = []
        for step in self._steps:
            arguments: dict[str, Any] = {name: made[place] for name, place in step.takes}
            if step.request_name is not None:
                arguments[step.request_name] = request
            made.append(await step.call(**arguments))
        return {name: made[place] for name, place in self._named}


class Parameters:
    """What a route reads of path, query and body, each by the type that the document shows for it."""

    def __init__(self, route: APIRoute) -> None:
        dependant, body = route.dependant, route.body_field
        if not _is_plain(dependant):
            raise UndeclarableError(f"{route.path} takes headers, cookies or parts of the framework")
        self._path = [_checked(field) for field in dependant.path_params]
        self._query = [field for field in dependant.query_params if _fields(field) is None]
        self._models = [(field, names) for field in dependant.query_params if (names := _fields(field)) is not None]
        for field in self._query:
            _checked(field)
        if body is not None and (dependant.body_params != [body] or isinstance(body.field_info, params.Form)):
            raise UndeclarableError(f"{route.path} takes more than one body, or a form")
        self._body = body

    @property
    def takes_body(self) -> bool:
        """Whether there is a body to be read."""
        return self._body is not None

    def read(self, path: Mapping[str, Any], query: bytes, body: Any) -> dict[str, Any]:
        """The arguments that the route gets of ``path``, of the ``query`` as it came, and of the parsed ``body``.

        Raises :class:`NotAsDeclaredError` for whatever is missing or wrong.
        """
        values = {field.name: _read(field, path) for field in self._path}
        if self._query or self._models:
            # Of a parameter that is given twice the last counts; so it does for the framework.
            given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
            for field in self._query:
                values[field.name] = _read(field, given)
            for field, names in self._models:
                values[field.name] = _valid(field, {name: given[name] for name in names & given.keys()})
        if self._body is not None:
            values[self._body.name] = _valid(self._body, body)
        return values


def _read(field: ModelField, given: Mapping[str, Any]) -> Any:
    if field.name in given:
        return _valid(field, given[field.name])
    if field.field_info.is_required():
        raise NotAsDeclaredError
    return field.field_info.default


def _valid(field: ModelField, value: Any) -> Any:
    valid, errors = field.validate(value)
    if errors:
        raise NotAsDeclaredError
    return valid


def _checked(field: ModelField) -> ModelField:
    """The ``field``, if it is read from one text of its own name."""
    _check(field.name, field.field_info)
    return field


def _fields(field: ModelField) -> Set[str] | None:
    """The parameters that one model stands for; None for a parameter that is no model."""
    model = field.field_info.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    for name, info in model.model_fields.items():
        _check(name, info)
    if model.model_config.get("extra", "ignore") != "ignore":
        raise UndeclarableError(f"{model.__name__} looks at parameters that it does not declare")
    return model.model_fields.keys()


def _check(name: str, info: FieldInfo) -> None:
    if not _is_single(info.annotation) or {info.alias, info.validation_alias} - {None, name}:
        raise UndeclarableError(f"the parameter '{name}' has several values or another name")
    if info.default_factory is not None or info.validate_default:
        raise UndeclarableError(f"the default of the parameter '{name}' is made for each call")


def _is_single(kind: Any) -> bool:
    """Whether it is read from one text."""
    parts = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
    plain = [get_args(part)[0] if get_origin(part) is Annotated else part for part in parts]
    return all(isinstance(part, type) and issubclass(part, _SINGLE) for part in plain)


def _is_plain(dependant: Dependant) -> bool:
    """Whether nothing but parameters, body, request and other dependencies is asked for."""
    return not (
        dependant.header_params
        or dependant.cookie_params
        or dependant.websocket_param_name
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
    )


def _is_coroutine(call: Callable[..., Any]) -> bool:
    return iscoroutinefunction(call) or iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
