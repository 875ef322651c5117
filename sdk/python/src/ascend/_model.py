# SPDX-License-Identifier: Apache-2.0
"""An action as it is asked for, and the decision as it is read. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ascend._digest import plain_object, text
from ascend.exceptions import AscendValidationError

GROUP = "governance.ascendowkai.com"
API_VERSION = f"{GROUP}/v1alpha1"
SUBMISSION = f"{GROUP}/submission"

APPROVED, PENDING, DENIED, TIMEOUT, CANCELLED = "APPROVED", "PENDING", "DENIED", "TIMEOUT", "CANCELLED"

_FINAL = {"Approved": APPROVED, "Denied": DENIED, "TimedOut": TIMEOUT, "Cancelled": CANCELLED}
_ACTION_TYPE = re.compile(r"[a-z0-9]([a-z0-9_.:/-]*[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_TTL = re.compile(r"([0-9]+([.][0-9]+)?(ms|s|m|h))+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class ExceptionRequest:
    """Asks that a rule's Deny be turned into an approval by people.

    Attributes:
        rule_name: Name of the SmartRule to be excepted from.
        justification: Why, for the people who decide; at most 2048 characters.
    """

    rule_name: str
    justification: str

    def to_spec(self) -> dict[str, str]:
        """Return `spec.exceptionRequest`."""
        justification = text(self.justification, "exception_request.justification", 2048)
        if not justification:
            raise _invalid("exception_request.justification", "is empty", "Say why the rule should not hold here.")
        return {"ruleName": object_name(self.rule_name, "exception_request.rule_name"), "justification": justification}


@dataclass
class AgentAction:
    """Something that an agent wants to do.

    The fields are checked when the action is made and again when it is
    submitted. `parameters` and `context` are copied then: what is changed
    afterwards is not part of the action.

    Attributes:
        action_type: What kind of thing is to be done, such as `database_read` or `financial.transfer`:
            lower-case letters, digits and `_ . : / -`, at most 128 characters.
        description: What it is, for the people who decide; at most 4096 characters.
        parameters: What exactly is to be done: a JSON object of at most 64 KiB, 32 levels and 1000 keys.
        context: What else rules and people should know: a JSON object with the same limits.
        resource: What to act on, at most 1024 characters. Left out: what `parameters` name as
            table, resource, path or url.
        exception_request: Asks to be excepted from a rule that denies.
        idempotency_key: Text that stands for this one intention, such as an order's number. A second
            submission with the same key, of the same agent, is the same action, for as long as that
            is kept. Left out: a new one each time. At most 1024 characters.
        ttl_after_decision: How long the object is kept after its decision, such as `720h` (the default),
            at most `8760h`. After that, its idempotency key is as good as new.

    Raises:
        AscendValidationError: names the field and its limit.
    """

    action_type: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None
    context: Mapping[str, Any] | None = None
    resource: str | None = None
    exception_request: ExceptionRequest | Mapping[str, str] | None = None
    idempotency_key: str | None = None
    ttl_after_decision: str | None = None

    def __post_init__(self) -> None:
        self.to_spec("agent")
        if self.idempotency_key is not None and not text(self.idempotency_key, "idempotency_key", 1024):
            raise _invalid(
                "idempotency_key", "is empty", "Leave it out, or give text that stands for this one intention."
            )

    def to_spec(self, agent: str) -> dict[str, Any]:
        """Return the AgentAction's spec in the name of an agent, sharing nothing with this object."""
        action_type = text(self.action_type, "action_type", 128)
        if not _ACTION_TYPE.fullmatch(action_type):
            raise _invalid(
                "action_type",
                f"{action_type!r} is no type of action",
                "Use lower-case letters, digits and _ . : / - such as database_read.",
            )
        spec: dict[str, Any] = {"agentRef": {"name": object_name(agent, "agent_id")}, "actionType": action_type}
        if text(self.description, "description", 4096):
            spec["description"] = self.description
        if self.resource is not None and text(self.resource, "resource", 1024):
            spec["resource"] = self.resource
        if self.parameters is not None:
            spec["parameters"] = plain_object(self.parameters, "parameters")
        if self.context is not None:
            spec["context"] = plain_object(self.context, "context")
        if self.exception_request is not None:
            spec["exceptionRequest"] = _exception(self.exception_request).to_spec()
        if self.ttl_after_decision is not None:
            if not _TTL.fullmatch(text(self.ttl_after_decision, "ttl_after_decision", 32)):
                raise _invalid(
                    "ttl_after_decision",
                    f"{self.ttl_after_decision!r} is no duration",
                    "Give one from 0s to 8760h, such as 720h.",
                )
            spec["ttlAfterDecision"] = self.ttl_after_decision
        return spec


def _exception(given: ExceptionRequest | Mapping[str, str]) -> ExceptionRequest:
    if isinstance(given, ExceptionRequest):
        return given
    if isinstance(given, Mapping) and set(given) == {"rule_name", "justification"}:
        return ExceptionRequest(given["rule_name"], given["justification"])
    raise _invalid(
        "exception_request",
        "is no exception request",
        "Give ascend.ExceptionRequest(rule_name=..., justification=...).",
    )


@dataclass(frozen=True)
class ActionResult:
    """What was decided about an action, at the time it was read.

    Attributes:
        action_id: Name of the AgentAction.
        decision: APPROVED, PENDING, DENIED, TIMEOUT or CANCELLED.
        reason: The decision's reason as a word in CamelCase, such as `AutoApproved` or `RuleDenied`.
        message: The reason in words.
        risk_score: From 0.0 to 10.0; None before it was scored.
        risk_level: LOW, MEDIUM, HIGH or CRITICAL; empty before it was scored.
        cvss_vector: The CVSS 3.1 vector of the action's type.
        pending_approvers: Who can approve now, such as `group:ascend-approvers` or `user:alice`.
        approval_url: A page for approvers, where the operator has a template for it.
        denial_reason: Why it may not be run, in words; empty where it may or is still undecided.
        rule_id: Name of the rule that decided, where one did.
        rule_name: Display name of that rule, or its name.
        valid_until: Until when an approval is good (UTC).
        spec_digest: SHA-256 over what was asked, as `sha256:HEX`.
        uid: The uid of the AgentAction.
        final: Whether the decision can no longer change. A TIMEOUT that is not final is
            your own timeout: the action still waits, unless a governed call has withdrawn it.
        created: Whether this very call made the action. False where an action of the same
            idempotency key was there before, and where an action was only read.
    """

    action_id: str
    decision: str
    reason: str = ""
    message: str = ""
    risk_score: float | None = None
    risk_level: str = ""
    cvss_vector: str = ""
    pending_approvers: list[str] = field(default_factory=list)
    approval_url: str = ""
    denial_reason: str = ""
    rule_id: str = ""
    rule_name: str = ""
    valid_until: datetime | None = None
    spec_digest: str = ""
    uid: str = ""
    final: bool = False
    created: bool = False

    @property
    def approved(self) -> bool:
        """Whether the action was approved. It says nothing of whether the approval is still good."""
        return self.final and self.decision == APPROVED


def result_of(obj: Mapping[str, Any], *, created: bool = False) -> ActionResult:
    """Read an AgentAction. What is not known counts as undecided."""
    metadata, status = mapping(obj.get("metadata")), mapping(obj.get("status"))
    risk, rule, approval = (mapping(status.get(key)) for key in ("risk", "decidingRule", "approval"))
    word = decided(obj)
    decision = _FINAL.get(word, PENDING)
    message = str(status.get("message") or "")
    return ActionResult(
        action_id=str(metadata.get("name") or ""),
        decision=decision,
        reason=str(status.get("reason") or ""),
        message=message,
        risk_score=_score(risk.get("score")),
        risk_level=str(risk.get("level") or "").upper(),
        cvss_vector=str(risk.get("cvssVector") or ""),
        pending_approvers=[str(a) for a in listing(approval.get("pendingApprovers"))] if decision == PENDING else [],
        approval_url=str(status.get("approvalURL") or ""),
        denial_reason=message or str(status.get("reason") or "") if decision in (DENIED, TIMEOUT, CANCELLED) else "",
        rule_id=str(rule.get("name") or ""),
        rule_name=str(rule.get("displayName") or rule.get("name") or ""),
        valid_until=parse_time(status.get("validUntil")),
        spec_digest=str(status.get("specDigest") or ""),
        uid=str(metadata.get("uid") or ""),
        final=word in _FINAL,
        created=created,
    )


def decided(obj: Mapping[str, Any]) -> str:
    """Return the decision as the API has it; empty before the first evaluation."""
    word = mapping(obj.get("status")).get("decision")
    return word if isinstance(word, str) else ""


def is_final(obj: Mapping[str, Any]) -> bool:
    """Say whether the decision can no longer change."""
    return decided(obj) in _FINAL


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object, or an empty one in the place of what is none."""
    return value if isinstance(value, Mapping) else {}


def listing(value: Any) -> list[Any]:
    """Return a list, or an empty one in the place of what is none."""
    return value if isinstance(value, list) else []


def object_name(value: Any, field_name: str) -> str:
    """Check the name of a Kubernetes object."""
    name = text(value, field_name, 253)
    if not _NAME.fullmatch(name):
        raise _invalid(field_name, f"{name!r} is no name of an object", "Use lower-case letters, digits, '-' and '.'.")
    return name


def parse_time(value: Any) -> datetime | None:
    """Read a time of the API, of any precision; None for what is none."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return None
    seconds, fraction, zone = match.groups()
    micro = (fraction or ".0")[1:7].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{seconds}.{micro}{'+00:00' if zone == 'Z' else zone}").astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def format_time(time: datetime) -> str:
    """Write a time as the API has it: UTC with microseconds."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _score(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _invalid(field_name: str, problem: str, advice: str) -> AscendValidationError:
    return AscendValidationError(f"{field_name} {problem}", field=field_name, help=advice)
