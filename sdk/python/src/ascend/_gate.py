# SPDX-License-Identifier: Apache-2.0
"""The gate before a run, and the outcome after it, as flows. No I/O.

Whoever is through the gate runs at once, once. Nothing between the gate and the
run is tried again.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable

from ascend import _errors as errors
from ascend._digest import digest
from ascend._errors import Doing
from ascend._exchange import Answer, Flow, ServerTime, Session, Sleep, backoff
from ascend._flows import Draft, as_waited, patch, read, read_answer, submit, wait, withdraw
from ascend._model import ActionResult, decided, format_time, mapping, parse_time, result_of
from ascend.exceptions import (
    AscendCancelledError,
    AscendConflictError,
    AscendExpiredError,
    AscendIntegrityError,
    AscendKillSwitchError,
    AscendValidationError,
)

# An approval is used until so long before its end: what starts has to get going.
MARGIN = timedelta(seconds=1)
# How far the API server's clock may be behind the operator's.
MAX_BEHIND = timedelta(minutes=1)
MAX_MESSAGE = 4096
# An outcome is worth waiting for: it goes into the record.
REPORT_PATIENCE = 30.0

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Permit:
    """Leave to run one action, now, once.

    Attributes:
        name: Of the AgentAction.
        uid: Of the AgentAction.
        result: The decision, as the gate saw it.
        time: The server's.
        started_at: When the gate was passed, of the monotonic clock.
    """

    name: str
    uid: str
    result: ActionResult
    time: ServerTime
    started_at: float


def permit(session: Session, draft: Draft, timeout: float, digest_now: Callable[[], str]) -> Flow[Permit]:
    """Submit an action, wait until it is approved, and check that this still holds.

    Args:
        session: The client's.
        draft: The action.
        timeout: Seconds to wait for people.
        digest_now: The digest of what will be run, asked at the very end.

    Raises:
        AscendConflictError: another call has created the action: it is not run again.
        AscendNotApprovedError: it may not be run. What nobody has decided about in time is withdrawn.
        AscendIntegrityError: what was approved is not what would be run.
    """
    obj, created = yield from submit(session, draft, or_withdraw=True)
    result = result_of(obj, created=created)
    if not created:
        raise _not_ours(obj, result)
    uid = result.uid
    if not result.final:
        obj = yield from wait(session, draft.name, timeout)
        result = as_waited(obj, timeout)
    if not result.approved:
        withdrawn = not result.final and (yield from withdraw(session, draft.name, uid))
        if withdrawn:
            result = as_waited(obj, timeout, withdrawn=True)
        raise errors.not_approved(result, withdrawn=withdrawn)
    doing = Doing(f"check that action {draft.name} is still approved", session.settings.agent_id, draft.name)
    fresh, answer = yield from read_answer(session, draft.name, doing)
    if _version(fresh) < _version(obj):
        raise AscendIntegrityError(
            f"the API server shows action {draft.name} as it was before what is known of it; nothing was run",
            reason="Stale",
        )
    return check(fresh, answer, draft, uid, digest_now(), session.clock())


def _version(obj: Object) -> int:
    version = mapping(obj.get("metadata")).get("resourceVersion")
    if not isinstance(version, str) or not version.isascii() or not version.isdigit() or len(version) > 20:
        raise AscendIntegrityError("the API server's answer has no resourceVersion; nothing was run")
    return int(version)


def check(obj: Object, answer: Answer, draft: Draft, uid: str, digest_now: str, now: float) -> Permit:
    """Let an action through that was read this moment, or say why not. It has no effect and no clock."""
    result, name = result_of(obj, created=True), draft.name
    time = ServerTime.of(answer)
    decided_at = parse_time(mapping(obj.get("status")).get("decidedAt"))
    if not uid or result.uid != uid:
        raise AscendIntegrityError(f"action {name} is not the one that was submitted: its uid differs; nothing was run")
    if decided(obj) != "Approved":
        raise errors.not_approved(result)
    if digest_now != draft.digest:
        raise AscendIntegrityError(
            f"the arguments of action {name} have changed since it was submitted; nothing was run",
            help="Submit what is to be done in the end.",
            reason="ArgumentsChanged",
        )
    if result.spec_digest != draft.digest or digest(mapping(obj.get("spec"))) != draft.digest:
        raise AscendIntegrityError(
            f"what was approved as action {name} is not what would be run: {result.spec_digest or 'no digest'}, "
            f"not {draft.digest}; nothing was run",
            help=f"See what was approved: ascend explain {name}",
            reason="DigestDiffers",
        )
    if mapping(obj.get("spec")).get("cancelled"):
        raise AscendCancelledError(f"action {name} was withdrawn, and was not run", result)
    if mapping(obj.get("spec")).get("outcome") is not None:
        raise AscendConflictError(f"action {name} has an outcome already: it was run before, and is not run again")
    if time is None:
        raise AscendIntegrityError(
            f"nobody knows whether the approval of action {name} is still good: "
            "the API server's answer has no Date header; nothing was run",
            help="Something between here and the API server takes it away; talk to the API server itself.",
            reason="NoDate",
        )
    if decided_at is None or time.latest(now) < decided_at - MAX_BEHIND:
        raise AscendIntegrityError(
            f"nobody knows whether the approval of action {name} is still good: the API server's clock is behind the "
            "time of the decision; nothing was run",
            help="See that the API servers and the operator run NTP.",
            reason="ClockBehind",
        )
    if result.valid_until is None or time.latest(now) >= result.valid_until - MARGIN:
        raise _expired(result)
    return Permit(name, uid, result, time, now)


def _not_ours(obj: Object, result: ActionResult) -> AscendConflictError:
    outcome = mapping(mapping(obj.get("spec")).get("outcome")).get("result")
    became = f"{result.decision}, reported as {outcome}" if outcome else f"{result.decision}, no outcome reported"
    return AscendConflictError(
        f"action {result.action_id} was submitted before, by another call with the same idempotency key ({became}); "
        "it is not run again",
        help=f"If it was not done and should be, use a new idempotency key. See: ascend explain {result.action_id}",
        reason="AlreadyExists",
    )


def _expired(result: ActionResult) -> AscendExpiredError | AscendKillSwitchError:
    until = format_time(result.valid_until) if result.valid_until else "never"
    if result.reason == "AgentSuspended":
        return AscendKillSwitchError(
            f"the approval of action {result.action_id} was withdrawn, and it was not run: {result.message}", result
        )
    return AscendExpiredError(
        f"the approval of action {result.action_id} is no longer good, and it was not run: it was good until {until}",
        result,
        help="Submit it anew.",
    )


def outcome_of(permit: Permit, error: BaseException | None, now: float) -> dict[str, str]:
    """Return `spec.outcome` of a run that has just ended."""
    started, completed = permit.time.about(permit.started_at), permit.time.about(now)
    outcome = {"result": "Succeeded" if error is None else "Failed"}
    if error is not None:
        outcome["message"] = cut(describe(error))
    outcome["startedAt"] = format_time(started)
    outcome["completedAt"] = format_time(max(started, completed))
    return outcome


def report(session: Session, name: str, uid: str, outcome: Mapping[str, str]) -> Flow[None]:
    """Report an outcome. It may be repeated: the same outcome is reported once.

    Raises:
        AscendConflictError: another outcome was reported.
    """
    doing = Doing(f"report the outcome of action {name}", session.settings.agent_id, name)
    for tries in itertools.count(1):
        body = {"metadata": {"uid": uid}, "spec": {"outcome": dict(outcome)}}
        answer = yield from patch(session, name, body, doing, REPORT_PATIENCE)
        if answer.status == 200:
            return
        if answer.status not in (403, 409, 422):
            raise errors.refused(answer, doing, session)
        obj = yield from read(session, name, doing)
        told = mapping(mapping(obj.get("spec")).get("outcome"))
        if mapping(obj.get("metadata")).get("uid") == uid and told:
            if _same(told, outcome):  # an earlier try, whose answer was lost
                return
            raise AscendConflictError(
                f"could not {doing.what}: {told.get('result')} was reported before, and an outcome is reported once",
                status=answer.status,
                reason="AlreadyReported",
            )
        # A status was written at the same moment; nothing else is worth another try.
        if answer.status != 409 or tries > session.settings.max_retries:
            raise errors.refused(answer, doing, session)
        yield Sleep(backoff(session, tries))


def _same(told: Object, outcome: Mapping[str, str]) -> bool:
    words = all((told.get(key) or "") == outcome.get(key, "") for key in ("result", "message"))
    return words and all(
        parse_time(told.get(key)) == parse_time(outcome.get(key)) for key in ("startedAt", "completedAt")
    )


def log_outcome(session: Session, name: str, result: str, message: str, duration_ms: float | None = None) -> Flow[None]:
    """Report an outcome by hand; completed now, and started `duration_ms` before."""
    if duration_ms is not None and (
        isinstance(duration_ms, bool)
        or not isinstance(duration_ms, (int, float))
        or not math.isfinite(duration_ms)
        or not 0 <= duration_ms <= 1e12
    ):
        raise AscendValidationError(
            f"duration_ms is {duration_ms!r}, which is no duration",
            field="duration_ms",
            help="Give milliseconds, such as 250.",
        )
    obj, answer = yield from read_answer(session, name, Doing(f"read action {name}", name=name))
    outcome = {"result": result}
    if message:
        outcome["message"] = cut(message)
    told = mapping(mapping(obj.get("spec")).get("outcome"))
    if told and all((told.get(key) or "") == outcome.get(key, "") for key in ("result", "message")):
        return
    if time := ServerTime.of(answer):
        now: datetime = time.about(session.clock())
        if duration_ms is not None:
            outcome["startedAt"] = format_time(now - timedelta(milliseconds=duration_ms))
        outcome["completedAt"] = format_time(now)
    yield from report(session, name, str(mapping(obj.get("metadata")).get("uid") or ""), outcome)


def message_of(result: Any) -> str:
    """Return what a result is reported as: text as it is, anything else as JSON."""
    if result is None:
        return ""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)


def describe(error: BaseException) -> str:
    """Return type and message of an exception."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - of somebody else's class, which may do anything
        words = ""
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    return f"{name}: {words}" if words else name


def cut(message: str) -> str:
    """Return a message that fits into an outcome."""
    message = message.encode("utf-8", "replace").decode()
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
