"""What personal data looks like in free text, and how it is masked. Mainland China's numbers; e-mail of anywhere."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final


class Personal(StrEnum):
    """Kinds of personal data that are never kept in clear."""

    RESIDENT_ID = "resident_id"
    BANK_CARD = "bank_card"
    PHONE = "phone"
    EMAIL = "email"


#: Full-width forms of what the patterns look for; one character for one, so that places stay the same.
_ASCII: Final = {ord("０") + n: ord("0") + n for n in range(10)} | {
    ord("＠"): ord("@"),
    ord("＋"): ord("+"),
    ord("－"): ord("-"),
    ord("．"): ord("."),
    ord("Ｘ"): ord("X"),
    ord("　"): ord(" "),
    ord("\u00a0"): ord(" "),
    ord("–"): ord("-"),
}
_ID: Final = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}[ -]?(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ -]?"
    r"[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
_CARD: Final = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)(?:[0-9][ -]?){14,18}[0-9](?![0-9A-Za-z])(?!\.[0-9])")
_PHONE: Final = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9]\.)(?:(?:tel|phone|mobile|wechat|wx|vx)(?=[+01(]))?"
    r"(?:\(?(?:\+|00)?86\)?[ -]?)?(?P<number>1[3-9][0-9][ .-]?[0-9]{4}[ .-]?[0-9]{4})(?![0-9A-Za-z])(?!\.[0-9])",
    re.IGNORECASE,
)
_EMAIL: Final = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+(?P<top>[A-Za-z]{2,})")

#: First two digits of a resident number: the province.
_PROVINCES: Final = frozenset(
    str(code)
    for codes in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        (71, 81, 82, 83),
    )
    for code in codes
)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
#: First digits of cards: UnionPay, Visa, Mastercard, JCB, American Express, and older cards of Chinese banks.
_ISSUERS: Final = re.compile(r"62|81|60|68|9558|4|5[1-5]|2(?:2[3-9]|22[1-9]|[3-6]|7[01]|720)|35|3[47]")
_PICTURES: Final = frozenset({"png", "jpg", "jpeg", "gif", "webp", "svg", "js", "css"})


def mask_text(text: str) -> tuple[str, Counter[str]]:
    """``text`` with personal data masked, and what was found. ``138****5678``, ``z***@example.com``."""
    plain = text.translate(_ASCII)
    taken: list[tuple[int, int, str]] = []
    found: Counter[str] = Counter()
    for kind, spans in _FINDERS.items():
        for start, stop in spans(plain):
            if all(stop <= begin or start >= end for begin, end, _ in taken):
                taken.append((start, stop, _MASKS[kind](plain[start:stop])))
                found[kind] += 1
    for start, stop, mask in sorted(taken, reverse=True):
        text = text[:start] + mask + text[stop:]
    return text, found


def _resident_ids(text: str) -> Iterator[tuple[int, int]]:
    for match in _ID.finditer(text):
        number = re.sub(r"[ -]", "", match[0]).upper()
        total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
        if number[:2] in _PROVINCES and number[-1] == "10X98765432"[total % 11]:
            yield match.span()


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"[ -]", "", match[0])
        length_fits = len(digits) == 15 if digits[:2] in {"34", "37"} else len(digits) >= 16
        if length_fits and _ISSUERS.match(digits) and _luhn(digits) and len(set(digits)) > 1:
            yield match.span()


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        start, stop = match.span("number")
        separated = stop - start > 11
        # 138-1234-5678 inside 2024-138-1234-5678-9 is a piece of another number.
        if separated and match.start() == start and re.search(r"[0-9][ .-]$", text[max(start - 2, 0) : start]):
            continue
        if separated and re.match(r"[ .-][0-9]", text[stop : stop + 2]):
            continue
        yield start, stop


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        if match["top"].lower() not in _PICTURES:
            yield match.span()


def _ends(first: int, last: int) -> Callable[[str], str]:
    def mask(found: str) -> str:
        kept = re.sub(r"[ .-]", "", found)
        return kept[:first] + "*" * (len(kept) - first - last) + kept[-last:]

    return mask


_FINDERS: Final[dict[Personal, Callable[[str], Iterator[tuple[int, int]]]]] = {
    Personal.RESIDENT_ID: _resident_ids,
    Personal.BANK_CARD: _cards,
    Personal.PHONE: _phones,
    Personal.EMAIL: _emails,
}
_MASKS: Final[dict[Personal, Callable[[str], str]]] = {
    Personal.RESIDENT_ID: _ends(3, 2),
    Personal.BANK_CARD: _ends(4, 4),
    Personal.PHONE: _ends(3, 4),
    Personal.EMAIL: lambda found: f"{found[0]}***{found[found.index('@') :]}",
}
