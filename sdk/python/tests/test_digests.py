# SPDX-License-Identifier: Apache-2.0
"""The digests and names that the Go side computes, and the operator with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from ascend._digest import digest
from ascend._flows import name_of
from ascend.exceptions import AscendValidationError

VECTORS = json.loads((Path(__file__).parent / "digests.json").read_text(encoding="utf-8"))
FIELDS = {"action_type": "actionType", "exception_request": "exceptionRequest"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    spec = {FIELDS.get(key, key): value for key, value in vector["spec"].items()}
    spec["agentRef"] = {"name": spec.pop("agent")}
    assert digest(spec) == vector["digest"]
    assert name_of("shop", spec["agentRef"]["name"], vector["name"]) == vector["action_name"]


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("double", "digits"),  # as the API server writes it
    [
        (2.0**53, "9007199254740992"),
        (1e16, "10000000000000000"),
        (1700000000123456789.0, "1700000000123456800"),
        (2.0**63, "9223372036854776000"),
        (9.462304879168013e20, "946230487916801300000"),
    ],
)
def test_doubles_that_the_api_server_writes_as_whole_numbers(double: float, digits: str, sign: str) -> None:
    asked, stored = float(f"{sign}{double}"), json.loads(sign + digits)
    assert digest({"parameters": {"n": stored}}) == digest({"parameters": {"n": asked}})


@pytest.mark.parametrize("number", [2**53 + 1, 1700000000123456789, 2**1024, -(10**400)])
def test_whole_numbers_that_no_double_holds_have_no_digest(number: int) -> None:
    with pytest.raises(AscendValidationError):
        digest({"parameters": {"n": number}})


def test_canonical_text_is_readable_by_the_library() -> None:
    for vector in VECTORS:
        canonical = vector["canonical"]
        assert json.loads(canonical)["actionType"] == vector["spec"]["action_type"]
    assert rfc8785.dumps({"b": 1, "a": [1.0]}) == b'{"a":[1],"b":1}'
