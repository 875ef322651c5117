# SPDX-License-Identifier: Apache-2.0
"""Knowing a delivery of the operator's. No I/O but the clock, where no time is given."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, Union

from ascend.exceptions import AscendSignatureError, AscendValidationError

MIN_SECRET = 16  # bytes

Secret = Union[str, bytes]


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secret: Secret | Iterable[Secret],
    *,
    tolerance_seconds: float = 300,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the event of a delivery, if it is from who has the secret, unaltered, and recent.

    Checked are the headers of Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) where there
    is a signature, otherwise those of ASCEND (`X-ASCEND-Timestamp`, `X-ASCEND-Signature`). A delivery may come more
    than once: remember the event's `id`, for 25 hours.

    Args:
        headers: The request's headers; their case does not count.
        body: The request's body, as it came, before anything reads it as JSON.
        secret: What was given to `configure_webhook`; while it is rotated, the old one and the new one.
        tolerance_seconds: How far the delivery's time may be from now, both ways.
        now: Seconds since 1970. Left out: by the clock.

    Returns:
        The parsed event, a CloudEvent: `id`, `type` such as `action.approved`, `subject`, `data` and so on.

    Raises:
        AscendSignatureError: the delivery is not to be believed. Answer it with 401.
        AscendValidationError: an argument cannot be used, such as a secret that is too short.
    """
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise AscendValidationError(
            f"body is of type {type(body).__name__}, and has to be bytes",
            field="body",
            help="Give the body as it came over the wire: request.get_data(), await request.body().",
        )
    if not isinstance(tolerance_seconds, (int, float)) or not tolerance_seconds >= 0 or math.isinf(tolerance_seconds):
        raise AscendValidationError(
            "tolerance_seconds is no number of seconds", field="tolerance_seconds", help="Give 300."
        )
    raw = bytes(body)
    keys = [_key(s) for s in ([secret] if isinstance(secret, (str, bytes)) else secret)]
    if not keys:
        raise AscendValidationError("secret is empty", field="secret", help="Give the subscription's secret.")
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    time_is = time.time() if now is None else now

    if "webhook-signature" in lowered:
        identifier, stamp = lowered.get("webhook-id", ""), lowered.get("webhook-timestamp", "")
        if not identifier:
            raise AscendSignatureError("webhook-id is missing", reason="NoID")
        _recent(stamp, "webhook-timestamp", time_is, tolerance_seconds)
        signed = b".".join((_bytes(identifier), stamp.encode(), raw))
        wants = [b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
        given = lowered["webhook-signature"].split()
    else:
        stamp = lowered.get("x-ascend-timestamp", "")
        _recent(stamp, "X-ASCEND-Timestamp", time_is, tolerance_seconds)
        signed = stamp.encode() + b"." + raw
        wants = [b"sha256=" + hmac.new(key, signed, hashlib.sha256).hexdigest().encode() for key in keys]
        given = [lowered.get(name, "") for name in ("x-ascend-signature", "x-ascend-signature-previous")]
    # All pairs are compared, so that time tells nothing.
    if not any([hmac.compare_digest(_bytes(g), want) for g in given[:8] for want in wants]):  # noqa: C419
        raise AscendSignatureError(
            "no signature of the delivery fits",
            help="Check that the secret is that of the subscription.",
            reason="NoMatch",
        )
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise AscendSignatureError("the body is signed, and no event", reason="NoEvent")
    return event


def _bytes(header: str) -> bytes:
    # Servers that read headers as UTF-8 make lone surrogates of other bytes.
    return header.encode("utf-8", "surrogatepass")


def _key(secret: Any) -> bytes:
    """Return what signs: what whsec_ stands for, or the bytes as they are."""
    if not isinstance(secret, (str, bytes)):
        raise AscendValidationError(
            f"secret is of type {type(secret).__name__}", field="secret", help="Give str or bytes."
        )
    key = (secret.encode() if isinstance(secret, str) else secret).strip()
    if key.startswith(b"whsec_"):
        try:
            key = base64.b64decode(key[len(b"whsec_") :], validate=True)
        except binascii.Error:
            raise AscendValidationError(
                "secret begins with whsec_, and what follows is no base64",
                field="secret",
                help="Give it as it was made.",
            ) from None
    if len(key) < MIN_SECRET:
        raise AscendValidationError(
            f"secret is shorter than {MIN_SECRET} bytes", field="secret", help="Make one with: openssl rand -base64 32"
        )
    return key


def _recent(stamp: str, name: str, now: float, tolerance: float) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise AscendSignatureError(f"{name} is missing or no time", reason="NoTime")
    if not abs(now - int(stamp)) <= tolerance:
        raise AscendSignatureError(
            f"{name} is too far from now",
            help="The delivery is old or replayed, or a clock is wrong: see that both run NTP.",
            reason="TooOld",
        )
