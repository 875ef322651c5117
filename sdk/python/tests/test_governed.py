# SPDX-License-Identifier: Apache-2.0
"""Whatever happens: what is not approved is not run, and nothing is run twice."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ascend import AgentAction, AscendClient, governed
from ascend._config import Given
from ascend._digest import digest
from ascend._exchange import Answer, Request, Unreachable
from ascend._flows import spec_of
from ascend._model import format_time, parse_time
from ascend.exceptions import (
    AscendCancelledError,
    AscendConflictError,
    AscendConnectionError,
    AscendDeniedError,
    AscendError,
    AscendExpiredError,
    AscendIntegrityError,
    AscendKillSwitchError,
    AscendOperatorAbsentError,
    AscendPendingTimeoutError,
    AscendValidationError,
)
from world import World, reading

FAULTS = [
    "", "", "", "cut before", "cut after", "cut middle", "twice", "slow", "no date",
    "400", "401", "403", "404", "409", "410", "422", "429", "500", "502", "503", "504",
]  # fmt: skip


def client_in(world: World) -> AscendClient:
    client = AscendClient(api_key="token", api_url="https://api", agent_id="bot", namespace="shop")
    client._session = world.session
    client._run = world.run  # type: ignore[method-assign]
    return client


class Body:
    """What is governed: it notes each run, and the truth at that moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runs: list[Any] = []

    def __call__(self, table: str, rows: Any = None) -> str:
        self.runs.append(copy.deepcopy((table, rows)))
        (obj,) = self.world.store.values()
        asked = AgentAction("database_read", parameters={"table": table, "rows": rows})
        assert obj["status"]["decision"] == "Approved"
        assert obj["status"]["specDigest"] == digest(spec_of(self.world.session, asked)) == digest(obj["spec"])
        until = parse_time(obj["status"]["validUntil"])
        assert until is not None
        assert self.world.time() < until
        assert "outcome" not in obj["spec"]
        return "done"


def govern(world: World, body: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    return governed(client_in(world), action_type="database_read", description="", **options)(body)


DECISIONS = [
    {"decision": "Approved"}, {"decision": "Approved"}, {"decision": "Denied"}, {"decision": "Pending"},
    {"decision": "TimedOut"}, {"decision": "Cancelled"}, {"decision": "Blessed"},
    {"decision": "Approved", "specDigest": "sha256:0"}, {"decision": "Approved", "validUntil": None},
    {"validUntil": format_time(datetime(2026, 1, 2, 12, 0, 0, tzinfo=timezone.utc)), "reason": "AgentSuspended"},
]  # fmt: skip


@settings(max_examples=1500)
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=16),
    decisions=st.lists(st.tuples(st.floats(0, 40), st.sampled_from(DECISIONS)), max_size=4),
    watch=st.booleans(),
    skew=st.sampled_from([0.0, -86400.0, 86400.0]),
    validity=st.sampled_from([0.5, 3.0, 3600.0]),
    retries=st.integers(0, 4),
    before=st.booleans(),
)
def test_whatever_happens(
    faults: list[str],
    decisions: list[tuple[float, dict[str, Any]]],
    watch: bool,
    skew: float,
    validity: float,
    retries: int,
    before: bool,
) -> None:
    world = World(
        decisions,
        fault=lambda number, request: faults[number - 1] if number <= len(faults) else "",
        watch=watch, skew=skew, validity=validity, max_retries=retries,
    )  # fmt: skip
    body = Body(world)
    act = govern(world, body, timeout_seconds=60, idempotency_key=lambda table: table)
    if before:  # somebody was here already
        with pytest.raises(AscendError):
            govern(World(store=world.store, decide=[]), body, idempotency_key=lambda table: table)("orders")
        assert len(world.store) == 1
    errors: list[str] = []
    for _ in range(2):
        try:
            assert act("orders") == "done"
        except AscendError as error:
            errors.append(str(error))
    assert len(body.runs) <= (0 if before else 1)
    assert all(errors)
    assert world.creations <= 1
    assert world.board._boxes == {}


@settings(max_examples=300)
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=12))
def test_a_run_and_its_result_stay_whatever_happens_to_the_report(faults: list[str]) -> None:
    world = World()
    failures: list[Exception] = []

    def body(table: str) -> str:
        start = len(world.requests)
        world.fault = lambda number, request: (
            faults[number - start - 1] if 0 <= number - start - 1 < len(faults) else ""
        )
        return table

    assert govern(world, body, on_report_error=failures.append)("orders") == "orders"
    (obj,) = world.store.values()
    assert failures or obj["spec"]["outcome"]["result"] == "Succeeded"


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "x", "Approved", "Pending", "uid-1", "AgentAction"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["decision", "status", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)
PATHS = [
    ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid"),
    ("metadata", "annotations"),
    ("spec",), ("spec", "parameters"), ("spec", "parameters", "table"), ("spec", "actionType"), ("spec", "agentRef"),
    ("spec", "outcome"), ("status",), ("status", "decision"), ("status", "specDigest"), ("status", "validUntil"),
    ("status", "risk"), ("status", "decidedAt"), ("spec", "cancelled"), ("metadata", "resourceVersion"),
]  # fmt: skip


def altered(answer: Answer, path: tuple[str, ...], junk: Any) -> Answer:
    obj: Any = json.loads(answer.body)
    at = obj
    for key in path[:-1]:
        at = at.get(key) if isinstance(at, dict) else None
    if not isinstance(at, dict):
        return answer
    at[path[-1]] = junk
    return Answer(answer.status, answer.headers, json.dumps(obj).encode(), answer.sent_at, answer.received_at)


def allows(request: Request, answer: Answer, created: Mapping[str, Any], now: datetime) -> bool:
    """Say, another way than the SDK, whether an answer shows that this action may be run."""
    obj = json.loads(answer.body)
    until = obj["status"]["validUntil"]
    return bool(
        request.method == "GET"
        and answer.status == 200
        and obj["kind"] == "AgentAction"
        and obj["metadata"]["name"] == created["metadata"]["name"]
        and obj["metadata"]["namespace"] == "shop"
        and obj["spec"]["parameters"] == created["spec"]["parameters"]
        and obj["spec"]["actionType"] == "database_read"
        and obj["spec"].get("outcome") is None
        and not obj["spec"].get("cancelled")
        and obj["status"]["decision"] == "Approved"
        and obj["status"]["specDigest"] == digest(created["spec"])
        and isinstance(until, str)
        and now < datetime.fromisoformat(until.replace("Z", "+00:00"))
    )


@settings(max_examples=1500)
@given(
    changes=st.lists(
        st.none()
        | st.tuples(st.sampled_from(PATHS), JUNK)
        | st.builds(Answer, st.sampled_from([200, 201, 404]), st.just({}), st.binary(max_size=9)),
        max_size=6,
    ),
    watch=st.booleans(),
)
def test_whatever_is_answered(changes: list[Any], watch: bool) -> None:
    world = World(watch=watch)
    call, seen = world.call, []

    def lie(request: Request) -> Answer:
        answer = call(request)
        change = changes[len(world.requests) - 1] if len(world.requests) <= len(changes) else None
        if isinstance(change, Answer):
            answer = change
        elif change is not None:
            answer = altered(answer, *change)
        seen.append((request, answer))
        return answer

    world.call = lie  # type: ignore[method-assign]
    runs = []

    def body(table: str) -> None:
        request, answer = seen[-1]
        runs.append(allows(request, answer, next(iter(world.store.values())), world.time()))

    with contextlib.suppress(AscendError):
        govern(world, body)("orders")
    assert runs in ([], [True])


@pytest.mark.parametrize(
    ("decisions", "error", "words"),
    [
        ([], AscendOperatorAbsentError, "has not looked"),
        (
            [(0, {"decision": "Denied", "message": "no", "decidingRule": {"name": "r"}})],
            AscendDeniedError,
            r"no \(rule r\)",
        ),
        ([(0, {"decision": "Denied", "reason": "AgentSuspended"})], AscendKillSwitchError, "AgentSuspended"),
        ([(0, {"decision": "Pending"})], AscendPendingTimeoutError, "no decision within 9 s"),
        ([(0, {"decision": "TimedOut", "message": "late"})], AscendPendingTimeoutError, "late"),
        ([(0, {"decision": "Pending"}), (2, {"decision": "Cancelled"})], AscendCancelledError, "withdrawn"),
        (
            [(0, {"decision": "Approved", "validUntil": "2026-01-02T12:00:01.000000Z"})],
            AscendExpiredError,
            "good until 2026",
        ),
        (
            [(0, {"decision": "Approved", "validUntil": "2026-01-02T12:00:00.000000Z", "reason": "AgentSuspended"})],
            AscendKillSwitchError,
            "withdrawn",
        ),
        ([(0, {"decision": "Approved", "specDigest": ""})], AscendIntegrityError, "no digest"),
    ],
)
def test_what_is_not_approved_is_not_run(decisions: Any, error: type[AscendError], words: str) -> None:
    world = World(decisions)
    body = Body(world)
    with pytest.raises(error, match=words) as caught:
        govern(world, body, timeout_seconds=9)("orders")
    assert type(caught.value) is error
    assert body.runs == []


def test_what_nobody_decides_about_in_time_is_withdrawn() -> None:
    world = World([(0.01, {"decision": "Pending"})])
    with pytest.raises(AscendPendingTimeoutError, match="not run, and was withdrawn: no decision within 9 s") as caught:
        govern(world, Body(world), timeout_seconds=9)("orders")
    assert caught.value.result is not None
    assert world.store[caught.value.result.action_id]["spec"]["cancelled"] is True
    assert "still waits" not in f"{caught.value} {caught.value.result.denial_reason}"


def test_what_nobody_looks_at_is_withdrawn() -> None:
    world = World([])
    with pytest.raises(AscendOperatorAbsentError, match="It was withdrawn"):
        govern(world, Body(world))("orders")
    assert [obj["spec"]["cancelled"] for obj in world.store.values()] == [True]


def test_nothing_is_tried_again_between_gate_and_run() -> None:
    world = World([(0.0, {"decision": "Approved"})])
    sent: list[int] = []
    govern(world, lambda table: sent.append(len(world.requests)))("orders")
    assert [r.method for r in world.requests] == ["POST", "GET", "PATCH"]
    assert sent == [2]


def test_the_arguments_that_are_run_are_those_that_were_approved() -> None:
    world = World([(0.01, {"decision": "Pending"}), (5, {"decision": "Approved"})])
    rows = [1, {"a": 2}]
    body = Body(world)
    world.events.append((world.now + 3, lambda: rows.append(3)))
    govern(world, body)("orders", rows)
    assert body.runs == [("orders", [1, {"a": 2}])]
    assert rows == [1, {"a": 2}, 3]


def test_arguments_that_change_nevertheless_are_not_run() -> None:
    world = World()
    count = iter(range(9))
    body = Body(world)
    with pytest.raises(AscendIntegrityError, match="have changed since"):
        govern(world, body, parameters=lambda table: {"table": table, "n": next(count)})("orders")
    assert body.runs == []


def test_an_action_that_changes_is_not_run() -> None:
    world = World([(0.01, {"decision": "Pending"}), (5, {"decision": "Approved"})])
    parameters = {"table": "orders"}
    action = AgentAction("database_read", parameters=parameters)
    world.events.append((world.now + 3, lambda: parameters.update(table="users")))
    with pytest.raises(AscendIntegrityError, match="have changed since"), client_in(world).governed_action(action):
        pytest.fail("it runs")


def test_a_block_runs_once() -> None:
    world = World()
    block = client_in(world).governed_action(reading())
    with block as run:
        assert (run.parameters, run.result.created) == ({"table": "orders"}, True)
    with pytest.raises(RuntimeError), block:
        pytest.fail("it runs again")
    assert world.store[run.action_id]["spec"]["outcome"]["result"] == "Succeeded"


def test_of_the_copies_of_a_block_that_a_fork_makes_one_runs() -> None:
    world = World()
    block = client_in(world).governed_action(reading())
    other = copy.copy(block)
    with block:
        pass
    with pytest.raises(AscendConflictError, match="not run again"), other:
        pytest.fail("it runs again")


def test_a_second_call_with_the_same_key_says_what_became_of_the_first() -> None:
    world = World()
    act = govern(world, lambda table: None, idempotency_key=lambda table: table)
    act("orders")
    with pytest.raises(AscendConflictError, match=r"APPROVED, reported as Succeeded\); it is not run again"):
        act("orders")


@pytest.mark.parametrize("raised", [ValueError("boom"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_is_reported_and_passed_on(raised: BaseException) -> None:
    world = World()

    def body(table: str) -> None:
        raise raised

    with pytest.raises(type(raised)) as caught:
        govern(world, body)("orders")
    assert caught.value is raised
    (obj,) = world.store.values()
    assert obj["spec"]["outcome"]["result"] == "Failed"
    assert obj["spec"]["outcome"]["message"].startswith(type(raised).__name__)
    assert obj["spec"]["outcome"]["startedAt"] <= obj["spec"]["outcome"]["completedAt"]


def test_a_report_that_fails_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    failures: list[Exception] = []

    def break_down(failure: Exception) -> None:
        failures.append(failure)
        raise RuntimeError("of the callback")

    def body(table: str) -> None:
        world.fault = lambda number, request: "cut before"
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom") as caught:
        govern(world, body, on_report_error=break_down)("orders")
    assert "that could not be reported" in caught.value.__notes__[0]  # type: ignore[attr-defined]
    assert "that could not be reported" in caplog.text
    assert isinstance(failures[0], AscendConnectionError)


def test_a_report_that_fails_hides_no_exception_that_takes_no_notes() -> None:
    @dataclass(frozen=True)
    class Frozen(Exception):
        code: int

    world = World(fault=lambda number, request: "403" if request.method == "PATCH" else "")

    def body(table: str) -> None:
        raise Frozen(7)

    with pytest.raises(Frozen):
        govern(world, body)("orders")


def test_methods_defaults_exclusion_and_resources() -> None:
    world = World()

    class Store:
        @governed(client_in(world), action_type="database_read", resource="stores/{n}/{what}", exclude=("via",))
        def read(self, n: int, *more: int, what: str = "orders", via: object = None, **rest: Any) -> Any:
            """Read what a store has.

            And more.
            """
            return self, n, more, what, via, rest

    store, via = Store(), object()
    assert store.read(1, 2, 3, via=via, x=4) == (store, 1, (2, 3), "orders", via, {"x": 4})
    (obj,) = world.store.values()
    assert obj["spec"]["parameters"] == {"n": 1, "more": [2, 3], "what": "orders", "rest": {"x": 4}}
    assert obj["spec"]["resource"] == "stores/1/orders"
    assert obj["spec"]["description"] == "Read what a store has."


def test_what_is_no_json_is_named_before_anything_is_sent() -> None:
    world = World()
    act = govern(world, lambda table: None)
    with pytest.raises(AscendValidationError, match=r"parameters.table is of type builtins.object"):
        act(object())
    with pytest.raises(AscendValidationError, match=r"argument table cannot be copied.*\n.*exclude"):
        act(x for x in [1])
    with pytest.raises(TypeError, match="missing"):
        act()
    assert world.requests == []


def test_what_cannot_be_governed() -> None:
    client = client_in(World())
    decorate = governed(client, action_type="t")

    async def coroutine() -> None: ...

    def generator() -> Any:
        yield

    async def both() -> Any:
        yield

    functions: list[Any] = [
        coroutine,
        generator,
        both,
        classmethod(lambda cls: None),
        staticmethod(lambda: None),
        3,
        int,
    ]
    for function in functions:
        with pytest.raises(TypeError):
            decorate(function)
    wrong: list[dict[str, Any]] = [
        {"resource": "x/{other}"}, {"resource": "{a"}, {"resource": "{a!r}"}, {"resource": "{a:>9}"},
        {"resource": "{a.b}"},
        {"exclude": "b"}, {"exclude": ["a"], "resource": "{a}"},
        {"parameters": lambda b: {}}, {"context": lambda *a: {}},
    ]  # fmt: skip
    for options in wrong:
        with pytest.raises(TypeError):
            governed(client, action_type="t", **options)(lambda a: None)
    with pytest.raises(AscendValidationError):
        governed(client, action_type="No Type")(lambda: None)


def test_what_would_run_later_is_not_run() -> None:
    world = World()

    async def later() -> None:
        pytest.fail("it runs")

    with pytest.raises(TypeError, match="would run later"):
        govern(world, lambda table: later())("orders")
    (obj,) = world.store.values()
    assert obj["spec"]["outcome"]["result"] == "Failed"


def test_what_runs_on_its_own_is_not_said_to_be_done_or_not() -> None:
    world, loop = World(), asyncio.new_event_loop()
    with pytest.raises(TypeError, match="returned a Future, of which nobody knows how it ends; await it"):
        govern(world, lambda table: loop.create_future())("orders")
    loop.close()
    (obj,) = world.store.values()
    assert obj["spec"]["outcome"]["result"] == "Failed"


def test_no_secret_in_what_is_shown() -> None:
    client = AscendClient(api_key="very-secret-token", api_url="https://api", agent_id="bot")
    given = Given(api_key="very-secret-token")  # a local variable, which reports of errors may show
    for shown in (repr(client), str(client), repr(client._session), repr(client._session.settings), repr(given)):
        assert "very-secret" not in shown


def test_unreachable_is_no_error_of_the_users() -> None:
    assert not issubclass(Unreachable, AscendError)
