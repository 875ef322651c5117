# SPDX-License-Identifier: Apache-2.0
"""HTTP as both drivers speak it: how long, how much, over how many connections."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ascend import _http, _http_asyncio
from ascend._config import Settings
from ascend._connection import MAX_CONNECTIONS, Connection
from ascend._exchange import Request, Unreachable


class Odd(BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/"))()

    def begin(self, code: int, length: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def whole(self) -> None:
        self.begin(200, 2)
        self.wfile.write(b"{}")

    def refused(self) -> None:
        """More than one read of a socket takes."""
        body = b" " * 300_000
        self.begin(403, len(body))
        self.wfile.write(body)

    def dripped(self) -> None:
        """Does not end while somebody listens, and is never silent for long."""
        self.begin(200, 1 << 40)
        while not self.server.stopped.wait(0.02):  # type: ignore[attr-defined]
            self.wfile.write(b"{}\n")

    def endless(self) -> None:
        self.begin(200, 1 << 40)
        while True:
            self.wfile.write(b" " * 65536)

    def log_message(self, *_: Any) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Odd)
        self.stopped = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the client cuts is no error."""


@pytest.fixture
def connection() -> Iterator[Connection]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield Connection(Settings("bot", "shop", "", 5.0, 0, 1.0, api_url=url, api_key="token"))
    server.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Threads:
    """The threaded driver."""

    def __init__(self, connection: Connection) -> None:
        self.http = _http.Http(connection)
        self.stream = _http.Stream(self.http)

    def each(self, *does: tuple[str, Request]) -> list[Any]:
        try:
            return [self.one(what, request) for what, request in does]
        finally:
            self.stream.close()
            self.http.close()

    def one(self, what: str, request: Request) -> Any:
        return self.http.call(request) if what == "call" else self.stream.open(request)


class Tasks:
    """The driver of asyncio."""

    def __init__(self, connection: Connection) -> None:
        self.http = _http_asyncio.Http(connection)
        self.stream = _http_asyncio.Stream(self.http)

    def each(self, *does: tuple[str, Request]) -> list[Any]:
        async def main() -> list[Any]:
            try:
                return [await self.one(what, request) for what, request in does]
            finally:
                self.stream.close()
                await self.http.close()

        return asyncio.run(main())

    async def one(self, what: str, request: Request) -> Any:
        return await (self.http.call(request) if what == "call" else self.stream.open(request))


drivers = pytest.mark.parametrize("driver", [Threads, Tasks])


@drivers
@pytest.mark.parametrize("path", ["/refused", "/dripped"])
def test_watches_that_end_keep_no_connection(connection: Connection, driver: Any, path: str) -> None:
    """With as many as there are, a client would wait for ever for one of its own."""
    watches = [("open", Request("GET", path))] * (2 * MAX_CONNECTIONS)
    answer = driver(connection).each(*watches, ("call", Request("GET", "/whole")))[-1]
    assert (answer.status, answer.body) == (200, b"{}")


@drivers
def test_answers_keep_no_connection(connection: Connection, driver: Any) -> None:
    calls = [("call", Request("GET", "/refused")), ("call", Request("GET", "/whole"))] * MAX_CONNECTIONS
    answers = driver(connection).each(*calls)
    assert [len(a.body) for a in answers] == [300_000, 2] * MAX_CONNECTIONS


def test_closing_leaves_nobody_waiting_for_a_connection(connection: Connection) -> None:
    """Who waits for one while all are used gets it when one comes free, whatever was closed meanwhile."""
    http = _http.Http(connection)
    streams = [_http.Stream(http) for _ in range(MAX_CONNECTIONS)]
    for stream in streams:
        stream.open(Request("GET", "/dripped"))
    answers: list[int] = []
    waits = [
        threading.Thread(target=lambda: answers.append(http.call(Request("GET", "/whole")).status), daemon=True)
        for _ in range(2 * MAX_CONNECTIONS)
    ]
    for wait in waits:
        wait.start()
    waits[0].join(0.2)
    assert not answers
    http.close()
    for stream in streams:
        stream.close()
    deadline = time.monotonic() + 20
    for wait in waits:
        wait.join(max(0.0, deadline - time.monotonic()))
    assert answers == [200] * len(waits)
    http.close()


@drivers
@pytest.mark.parametrize(
    ("path", "timeout", "why"),
    [("/dripped", 0.3, "in time|too slowly"), ("/endless", 60, "longer than any object")],
)
def test_an_answer_without_end_ends(connection: Connection, driver: Any, path: str, timeout: float, why: str) -> None:
    with pytest.raises(Unreachable, match=why):
        driver(connection).each(("call", Request("GET", path, timeout=timeout)))
