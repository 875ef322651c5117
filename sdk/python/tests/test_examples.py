# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say; tests/cluster runs them as programs."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from policy import Policy

EXAMPLES = Path(__file__).parent.parent / "examples"
DENIED = "NOT RUN: denied: Bulk delete operations require manager approval (action act-"


@pytest.fixture
def policy() -> Policy:
    return Policy()


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_langgraph_agent(policy: Policy) -> None:
    said = [str(message.content) for message in example("langgraph_agent").main(policy.client())]
    assert said[2] == '["books", "music"]'
    assert said[4].startswith(DENIED)
    assert said[5].startswith("I listed the categories.")
    assert policy.outcomes == ["Succeeded", ""]


def test_langchain_tools(policy: Policy) -> None:
    assert example("langchain_tools").main(policy.client()) == [
        "TICKET-12345",
        "denied: Bulk delete operations require manager approval",
    ]


def test_openai_functions(policy: Policy) -> None:
    said = [message.get("content") for message in example("openai_functions").main(policy.client())]
    assert said[2] == '["books", "music"]'
    assert said[4].startswith(DENIED)
    assert said[5] == "I may not delete the users; ask a manager."


def test_mcp_server(policy: Policy) -> None:
    server = example("mcp_server").make_server(policy.async_client())
    read, denied = asyncio.run(example("mcp_session").main(server))
    assert read == "list_categories: books music"
    assert denied.startswith(f"delete_inactive_users: error: Error executing tool delete_inactive_users: {DENIED}")
