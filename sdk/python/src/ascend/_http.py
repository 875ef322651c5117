# SPDX-License-Identifier: Apache-2.0
"""HTTP for threads, by urllib3's pool of connections as the `kubernetes` client makes it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import urllib3
from kubernetes.client.rest import RESTClientObject

from ascend._connection import MAX_ANSWER, MAX_CONNECTIONS, Connection, Lines, unusable
from ascend._exchange import Answer, Request, Unreachable

logger = logging.getLogger("ascend")


class Http:
    """Requests over a pool of connections that waits for a free one rather than opening more."""

    def __init__(self, connection: Connection) -> None:
        self.closed = threading.Event()
        self._connection = connection
        self._pool: urllib3.PoolManager = RESTClientObject(connection.configuration).pool_manager
        # Not the pool's own limit: who waits for that is never woken again once the pool is closed.
        self._slots = threading.Semaphore(MAX_CONNECTIONS)
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
            self.free(response)
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, body, sent_at, time.monotonic())

    def _send(self, request: Request, timeout: urllib3.Timeout) -> urllib3.BaseHTTPResponse:
        try:
            headers = self._connection.headers()
        except Exception as error:
            raise unusable(self._connection, error) from error
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        self._slots.acquire()
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
        except BaseException as error:
            self._slots.release()
            if isinstance(error, (urllib3.exceptions.HTTPError, OSError)):
                raise _why(error) from error
            raise

    def free(self, response: urllib3.BaseHTTPResponse) -> None:
        """Give the connection's place back, once, which close alone does not. What was not read ends it."""
        try:
            response.close()
            response.release_conn()
        finally:
            self._slots.release()

    def open(self, request: Request) -> tuple[Answer, urllib3.BaseHTTPResponse | None]:
        """Begin a stream; None where the answer is none."""
        response = self._send(request, urllib3.Timeout(connect=5, read=request.timeout))
        # In this order, for close has the other: one of the two sees what the other did.
        self._stream = response
        closed = self.closed.is_set()
        if response.status == 200 and not closed:
            return Answer(200), response
        self._stream = None
        self.free(response)
        return Answer(response.status if not closed else 0), None

    def close(self) -> None:
        """Close what is open."""
        self.closed.set()
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.shutdown()
            except (OSError, ValueError, RuntimeError):
                logger.debug("the watch had ended already")
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
        response, self._response = self._response, None
        if response is not None:
            self._http.free(response)


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
