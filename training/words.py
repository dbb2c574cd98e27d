"""The words of item texts: English by word, Chinese by pairs of characters, attributes by name and value."""

import json
import re
import unicodedata

#: Scripts that put no spaces between words: kana and Han.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff"
_PARTS = re.compile(rf"(?P<run>[{_UNSPACED}]+)|(?P<word>[^\W_{_UNSPACED}]+)")


def words_of(text: str) -> set[str]:
    """The different words of a title, in lower case.

    A run of Chinese characters gives each two neighbouring ones, which needs no dictionary and finds about as much as
    true segmentation (Nie, Gao, Zhang and Zhou, "On the use of words and n-grams for Chinese information retrieval",
    IRAL 2000); a single one stands for itself.
    """
    found = set()
    for part in _PARTS.finditer(unicodedata.normalize("NFKC", text).casefold()):
        run = part["run"]
        found |= {part["word"]} if run is None else {run[k : k + 2] for k in range(max(len(run) - 1, 1))}
    return found


def attribute_words(attributes: str) -> set[str]:
    """``name=value`` for each entry of a flat JSON object that has a value; nothing for a text that is none."""
    try:
        entries = json.loads(attributes)
    except ValueError:
        return set()
    if not isinstance(entries, dict):
        return set()
    return {f"{name}={value}".casefold() for name, value in entries.items() if value not in (None, "", [], {})}
