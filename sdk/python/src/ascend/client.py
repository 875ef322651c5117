# SPDX-License-Identifier: Apache-2.0
"""The client for threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Callable, ClassVar, TypeVar

from ascend import _flows, _gate, _subscription
from ascend._base import BaseClient, OnReportError, logger
from ascend._config import seconds
from ascend._exchange import Answer, Call, Flow, Sleep, Unreachable
from ascend._governed import GovernedAction
from ascend._http import Http, Stream
from ascend._model import ActionResult, AgentAction
from ascend._watch import Open, Read, Signal
from ascend.exceptions import AscendError

__all__ = ["AscendClient"]

T = TypeVar("T")


class AscendClient(BaseClient):
    """Asks for decisions about actions, and waits for them.

    One client serves any number of threads, with at most 7 connections. Making
    it sends nothing. It can be used in a `with` statement, which closes it.

    Args:
        api_key: A bearer token. Left out: ASCEND_API_KEY.
        agent_id: Name of the Agent in whose name actions are submitted. Left out: ASCEND_AGENT_ID.
        agent_name: A display name; what the platform has registered counts. It is not sent.
        api_url: Address of the API server. Left out: ASCEND_API_URL. With neither address nor key: the
            pod's ServiceAccount, otherwise the kubeconfig.
        environment: Where the agent says it works, such as `sandbox`. It is sent as `environment` of the
            action's context, unless that names one, and is a claim: it can only raise the risk, for the
            environment that is registered counts as well.
        fail_mode: `closed`: what nobody could decide about is not run. There is no other.
        timeout: Seconds for one HTTP request, and for the first decision about an action.
        max_retries: How often a request is tried again that failed in a way that may pass.
        namespace: Namespace of the Agent. Left out: ASCEND_NAMESPACE, otherwise that of the pod or of the
            kubeconfig, otherwise `default`.
        ca_file: File with the authority of the API server's certificate. Left out: ASCEND_CA_FILE,
            otherwise those of the system.
        kubeconfig: A kubeconfig file, in the place of address and key.
        context: A context of the kubeconfig.
        poll_interval: Seconds between two looks while the watch cannot be had.

    Raises:
        AscendValidationError: an argument cannot be used.
        AscendAuthenticationError: the key is missing or a placeholder.
        AscendConnectionError: there is no cluster to talk to, or none to which a key may be sent.
    """

    is_async: ClassVar[bool] = False

    def _prepare(self) -> None:
        self._http = Http(self._connection)

    def __enter__(self) -> AscendClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Who still waits goes on by polling."""
        self._session.board.close()
        self._http.close()

    def submit_action(self, action: AgentAction) -> ActionResult:
        """Submit an action, and return what was decided first: APPROVED, PENDING or DENIED.

        A denial is returned, not raised. The same idempotency key is the same action.

        Args:
            action: What is to be done.

        Raises:
            AscendOperatorAbsentError: nobody has looked at it within `timeout` seconds.
            AscendConflictError: the idempotency key stands for another action.
            AscendAgentNotRegisteredError: there is no such Agent.
            AscendKillSwitchError: the agent is suspended.
            AscendError: any other; see `ascend.exceptions`.
        """
        return self._run(_flows.submit_action(self._session, action))

    def get_action_status(self, action_id: str) -> ActionResult:
        """Return what is decided about an action by now.

        Args:
            action_id: Name of the action.

        Raises:
            AscendNotFoundError: there is no such action.
        """
        return self._run(_flows.get_action_status(self._session, action_id))

    def wait_for_decision(
        self, action_id: str, timeout_seconds: float = 300, poll_interval: float | None = None
    ) -> ActionResult:
        """Wait until an action is decided. All waits of a client share one watch.

        Args:
            action_id: Name of the action.
            timeout_seconds: How long to wait.
            poll_interval: Seconds between two looks while the watch cannot be had. Left out: the client's.

        Returns:
            The final decision; or, when the time is over, one of decision TIMEOUT that is not `final`.

        Raises:
            AscendNotFoundError: there is no such action.
        """
        timeout = seconds(timeout_seconds, "timeout_seconds", zero=True)
        return self._run(_flows.wait_for_decision(self._interval(poll_interval), action_id, timeout))

    def cancel_action(self, action_id: str) -> ActionResult:
        """Withdraw an undecided action.

        Args:
            action_id: Name of the action.

        Raises:
            AscendConflictError: it is decided already.
        """
        return self._run(_flows.cancel_action(self._session, action_id))

    def log_action_completed(self, action_id: str, result: Any = None, duration_ms: float | None = None) -> None:
        """Report that an approved action was done.

        Args:
            action_id: Name of the action.
            result: What came of it, for the record: text, or anything that JSON has. Of at most 4096 characters;
                the rest is cut.
            duration_ms: How long it took, in milliseconds.

        Raises:
            AscendConflictError: another outcome was reported before.
        """
        message = _gate.message_of(result)
        self._run(_gate.log_outcome(self._session, action_id, "Succeeded", message, duration_ms))

    def log_action_failed(self, action_id: str, error: str | BaseException) -> None:
        """Report that an approved action was tried and failed.

        Args:
            action_id: Name of the action.
            error: What went wrong, of at most 4096 characters; the rest is cut.

        Raises:
            AscendConflictError: another outcome was reported before.
        """
        message = _gate.describe(error) if isinstance(error, BaseException) else str(error)
        self._run(_gate.log_outcome(self._session, action_id, "Failed", message))

    def configure_webhook(
        self, url: str, events: Iterable[str], secret: str | bytes, *, name: str | None = None
    ) -> str:
        """Have the agent's events sent to a URL, signed; see `verify_webhook`.

        Writes a Secret and a WebhookSubscription of the same name, and replaces what an earlier call wrote.

        Args:
            url: Where to POST the events to: https, or http to a Service of the namespace.
            events: Which, such as `["action.approved", "action.denied"]`.
            secret: What signs the deliveries: at least 16 bytes, or `whsec_` and base64.
            name: Name of both objects. Left out: the agent's, with `-webhook` behind it.

        Returns:
            The name of the subscription.

        Raises:
            AscendValidationError: the URL, an event or the secret cannot be used.
            AscendAuthorizationError: the right to write the Secret or the subscription is missing.
        """
        return self._run(_subscription.configure_webhook(self._session, url, events, secret, name))

    def governed_action(
        self, action: AgentAction, *, timeout_seconds: float = 300, on_report_error: OnReportError | None = None
    ) -> GovernedAction:
        """Return a context manager whose block runs only when the action is approved, and once.

        Entering it submits the action, waits, and checks that the approval holds, as `governed` does; leaving it
        reports how the block went. Use what `ActionRun.parameters` has: it is what was approved.

        Args:
            action: What is to be done. With an idempotency key that was used before, the block is not run.
            timeout_seconds: How long to wait for people.
            on_report_error: Called with the error when the outcome could not be reported.

        Raises:
            AscendNotApprovedError: on entering, when the action may not be run.
            AscendError: on entering; see `governed`.
        """
        return GovernedAction(self, action, timeout_seconds, on_report_error)

    # From here on: how flows are carried out.

    def _run(self, flow: Flow[T]) -> T:
        try:
            effect = next(flow)
            while True:
                try:
                    came = self._perform(effect)
                except BaseException as error:  # noqa: BLE001 - the flow has to clean up after any
                    effect = flow.throw(error)
                else:
                    effect = flow.send(came)
        except StopIteration as end:
            value: T = end.value
            return value

    def _perform(self, effect: object) -> Answer | None:
        if isinstance(effect, Call):
            return self._http.call(effect.request)
        if isinstance(effect, Sleep):
            time.sleep(effect.seconds)
            return None
        effect.mailbox.signal.wait(effect.seconds)  # type: ignore[attr-defined]
        return None

    def _govern(
        self,
        draft: _flows.Draft,
        timeout: float,
        digest_now: Callable[[], str],
        body: Callable[[], T],
        on_report_error: OnReportError | None,
    ) -> T:
        """Run the body if the action is approved, once, and report how it went."""
        permit = self._run(_gate.permit(self._session, draft, timeout, digest_now))
        try:
            value = body()
        except BaseException as error:
            self._report(permit, error, on_report_error)
            raise
        self._report(permit, None, on_report_error)
        return value

    def _report(self, permit: _gate.Permit, error: BaseException | None, on_report_error: OnReportError | None) -> None:
        try:
            self._run(self._reporting(permit, error))
        except Exception as failure:  # noqa: BLE001 - nothing may hide how the action went
            self._unreported(permit, error, failure, on_report_error)

    def _signal(self) -> Signal:
        return threading.Event()

    def _start_watch(self) -> None:
        threading.Thread(target=self._watch, name="ascend-watch", daemon=True).start()

    def _watch(self) -> None:
        watching = self._watching()
        stream = Stream(self._http)
        try:
            effect = next(watching)
            while True:
                try:
                    came: object = None
                    if isinstance(effect, Call):
                        came = self._http.call(effect.request)
                    elif isinstance(effect, Open):
                        came = stream.open(effect.request)
                    elif isinstance(effect, Read):
                        came = stream.read()
                    elif isinstance(effect, Sleep):
                        self._http.closed.wait(effect.seconds)
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
