"""An answer leaves in one piece, and is to the byte what uvicorn writes in several."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import cast
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from serving.api.wire import Gathering
from tests.serving.servers import in_thread


class _Recording(asyncio.Transport):
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.told


def test_what_is_written_in_one_turn_leaves_in_one_piece_and_before_the_end() -> None:
    async def written() -> list[bytes | str]:
        to = _Recording()
        gathering = Gathering(to, asyncio.get_running_loop())
        gathering.write(b"head")
        gathering.write(b"body")
        assert to.told == []
        await asyncio.sleep(0)
        gathering.write(b"last")
        gathering.close()
        gathering.write(b"too late")
        await asyncio.sleep(0)
        assert gathering.is_closing()
        return to.told

    assert asyncio.run(written()) == [b"headbody", b"last", "closed"]


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/short")
    async def _short() -> Response:
        return Response(b"short")

    @app.get("/long")
    async def _long() -> Response:
        return Response(bytes(3_000_000))

    @app.get("/none", status_code=204)
    async def _none() -> None: ...

    @app.get("/parts")
    async def _parts() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for part in (b"one", b"", b"two"):
                yield part
                await asyncio.sleep(0.01)

        return StreamingResponse(parts())

    @app.post("/echo")
    async def _echo(request: Request) -> Response:
        return Response(await request.body())

    return app


_END = b"\r\nhost: x\r\nconnection: close\r\n\r\n"
_NEXT = b"\r\nhost: x\r\n\r\n"
REQUESTS = [
    b"GET /short HTTP/1.1" + _END,
    b"GET /short HTTP/1.0\r\n\r\n",
    b"GET /long HTTP/1.1" + _END,
    b"GET /none HTTP/1.1" + _END,
    b"GET /parts HTTP/1.1" + _END,
    b"HEAD /short HTTP/1.1" + _END,
    b"GET /short HTTP/1.1" + _NEXT + b"GET /parts HTTP/1.1" + _NEXT + b"GET /short HTTP/1.1" + _END,
    b"POST /echo HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
    b"nonsense\r\n\r\n",
]


def _answer(address: str, request: bytes) -> bytes:
    """Everything that comes until the server ends the connection."""
    at = urlsplit(address)
    with socket.create_connection((cast(str, at.hostname), cast(int, at.port)), timeout=10) as connection:
        connection.sendall(request)
        came = b"".join(iter(lambda: connection.recv(65536), b""))
    return re.sub(rb"date: [^\r]+", b"date:", came)


@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_the_bytes_are_those_of_uvicorn(request_: bytes) -> None:
    with in_thread(_app(), protocol="httptools") as plain, in_thread(_app()) as ours:
        came = _answer(ours, request_)
        assert came.startswith(b"HTTP/1.1 ")
        assert came == _answer(plain, request_)
