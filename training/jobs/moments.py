"""The moments of a training job: the end of the data and the cut-off of the judgement."""

from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)


def end_of_data(last_event: datetime) -> datetime:
    """The first midnight (UTC) after the last event: a model as of this moment has seen whole days only."""
    return last_event.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
