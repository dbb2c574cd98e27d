"""Moments as people type them."""

from datetime import UTC, datetime, timedelta

import click

from features.contracts.errors import InputError
from features.lake import Lake

#: Tags and scores see what occurred before their moment, so the moment of "now" is just after the last event.
_AFTER = timedelta(microseconds=1)

as_of_option = click.option(
    "--as-of", metavar="TIME", help="ISO 8601; what happened before it counts. Default: after the last event."
)


def moment_of(text: str | None, lake: Lake) -> datetime:
    """The moment that ``text`` says, UTC where it names no zone; without text just after the last event of ``lake``.

    Raises :class:`InputError` for what is no time, and :class:`MissingStateError` when the last event is asked for
    and there is none.
    """
    if text is None:
        return lake.last_event_at() + _AFTER
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"'{text}' is no ISO 8601 time such as 2017-12-01 or 2017-12-01T08:00:00+08:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
