# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pytest

from ascend import AgentAction
from ascend._exchange import Answer, Request
from ascend._flows import cancel_action, draft_of, get_action_status, name_of, submit_action, wait_for_decision
from ascend._gate import log_outcome
from ascend._subscription import configure_webhook
from ascend.exceptions import (
    AscendAgentNotRegisteredError,
    AscendAuthenticationError,
    AscendAuthorizationError,
    AscendConflictError,
    AscendConnectionError,
    AscendError,
    AscendIntegrityError,
    AscendKillSwitchError,
    AscendNotFoundError,
    AscendNotInstalledError,
    AscendOperatorAbsentError,
    AscendRateLimitError,
    AscendValidationError,
)
from world import World, reading, status

PENDING = {"decision": "Pending", "approval": {"pendingApprovers": ["group:g"]}}


def only(*numbers: int, fault: str) -> Any:
    return lambda number, request: fault if number in numbers else ""


@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize("word", ["Approved", "Denied", "Pending"])
def test_the_first_decision_is_returned(word: str, watch: bool) -> None:
    world = World([(0.03, {"decision": word})], watch=watch)
    result = world.run(submit_action(world.session, reading()))
    assert (result.decision, result.created, result.action_id) == (word.upper(), True, *world.store)
    if watch:
        assert [r.method for r in world.requests] == ["POST"]
    assert world.board._boxes == {}


def test_names() -> None:
    name = name_of("shop", "bot", "order-1")
    # printf 'shop\0bot\0order-1' | openssl sha256 -binary | basenc --base32hex | cut -c-26 | tr A-V a-v
    assert name == "act-rivij8mratmctaptumdeq9qfoj"
    assert set(name[4:]) <= set("0123456789abcdefghijklmnopqrstuv")
    assert (
        len(
            {name, name_of("shop", "bo", "torder-1"), name_of("shop", "bot", "order-2"), name_of("s", "bot", "order-1")}
        )
        == 4
    )


def test_without_a_key_every_submission_is_an_action_of_its_own() -> None:
    world = World()
    assert (
        world.run(submit_action(world.session, reading())).action_id
        != world.run(submit_action(world.session, reading())).action_id
    )


@pytest.mark.parametrize("fault", ["cut before", "cut after", "cut middle", "twice", "500", "502", "503", "504", "429"])
def test_a_create_that_is_tried_again_makes_one_action(fault: str) -> None:
    world = World(fault=only(1, fault=fault))
    result = world.run(submit_action(world.session, reading()))
    assert (result.decision, result.created, world.creations) == ("APPROVED", True, 1)


@pytest.mark.parametrize("code", ["400", "401", "403", "404", "409", "422"])
def test_what_cannot_pass_is_not_tried_again(code: str) -> None:
    world = World(fault=only(1, fault=code))
    with pytest.raises(AscendError) as caught:
        world.run(submit_action(world.session, reading()))
    assert len(world.requests) == 1
    assert caught.value.status == int(code)
    assert world.board._boxes == {}


def test_tries_end() -> None:
    world = World(fault=lambda number, request: "cut before", max_retries=2)
    with pytest.raises(AscendConnectionError, match="could not submit action act-"):
        world.run(submit_action(world.session, reading()))
    assert len(world.requests) == 3
    assert world.slept == [0.1, 0.2]  # half of 0.2 and 0.4: exponential, with jitter


def test_an_absent_operator_is_said_to_be() -> None:
    for watch in (True, False):
        world = World([], watch=watch)
        with pytest.raises(
            AscendOperatorAbsentError, match=r"has not looked at action act-.* within 5 s; nothing was run"
        ):
            world.run(submit_action(world.session, reading()))
        assert world.now == pytest.approx(1005, abs=0.1)


def test_the_same_key_is_the_same_action() -> None:
    world = World()
    first = world.run(submit_action(world.session, reading(idempotency_key="k")))
    second = world.run(submit_action(world.session, reading(idempotency_key="k")))
    assert (first.created, second.created, world.creations) == (True, False, 1)
    assert first.uid == second.uid


def test_the_same_key_for_something_else_is_a_conflict() -> None:
    world = World()
    world.run(submit_action(world.session, reading(idempotency_key="k")))
    with pytest.raises(AscendConflictError, match=r"another action was submitted .* decision APPROVED"):
        world.run(submit_action(world.session, AgentAction("database_write", idempotency_key="k")))


def test_what_is_decided_otherwise_than_asked_is_not_returned() -> None:
    world = World([(0.01, {"decision": "Approved", "specDigest": "sha256:other"})])
    with pytest.raises(AscendIntegrityError, match="specDigest"):
        world.run(submit_action(world.session, reading()))


def test_what_is_stored_otherwise_than_asked_is_not_returned() -> None:
    world = World()
    create = world.create

    def changing(obj: dict[str, Any]) -> Answer:
        obj["spec"]["parameters"]["table"] = "users"
        return create(obj)

    world.create = changing  # type: ignore[method-assign]
    with pytest.raises(AscendIntegrityError, match="not stored as it was asked"):
        world.run(submit_action(world.session, reading()))


@pytest.mark.parametrize("watch", [True, False])
def test_waiting(watch: bool) -> None:
    world = World([(0.01, PENDING), (100.0, {"decision": "Denied", "message": "no"})], watch=watch)
    name = world.run(submit_action(world.session, reading())).action_id
    result = world.run(wait_for_decision(world.session, name, 300))
    assert (result.decision, result.final, result.denial_reason) == ("DENIED", True, "no")
    assert world.now == pytest.approx(1100, abs=0.1 if watch else 5.1)
    assert len(world.requests) <= (4 if watch else 35)


@pytest.mark.parametrize("watch", [True, False])
def test_a_wait_ends(watch: bool) -> None:
    world = World([(0.01, PENDING)], watch=watch)
    name = world.run(submit_action(world.session, reading())).action_id
    result = world.run(wait_for_decision(world.session, name, 30))
    assert (result.decision, result.final, result.approved) == ("TIMEOUT", False, False)
    assert result.denial_reason == "no decision within 30 s: it still waits for group:g"


def test_a_timeout_of_the_cluster_is_final() -> None:
    world = World([(0.01, {"decision": "TimedOut", "message": "nobody decided"})])
    result = world.run(submit_action(world.session, reading()))
    assert (result.decision, result.final) == ("TIMEOUT", True)


def test_a_gap_in_the_watch_makes_everybody_read_once() -> None:
    world = World([(0.01, PENDING)])
    name = world.run(submit_action(world.session, reading())).action_id
    world.events.append((world.now + 5, world.board.lost))
    world.events.append((world.now + 5, lambda: world.store[name]["status"].update(decision="Denied")))
    result = world.run(wait_for_decision(world.session, name, 300))
    assert result.decision == "DENIED"
    assert world.now == pytest.approx(1005, abs=0.1)


def test_an_action_in_the_place_of_another_is_not_taken_for_it() -> None:
    world = World([(0.01, PENDING)])
    name = world.run(submit_action(world.session, reading())).action_id

    def replace() -> None:
        world.store[name]["metadata"]["uid"] = "other"
        world.write(name, {"decision": "Approved"})

    world.events.append((world.now + 1, replace))
    with pytest.raises(AscendIntegrityError, match="uid has changed"):
        world.run(wait_for_decision(world.session, name, 300))


def test_an_action_that_goes_away() -> None:
    world = World([(0.01, PENDING)])
    name = world.run(submit_action(world.session, reading())).action_id

    def remove() -> None:
        del world.store[name]
        world.board.publish(name, None)

    world.events.append((world.now + 1, remove))
    with pytest.raises(AscendNotFoundError):
        world.run(wait_for_decision(world.session, name, 300))
    with pytest.raises(AscendNotFoundError, match="ascend actions list"):
        world.run(get_action_status(world.session, name))


@pytest.mark.parametrize("fault", ["", "cut after", "cut before", "twice", "503"])
def test_cancelling(fault: str) -> None:
    world = World([(0.01, PENDING)], fault=only(2, fault=fault))
    name = world.run(submit_action(world.session, reading())).action_id
    assert world.run(cancel_action(world.session, name)).decision == "CANCELLED"


def test_cancelling_what_is_decided() -> None:
    world = World()
    name = world.run(submit_action(world.session, reading())).action_id
    with pytest.raises(AscendConflictError, match="decided already, APPROVED"):
        world.run(cancel_action(world.session, name))


@pytest.mark.parametrize("fault", ["", "cut after", "cut before", "cut middle", "twice", "503", "429"])
@pytest.mark.parametrize("number", [2, 3])
def test_an_outcome_is_reported_once(fault: str, number: int) -> None:
    world = World(fault=only(number, fault=fault))
    name = world.run(submit_action(world.session, reading())).action_id
    world.run(log_outcome(world.session, name, "Succeeded", "done", 1500))
    outcome = world.store[name]["spec"]["outcome"]
    assert (outcome["result"], outcome["message"]) == ("Succeeded", "done")
    assert outcome["startedAt"] < outcome["completedAt"]
    world.run(log_outcome(world.session, name, "Succeeded", "done"))  # again: nothing to say
    with pytest.raises(AscendConflictError, match="Succeeded was reported before"):
        world.run(log_outcome(world.session, name, "Failed", "no"))
    assert world.store[name]["spec"]["outcome"] == outcome


def test_an_outcome_of_what_was_not_approved() -> None:
    world = World([(0.01, PENDING)])
    name = world.run(submit_action(world.session, reading())).action_id
    with pytest.raises(AscendValidationError, match="only after the action was approved"):
        world.run(log_outcome(world.session, name, "Succeeded", ""))


RBAC = (
    'agentactions.governance.ascendowkai.com is forbidden: User "system:serviceaccount:shop:bot" cannot create '
    'resource "agentactions" in API group "governance.ascendowkai.com" in the namespace "shop"'
)
DENIED = 'admission webhook "agentactions.governance.ascendowkai.com" denied the request: '


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (status(401, "Unauthorized"), AscendAuthenticationError, "ascend agents token bot -n shop"),
        (
            status(403, "Forbidden", RBAC),
            AscendAuthorizationError,
            "--clusterrole=ascend-agent-submitter --serviceaccount=shop:bot",
        ),
        (
            # A kubeconfig whose program failed. Nobody is told to let everybody in.
            status(403, "Forbidden", RBAC.replace("system:serviceaccount:shop:bot", "system:anonymous")),
            AscendAuthenticationError,
            "^could not submit action act-[a-z0-9]*: the request had no credentials\n[^-]*kubectl auth whoami$",
        ),
        (
            status(403, "Forbidden", DENIED + "eve may not submit"),
            AscendAuthorizationError,
            "act-.*: eve may not submit",
        ),
        (
            status(403, "Forbidden", DENIED + "agent bot is suspended; whoever", causes=[{"reason": "AgentSuspended"}]),
            AscendKillSwitchError,
            "ascend agents resume bot",
        ),
        (
            Answer(404, {}, b"404 page not found\n"),
            AscendNotInstalledError,
            "kubectl apply --server-side -k config/default",
        ),
        (status(409, "Conflict", "moved"), AscendConflictError, "moved"),
        (
            status(422, "Invalid", 'x: there is no agent "bot"', causes=[{"reason": "AgentNotFound", "field": "x"}]),
            AscendAgentNotRegisteredError,
            "ascend agents register bot -n shop",
        ),
        (status(422, "Invalid", "too long", causes=[{"field": "spec.resource"}]), AscendValidationError, "too long"),
        (status(429, "TooManyRequests", "slow", retryAfterSeconds=60), AscendRateLimitError, "Try again in 60 s"),
        (
            status(500, "InternalError", "failed calling webhook: refused"),
            AscendOperatorAbsentError,
            "kubectl get pods",
        ),
        (status(500, "InternalError", "etcd"), AscendConnectionError, "etcd"),
        (Answer(302, {"location": "https://evil"}), AscendConnectionError, "redirect"),
        (Answer(200, {}, b"<html>"), AscendConnectionError, "no JSON object"),
        (Answer(200, {}, b'{"kind": "List"}'), AscendConnectionError, "HTTP status 200"),
        (Answer(201, {}, b'{"kind": "Pod"}'), AscendIntegrityError, "something else"),
    ],
)
def test_errors_say_what_to_do(answer: Answer, error: type[AscendError], words: str) -> None:
    world = World()
    world.create = lambda obj: answer  # type: ignore[method-assign]
    with pytest.raises(error, match=words) as caught:
        world.run(submit_action(world.session, reading()))
    assert type(caught.value) is error
    assert "admission webhook" not in str(caught.value)
    assert "token\n" not in str(caught.value)


def test_an_expired_key_says_since_when() -> None:
    world = World()
    world.session.expiry = lambda: 1767355200.0  # 2026-01-02 12:00:00
    world.create = lambda obj: status(401, "Unauthorized")  # type: ignore[method-assign]
    with pytest.raises(AscendAuthenticationError, match="expired, it was good until 2026-01-02 12:00:00 UTC"):
        world.run(submit_action(world.session, reading()))


@pytest.mark.parametrize(("after", "tries"), [("2", 4), ("60", 1)])
def test_a_retry_time_is_kept_if_it_is_short(after: str, tries: int) -> None:
    world = World()
    world.create = lambda obj: Answer(429, {"retry-after": after}, b"{}")  # type: ignore[method-assign]
    with pytest.raises(AscendRateLimitError) as caught:
        world.run(submit_action(world.session, reading()))
    assert caught.value.retry_after == int(after)
    assert len(world.requests) == tries
    assert all(pause > int(after) for pause in world.slept)


def test_the_environment_is_a_claim_in_the_context() -> None:
    world = World()
    session = world.session
    object.__setattr__(session.settings, "environment", "sandbox")
    assert draft_of(session, reading()).spec["context"] == {"environment": "sandbox"}
    assert draft_of(session, reading(context={"a": 1})).spec["context"] == {"a": 1, "environment": "sandbox"}
    assert draft_of(session, reading(context={"Environment": "x"})).spec["context"] == {"Environment": "x"}
    # What a model may have written does not do away with the claim. The more dangerous one counts.
    action = AgentAction("t", parameters={"environment": "test"})
    assert draft_of(session, action).spec["context"] == {"environment": "sandbox"}


def test_a_webhook_is_a_secret_and_a_subscription() -> None:
    world = World()
    applied: list[tuple[Request, Any]] = []

    def call(request: Request) -> Answer:
        applied.append((request, json.loads(request.body or b"")))
        return Answer(200, {}, b"{}")

    world.call = call  # type: ignore[method-assign]
    name = world.run(
        configure_webhook(world.session, "https://x", ["action.denied", "action.approved"], "0123456789abcdef", None)
    )
    assert name == "bot-webhook"
    (dry, tried), (first, secret), (second, subscription) = applied
    assert (dry.query["dryRun"], dry.path, tried) == ("All", second.path, subscription)
    assert "dryRun" not in second.query
    assert first.path == "/api/v1/namespaces/shop/secrets/bot-webhook"
    assert second.path.endswith("/namespaces/shop/webhooksubscriptions/bot-webhook")
    assert (first.content_type, second.query) == ("application/apply-patch+yaml", {"fieldManager": "ascend-sdk"})
    assert secret["data"] == {"secret": "MDEyMzQ1Njc4OWFiY2RlZg=="}
    assert subscription["spec"]["secretRef"] == {"name": "bot-webhook", "key": "secret"}
    assert subscription["spec"]["events"] == ["action.approved", "action.denied"]
    assert "0123456789abcdef" not in repr(first)
    for url, events, key in (("https://x", ["a"], "short"), ("https://x", [], "0" * 16), ("https://x", "a", "0" * 16)):
        with pytest.raises(AscendValidationError):
            world.run(configure_webhook(world.session, url, events, key, None))
