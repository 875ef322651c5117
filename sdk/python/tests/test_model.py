# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import enum
import re
from datetime import datetime, timezone
from typing import Any

import pytest

from ascend import AgentAction, ExceptionRequest
from ascend._digest import MAX_BYTES, MAX_DEPTH, MAX_KEYS, digest, plain_object
from ascend._model import format_time, parse_time, result_of
from ascend.exceptions import AscendValidationError


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


class Text(str, enum.Enum):
    A = "a"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"action_type": ""}, "action_type '' is no type"),
        ({"action_type": "Database_Read"}, "lower-case"),
        ({"action_type": "a" * 129}, "action_type has 129 characters, the limit is 128"),
        ({"action_type": None}, "action_type must be a string, but is of type NoneType"),
        ({"description": "d" * 4097}, "description has 4097 characters, the limit is 4096"),
        ({"description": "\ud800"}, "half a character"),
        ({"resource": "r" * 1025}, "resource has 1025 characters, the limit is 1024"),
        ({"parameters": [1]}, "parameters must be a JSON object, but is of type list"),
        ({"parameters": {"a": {"b": [1, {2}]}}}, r"parameters.a.b[1] is of type builtins.set"),
        (
            {"parameters": {"at": datetime(2026, 1, 1, tzinfo=timezone.utc)}},
            "parameters.at is of type datetime.datetime",
        ),
        ({"parameters": {"a": Text.A}}, "parameters.a is of type"),
        ({"parameters": {1: 2}}, "has a key of type int"),
        ({"parameters": {"n": 2**53}}, "parameters.n is a whole number beyond 2^53"),
        ({"parameters": {"n": float("nan")}}, "parameters.n is nan"),
        ({"parameters": nested(MAX_DEPTH + 1)}, "nested deeper than the limit of 32"),
        ({"parameters": {str(i): i for i in range(MAX_KEYS + 1)}}, "has 1001 keys, the limit is 1000"),
        ({"context": {"a": "x" * MAX_BYTES}}, "context has 65544 bytes of JSON, the limit is 65536"),
        ({"exception_request": "please"}, "exception_request is no exception request"),
        ({"exception_request": ExceptionRequest("rule", "")}, "justification is empty"),
        ({"exception_request": {"rule_name": "A B", "justification": "x"}}, "'A B' is no name"),
        ({"idempotency_key": ""}, "idempotency_key is empty"),
        ({"ttl_after_decision": "a month"}, "no duration"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(AscendValidationError, match=re.escape(words)) as caught:
        AgentAction(**{"action_type": "database_read", **given})
    assert caught.value.field
    assert caught.value.help


def test_what_is_just_within_the_limits() -> None:
    AgentAction("a" * 128, "é" * 4096, nested(MAX_DEPTH), {str(i): None for i in range(MAX_KEYS)}, "r" * 1024)
    AgentAction("a", parameters={"a": "x" * (MAX_BYTES - 8)})


def test_a_spec_shares_nothing() -> None:
    parameters = {"rows": [1, 2]}
    action = AgentAction("database_read", parameters=parameters)
    spec = action.to_spec("agent")
    parameters["rows"].append(3)
    assert spec == {"agentRef": {"name": "agent"}, "actionType": "database_read", "parameters": {"rows": [1, 2]}}


def test_tuples_are_lists() -> None:
    assert plain_object({"a": (1, (2,))}, "p") == {"a": [1, [2]]}


def test_digest_is_over_what_was_asked_alone() -> None:
    spec = AgentAction("database_read", parameters={"x": 1.0}).to_spec("agent")
    same = {
        **spec,
        "description": "",
        "resource": "",
        "parameters": {"x": 1},
        "cancelled": False,
        "requester": {"username": "u"},
        "ttlAfterDecision": "1h",
    }
    assert digest(same) == digest(spec)
    others: tuple[dict[str, Any], ...] = (
        {"parameters": None},
        {"parameters": {}},
        {"resource": "r"},
        {"context": {}},
        {"actionType": "x"},
    )
    for other in others:
        assert digest({**spec, **other}) != digest(spec)


def test_digest_of_a_number_is_that_of_its_double() -> None:
    spec = {"agentRef": {"name": "a"}, "actionType": "t"}
    assert digest({**spec, "parameters": {"n": 1e16}}) == digest({**spec, "parameters": {"n": 10000000000000000}})
    assert digest({**spec, "parameters": {"n": -0.0}}) == digest({**spec, "parameters": {"n": 0}})
    with pytest.raises(AscendValidationError):
        digest({**spec, "parameters": {"n": 2**53 + 1}})


STORED: dict[str, Any] = {
    "metadata": {"name": "act-1", "uid": "u"},
    "status": {
        "decision": "Denied", "reason": "RuleDenied", "message": "Bulk deletes require approval",
        "risk": {"score": "7.2", "level": "High", "cvssVector": "CVSS:3.1/x"},
        "decidingRule": {"namespace": "n", "name": "rule-x", "displayName": "Block"},
        "approval": {"pendingApprovers": ["group:g"]}, "validUntil": "2026-01-02T03:04:05.678901Z",
        "specDigest": "sha256:x",
    },
}  # fmt: skip


def test_a_denial_as_it_is_read() -> None:
    result = result_of(STORED)
    assert (result.decision, result.final, result.approved) == ("DENIED", True, False)
    assert (result.denial_reason, result.rule_id, result.rule_name) == (
        "Bulk deletes require approval",
        "rule-x",
        "Block",
    )
    assert (result.risk_score, result.risk_level) == (7.2, "HIGH")
    assert result.pending_approvers == []
    assert result.valid_until == datetime(2026, 1, 2, 3, 4, 5, 678901, timezone.utc)


@pytest.mark.parametrize(
    ("word", "decision", "final"),
    [("", "PENDING", False), ("Pending", "PENDING", False), ("Approved", "APPROVED", True),
     ("TimedOut", "TIMEOUT", True),
     ("Cancelled", "CANCELLED", True), ("approved", "PENDING", False), ("Blessed", "PENDING", False)],
)  # fmt: skip
def test_words_of_decisions(word: str, decision: str, final: bool) -> None:
    result = result_of({**STORED, "status": {**STORED["status"], "decision": word}})
    assert (result.decision, result.final, result.approved) == (decision, final, decision == "APPROVED")


def test_what_cannot_be_read_is_undecided() -> None:
    objects: tuple[Any, ...] = (
        {},
        {"status": None},
        {"status": []},
        {"status": {"decision": "", "risk": "x", "approval": 3}},
    )
    for obj in objects:
        assert not result_of(obj).final


def test_times() -> None:
    for written in ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z", "2026-01-02T04:04:05.000000000+01:00"):
        assert parse_time(written) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    for wrong in (None, 3, "", "yesterday", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05"):
        assert parse_time(wrong) is None
    assert format_time(datetime(2026, 1, 2, 3, 4, 5, 6, timezone.utc)) == "2026-01-02T03:04:05.000006Z"
