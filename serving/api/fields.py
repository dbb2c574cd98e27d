"""Types of request fields: what an id, a number of items, a time may be."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

_LONGEST_ID = 128


def _plain(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"}:
            raise ValueError("must not contain control characters")
    if text != text.strip():
        raise ValueError("must not begin or end with a space")
    return text


#: An id of the mall: of a user, item, event, session. Any script, no control characters.
Id = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_ID), AfterValidator(_plain)]

#: Words from a closed or short list: placements, tiers, names.
Word = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_plain)]

#: How many items an answer may have.
Count = Annotated[int, Field(ge=1, le=100)]

#: Money or another finite amount that is not negative.
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
