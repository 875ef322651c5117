# SPDX-License-Identifier: Apache-2.0
"""What a client does, step by step, as flows (see `_exchange`). No I/O."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable

from ascend import _errors as errors
from ascend._digest import digest, encode
from ascend._errors import Doing
from ascend._exchange import (
    RETRIED,
    Answer,
    Await,
    Flow,
    Request,
    Session,
    Unreachable,
    attempt,
    exchange,
)
from ascend._model import (
    API_VERSION,
    SUBMISSION,
    TIMEOUT,
    ActionResult,
    AgentAction,
    decided,
    is_final,
    mapping,
    object_name,
    result_of,
)
from ascend.exceptions import (
    AscendConflictError,
    AscendError,
    AscendIntegrityError,
    AscendNotFoundError,
    AscendValidationError,
)

FIELD_MANAGER = "ascend-sdk"  # of every SDK: what one has configured, another can change
# While the watch is up, an action is still read now and then: whatever goes
# wrong between here and the API server, nobody waits longer than this for nothing.
RECHECK = 60.0
FIRST_POLL = 0.1

Object = Mapping[str, Any]


def actions_path(session: Session, name: str = "") -> str:
    """Return the path of the namespace's actions, or of one."""
    path = f"/apis/{API_VERSION}/namespaces/{session.namespace}/agentactions"
    return f"{path}/{object_name(name, 'action_id')}" if name else path


@dataclass(frozen=True)
class Draft:
    """An action about to be submitted: all that says whether an object is this one.

    Attributes:
        name: The same for the same namespace, agent and idempotency key.
        spec: What is asked.
        digest: Over the spec, as the operator computes it.
    """

    name: str
    spec: Object
    digest: str


def draft_of(session: Session, action: AgentAction) -> Draft:
    """Return the draft of an action; without an idempotency key, a new one each time."""
    spec = spec_of(session, action)
    key = action.idempotency_key if action.idempotency_key is not None else secrets.token_hex(32)
    name = name_of(session.namespace, session.settings.agent_id, key)
    return Draft(name, spec, digest(spec))


def spec_of(session: Session, action: AgentAction) -> dict[str, Any]:
    """Return the spec that asks for an action in the name of the session's agent."""
    settings = session.settings
    if not settings.agent_id:
        raise AscendValidationError(
            "there is no agent in whose name to submit", field="agent_id", help="Give agent_id, or set ASCEND_AGENT_ID."
        )
    spec = action.to_spec(settings.agent_id)
    if settings.environment and not _names_environment(spec.get("context")):
        # A claim. It can only raise the risk: the Agent's own environment counts as well, and so does one that
        # parameters name. A model may have written those, and does not do away with this one.
        spec["context"] = {**spec.get("context", {}), "environment": settings.environment}
    return spec


def _names_environment(value: Any) -> bool:
    spelt = ("".join(c for c in key.lower() if c.isascii() and c.isalnum()) for key in mapping(value))
    return "environment" in spelt


def name_of(namespace: str, agent: str, key: str) -> str:
    """Return the name of an action: `act-` and 26 letters or digits."""
    sum_ = hashlib.sha256("\0".join((namespace, agent, key)).encode()).digest()
    plain = base64.b32encode(sum_).decode().lower()
    hex_ = plain.translate(str.maketrans("abcdefghijklmnopqrstuvwxyz234567", "0123456789abcdefghijklmnopqrstuv"))
    return "act-" + hex_[:26]


def submit(session: Session, draft: Draft, *, or_withdraw: bool = False) -> Flow[tuple[Object, bool]]:
    """Submit an action and wait for its first decision, the session's timeout at most.

    Args:
        session: The client's.
        draft: The action.
        or_withdraw: Nobody will come back for an action that nobody has looked at.

    Returns:
        The object, and whether this very call created it.

    Raises:
        AscendConflictError: another action has the name.
        AscendOperatorAbsentError: nobody has looked at it.
        AscendIntegrityError: what was stored is not what was asked.
    """
    # The watch opens while the action is created.
    mailbox = session.board.join(draft.name)
    try:
        obj, created = yield from _create(session, draft)
        deadline = session.clock() + session.settings.timeout
        doing = Doing("see what became of action " + draft.name, session.settings.agent_id, draft.name)
        obj = yield from follow(session, mailbox, obj, lambda o: decided(o) != "", deadline, doing)
    finally:
        session.board.leave(mailbox)
    if not decided(obj):
        uid = str(mapping(obj.get("metadata")).get("uid") or "")
        withdrawn = or_withdraw and created and (yield from withdraw(session, draft.name, uid))
        raise errors.absent(draft.name, session.settings.timeout, session, withdrawn=withdrawn)
    if mapping(obj.get("status")).get("specDigest") not in (draft.digest, None, ""):
        raise AscendIntegrityError(
            f"action {draft.name} is decided, and not as what was asked: its specDigest is not {draft.digest}",
            help="Something between here and the API server changes requests. See: ascend explain " + draft.name,
        )
    return obj, created


def _create(session: Session, draft: Draft) -> Flow[tuple[Object, bool]]:
    note = "nothing was run, but it may have been submitted; with an idempotency key a second try is the same action"
    doing = Doing(f"submit action {draft.name}", session.settings.agent_id, draft.name, note)
    # Marks what this very call has created. No part of the draft, of which a fork makes two.
    submission = str(uuid.uuid4())
    body = {
        "apiVersion": API_VERSION,
        "kind": "AgentAction",
        "metadata": {"name": draft.name, "namespace": session.namespace, "annotations": {SUBMISSION: submission}},
        "spec": draft.spec,
    }
    request = Request(
        "POST", actions_path(session), {"fieldManager": FIELD_MANAGER}, encode(body), timeout=session.settings.timeout
    )
    answer = yield from ask(session, request, doing)
    if answer.status == 409 and mapping(answer.json()).get("reason") == "AlreadyExists":
        try:
            obj = yield from read(session, draft.name, doing)
        except AscendNotFoundError as error:
            raise AscendConflictError(
                f"action {draft.name} was there and is no longer; nothing was run",
                help="Submit it anew.",
                reason="Gone",
            ) from error
        created = mapping(mapping(obj.get("metadata")).get("annotations")).get(SUBMISSION) == submission
    elif answer.status == 201:
        obj, created = action_in(answer, draft.name, session), True
    else:
        raise errors.refused(answer, doing, session)
    if digest(mapping(obj.get("spec"))) != draft.digest:
        if created:
            raise AscendIntegrityError(
                f"action {draft.name} was not stored as it was asked; nothing was run",
                help="Something between here and the API server changes requests. See: ascend explain " + draft.name,
            )
        raise AscendConflictError(
            f"another action was submitted under this idempotency key: {draft.name}, "
            f"decision {result_of(obj).decision}; nothing was run",
            help="Give what is another intention another idempotency key.",
            reason="AlreadyExists",
        )
    return obj, created


def ask(session: Session, request: Request, doing: Doing, patience: float | None = None) -> Flow[Answer]:
    """Make a request as `exchange` does; no answer is an AscendConnectionError."""
    try:
        return (yield from exchange(session, request, session.settings.timeout if patience is None else patience))
    except Unreachable as failure:
        raise errors.unreachable(failure, doing) from failure


def action_in(answer: Answer, name: str, session: Session) -> Object:
    """Return the AgentAction of a successful answer."""
    obj = answer.json() or {}
    metadata = mapping(obj.get("metadata"))
    if (obj.get("kind"), metadata.get("name"), metadata.get("namespace")) != ("AgentAction", name, session.namespace):
        raise AscendIntegrityError(
            f"asked for action {name}, the API server answered with something else; nothing was run",
            help="Check that ASCEND_API_URL is the API server's own address.",
        )
    return obj


def read_answer(session: Session, name: str, doing: Doing) -> Flow[tuple[Object, Answer]]:
    """Read an action, as it is stored now, with the answer that it came in."""
    request = Request("GET", actions_path(session, name), timeout=session.settings.timeout)
    answer = yield from ask(session, request, doing)
    if answer.status != 200:
        raise errors.refused(answer, doing, session)
    return action_in(answer, name, session), answer


def read(session: Session, name: str, doing: Doing) -> Flow[Object]:
    """Read an action, as it is stored now."""
    obj, _ = yield from read_answer(session, name, doing)
    return obj


def follow(
    session: Session, mailbox: Any, obj: Object, done: Callable[[Object], bool], deadline: float, doing: Doing
) -> Flow[Object]:
    """Follow an action until it is done or the deadline is reached; returns it as last seen.

    By the watch where it sees the action; otherwise it is read, ever more seldom,
    each poll_interval at last.
    """
    uid = mapping(obj.get("metadata")).get("uid")
    agent = str(mapping(mapping(obj.get("spec")).get("agentRef")).get("name") or "")
    pause = FIRST_POLL
    while not done(obj) and (left := deadline - session.clock()) > 0:
        yield Await(mailbox, min(left, RECHECK if session.board.sees(agent) else pause))
        news = mailbox.take()
        if news is None:
            pause = min(2 * pause, session.settings.poll_interval)
            news = yield from _peek(session, mailbox.name, deadline, doing)
        if news is not None:
            obj = news
        if mapping(obj.get("metadata")).get("uid") != uid:
            raise AscendIntegrityError(
                f"action {mailbox.name} is no longer the one that was waited for: its uid has changed; nothing was run"
            )
    return obj


def _peek(session: Session, name: str, deadline: float, doing: Doing) -> Flow[Object | None]:
    """Read an action once; None where that may succeed the next time."""
    timeout = min(session.settings.timeout, max(1.0, deadline - session.clock()))
    try:
        answer = yield from attempt(Request("GET", actions_path(session, name), timeout=timeout))
    except Unreachable:
        return None
    if answer.status in RETRIED:
        return None
    if answer.status != 200:
        raise errors.refused(answer, doing, session)
    return action_in(answer, name, session)


def submit_action(session: Session, action: AgentAction) -> Flow[ActionResult]:
    """Submit an action; returns what was decided first."""
    obj, created = yield from submit(session, draft_of(session, action))
    return result_of(obj, created=created)


def get_action_status(session: Session, name: str) -> Flow[ActionResult]:
    """Read what was decided."""
    return result_of((yield from read(session, name, Doing(f"read action {name}", name=name))))


def wait_for_decision(session: Session, name: str, timeout: float) -> Flow[ActionResult]:
    """Wait for the final decision."""
    return as_waited((yield from wait(session, name, timeout)), timeout)


def wait(session: Session, name: str, timeout: float) -> Flow[Object]:
    """Wait for the final decision; returns the action as last seen."""
    doing = Doing(f"wait for action {name}", name=name)
    deadline = session.clock() + timeout
    mailbox = session.board.join(object_name(name, "action_id"))
    try:
        obj = yield from read(session, name, doing)
        return (yield from follow(session, mailbox, obj, is_final, deadline, doing))
    finally:
        session.board.leave(mailbox)


def as_waited(obj: Object, timeout: float, *, withdrawn: bool = False) -> ActionResult:
    """Return the decision about an action that was waited for: TIMEOUT where there is none yet."""
    result = result_of(obj)
    if result.final:
        return result
    waits_for = ", ".join(result.pending_approvers) or "the operator"
    waits = "it waited for" if withdrawn else "it still waits for"
    return replace(result, decision=TIMEOUT, denial_reason=f"no decision within {timeout:g} s: {waits} {waits_for}")


def cancel_action(session: Session, name: str) -> Flow[ActionResult]:
    """Withdraw an undecided action."""
    doing = Doing(f"cancel action {name}", name=name)
    answer = yield from patch(session, name, {"spec": {"cancelled": True}}, doing)
    if answer.status == 200:
        mailbox = session.board.join(name)
        try:
            obj = yield from read(session, name, doing)
            deadline = session.clock() + session.settings.timeout
            return result_of((yield from follow(session, mailbox, obj, is_final, deadline, doing)))
        finally:
            session.board.leave(mailbox)
    if answer.status in (409, 422, 403):
        obj = yield from read(session, name, doing)
        if is_final(obj):
            result = result_of(obj)
            if result.decision == "CANCELLED":  # by an earlier try, whose answer was lost
                return result
            raise AscendConflictError(
                f"could not cancel action {name}: it is decided already, {result.decision}",
                help="What was approved need not be run; the approval ends by itself.",
                status=answer.status, reason="AlreadyDecided",
            )  # fmt: skip
    raise errors.refused(answer, doing, session)


def withdraw(session: Session, name: str, uid: str) -> Flow[bool]:
    """Take back what nobody will run any more, so that nobody is asked to approve it; tells whether that went.

    It is tried once: somebody waits for the error that led here.
    """
    body = {"metadata": {"uid": uid}, "spec": {"cancelled": True}}
    try:
        answer = yield from attempt(_patching(session, name, body))
    except (Unreachable, AscendError):
        return False
    return answer.status == 200


def patch(session: Session, name: str, body: Object, doing: Doing, patience: float | None = None) -> Flow[Answer]:
    return (yield from ask(session, _patching(session, name, body), doing, patience))


def _patching(session: Session, name: str, body: Object) -> Request:
    return Request(
        "PATCH",
        actions_path(session, name),
        {"fieldManager": FIELD_MANAGER},
        encode(body),
        "application/merge-patch+json",
        session.settings.timeout,
    )
