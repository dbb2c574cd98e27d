"""Every error that Mallard raises on purpose, in domain words. HTTP status codes live in ``serving.api``.

A message names what is wrong and where: file, row, field or key. Whoever catches :class:`MallardError` at the
edge (command line, HTTP) shows the message as it is; it is written for a person.
"""


class MallardError(Exception):
    """Base of the tree. ``exit_code`` is what the command line ends with."""

    exit_code = 1


class InputError(MallardError):
    """What the caller handed in cannot be used. Nothing was written."""

    exit_code = 2


class UnreadableSourceError(InputError):
    """A file cannot be read at all: missing column, broken compression, wrong encoding, no rows."""


class ConfigError(InputError):
    """A configuration file has an unknown key, a wrong value or a reference to something that is missing."""


class UnknownNameError(InputError):
    """A tag, model, rule, source, check or user segment of that name does not exist."""


class QualityLimitError(MallardError):
    """The share of rejected rows is over the limit."""

    exit_code = 3


class NotEnoughDataError(MallardError):
    """A model cannot be fitted honestly on this data; the message says what is missing."""

    exit_code = 4


class ModelRefusedError(NotEnoughDataError):
    """The rules of least data refuse a model; whoever is answered by a fallback meanwhile is told why.

    ``chinese`` says what the message says.
    """

    def __init__(self, message: str, chinese: str) -> None:
        super().__init__(message)
        self.chinese = chinese


class MissingStateError(MallardError):
    """A step before this one has not been run: empty lake, no champion, nothing deployed, no snapshot."""

    exit_code = 5


class BundleError(MallardError):
    """A model bundle is damaged, of another protocol, or does not reproduce its golden rows."""

    exit_code = 6


class PromotionRefusedError(MallardError):
    """A challenger was not shown to be better than the champion."""

    exit_code = 7


class StoreUnavailableError(MallardError):
    """The online state cannot be reached or cannot write."""


class StoreFullError(StoreUnavailableError):
    """The online state has no room left: its disk is full, or it has grown to its limit. It can still be read."""


class OverloadedError(MallardError):
    """More comes in than can be taken, nothing of the call was kept; it may come again in ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MissingExtraError(MallardError):
    """An optional part is asked for that is not installed; the message says what to install."""


class ForeignPackageError(MallardError):
    """``features``, ``training`` or ``serving`` resolves to a package that is not Mallard's."""
