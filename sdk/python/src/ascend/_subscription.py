# SPDX-License-Identifier: Apache-2.0
"""Having an agent's events sent somewhere, as a flow. No I/O."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from ascend import _errors as errors
from ascend._digest import encode, text
from ascend._errors import Doing
from ascend._exchange import Flow, Request, Session
from ascend._flows import FIELD_MANAGER, ask
from ascend._model import API_VERSION, object_name
from ascend._webhook import MIN_SECRET
from ascend.exceptions import AscendValidationError


def configure_webhook(
    session: Session, url: str, events: Iterable[str], secret: str | bytes, name: str | None
) -> Flow[str]:
    """Have the agent's events sent somewhere; returns the subscription's name."""
    agent = session.settings.agent_id
    if not agent:
        raise AscendValidationError(
            "there is no agent whose events to send", field="agent_id", help="Give agent_id, or set ASCEND_AGENT_ID."
        )
    name = object_name(name or f"{agent}-webhook", "name")
    key = text(secret, "secret").encode() if isinstance(secret, str) else bytes(secret)
    if len(key.strip()) < MIN_SECRET:
        raise AscendValidationError(
            f"secret has {len(key.strip())} bytes, the least is {MIN_SECRET}",
            field="secret",
            help="Make one, for example whsec_ and what `openssl rand -base64 32` prints behind it.",
        )
    if isinstance(events, str) or not events:
        raise AscendValidationError(
            "events must be a list of at least one event",
            field="events",
            help='For example ["action.approved", "action.denied"].',
        )
    metadata = {"name": name, "namespace": session.namespace}
    data = {"secret": base64.b64encode(key).decode()}
    spec = {
        "agentRef": {"name": agent},
        "url": text(url, "url", 2048),
        "events": sorted({text(event, "events", 64) for event in events}),
        "secretRef": {"name": name, "key": "secret"},
    }
    secret_obj = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}
    subscription = {"apiVersion": API_VERSION, "kind": "WebhookSubscription", "metadata": metadata, "spec": spec}
    # Tried first, so that no secret is changed for a subscription that cannot be.
    yield from _apply(session, subscription, "webhooksubscriptions", dry=True)
    yield from _apply(session, secret_obj, "secrets")
    yield from _apply(session, subscription, "webhooksubscriptions")
    return name


def _apply(session: Session, obj: Mapping[str, Any], resource: str, *, dry: bool = False) -> Flow[None]:
    # Server-side apply, for it creates under a right that names the object.
    name = obj["metadata"]["name"]
    root = "/api/v1" if obj["apiVersion"] == "v1" else f"/apis/{obj['apiVersion']}"
    query = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry else {})}
    request = Request(
        "PATCH",
        f"{root}/namespaces/{session.namespace}/{resource}/{name}",
        query,
        encode(obj),
        "application/apply-patch+yaml",
        session.settings.timeout,
    )
    doing = Doing(f"write {obj['kind']} {name}", session.settings.agent_id, name)
    answer = yield from ask(session, request, doing)
    if answer.status not in (200, 201):
        raise errors.refused(answer, doing, session)
