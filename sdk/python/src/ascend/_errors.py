# SPDX-License-Identifier: Apache-2.0
"""From what came back to an error that says what to do. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ascend._model import GROUP, ActionResult, listing, mapping
from ascend.exceptions import (
    AscendAgentNotRegisteredError,
    AscendAuthenticationError,
    AscendAuthorizationError,
    AscendCancelledError,
    AscendConflictError,
    AscendConnectionError,
    AscendDeniedError,
    AscendError,
    AscendKillSwitchError,
    AscendNotApprovedError,
    AscendNotFoundError,
    AscendNotInstalledError,
    AscendOperatorAbsentError,
    AscendPendingTimeoutError,
    AscendRateLimitError,
    AscendValidationError,
)

if TYPE_CHECKING:
    from ascend._exchange import Answer, Session, Unreachable

LOOK = "kubectl get pods -n ascend-system"

_WEBHOOK = re.compile(r'^admission webhook "[^"]*" denied the request: ')
_RBAC = re.compile(r'is forbidden: User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)"')
_ACCOUNT = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")


@dataclass(frozen=True)
class Doing:
    """What was tried, for messages."""

    what: str  # such as "submit action act-1"
    agent: str = ""
    name: str = ""
    note: str = ""  # what is to be known when there was no answer


def unreachable(failure: Unreachable, doing: Doing) -> AscendConnectionError:
    """Return the error for no answer."""
    return AscendConnectionError(
        f"could not {doing.what}: {failure}{doing.note and '; ' + doing.note}",
        help="Check ASCEND_API_URL and ASCEND_CA_FILE, and whether the API server answers: kubectl get --raw /readyz. "
        f"It asks the operator before a write; see whether that is there: {LOOK}",
        reason="Unreachable",
    )


def refused(answer: Answer, doing: Doing, session: Session) -> AscendError:
    """Return the error for an answer that is no success."""
    status = mapping(answer.json())
    details = mapping(status.get("details"))
    code = answer.status
    reason = str(status.get("reason") or "")
    message = _WEBHOOK.sub("", str(status.get("message") or f"HTTP status {code}"))
    causes = [mapping(c) for c in listing(details.get("causes"))]
    field = next((str(c["field"]) for c in causes if c.get("field")), "")
    why = next((str(c["reason"]) for c in causes if c.get("reason")), "")
    tried = f"could not {doing.what}: {message}"
    namespace, agent = session.namespace, doing.agent or "NAME"

    if code == 401:
        return _unauthenticated(answer, doing, session)
    if code == 403:
        if rbac := _RBAC.search(message):
            if rbac["user"] == "system:anonymous":  # to whom nobody should grant anything
                return AscendAuthenticationError(
                    f"could not {doing.what}: the request had no credentials",
                    help="See what is wrong with the user of the kubeconfig, or the program that it names: "
                    "kubectl auth whoami",
                    status=code, reason="NoCredentials",
                )  # fmt: skip
            return AscendAuthorizationError(tried, help=_grant(rbac, namespace, doing), status=code, reason=reason)
        if why in ("AgentSuspended", "AgentRetired"):
            resume = f"Whoever manages the agent can let it go on: ascend agents resume {agent} -n {namespace}"
            return AscendKillSwitchError(tried, help=resume if why == "AgentSuspended" else "", status=code, reason=why)
        return AscendAuthorizationError(tried, status=code, reason=why or reason)
    if code == 404:
        if not details.get("name"):
            return AscendNotInstalledError(
                f"could not {doing.what}: the cluster does not know {GROUP}",
                help="Install the operator: kubectl apply --server-side -k config/default. "
                f"Or see whether this is the right cluster: kubectl api-resources --api-group={GROUP}",
                status=code, reason="NotInstalled",
            )  # fmt: skip
        return AscendNotFoundError(
            tried, help=f"See what there is: ascend actions list -n {namespace}", status=code, reason=reason
        )
    if code == 409:
        return AscendConflictError(tried, status=code, reason=reason)
    if code in (400, 413, 422):
        if why == "AgentNotFound":
            return AscendAgentNotRegisteredError(
                tried,
                help=f"Register it: ascend agents register {agent} -n {namespace}; then use its own key: "
                f"ascend agents token {agent} -n {namespace}",
                status=code,
                reason="AgentNotFound",
            )
        return AscendValidationError(tried, field=field, status=code, reason=reason)
    if code == 429:
        after = answer.retry_after
        if after is None and isinstance(details.get("retryAfterSeconds"), int):
            after = float(details["retryAfterSeconds"])
        when = f"Try again in {after:.0f} s." if after is not None else "Try again later."
        return AscendRateLimitError(tried, retry_after=after, help=when, reason=reason)
    if code >= 500 and "failed calling webhook" in message:
        return AscendOperatorAbsentError(
            f"could not {doing.what}: the operator, whom the API server has to ask, does not answer; nothing was run",
            help=f"See how it is: {LOOK}", status=code, reason="OperatorAbsent",
        )  # fmt: skip
    if 300 <= code < 400:
        return AscendConnectionError(
            f"could not {doing.what}: the address answers with a redirect, which is not followed, for the key is "
            "for the API server alone",
            help="Set ASCEND_API_URL to the API server's own address.", status=code, reason="Redirect",
        )  # fmt: skip
    return AscendConnectionError(
        tried, help="See how the API server is: kubectl get --raw /readyz", status=code, reason=reason
    )


def _unauthenticated(answer: Answer, doing: Doing, session: Session) -> AscendAuthenticationError:
    expiry = session.expiry()
    agent = doing.agent or session.settings.agent_id or "NAME"
    advice = (
        "Get a new one, as somebody who manages agents, with ASCEND_API_KEY and ASCEND_API_URL unset: "
        f"ascend agents token {agent} -n {session.namespace}"
    )
    if expiry is not None and answer.date is not None and answer.date.timestamp() >= expiry:
        since = datetime.fromtimestamp(expiry, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        return AscendAuthenticationError(
            f"could not {doing.what}: the API key expired, it was good until {since}",
            help=advice,
            status=401,
            reason="Expired",
        )
    return AscendAuthenticationError(
        f"could not {doing.what}: the API server does not accept the API key (revoked, expired, or of another cluster)",
        help=advice, status=401, reason="Unauthorized",
    )  # fmt: skip


def _grant(rbac: re.Match[str], namespace: str, doing: Doing) -> str:
    user, verb, resource = rbac["user"], rbac["verb"], rbac["resource"]
    account = _ACCOUNT.fullmatch(user)
    who = f"--serviceaccount={account[1]}:{account[2]}" if account else f"--user={user!r}"
    if resource == "agentactions" and verb in ("create", "get", "list", "watch", "patch"):
        grant = f"kubectl create rolebinding ascend-agent -n {namespace} --clusterrole=ascend-agent-submitter {who}"
        return f"Whoever manages the namespace can grant it: {grant}"
    role, rule, first = f"{doing.name}-{resource}", f"--verb={verb} --resource={resource}.{GROUP}", ""
    if resource == "webhooksubscriptions":
        rule = f"--verb=create,get,patch --resource={resource}.{GROUP} --resource-name={doing.name}"
    if resource == "secrets":
        # Never create: who may make a Secret and read it has the token of any ServiceAccount there.
        first = f"kubectl create secret generic {doing.name} -n {namespace} && "
        rule = f"--verb=get,patch --resource=secrets --resource-name={doing.name}"
    return (
        f"Whoever manages the namespace can grant it: {first}kubectl create role {role} -n {namespace} {rule} && "
        f"kubectl create rolebinding {role} -n {namespace} --role={role} {who}"
    )


def absent(name: str, waited: float, session: Session, *, withdrawn: bool = False) -> AscendOperatorAbsentError:
    """Return the error for an action that nobody has looked at."""
    stays = "It was withdrawn" if withdrawn else f"The action stays; follow it with get_action_status({name!r})"
    return AscendOperatorAbsentError(
        f"the operator has not looked at action {name} in namespace {session.namespace} within {waited:g} s; "
        "nothing was run",
        help=f"See how it is: {LOOK}. {stays}.",
        reason="OperatorAbsent",
    )


def not_approved(result: ActionResult, *, withdrawn: bool = False) -> AscendNotApprovedError:
    """Return the error that says why an action may not be run, and whether it was withdrawn for that."""
    name, why = result.action_id, result.denial_reason or result.reason
    if result.decision == "DENIED":
        if result.reason == "AgentSuspended":
            return AscendKillSwitchError(f"action {name} is denied, and was not run: {why}", result)
        by = f" (rule {result.rule_id})" if result.rule_id else ""
        return AscendDeniedError(f"action {name} is denied, and was not run: {why}{by}", result)
    if result.decision == "CANCELLED":
        return AscendCancelledError(f"action {name} was withdrawn, and was not run: {why}", result)
    if result.final:
        return AscendPendingTimeoutError(
            f"nobody decided about action {name} in time, and it was not run: {why}", result
        )
    if withdrawn:
        return AscendPendingTimeoutError(
            f"action {name} was not run, and was withdrawn: {why}", result, help="Ask again when somebody can decide."
        )
    return AscendPendingTimeoutError(
        f"action {name} was not run: {why}", result,
        help="Nothing will run it any more. Withdraw it, so that nobody approves it in vain: "
        f"client.cancel_action({name!r})",
    )  # fmt: skip
