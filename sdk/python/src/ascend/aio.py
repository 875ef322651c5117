# SPDX-License-Identifier: Apache-2.0
"""The client for asyncio. It needs the extra `asyncio`: `pip install 'ascend-sdk[asyncio]'`."""

from __future__ import annotations

import asyncio
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Callable, ClassVar, TypeVar
from urllib.parse import urlsplit

try:
    import aiohttp
except ImportError as error:
    raise ImportError("ascend.aio needs aiohttp: pip install 'ascend-sdk[asyncio]'") from error

from ascend import _flows, _gate, _subscription
from ascend._base import BaseClient, OnReportError, logger, unusable
from ascend._config import seconds
from ascend._connection import MAX_CONNECTIONS, Connection, Lines
from ascend._exchange import Answer, Call, Flow, Request, Sleep, Unreachable
from ascend._governed import AsyncGovernedAction
from ascend._model import ActionResult, AgentAction
from ascend._watch import Open, Read, Signal
from ascend.exceptions import AscendError

__all__ = ["AscendClient"]

T = TypeVar("T")


class AscendClient(BaseClient):
    """Asks for decisions about actions, and waits for them, on an event loop.

    The twin of `ascend.AscendClient`, with the same arguments and methods. One client serves any number of tasks of
    one event loop, with at most 7 connections. Making it sends nothing. It can be used in an `async with` statement,
    which closes it.

    Args:
        api_key: A bearer token. Left out: ASCEND_API_KEY.
        agent_id: Name of the Agent in whose name actions are submitted. Left out: ASCEND_AGENT_ID.
        agent_name: A display name; what the platform has registered counts. It is not sent.
        api_url: Address of the API server. Left out: ASCEND_API_URL.
        environment: Where the agent says it works; a claim, which can only raise the risk.
        fail_mode: `closed`. There is no other.
        timeout: Seconds for one HTTP request, and for the first decision about an action.
        max_retries: How often a request is tried again that failed in a way that may pass.
        namespace: Namespace of the Agent. Left out: ASCEND_NAMESPACE.
        ca_file: File with the authority of the API server's certificate. Left out: ASCEND_CA_FILE.
        kubeconfig: A kubeconfig file, in the place of address and key.
        context: A context of the kubeconfig.
        poll_interval: Seconds between two looks while the watch cannot be had.

    Raises:
        AscendValidationError: an argument cannot be used.
        AscendAuthenticationError: the key is missing or a placeholder.
        AscendConnectionError: there is no cluster to talk to, or none to which a key may be sent.
    """

    is_async: ClassVar[bool] = True

    def _prepare(self) -> None:
        self._http = _Http(self._connection)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AscendClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Report what is still to be reported, and close the connections."""
        self._session.board.close()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        await self._http.close()

    async def submit_action(self, action: AgentAction) -> ActionResult:
        """Submit an action, and return what was decided first; see `ascend.AscendClient.submit_action`."""
        return await self._run(_flows.submit_action(self._session, action))

    async def get_action_status(self, action_id: str) -> ActionResult:
        """Return what is decided about an action by now; see `ascend.AscendClient.get_action_status`."""
        return await self._run(_flows.get_action_status(self._session, action_id))

    async def wait_for_decision(
        self, action_id: str, timeout_seconds: float = 300, poll_interval: float | None = None
    ) -> ActionResult:
        """Wait until an action is decided; see `ascend.AscendClient.wait_for_decision`."""
        timeout = seconds(timeout_seconds, "timeout_seconds", zero=True)
        return await self._run(_flows.wait_for_decision(self._interval(poll_interval), action_id, timeout))

    async def cancel_action(self, action_id: str) -> ActionResult:
        """Withdraw an undecided action; see `ascend.AscendClient.cancel_action`."""
        return await self._run(_flows.cancel_action(self._session, action_id))

    async def log_action_completed(self, action_id: str, result: Any = None, duration_ms: float | None = None) -> None:
        """Report that an approved action was done; see `ascend.AscendClient.log_action_completed`."""
        message = _gate.message_of(result)
        await self._run(_gate.log_outcome(self._session, action_id, "Succeeded", message, duration_ms))

    async def log_action_failed(self, action_id: str, error: str | BaseException) -> None:
        """Report that an approved action was tried and failed; see `ascend.AscendClient.log_action_failed`."""
        message = _gate.describe(error) if isinstance(error, BaseException) else str(error)
        await self._run(_gate.log_outcome(self._session, action_id, "Failed", message))

    async def configure_webhook(
        self, url: str, events: Iterable[str], secret: str | bytes, *, name: str | None = None
    ) -> str:
        """Have the agent's events sent to a URL, signed; see `ascend.AscendClient.configure_webhook`."""
        return await self._run(_subscription.configure_webhook(self._session, url, events, secret, name))

    def governed_action(
        self, action: AgentAction, *, timeout_seconds: float = 300, on_report_error: OnReportError | None = None
    ) -> AsyncGovernedAction:
        """Return an async context manager whose block runs only when the action is approved, and once.

        See `ascend.AscendClient.governed_action`.
        """
        return AsyncGovernedAction(self, action, timeout_seconds, on_report_error)

    # From here on: how flows are carried out.

    async def _run(self, flow: Flow[T]) -> T:
        try:
            effect = next(flow)
            while True:
                try:
                    came = await self._perform(effect)
                except BaseException as error:  # noqa: BLE001 - the flow has to clean up after any
                    effect = flow.throw(error)
                else:
                    effect = flow.send(came)
        except StopIteration as end:
            value: T = end.value
            return value

    async def _perform(self, effect: Any) -> Answer | None:
        if isinstance(effect, Call):
            return await self._http.call(effect.request)
        if isinstance(effect, Sleep):
            await asyncio.sleep(effect.seconds)
            return None
        # Not wait_for: before Python 3.12 it may swallow a cancellation.
        alarm = asyncio.get_running_loop().call_later(effect.seconds, effect.mailbox.signal.set)
        try:
            await effect.mailbox.signal.wait()
        finally:
            alarm.cancel()
        return None

    async def _govern(
        self,
        draft: _flows.Draft,
        timeout: float,
        digest_now: Callable[[], str],
        body: Callable[[], Awaitable[T]],
        on_report_error: OnReportError | None,
    ) -> T:
        """Run the body if the action is approved, once, and report how it went."""
        permit = await self._run(_gate.permit(self._session, draft, timeout, digest_now))
        # Nothing is waited for in between: the body begins before the loop gets its turn.
        try:
            value = await body()
        except GeneratorExit as error:  # of a loop that ends: nothing can be waited for
            with suppress(RuntimeError):  # there is no loop any more
                self._begin_report(permit, error, on_report_error)
            raise
        except BaseException as error:
            await self._report(permit, error, on_report_error)
            raise
        await self._report(permit, None, on_report_error)
        return value

    async def _report(
        self, permit: _gate.Permit, error: BaseException | None, on_report_error: OnReportError | None
    ) -> None:
        # A cancelled task still reports: the report has a task of its own.
        await asyncio.shield(self._begin_report(permit, error, on_report_error))

    def _begin_report(
        self, permit: _gate.Permit, error: BaseException | None, on_report_error: OnReportError | None
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._send_report(permit, error, on_report_error))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _send_report(
        self, permit: _gate.Permit, error: BaseException | None, on_report_error: OnReportError | None
    ) -> None:
        try:
            await self._run(self._reporting(permit, error))
        except Exception as failure:  # noqa: BLE001 - nothing may hide how the action went
            self._unreported(permit, error, failure, on_report_error)

    def _signal(self) -> Signal:
        return asyncio.Event()

    def _start_watch(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        watching = self._watching()
        stream = _Stream(self._http)
        try:
            effect = next(watching)
            while True:
                try:
                    came: object = None
                    if isinstance(effect, Call):
                        came = await self._http.call(effect.request)
                    elif isinstance(effect, Open):
                        came = await stream.open(effect.request)
                    elif isinstance(effect, Read):
                        came = await stream.read()
                    elif isinstance(effect, Sleep):
                        await asyncio.sleep(effect.seconds)
                except Unreachable as error:
                    effect = watching.throw(error)
                except AscendError as error:
                    effect = watching.throw(Unreachable(str(error)))
                else:
                    effect = watching.send(came)
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001 - it is logged
            logger.exception("the watch failed; waits go on by polling")
            self._session.board.lost()
            self._session.board.stopped()
        finally:
            stream.close()


class _Http:
    """Requests over a bounded number of connections, of one event loop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: aiohttp.ClientSession | None = None
        self._slots: asyncio.Semaphore | None = None
        self._closed = False

    def _opened(self) -> tuple[aiohttp.ClientSession, asyncio.Semaphore]:
        loop = asyncio.get_running_loop()
        if self._client is None or self._slots is None:
            if self._closed:
                raise Unreachable("the client is closed", lasting=True)
            self._loop = loop
            connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=_tls(self._connection.configuration))
            self._client = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            # One connection is the watch's. Waiting for one of the others is no part of a request's time.
            self._slots = asyncio.Semaphore(MAX_CONNECTIONS - 1)
        if self._loop is not loop:
            raise RuntimeError("an ascend.aio.AscendClient is for one event loop; make one for each")
        return self._client, self._slots

    async def call(self, request: Request) -> Answer:
        """Make a request."""
        client, slots = self._opened()
        async with slots:
            headers = await self._headers(request)
            sent_at = time.monotonic()
            try:
                timeout = aiohttp.ClientTimeout(total=request.timeout)
                async with client.request(
                    request.method, self._connection.host + request.target, data=request.body, headers=headers,
                    timeout=timeout, allow_redirects=False, **self._options(),
                ) as response:  # fmt: skip
                    body = await response.read()
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
                raise _why(error) from error
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, body, sent_at, time.monotonic())

    async def open(self, request: Request) -> aiohttp.ClientResponse:
        """Begin a stream."""
        client, _ = self._opened()
        headers = await self._headers(request)
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


class _Stream:
    """The watch's lines."""

    def __init__(self, http: _Http) -> None:
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
            self._response.close()
            self._response = None


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
