# SPDX-License-Identifier: Apache-2.0
"""What the SDK does against a real API server with the operator."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from team import GROUP, READ, WRITE, Team, begin

from ascend import AgentAction, AscendClient, governed
from ascend.aio import AscendClient as AsyncClient
from ascend.exceptions import (
    AscendAgentNotRegisteredError,
    AscendAuthenticationError,
    AscendAuthorizationError,
    AscendConflictError,
    AscendError,
    AscendKillSwitchError,
    AscendNotFoundError,
    AscendOperatorAbsentError,
    AscendRateLimitError,
    AscendValidationError,
)

pytestmark = pytest.mark.cluster

CONNECTIONS = 8
WAITS = 1000


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    cluster = begin()
    cluster.plan()
    yield Team(cluster)
    cluster.close()


@pytest.fixture
def client(team: Team) -> Iterator[AscendClient]:
    with AscendClient(**team.connect()) as client:
        yield client


def read(description: str = "", idempotency_key: str | None = None) -> AgentAction:
    return AgentAction("database_read", description, READ, idempotency_key=idempotency_key)


def write(description: str = "") -> AgentAction:
    return AgentAction("database_write", description, WRITE)


def test_the_way_of_an_action(team: Team, client: AscendClient) -> None:
    first = client.submit_action(write("the way of one"))
    assert (first.decision, first.final, first.created) == ("PENDING", False, True)
    assert first.pending_approvers == ["group:ascend-approvers"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.wait_for_decision, first.action_id, 90)
        team.approve(first.action_id)
        final = waiting.result(timeout=120)
    assert (final.decision, final.final, final.approved) == ("APPROVED", True, True)
    assert final.valid_until is not None
    client.log_action_completed(first.action_id, {"rows": 1}, 12)
    client.log_action_completed(first.action_id, {"rows": 1}, 12)
    with pytest.raises(AscendConflictError):
        client.log_action_failed(first.action_id, "it did not")


def test_a_wait_that_is_over_and_a_withdrawal(client: AscendClient) -> None:
    name = client.submit_action(write("nobody looks")).action_id
    over = client.wait_for_decision(name, timeout_seconds=2)
    assert (over.decision, over.final) == ("TIMEOUT", False)
    client.cancel_action(name)
    assert client.wait_for_decision(name, 90).decision == "CANCELLED"


def test_one_key_is_one_action(team: Team, client: AscendClient) -> None:
    first = client.submit_action(read("once", idempotency_key="order-1"))
    again = client.submit_action(read("once", idempotency_key="order-1"))
    assert (first.action_id, first.created, again.created) == (again.action_id, True, False)
    with pytest.raises(AscendConflictError):
        client.submit_action(read("another", idempotency_key="order-1"))
    assert [a["spec"].get("description", "") for a in team.actions()].count("once") == 1


def test_a_bulk_deletion_is_denied_and_not_raised(client: AscendClient) -> None:
    denied = client.submit_action(AgentAction("database_delete", "all", {"table": "users", "affected_rows": 150}))
    assert (denied.decision, denied.rule_id) == ("DENIED", "rule-no-bulk-delete")
    assert denied.denial_reason == "Bulk delete operations require manager approval"


def test_errors_say_what_to_do(team: Team) -> None:
    team.register("asleep", state="Suspended")
    team.register("somebody-elses", subjects=[{"kind": "ServiceAccount", "name": "other"}])
    team.register("hurried", rateLimit={"perMinute": 1, "perHour": 100, "perDay": 100})
    path = f"/api/v1/namespaces/{team.namespace}/serviceaccounts"
    team.cluster.ask("POST", path, {"metadata": {"name": "powerless"}})

    def refused(**options: Any) -> AscendError:
        with AscendClient(**team.connect(**options)) as client:
            try:
                for _ in range(2):  # the second is over the limit
                    client.submit_action(read())
            except AscendError as error:
                return error
        pytest.fail(f"{options}: nothing was refused")

    error = refused(agent_id="nobody")
    assert isinstance(error, AscendAgentNotRegisteredError)
    assert "ascend agents register nobody" in str(error)
    assert "ascend agents token nobody" in str(error)
    assert isinstance(refused(agent_id="asleep"), AscendKillSwitchError)
    assert isinstance(refused(agent_id="somebody-elses"), AscendAuthorizationError)
    error = refused(agent_id="hurried", max_retries=0)  # it would wait for the next minute
    assert isinstance(error, AscendRateLimitError)
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 60
    error = refused(api_key="no.such.key")
    assert isinstance(error, AscendAuthenticationError)
    assert "with ASCEND_API_KEY and ASCEND_API_URL unset" in str(error)
    error = refused(api_key=team.token_of("powerless"))
    assert isinstance(error, AscendAuthorizationError)
    assert "create" in str(error)
    assert "agentactions" in str(error)
    with AscendClient(**team.connect()) as client:
        with pytest.raises(AscendNotFoundError):
            client.get_action_status("act-none")
        with pytest.raises(AscendValidationError):
            client.submit_action(AgentAction("database_read", "x" * 4097))


def test_configure_webhook(team: Team, client: AscendClient) -> None:
    with pytest.raises(AscendAuthorizationError) as raised:
        client.configure_webhook("https://hooks.example.com/x", ["action.approved"], "a secret of 16 bytes")
    assert "a secret of 16 bytes" not in str(raised.value)
    name = f"{team.agent}-webhook"
    secrets = f"/api/v1/namespaces/{team.namespace}/secrets"
    team.cluster.ask("POST", secrets, {"metadata": {"name": name}, "type": "Opaque"})
    may = {
        "metadata": {"name": name},
        "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": ["get", "patch"]},
            {
                "apiGroups": [GROUP],
                "resources": ["webhooksubscriptions"],
                "resourceNames": [name],
                "verbs": ["create", "get", "patch"],
            },
        ],
    }
    team.cluster.ask("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{team.namespace}/roles", may)
    team.bind("bot", {"kind": "Role", "name": name})
    for secret, events in (("the first of 16 bytes", ["action.approved"]), ("the second one of 16", ["action.denied"])):
        client.configure_webhook("https://hooks.example.com/x", events, secret)
        stored = team.cluster.ask("GET", f"{secrets}/{name}")
        assert base64.b64decode(stored["data"]["secret"]).decode() == secret
        spec = team.cluster.ask("GET", team.path("webhooksubscriptions", name))["spec"]
        assert (spec["events"], spec["agentRef"]["name"]) == (events, team.agent)


def test_many_waits_of_threads_share_a_watch(team: Team) -> None:
    team.cluster.plan()
    with AscendClient(**team.connect(timeout=30)) as client, ThreadPoolExecutor(WAITS) as pool:
        names = [client.submit_action(write("crowd of threads")).action_id for _ in range(20)]
        waits = [pool.submit(client.wait_for_decision, names[i % len(names)], 120) for i in range(WAITS)]
        for name in names:
            client.cancel_action(name)
        assert {wait.result(timeout=120).decision for wait in waits} == {"CANCELLED"}
        peak = team.cluster.connections()["peak"]
    assert peak <= CONNECTIONS
    print(f"{WAITS} waits of threads: {peak} connections, {len(team.cluster.requests())} requests")


def test_many_waits_of_tasks_share_a_watch(team: Team) -> None:
    team.cluster.plan()

    async def crowd() -> set[str]:
        async with AsyncClient(**team.connect(timeout=30)) as client:
            names = [(await client.submit_action(write("crowd of tasks"))).action_id for _ in range(20)]
            waits = [asyncio.ensure_future(client.wait_for_decision(names[i % 20], 120)) for i in range(WAITS)]
            await asyncio.sleep(0)
            for name in names:
                await client.cancel_action(name)
            return {(await wait).decision for wait in waits}

    assert asyncio.run(crowd()) == {"CANCELLED"}
    peak = team.cluster.connections()["peak"]
    assert peak <= CONNECTIONS
    print(f"{WAITS} waits of tasks: {peak} connections, {len(team.cluster.requests())} requests")


def test_without_an_operator_nothing_is_run(team: Team) -> None:
    runs = 0
    with AscendClient(**team.connect(timeout=5)) as client:

        @governed(client, action_type="database_read", description="nobody there", timeout_seconds=5)
        def run(table: str, operation: str, data_classification: str) -> None:
            nonlocal runs
            runs += 1

        with team.cluster.without_decisions():
            with pytest.raises(AscendOperatorAbsentError) as raised:
                client.submit_action(read("nobody there either"))
            with pytest.raises(AscendOperatorAbsentError) as given_up:
                run(**READ)
        assert "kubectl get pods -n ascend-system" in str(raised.value)
        # Now the operator decides, and what was given up stays so. The withdrawal is tried
        # once; where its answer was late it may have been too late, or not.
        became = {"nobody there either": {"APPROVED"}, "nobody there": {"CANCELLED"}}
        if "It was withdrawn" not in str(given_up.value):
            became["nobody there"].add("APPROVED")
        for action in team.actions():
            if allowed := became.get(action["spec"].get("description", "")):
                assert client.wait_for_decision(action["metadata"]["name"], 60).decision in allowed
    assert runs == 0
