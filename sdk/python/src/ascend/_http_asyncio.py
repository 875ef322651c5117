# SPDX-License-Identifier: Apache-2.0
"""HTTP for asyncio, by aiohttp, with the configuration of the `kubernetes` client."""

from __future__ import annotations

import asyncio
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

try:
    import aiohttp
except ImportError as error:
    raise ImportError("ascend.aio needs aiohttp: pip install 'ascend-sdk[asyncio]'") from error

from ascend._connection import MAX_ANSWER, MAX_CONNECTIONS, Connection, Lines, unusable
from ascend._exchange import Answer, Request, Unreachable
from ascend.exceptions import AscendConnectionError


class Http:
    """Requests over a bounded number of connections, of one event loop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: aiohttp.ClientSession | None = None
        self._slots: asyncio.Semaphore | None = None
        self._closed = False

    def _opened(self) -> tuple[aiohttp.ClientSession, asyncio.Semaphore]:
        loop = asyncio.get_running_loop()
        self._check_open()
        if self._client is None or self._slots is None:
            self._loop = loop
            connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=_tls(self._connection.configuration))
            self._client = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            # One connection is the watch's. Waiting for one of the others is no part of a request's time.
            self._slots = asyncio.Semaphore(MAX_CONNECTIONS - 1)
        if self._loop is not loop:
            raise RuntimeError("an ascend.aio.AscendClient is for one event loop; make one for each")
        return self._client, self._slots

    def _check_open(self) -> None:
        if self._closed:
            raise AscendConnectionError(
                "the client is closed",
                help="Close it when nothing needs it any more, or make a new one.",
                reason="Closed",
            )

    async def call(self, request: Request) -> Answer:
        """Make a request."""
        client, slots = self._opened()
        async with slots:
            headers = await self._headers(request)
            self._check_open()  # it was waited
            sent_at = time.monotonic()
            try:
                timeout = aiohttp.ClientTimeout(total=request.timeout)
                async with client.request(
                    request.method, self._connection.host + request.target, data=request.body, headers=headers,
                    timeout=timeout, allow_redirects=False, **self._options(),
                ) as response:  # fmt: skip
                    body = await _whole(response)
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
                raise _why(error) from error
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, body, sent_at, time.monotonic())

    async def open(self, request: Request) -> aiohttp.ClientResponse:
        """Begin a stream."""
        client, _ = self._opened()
        headers = await self._headers(request)
        self._check_open()
        timeout = aiohttp.ClientTimeout(total=None, connect=request.timeout, sock_read=request.timeout)
        try:
            return await client.request(
                request.method, self._connection.host + request.target, headers=headers,
                timeout=timeout, allow_redirects=False, **self._options(),
            )  # fmt: skip
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise _why(error) from error

    async def _headers(self, request: Request) -> dict[str, str]:
        try:
            if self._connection.refreshes:  # reads a file, or runs a program
                headers = await asyncio.get_running_loop().run_in_executor(None, self._connection.headers)
            else:
                headers = self._connection.headers()
        except Exception as error:
            raise unusable(self._connection, error) from error
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        return headers

    def _options(self) -> dict[str, Any]:
        configuration = self._connection.configuration
        options: dict[str, Any] = {}
        if configuration.tls_server_name:
            options["server_hostname"] = configuration.tls_server_name
        host = urlsplit(self._connection.host).hostname or ""
        bypass = {"no": configuration.no_proxy or ""}
        if configuration.proxy and not urllib.request.proxy_bypass_environment(host, bypass):  # type: ignore[attr-defined]
            options["proxy"] = configuration.proxy
            options["proxy_headers"] = configuration.proxy_headers
        return options

    async def close(self) -> None:
        """Close what is open."""
        self._closed = True
        if self._client is not None:
            await self._client.close()


def _tls(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=configuration.ssl_ca_cert, cadata=getattr(configuration, "ca_cert_data", None)
    )
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if configuration.assert_hostname is False or not configuration.verify_ssl:
        context.check_hostname = False
    if not configuration.verify_ssl:  # insecure-skip-tls-verify of a kubeconfig
        context.verify_mode = ssl.CERT_NONE
    return context


class Stream:
    """The watch's lines."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._response: aiohttp.ClientResponse | None = None
        self._lines: AsyncIterator[bytes] | None = None

    async def open(self, request: Request) -> Answer:
        self.close()
        self._response = await self._http.open(request)
        if self._response.status == 200:
            self._lines = _lines(self._response)
        return Answer(self._response.status)

    async def read(self) -> bytes | None:
        if self._lines is None:
            return None
        try:
            return await self._lines.__anext__()
        except StopAsyncIteration:
            return None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            raise _why(error) from error

    def close(self) -> None:
        if self._response is not None:
            # Without the farewell of TLS, which nobody would wait for.
            connection = self._response.connection
            if connection is not None and connection.transport is not None:
                connection.transport.abort()
            self._response.close()
            self._response = None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ValueError("the answer is longer than any object")
    return bytes(body)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    lines = Lines()
    async for chunk in response.content.iter_any():
        for line in lines.feed(chunk):
            yield line
    if lines.cut_off:
        raise ValueError("the watch was cut off in the middle of an event")


def _why(error: Exception) -> Unreachable:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Unreachable(f"the API server's certificate is not accepted: {error.certificate_error}", lasting=True)
    if isinstance(error, asyncio.TimeoutError):
        return Unreachable("no answer in time")
    return Unreachable(f"{type(error).__name__}: {error}")
