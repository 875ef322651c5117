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

VECTORS = json.loads((Path(__file__).parent / "digests.json").read_text(encoding="utf-8"))
FIELDS = {"action_type": "actionType", "exception_request": "exceptionRequest"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    spec = {FIELDS.get(key, key): value for key, value in vector["spec"].items()}
    spec["agentRef"] = {"name": spec.pop("agent")}
    assert digest(spec) == vector["digest"]
    assert name_of("shop", spec["agentRef"]["name"], vector["name"]) == vector["action_name"]


def test_canonical_text_is_readable_by_the_library() -> None:
    for vector in VECTORS:
        canonical = vector["canonical"]
        assert json.loads(canonical)["actionType"] == vector["spec"]["action_type"]
    assert rfc8785.dumps({"b": 1, "a": [1.0]}) == b'{"a":[1],"b":1}'
