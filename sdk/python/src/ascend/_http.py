# SPDX-License-Identifier: Apache-2.0
"""HTTP for threads, by urllib3's pool of connections as the `kubernetes` client makes it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import urllib3
from kubernetes.client.rest import RESTClientObject

from ascend._connection import MAX_ANSWER, Connection, Lines, unusable
from ascend._exchange import Answer, Request, Unreachable

logger = logging.getLogger("ascend")


class Http:
    """Requests over a pool of connections that waits for a free one rather than opening more."""

    def __init__(self, connection: Connection) -> None:
        self.closed = threading.Event()
        self._connection = connection
        self._pool: urllib3.PoolManager = RESTClientObject(connection.configuration).pool_manager
        self._pool.connection_pool_kw["block"] = True
        self._stream: urllib3.BaseHTTPResponse | None = None

    def call(self, request: Request) -> Answer:
        """Make a request."""
        sent_at = time.monotonic()
        response = self._send(request, urllib3.Timeout(total=request.timeout))
        try:
            body = _whole(response, time.monotonic() + request.timeout)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _why(error) from error
        finally:
            _free(response)
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, body, sent_at, time.monotonic())

    def _send(self, request: Request, timeout: urllib3.Timeout) -> urllib3.BaseHTTPResponse:
        try:
            headers = self._connection.headers()
        except Exception as error:
            raise unusable(self._connection, error) from error
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        try:
            return self._pool.request(
                request.method,
                self._connection.host + request.target,
                body=request.body,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _why(error) from error

    def open(self, request: Request) -> tuple[Answer, urllib3.BaseHTTPResponse | None]:
        """Begin a stream; None where the answer is none."""
        response = self._send(request, urllib3.Timeout(connect=5, read=request.timeout))
        if response.status == 200 and not self.closed.is_set():
            self._stream = response
            return Answer(200), response
        _free(response)
        return Answer(response.status if not self.closed.is_set() else 0), None

    def close(self) -> None:
        """Close what is open."""
        self.closed.set()
        if self._stream is not None:
            try:
                self._stream.shutdown()
            except (OSError, ValueError, RuntimeError):
                logger.debug("the watch had ended already")
            self._stream = None
        # Not left to the garbage collector, as clear alone would.
        for key in self._pool.pools.keys():  # noqa: SIM118 - it cannot be iterated
            self._pool.pools[key].close()
        self._pool.clear()


class Stream:
    """The watch's lines."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._response: urllib3.BaseHTTPResponse | None = None
        self._lines: Iterator[bytes] = iter(())

    def open(self, request: Request) -> Answer:
        self.close()
        answer, self._response = self._http.open(request)
        if self._response is not None:
            self._lines = _lines(self._response)
        return answer

    def read(self) -> bytes | None:
        try:
            return next(self._lines, None)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _why(error) from error

    def close(self) -> None:
        if self._response is not None:
            _free(self._response)
            self._response = None


def _whole(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """Read the body. Each read has a timeout of its own: drop by drop, they would add up without the deadline."""
    body = bytearray()
    while chunk := response.read1(64 * 1024, decode_content=True):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ValueError("the answer is longer than any object")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer came too slowly")
    return bytes(body)


def _free(response: urllib3.BaseHTTPResponse) -> None:
    """Give the connection's place back to the pool, which close alone does not. What was not read ends it."""
    response.close()
    response.release_conn()


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    lines = Lines()
    for chunk in response.stream(64 * 1024, decode_content=True):
        yield from lines.feed(chunk)
    if lines.cut_off:
        raise ValueError("the watch was cut off in the middle of an event")


def _why(error: Exception) -> Unreachable:
    if isinstance(error, urllib3.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Unreachable(f"the API server's certificate is not accepted: {error}", lasting=True)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return Unreachable(str(error).rpartition(": ")[2])
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return Unreachable(f"no answer in time ({type(error).__name__})")
    return Unreachable(f"{type(error).__name__}: {error}")
