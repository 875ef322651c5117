# SPDX-License-Identifier: Apache-2.0
"""What was asked, in one spelling, and the digest over it.

The digest is the operator's `status.specDigest`: SHA-256 over RFC 8785
canonical JSON. Approvals are bound to it, so that both sides have to come to
the same one: tests/digests.json holds them together.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import rfc8785

from ascend.exceptions import AscendValidationError

# The operator's limits of spec.parameters and spec.context.
MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_KEYS = 1000
# The largest whole number that every reader of JSON holds exactly (RFC 7493, 2.2).
MAX_INTEGER = 2**53 - 1


def plain_object(value: Any, field: str) -> dict[str, Any]:
    """Return a deep copy of a JSON object that shares nothing with it.

    Only what JSON has is taken: dict with str keys, list, tuple (as a list), str,
    int, float, bool and None, and no subclasses, for they may read differently
    the next time.

    Raises:
        AscendValidationError: names the field and the limit.
    """
    if not isinstance(value, Mapping):
        raise _invalid(
            field, f"must be a JSON object, but is of type {type(value).__name__}", 'give it as {"name": value}'
        )
    keys = [0]
    copy: dict[str, Any] = _plain(dict(value), field, 1, keys)
    if keys[0] > MAX_KEYS:
        raise _invalid(
            field, f"has {keys[0]} keys, the limit is {MAX_KEYS}", "submit a reference to the data in its place"
        )
    size = len(encode(copy))
    if size > MAX_BYTES:
        raise _invalid(
            field,
            f"has {size} bytes of JSON, the limit is {MAX_BYTES} (64 KiB)",
            "submit a reference to the data in its place",
        )
    return copy


def _plain(value: Any, field: str, depth: int, keys: list[int]) -> Any:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return text(value, field)
    if kind is int:
        if abs(value) > MAX_INTEGER:
            raise _invalid(field, "is a whole number beyond 2^53, which readers of JSON round", "write it as a string")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise _invalid(field, f"is {value}, which JSON does not have", "write it as a string, or leave it out")
        return value
    if kind not in (dict, list, tuple):
        raise _invalid(
            field,
            f"is of type {kind.__module__}.{kind.__qualname__}, which JSON does not have",
            "make a dict, list, str, int, float, bool or None of it",
        )
    if depth > MAX_DEPTH:
        raise _invalid(field, f"is nested deeper than the limit of {MAX_DEPTH} levels", "flatten it")
    if kind is dict:
        keys[0] += len(value)
        copy = {}
        for key, item in value.items():
            if type(key) is not str:
                raise _invalid(field, f"has a key of type {type(key).__name__}", "keys of JSON are strings")
            copy[text(key, field)] = _plain(item, f"{field}.{key}", depth + 1, keys)
        return copy
    return [_plain(item, f"{field}[{i}]", depth + 1, keys) for i, item in enumerate(value)]


def text(value: Any, field: str, limit: int = 0) -> str:
    """Check that a value is text that UTF-8 has, of at most `limit` characters where one is given."""
    if type(value) is not str:
        raise _invalid(field, f"must be a string, but is of type {type(value).__name__}", "give it as str")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _invalid(field, "has half a character (a lone surrogate)", "use valid Unicode text only") from None
    if limit and len(value) > limit:
        raise _invalid(field, f"has {len(value)} characters, the limit is {limit}", "shorten it")
    return value


def encode(value: Any) -> bytes:
    """Return JSON text as it is sent."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def digest(spec: Mapping[str, Any]) -> str:
    """Return the digest of an AgentAction's spec, as `sha256:HEX`.

    It is over what was asked, not over who asked or what became of it. Fields
    that are left out count as "" or null.

    Raises:
        AscendValidationError: the spec cannot be written as canonical JSON.
    """
    asked = {
        "agentRef": spec.get("agentRef"),
        "actionType": spec.get("actionType", ""),
        "description": spec.get("description", ""),
        "resource": spec.get("resource", ""),
        "parameters": spec.get("parameters"),
        "context": spec.get("context"),
        "exceptionRequest": spec.get("exceptionRequest"),
    }
    try:
        canonical = rfc8785.dumps(_numbers(asked))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise _invalid("spec", f"cannot be written as canonical JSON: {error}", "submit plain JSON") from None
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


def _numbers(value: Any) -> Any:
    # What the API server stores as 1e16 it sends as 10000000000000000: the same
    # double, in digits that the library takes for a whole number out of bounds.
    # They are the fewest that tell it from others, and zeros: seldom its exact value.
    if type(value) is int and abs(value) > MAX_INTEGER:
        double = float(value) if abs(value) < 2**1023 else math.inf
        return double if math.isfinite(double) and int(Decimal(repr(double))) == value else value
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return value


def _invalid(field: str, problem: str, advice: str) -> AscendValidationError:
    return AscendValidationError(f"{field} {problem}", field=field, help=advice[0].upper() + advice[1:] + ".")
