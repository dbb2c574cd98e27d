"""Bytes of a file on their way in: decompressed, checked to be UTF-8, with errors that name file and row."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from features.contracts.errors import UnreadableSourceError
from features.sources.files import is_gzip

_BLOCK_BYTES = 4 << 20
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextStream:
    """UTF-8 bytes of ``file``, gzip by its ending; ``header_lines`` do not count as rows in messages.

    Errors of the disk, the compression and the encoding show while reading, so reading belongs inside the ``with``
    block; all are raised as :class:`UnreadableSourceError`.
    """

    def __init__(self, file: Path, *, header_lines: int = 0, delimiter: str = "") -> None:
        self._file = file
        self._delimiter = delimiter
        self._line = 1 - header_lines  # of the next byte
        self._header = ""
        self._open_line = b""  # what was read of the current line
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._taken = 0
        try:
            self._disk = pa.OSFile(str(file), "rb")
        except OSError as error:
            raise UnreadableSourceError(f"{file}: cannot be opened: {error}") from error
        self._bytes = pa.CompressedInputStream(self._disk, "gzip") if is_gzip(file) else self._disk

    def read(self, size: int = _BLOCK_BYTES) -> bytes:
        """At most ``size`` bytes, none at the end."""
        block: bytes = self._bytes.read(size)
        if block.startswith(_UTF16_MARKS) and not self._open_line and not self._header:
            raise UnreadableSourceError(f"{self._file}: row 0: the file is UTF-16 text; save it as UTF-8")
        if not self._header:
            self._header = (self._open_line + block).split(b"\n", 1)[0].decode(errors="replace").strip()
        try:
            self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            held = len(self._decoder.getstate()[0])
            raise UnreadableSourceError(self._where(block, max(error.start - held, 0))) from error
        self._line += block.count(b"\n")
        cut = block.rfind(b"\n") + 1
        self._open_line = block[cut:] if cut else self._open_line + block
        return block

    def advance(self) -> int:
        """Bytes taken from the disk since the last call."""
        before, self._taken = self._taken, int(self._disk.tell())
        return self._taken - before

    def _where(self, block: bytes, start: int) -> str:
        row = self._line + block.count(b"\n", 0, start)
        line = (self._open_line + block[:start]).rpartition(b"\n")[2]
        column = ""
        names = self._header.split(self._delimiter) if self._delimiter and self._header else []
        if names:
            before = line.decode(errors="replace").count(self._delimiter)
            column = f", column '{names[min(before, len(names) - 1)]}'"
        return f"{self._file}: row {max(row, 0)}{column}: the text is not UTF-8; save the file as UTF-8"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bytes.close()
        self._disk.close()
        if isinstance(error, OSError):
            what = "the gzip compression is broken or cut off" if is_gzip(self._file) else "reading failed"
            where = f"after row {self._line - 1}: " if self._line > 1 else ""
            raise UnreadableSourceError(f"{self._file}: {where}{what} ({error})") from error


def require_columns(file: Path, required: Sequence[str], found: Sequence[str]) -> None:
    """Raise :class:`UnreadableSourceError` when ``file`` lacks a required column or names one twice."""
    repeated = [n for n in found if found.count(n) > 1]
    if repeated:
        raise UnreadableSourceError(f"{file}: row 0 (the header) names the column '{repeated[0]}' more than once")
    for name in required:
        if name not in found:
            raise UnreadableSourceError(f"{file}: there is no column '{name}'; the file has {', '.join(found)}")


def read_lines(file: Path, *, header_lines: int = 0, delimiter: str = "") -> Iterator[tuple[list[str], int, int]]:
    """Lines of ``file`` in blocks: ``(lines, row of the first, bytes taken from the disk)``.

    Rows count from 1; the lines of the header, if any, come with rows up to 0. ``delimiter`` serves messages only.
    """
    row, rest = 1 - header_lines, b""
    with TextStream(file, header_lines=header_lines, delimiter=delimiter) as stream:
        while True:
            block = stream.read()
            whole = rest + block
            cut = whole.rfind(b"\n") + 1 if block else len(whole)
            whole, rest = whole[:cut], whole[cut:]
            if row == 1 - header_lines:
                whole = whole.removeprefix(codecs.BOM_UTF8)
            if whole:
                lines = whole.decode().replace("\r\n", "\n").removesuffix("\n").split("\n")
                yield lines, row, stream.advance()
                row += len(lines)
            if not block:
                return
