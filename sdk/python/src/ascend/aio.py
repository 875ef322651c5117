# SPDX-License-Identifier: Apache-2.0
"""The client for asyncio. It needs the extra `asyncio`: `pip install 'ascend-sdk[asyncio]'`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Callable, ClassVar, TypeVar

from ascend import _flows, _gate, _subscription
from ascend._base import BaseClient, OnReportError, logger
from ascend._config import seconds
from ascend._exchange import Answer, Call, Flow, Sleep, Unreachable
from ascend._governed import AsyncGovernedAction
from ascend._http_asyncio import Http, Stream
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
        self._http = Http(self._connection)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AscendClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Report what is still to be reported, and close the connections. Who still waits gets an error."""
        self._session.board.close()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks)
        finally:  # also of who gives up waiting for reports
            if self._watcher is not None and not self._watcher.done():
                self._watcher.cancel()
                # Not awaited itself: its cancellation could not be told from that of this task.
                await asyncio.wait([self._watcher])
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
        stream = Stream(self._http)
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
        except asyncio.CancelledError:  # maybe by who cancels all tasks of the loop
            self._session.board.lost()
            self._session.board.stopped()
            raise
        except Exception:  # noqa: BLE001 - it is logged
            logger.exception("the watch failed; waits go on by polling")
            self._session.board.lost()
            self._session.board.stopped()
        finally:
            stream.close()
