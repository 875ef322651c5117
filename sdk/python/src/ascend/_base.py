# SPDX-License-Identifier: Apache-2.0
"""What both clients are made of. No request is made here."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Callable, ClassVar

from ascend._config import Given, seconds, settle
from ascend._connection import Connection
from ascend._exchange import Flow, Session
from ascend._flows import actions_path
from ascend._gate import Permit, outcome_of, report
from ascend._watch import Board, Signal, Watching, keep_watching

logger = logging.getLogger("ascend")

OnReportError = Callable[[Exception], object]


class BaseClient:
    """The configuration of a client and its session."""

    is_async: ClassVar[bool]

    def __init__(
        self,
        api_key: str | None = None,
        agent_id: str | None = None,
        agent_name: str | None = None,
        api_url: str | None = None,
        environment: str | None = None,
        fail_mode: str = "closed",
        timeout: float = 5,
        max_retries: int = 3,
        *,
        namespace: str | None = None,
        ca_file: str | None = None,
        kubeconfig: str | None = None,
        context: str | None = None,
        poll_interval: float = 5,
    ) -> None:
        given = Given(
            api_key, agent_id, agent_name, api_url, environment, fail_mode, timeout, max_retries,
            namespace, ca_file, kubeconfig, context, poll_interval,
        )  # fmt: skip
        self._settings = settle(given, os.environ)
        self._connection = Connection(self._settings)
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        self._session = Session(
            settings=self._settings,
            namespace=self._connection.namespace,
            board=Board(self._settings.agent_id, self._signal, self._start_watch),
            expiry=self._connection.expiry,
        )
        self._prepare()

    def __repr__(self) -> str:
        return (
            f"<{type(self).__module__}.{type(self).__name__} agent_id={self.agent_id!r} "
            f"namespace={self.namespace!r} api_url={self._connection.host!r}>"
        )

    @property
    def agent_id(self) -> str:
        """The Agent in whose name actions are submitted; empty where none was given."""
        return self._session.settings.agent_id

    @property
    def namespace(self) -> str:
        """The namespace that actions go to."""
        return self._session.namespace

    def _prepare(self) -> None:
        raise NotImplementedError

    def _signal(self) -> Signal:
        raise NotImplementedError

    def _start_watch(self) -> None:
        raise NotImplementedError

    def _watching(self) -> Watching:
        return keep_watching(self._session, actions_path(self._session))

    def _interval(self, poll_interval: float | None) -> Session:
        """Return the session, or one with another fallback interval."""
        if poll_interval is None:
            return self._session
        interval = seconds(poll_interval, "poll_interval")
        return replace(self._session, settings=replace(self._session.settings, poll_interval=interval))

    def _reporting(self, permit: Permit, error: BaseException | None) -> Flow[None]:
        outcome: Mapping[str, Any] = outcome_of(permit, error, self._session.clock())
        return report(self._session, permit.name, permit.uid, outcome)

    def _unreported(
        self, permit: Permit, error: BaseException | None, failure: Exception, on_report_error: OnReportError | None
    ) -> None:
        """Say that an outcome could not be reported. The outcome itself stays what it is."""
        went = "failed" if error is not None else "was run"
        words = f"action {permit.name} {went}, and that could not be reported: {failure}"
        logger.warning("%s", words)
        if error is not None:
            with suppress(Exception):  # of somebody else's class, which may be frozen
                notes = getattr(error, "__notes__", None)
                error.__notes__ = [*(notes if isinstance(notes, list) else []), words]  # type: ignore[attr-defined]
        if on_report_error is not None:
            try:
                on_report_error(failure)
            except Exception:
                logger.exception("on_report_error failed")


_clients: weakref.WeakSet[BaseClient] = weakref.WeakSet()
_parents: list[dict[str, Any]] = []


def _begin_anew(client: BaseClient) -> None:
    """After a fork: connections are the parent's, and so is the thread of the watch."""
    if client.is_async:
        # Kept. An event loop's poller is one for parent and child: to close a connection here would have the parent
        # never hear of it again.
        _parents.append(vars(client).copy())
    client._begin()


def _after_fork() -> None:
    for client in list(_clients):
        _begin_anew(client)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
