# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascend import verify_webhook
from ascend.exceptions import AscendSignatureError, AscendValidationError

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "another-secret-of-length"
NOW = 1767355200
BODY = json.dumps({"id": "evt-1", "type": "action.approved", "data": {"text": "é\u2028"}}).encode()


def signed(body: bytes = BODY, key: bytes = KEY, stamp: int = NOW) -> dict[str, str]:
    """Sign as internal/notify does."""
    standard = hmac.new(key, b"evt-1.%d.%s" % (stamp, body), hashlib.sha256).digest()
    ascend = hmac.new(key, b"%d.%s" % (stamp, body), hashlib.sha256).hexdigest()
    return {
        "Webhook-Id": "evt-1",
        "Webhook-Timestamp": str(stamp),
        "Webhook-Signature": "v1," + base64.b64encode(standard).decode(),
        "X-ASCEND-Timestamp": str(stamp),
        "X-ASCEND-Signature": "sha256=" + ascend,
        "X-ASCEND-Event-Type": "action.approved",
    }


def only(prefix: str, headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith(prefix)}


@pytest.mark.parametrize("prefix", ["", "Webhook", "X-ASCEND"])
@pytest.mark.parametrize("secret", [SECRET, SECRET.encode(), f"  {SECRET}\n", [OTHER, SECRET], (SECRET,)])
def test_a_delivery_of_the_operators(prefix: str, secret: Any) -> None:
    event = verify_webhook(only(prefix, signed()), BODY, secret, now=NOW + 299)
    assert event["type"] == "action.approved"


def test_while_the_secret_is_rotated() -> None:
    old, new = signed(), signed(key=OTHER.encode())
    both = {**new, "Webhook-Signature": new["Webhook-Signature"] + " " + old["Webhook-Signature"]}
    for secret in (SECRET, OTHER):
        verify_webhook(both, BODY, secret, now=NOW)
    previous = {**only("X-ASCEND", new), "X-ASCEND-Signature-Previous": old["X-ASCEND-Signature"]}
    for secret in (SECRET, OTHER):
        verify_webhook(previous, BODY, secret, now=NOW)


@pytest.mark.parametrize("prefix", ["", "Webhook", "X-ASCEND"])
@pytest.mark.parametrize("now", [NOW + 301, NOW - 301, NOW + 86400])
def test_a_replay_is_refused(prefix: str, now: int) -> None:
    with pytest.raises(AscendSignatureError, match="too far from now"):
        verify_webhook(only(prefix, signed()), BODY, SECRET, now=now)


@pytest.mark.parametrize("prefix", ["Webhook", "X-ASCEND"])
@given(data=st.data())
def test_whatever_is_altered_is_refused(prefix: str, data: st.DataObject) -> None:
    headers, body = only(prefix, signed()), BODY
    what = data.draw(st.sampled_from(["body", *(name for name in headers if name != "X-ASCEND-Event-Type")]))
    if what == "body":
        at = data.draw(st.integers(0, len(body) - 1))
        body = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
    else:
        headers[what] = data.draw(st.text(max_size=50).filter(lambda text: text.split() != headers[what].split()))
    with pytest.raises(AscendSignatureError):
        verify_webhook(headers, body, SECRET, now=NOW)


def test_other_refusals() -> None:
    with pytest.raises(AscendSignatureError):
        verify_webhook({}, BODY, SECRET, now=NOW)
    with pytest.raises(AscendSignatureError, match="no signature"):
        verify_webhook(signed(), BODY, OTHER, now=NOW)
    # What has a signature of Standard Webhooks that does not fit is not saved by another one.
    with pytest.raises(AscendSignatureError, match="no signature"):
        verify_webhook(
            {**signed(), "webhook-signature": "v1,AAAA"} | {"Webhook-Signature": "v1,A"}, BODY, SECRET, now=NOW
        )
    # As a server hands over bytes that are no UTF-8.
    for name in ("webhook-id", "webhook-signature", "webhook-timestamp"):
        with pytest.raises(AscendSignatureError):
            verify_webhook({**signed(), name: "\udc80"}, BODY, SECRET, now=NOW)
    for body in (b"[]", b"text", b"\xff"):
        with pytest.raises(AscendSignatureError, match="no event"):
            verify_webhook(signed(body), body, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"body": "text"}, "body"),
        ({"secret": "short"}, "secret"),
        ({"secret": ""}, "secret"),
        ({"secret": []}, "secret"),
        ({"secret": "whsec_!"}, "secret"),
        ({"secret": "whsec_AAAA"}, "secret"),
        ({"secret": [3]}, "secret"),
        ({"tolerance_seconds": float("nan")}, "tolerance_seconds"),
        ({"tolerance_seconds": float("inf")}, "tolerance_seconds"),
    ],
)
def test_what_cannot_be_used(given: dict[str, Any], field: str) -> None:
    arguments = {"headers": signed(), "body": BODY, "secret": SECRET, "now": NOW, **given}
    with pytest.raises(AscendValidationError) as caught:
        verify_webhook(**arguments)
    assert caught.value.field == field
    assert SECRET not in str(caught.value)
