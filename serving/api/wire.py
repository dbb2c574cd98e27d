"""HTTP on the wire: an answer leaves in one piece.

uvicorn hands the head of an answer to the system and then its body. Each costs a call, a packet, and on the other side
a wake-up that finds half an answer; together the two calls took more time than everything else around an answer.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol, writing what belongs together at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Write through what gathers."""
        super().connection_made(cast(asyncio.Transport, Gathering(transport, self.loop)))


class Gathering:
    """A transport that keeps what is written until the event loop comes round, and is the ``transport`` otherwise."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send ``data``, soon and in order."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """End the connection after what was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))
