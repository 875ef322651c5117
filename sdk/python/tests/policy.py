# SPDX-License-Identifier: Apache-2.0
"""Clients whose actions are decided by their type, in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from ascend import AscendClient
from ascend._exchange import Answer, Flow
from ascend.aio import AscendClient as AsyncClient
from world import T, World

DENIED = {
    "decision": "Denied",
    "reason": "RuleDenied",
    "message": "Bulk delete operations require manager approval",
    "decidingRule": {"name": "rule-no-bulk-delete"},
}
GIVEN: dict[str, Any] = {
    "api_key": "token",
    "api_url": "https://api.internal:6443",
    "agent_id": "bot",
    "namespace": "shop",
}


@dataclass
class Policy(World):
    """The truth, for adapters: types that end in `_delete` are denied, `_transfer` waits, others are approved."""

    lock: threading.RLock = field(default_factory=threading.RLock)

    def create(self, obj: dict[str, Any]) -> Answer:
        kind = obj["spec"]["actionType"]
        decision: dict[str, Any] = {"decision": "Approved", "reason": "AutoApproved"}
        if kind.endswith("_delete"):
            decision = DENIED
        elif kind.endswith("_transfer"):
            decision = {"decision": "Pending", "approval": {"pendingApprovers": ["group:managers"]}}
        self.decide = [(0.01, decision)]
        return super().create(obj)

    def run(self, flow: Flow[T]) -> T:
        with self.lock:
            return super().run(flow)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What all actions asked for, in their order."""
        specs = [obj["spec"] for obj in self.store.values()]
        return [{name: value for name, value in spec.items() if name != "outcome"} for spec in specs]

    @property
    def outcomes(self) -> list[str]:
        """How they went; empty where nothing was reported."""
        return [obj["spec"].get("outcome", {}).get("result", "") for obj in self.store.values()]

    def client(self) -> AscendClient:
        client = AscendClient(**GIVEN)
        client._session = self.session
        client._run = self.run  # type: ignore[method-assign]
        return client

    def async_client(self) -> AsyncClient:
        client = AsyncClient(**GIVEN)
        client._session = self.session

        async def run(flow: Flow[T]) -> T:
            return self.run(flow)

        client._run = run  # type: ignore[method-assign]
        return client
