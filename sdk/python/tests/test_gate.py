# SPDX-License-Identifier: Apache-2.0
"""The last question before a run, each doubt by itself."""

from __future__ import annotations

import copy
from typing import Any, Callable

import pytest

from ascend._digest import digest
from ascend._exchange import Answer, ServerTime
from ascend._flows import draft_of, submit_action
from ascend._gate import Permit, check, permit
from ascend.exceptions import (
    AscendCancelledError,
    AscendConflictError,
    AscendDeniedError,
    AscendError,
    AscendExpiredError,
    AscendIntegrityError,
    AscendKillSwitchError,
    AscendPendingTimeoutError,
)
from world import World, reading

DATE = {"date": "Fri, 02 Jan 2026 12:00:00 GMT"}
DRAFT = draft_of(World().session, reading())
GOOD: dict[str, Any] = {
    "kind": "AgentAction",
    "metadata": {"name": DRAFT.name, "namespace": "shop", "uid": "u", "resourceVersion": "9"},
    "spec": {**DRAFT.spec, "cancelled": False, "description": ""},
    "status": {
        "decision": "Approved",
        "specDigest": DRAFT.digest,
        "decidedAt": "2026-01-02T11:59:59.000000Z",
        "validUntil": "2026-01-02T13:00:00.000000Z",
    },
}


def judge(
    obj: dict[str, Any] = GOOD, headers: dict[str, str] = DATE, digest_now: str = DRAFT.digest, now: float = 50
) -> Permit:
    """Ask with an answer that was asked for at 40 and came at 50, of the monotonic clock."""
    return check(obj, Answer(200, headers, b"", 40.0, 50.0), DRAFT, "u", digest_now, now)


def test_what_is_good_passes() -> None:
    assert judge().uid == "u"


def change(at: str, value: Any) -> dict[str, Any]:
    obj = copy.deepcopy(GOOD)
    part, key = at.split(".")
    obj[part][key] = value
    return obj


@pytest.mark.parametrize(
    ("obj", "error", "words"),
    [
        (change("metadata.uid", "other"), AscendIntegrityError, "uid differs"),
        (change("metadata.uid", ""), AscendIntegrityError, "uid differs"),
        (change("status.decision", "Pending"), AscendPendingTimeoutError, "not run"),
        (change("status.decision", ""), AscendPendingTimeoutError, "not run"),
        (change("status.decision", "approved"), AscendPendingTimeoutError, "not run"),
        (change("status.decision", "Denied"), AscendDeniedError, "denied"),
        (change("status.decision", ["Approved"]), AscendPendingTimeoutError, "not run"),
        (change("status.specDigest", "sha256:0"), AscendIntegrityError, "not what would be run"),
        (change("status.specDigest", None), AscendIntegrityError, "no digest"),
        (change("spec.parameters", {"table": "users"}), AscendIntegrityError, "not what would be run"),
        (change("spec.resource", "users"), AscendIntegrityError, "not what would be run"),
        (change("spec.cancelled", True), AscendCancelledError, "withdrawn"),
        (change("spec.outcome", {"result": "Succeeded"}), AscendConflictError, "run before"),
        (change("status.validUntil", None), AscendExpiredError, "good until never"),
        (change("status.validUntil", "soon"), AscendExpiredError, "good until never"),
        (change("status.validUntil", "2026-01-02T12:00:12.000000Z"), AscendExpiredError, "2026-01-02T12:00:12"),
        (change("status.decidedAt", None), AscendIntegrityError, "clock is behind"),
        (change("status.decidedAt", "2026-01-02T12:02:00.000000Z"), AscendIntegrityError, "clock is behind"),
    ],
)
def test_a_doubt_is_a_no(obj: dict[str, Any], error: type[AscendError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        judge(obj)
    assert type(caught.value) is error


def test_a_withdrawn_approval() -> None:
    obj = change("status.reason", "AgentSuspended")
    obj["status"]["validUntil"] = "2026-01-02T12:00:00.000000Z"
    with pytest.raises(AscendKillSwitchError, match="withdrawn"):
        judge(obj)


def test_what_is_run_is_what_was_asked() -> None:
    with pytest.raises(AscendIntegrityError, match="have changed"):
        judge(digest_now=digest({**DRAFT.spec, "resource": "other"}))


@pytest.mark.parametrize("headers", [{}, {"date": "now"}, {"date": "Fri, 02 Jan 2026 12:00:00 -0000"}])
def test_without_the_servers_time(headers: dict[str, str]) -> None:
    with pytest.raises(AscendIntegrityError, match="no Date header"):
        judge(headers=headers)


def test_time_is_taken_for_as_late_as_it_can_be() -> None:
    # The request was sent 10 s before its answer came, Date cuts a second, and a second is the margin.
    judge(change("status.validUntil", "2026-01-02T12:00:12.000001Z"))
    for until, now in (("2026-01-02T12:00:12.000000Z", 50.0), ("2026-01-02T12:00:12.500000Z", 50.5)):
        with pytest.raises(AscendExpiredError):
            judge(change("status.validUntil", until), now=now)
    time = ServerTime.of(Answer(200, DATE, b"", 40.0, 50.0))
    assert time is not None
    assert (time.latest(51) - time.date).total_seconds() == 12
    assert (time.about(51) - time.date).total_seconds() == 1.5


def run(world: World, answers: Callable[[dict[str, Any]], None]) -> Permit:
    """Get a permit, with something changed in what the gate reads."""
    serve = world.answer

    def answer(code: int, obj: Any) -> Answer:
        obj = copy.deepcopy(obj)
        if code == 200:
            answers(obj)
        return serve(code, obj)

    world.answer = answer  # type: ignore[method-assign]
    draft = draft_of(world.session, reading())
    return world.run(permit(world.session, draft, 60, lambda: draft.digest))


def test_the_gate_reads_once_after_the_decision() -> None:
    world = World()
    assert run(world, lambda obj: None).result.created
    assert [r.method for r in world.requests] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("resourceVersion", "7", "as it was before"),
        ("resourceVersion", "", "no resourceVersion"),
        ("uid", "x", "uid differs"),
    ],
)
def test_an_answer_that_lags_or_is_of_another(key: str, value: str, words: str) -> None:
    with pytest.raises(AscendIntegrityError, match=words):
        run(World(), lambda obj: obj["metadata"].update({key: value}))


def test_another_in_its_place_while_people_decide() -> None:
    world = World([(0.01, {"decision": "Pending"})])

    def replace() -> None:
        (obj,) = world.store.values()
        obj["metadata"]["uid"] = "other"
        world.write(obj["metadata"]["name"], {"decision": "Approved"})

    # After the first decision, before the wait reads.
    world.events.append((world.now + 0.0125, replace))
    with pytest.raises(AscendIntegrityError, match="uid"):
        run(world, lambda obj: None)


def test_an_action_of_somebody_else_is_none_of_ours() -> None:
    world = World()
    world.run(submit_action(world.session, reading(idempotency_key="k")))
    draft = draft_of(world.session, reading(idempotency_key="k"))
    with pytest.raises(AscendConflictError, match="not run again"):
        world.run(permit(world.session, draft, 60, lambda: draft.digest))
