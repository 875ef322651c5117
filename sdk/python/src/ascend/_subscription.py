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
from ascend._model import API_VERSION, GROUP, object_name
from ascend.exceptions import AscendValidationError

MIN_SECRET = 16  # bytes, as the operator has it


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
    yield from _apply(
        session, f"/api/v1/namespaces/{session.namespace}/secrets/{name}",
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}, f"write Secret {name}",
    )  # fmt: skip
    yield from _apply(
        session, f"/apis/{API_VERSION}/namespaces/{session.namespace}/webhooksubscriptions/{name}",
        {"apiVersion": API_VERSION, "kind": "WebhookSubscription", "metadata": metadata, "spec": spec},
        f"write WebhookSubscription {name} of {GROUP}",
    )  # fmt: skip
    return name


def _apply(session: Session, path: str, obj: Mapping[str, Any], what: str) -> Flow[None]:
    # Server-side apply, for it creates under a right that names the object.
    doing = Doing(what, session.settings.agent_id)
    request = Request(
        "PATCH", path, {"fieldManager": FIELD_MANAGER, "force": "true"}, encode(obj), "application/apply-patch+yaml",
        session.settings.timeout,
    )  # fmt: skip
    answer = yield from ask(session, request, doing)
    if answer.status not in (200, 201):
        raise errors.refused(answer, doing, session)
