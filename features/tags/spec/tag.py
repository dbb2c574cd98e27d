"""The declaration of a tag."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from features.contracts.errors import ConfigError
from features.contracts.tag_settings import DEFAULTS, TagSettings
from features.tags.spec.base import Base
from features.tags.spec.columns import Lineage
from features.tags.spec.registry import register
from features.tags.spec.vocabulary import Dimension, Dtype, Family, Kind, Privacy, Value
from features.tags.spec.windows import ALL_TIME, Window, windows

Expression = Callable[..., Value]
ExpressionT = TypeVar("ExpressionT", bound=Expression)


@dataclass(frozen=True)
class Tag:
    """One column of the tag table: what it says, and the expression that computes it.

    ``base`` is the table the expression reads, and ``inputs`` are the tags of other users that its rows depend on. For
    a tag derived from other tags ``base`` is ``None`` and ``inputs`` names them in the order of the function's
    parameters.
    """

    name: str
    dimension: Dimension
    kind: Kind
    window: Window
    privacy: Privacy
    title: str
    title_zh: str
    description: str
    base: type[Base] | None
    inputs: tuple[str, ...]
    #: The value of a user depends on the other users (a rank among them, what those did whom he invited).
    of_population: bool
    expression: Expression = field(repr=False)
    #: In Chinese, where there is one.
    description_zh: str = ""
    #: Built where another tag needs it, but no column of the tag table: a step of a rule.
    hidden: bool = False
    #: The thresholds of the mall under which the expression is compiled.
    settings: TagSettings = field(default=DEFAULTS, repr=False)

    @property
    def family(self) -> Family:
        return self.dimension.family

    @property
    def dtype(self) -> Dtype:
        return self.kind.dtype

    @property
    def numeric(self) -> bool:
        return self.dtype in (Dtype.WHOLE, Dtype.REAL)

    def lineage(self) -> Lineage:
        """The event types and columns that the expression itself reads; inputs have their own."""
        if self.base is None:
            return Lineage()
        view = self.base(self.base.relation(self.window))
        self.expression(view)
        return view.lineage


def tag(
    name: str,
    place: Dimension | Family,
    kind: Kind,
    *,
    title: tuple[str, str],
    over: Iterable[int | None] | None = None,
    privacy: Privacy = Privacy.BEHAVIOUR,
    description: str | None = None,
    inputs: Sequence[str] | Callable[[Window], Sequence[str]] | None = None,
    of_population: bool = False,
) -> Callable[[ExpressionT], ExpressionT]:
    """Register the function below as a tag, or as one tag per window of ``over`` (days; ``None`` is all time).

    ``place`` is the dimension it belongs to, or a family that has only one.

    A function with one parameter annotated with a base (``days: UserDays``) is evaluated on that base within the
    window. Otherwise its parameters are tags, and it is evaluated on their values: ``def x(spend, orders)``. With
    ``over`` a parameter stands for the tag over the same window (``spend_30d`` for ``x_30d``); ``inputs`` names the
    tags itself where that does not fit. ``title`` is (English, Chinese); the window is added to both. The docstring is
    the ``description`` unless one is given. A name that is taken raises :class:`ConfigError`.
    """

    def declare(expression: ExpressionT) -> ExpressionT:
        about = " ".join((description or inspect.getdoc(expression) or "").split())
        if not about:
            raise ConfigError(f"tag '{name}': needs a description or a docstring")
        base, parameters = _reads(name, expression)
        for window in (ALL_TIME,) if over is None else windows(over):
            if base is not None:
                named: Sequence[str] = base.of_others
            elif callable(inputs):
                named = inputs(window)
            elif inputs is not None:
                named = inputs
            else:
                named = parameters if over is None else [window.of(parameter) for parameter in parameters]
            register(
                Tag(
                    name=window.of(name),
                    dimension=place.whole if isinstance(place, Family) else place,
                    kind=kind,
                    window=window,
                    privacy=privacy,
                    title=window.in_english(title[0]),
                    title_zh=window.in_chinese(title[1]),
                    description=about,
                    base=base,
                    inputs=tuple(named),
                    of_population=of_population or (base is not None and bool(base.of_others)),
                    expression=expression,
                )
            )
        return expression

    return declare


def _reads(name: str, expression: Expression) -> tuple[type[Base] | None, list[str]]:
    """The base that the expression reads, or the parameters that stand for tags."""
    parameters = inspect.signature(expression).parameters.values()
    bases = [p.annotation for p in parameters if inspect.isclass(p.annotation) and issubclass(p.annotation, Base)]
    if not bases:
        return None, [p.name for p in parameters]
    if len(bases) > 1 or len(parameters) > 1:
        raise ConfigError(f"tag '{name}': a function takes one base, or tags; not both and not two bases")
    return bases[0], []
