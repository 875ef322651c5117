# SPDX-License-Identifier: Apache-2.0
"""Whatever fails between the SDK and the API server: nothing unapproved is run, and nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import Any

import pytest

import ascend
import ascend.aio
from ascend import AgentAction
from ascend._digest import digest
from ascend._flows import name_of
from ascend.exceptions import AscendDeniedError, AscendError, AscendExpiredError, AscendKillSwitchError
from stack import Cluster

# aiohttp closes a TLS connection that is given up while it opens in the background, which a loop that
# ends at once does not wait for.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

FAULTS: list[dict[str, Any]] = [
    {"fault": "cutBefore"}, {"fault": "cutBefore", "connection": True}, {"fault": "cutAfter"}, {"fault": "cutMiddle"},
    {"fault": "twice"}, {"fault": "unauthorized"}, {"fault": "status", "code": 500}, {"fault": "status", "code": 503},
    {"fault": "status", "code": 429, "header": {"Retry-After": "1"}}, {"fault": "status", "code": 409},
    {"fault": "status", "code": 200, "body": "{}"}, {"fault": "dropWatch"}, {"fault": "gone"}, {"fault": "stall"},
    {"fault": "stale"}, {"delay": "1500ms"}, {"delayAnswer": "1500ms"}, {"skew": "-48h"}, {"skew": "48h"},
]  # fmt: skip
REQUESTS = 8  # of a governed run that somebody has to approve, and one more

LOW = {"table": "product_categories", "data_classification": "public"}
HIGH = {"table": "customers", "operation": "UPDATE", "affected_rows": 1, "data_classification": "pii"}


class Run:
    """One governed run, with what was true when its body ran."""

    def __init__(self, cluster: Cluster, *, human: bool, timeout: float = 1) -> None:
        self.cluster = cluster
        self.options = cluster.options(timeout)
        self.key = uuid.uuid4().hex
        self.name = name_of("default", cluster.agent, self.key)
        self.type: str
        self.parameters: dict[str, Any]
        self.type, self.parameters = ("database_write", HIGH) if human else ("database_read", LOW)
        self.action = AgentAction(self.type, "Try it", self.parameters, idempotency_key=self.key)
        self.runs = 0
        self.problems: list[str] = []

    def body(self, parameters: dict[str, Any]) -> None:
        """What is governed."""
        self.runs += 1
        stored = self.cluster.actions(self.name)
        if [a["status"].get("decision") for a in stored] != ["Approved"]:
            self.problems.append(f"it is run, and stored is {stored}")
        elif (
            not stored[0]["status"]["specDigest"]
            == digest(stored[0]["spec"])
            == digest(self.action.to_spec(self.cluster.agent))
        ):
            self.problems.append("what is run is not what was approved")
        if parameters != self.parameters:
            self.problems.append("the parameters differ")

    def sync(self) -> None:
        with ascend.AscendClient(**self.options) as client, contextlib.suppress(AscendError):  # noqa: SIM117
            with client.governed_action(self.action, timeout_seconds=5) as run:
                self.body(run.parameters)

    async def asynchronous(self) -> None:
        async with ascend.aio.AscendClient(**self.options) as client:
            with contextlib.suppress(AscendError):
                async with client.governed_action(self.action, timeout_seconds=5) as run:
                    await asyncio.to_thread(self.body, run.parameters)

    def go(self, variant: str) -> None:
        with self.cluster.approving(self.name) if self.type == "database_write" else contextlib.nullcontext():
            if variant == "asyncio":
                asyncio.run(self.asynchronous())
            else:
                self.sync()
        if self.runs > 1:
            self.problems.append(f"it is run {self.runs} times")
        log = self.cluster.ask("GET", "/log")
        if sum(r["verb"] == "create" and r.get("code") == 201 and self.name in r["body"] for r in log) > 1:
            self.problems.append("it is created twice")


@pytest.mark.parametrize("variant", ["threads", "asyncio"])
@pytest.mark.parametrize("human", [False, True], ids=["low", "high"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: "-".join(str(v) for v in f.values()))
def test_a_fault_at_every_request(cluster: Cluster, fault: dict[str, Any], human: bool, variant: str) -> None:
    ran = 0
    for n in range(1, REQUESTS + 1 if human else REQUESTS - 2):
        cluster.plan({"n": n, **fault})
        run = Run(cluster, human=human)
        run.go(variant)
        assert run.problems == [], f"at request {n}"
        ran += run.runs
    assert ran > 0  # one broken request is mostly survived


@pytest.mark.parametrize("variant", ["threads", "asyncio"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: "-".join(str(v) for v in f.values()))
def test_a_fault_from_some_request_on(cluster: Cluster, fault: dict[str, Any], variant: str) -> None:
    for n in (2, 4):
        cluster.plan({"from": n, **fault})
        run = Run(cluster, human=True)
        run.go(variant)
        assert run.problems == [], f"from request {n}"


def test_a_clock_that_is_wrong_stops_everything(cluster: Cluster) -> None:
    for skew in ("48h", "-48h"):
        cluster.plan({"skew": skew})
        run = Run(cluster, human=False)
        run.go("threads")
        assert (run.runs, run.problems) == (0, [])


def test_a_suspended_agent_runs_nothing(cluster: Cluster) -> None:
    with ascend.AscendClient(**cluster.options()) as client:
        client.submit_action(AgentAction("database_read", "Before", LOW))
        cluster.set_agent("Suspended")
        try:
            with (
                pytest.raises((AscendKillSwitchError, AscendExpiredError)),
                client.governed_action(AgentAction("database_read", "After", LOW)),
            ):
                pytest.fail("it is run")
        finally:
            cluster.set_agent("Active")


def test_a_denial_and_a_second_call(cluster: Cluster) -> None:
    with ascend.AscendClient(**cluster.options()) as client:
        bulk = AgentAction(
            "database_delete", "Clean up", {"table": "users", "operation": "DELETE", "affected_rows": 150}
        )
        result = client.submit_action(bulk)
        assert (result.decision, result.rule_id, result.rule_name) == (
            "DENIED",
            "rule-no-bulk-delete",
            "Block Bulk Deletions",
        )
        with (
            pytest.raises(AscendDeniedError, match="Bulk delete operations require manager approval"),
            client.governed_action(bulk),
        ):
            pytest.fail("it is run")
    first = Run(cluster, human=False, timeout=60)
    first.go("threads")
    first.go("asyncio")
    assert (first.runs, first.problems) == (1, [])
