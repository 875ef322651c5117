# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import Any, Callable

import mcp
import pytest
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel

from ascend._exchange import Flow
from ascend.adapters.mcp import governed_tool
from ascend.exceptions import AscendDeniedError, AscendError
from policy import Policy
from world import T


class Address(BaseModel):
    street: str
    since: date


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def ran() -> list[Any]:
    return []


def served(policy: Policy, ran: list[Any]) -> MCPServer[Any]:
    server = MCPServer("customers")
    client = policy.async_client()

    @governed_tool(server, client, action_type="database_write", resource="customers/{customer_id}", exclude="ctx")
    async def update_address(customer_id: str, address: Address, ctx: Context[Any, Any], notes: str = "") -> list[str]:
        """Update a customer's billing address."""
        assert isinstance(ctx, Context)
        ran.append((customer_id, address.street, notes))
        return [customer_id, address.street]

    @governed_tool(server, client, action_type="database_delete", tool={"name": "delete", "description": "Delete."})
    async def delete_users(affected_rows: int) -> str:
        ran.append(affected_rows)
        return "deleted"

    @governed_tool(server, client, action_type="database_read")
    async def fail(how: str) -> str:
        """Fail."""
        raise {"value": ValueError("secret"), "ascend": AscendError("inner"), "tool": ToolError("says why")}[how]

    return server


def in_session(server: MCPServer[Any], work: Callable[[mcp.Client], Awaitable[T]], mode: str = "auto") -> T:
    async def run() -> T:
        async with mcp.Client(server, mode=mode) as client:
            return await work(client)

    return asyncio.run(run())


def words(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_over_a_session(policy: Policy, ran: list[Any], mode: str) -> None:
    """What is approved is run, what is not is an error that the model can read, and the session goes on."""

    async def work(client: mcp.Client) -> None:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed["update_address"].input_schema["properties"]) == {"customer_id", "address", "notes"}
        assert listed["delete"].description == "Delete."
        given = {"customer_id": "c7", "address": {"street": "Elm St", "since": "2026-01-02"}}
        done = await client.call_tool("update_address", given)
        assert (done.is_error, done.structured_content) == (False, {"result": ["c7", "Elm St"]})
        denied = await client.call_tool("delete", {"affected_rows": 150})
        assert denied.is_error
        assert words(denied).startswith("Error executing tool delete: NOT RUN: denied: Bulk delete operations require")

    in_session(served(policy, ran), work, mode)
    assert ran == [("c7", "Elm St", "")]
    assert policy.outcomes == ["Succeeded", ""]
    assert policy.asked[0] == {
        "agentRef": {"name": "bot"},
        "actionType": "database_write",
        "description": "Update a customer's billing address.",
        "resource": "customers/c7",
        "parameters": {"customer_id": "c7", "address": {"street": "Elm St", "since": "2026-01-02"}, "notes": ""},
    }
    assert policy.asked[1]["description"] == "Delete."


def test_arguments_that_do_not_fit_are_not_asked_for(policy: Policy, ran: list[Any]) -> None:
    async def work(client: mcp.Client) -> None:
        assert (await client.call_tool("delete", {"affected_rows": "many"})).is_error
        assert (await client.call_tool("delete", {})).is_error
        too_long = await client.call_tool("delete", {"affected_rows": 2**60})
        assert "NOT RUN: the arguments cannot be used: parameters.affected_rows is a whole number" in words(too_long)
        assert (await client.call_tool("unknown", {})).is_error

    in_session(served(policy, ran), work)
    assert (ran, policy.asked) == ([], [])


def test_the_client_cannot_hand_over_a_context(policy: Policy, ran: list[Any]) -> None:
    async def work(client: mcp.Client) -> None:
        given = {"customer_id": "c7", "address": {"street": "s", "since": "2026-01-02"}, "ctx": {"forged": True}}
        assert not (await client.call_tool("update_address", given)).is_error

    in_session(served(policy, ran), work)
    assert "ctx" not in policy.asked[0]["parameters"]


def test_errors_of_the_function_are_mcps(policy: Policy, ran: list[Any]) -> None:
    async def work(client: mcp.Client) -> list[str]:
        return [words(await client.call_tool("fail", {"how": how})) for how in ("value", "ascend", "tool")]

    assert in_session(served(policy, ran), work) == [
        "Error executing tool fail",
        "Error executing tool fail",
        "Error executing tool fail: says why",
    ]
    assert policy.outcomes == ["Failed"] * 3


def test_who_gives_up_gets_nothing_run(policy: Policy, ran: list[Any]) -> None:
    """A call that its client cancels while people decide is not run, though it is approved afterwards."""
    server = MCPServer("money")
    client = policy.async_client()
    asked, goes_on = asyncio.Event(), asyncio.Event()

    @governed_tool(server, client, action_type="database_read")
    async def read(table: str) -> str:
        """Read."""
        ran.append(table)
        return "read"

    async def slowly(flow: Flow[T]) -> T:
        asked.set()
        await goes_on.wait()
        return policy.run(flow)

    client._run = slowly  # type: ignore[method-assign]

    async def work(session: mcp.Client) -> None:
        call = asyncio.create_task(session.call_tool("read", {"table": "t"}))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        goes_on.set()
        await session.list_tools()

    in_session(server, work)
    assert ran == []


def test_no_way_round(policy: Policy, ran: list[Any]) -> None:
    """The name of the function is the governed one, too."""
    server = MCPServer("s")

    @governed_tool(server, policy.async_client(), action_type="database_delete")
    async def delete(table: str) -> None:
        """Delete."""
        ran.append(table)

    with pytest.raises(ToolError) as caught:
        asyncio.run(delete("users"))
    assert isinstance(caught.value.__cause__, AscendDeniedError)
    assert ran == []


def test_refused_at_decoration(policy: Policy) -> None:
    server, client = MCPServer("s"), policy.async_client()

    def plain(table: str) -> str:
        """Read."""
        return table

    async def read(table: str) -> str:
        """Read."""
        return table

    async def with_context(table: str, ctx: Context[Any, Any]) -> str:
        """Read."""
        return table

    async def silent(table: str) -> None: ...

    with pytest.raises(TypeError, match="plain def, and the client is that of asyncio"):
        governed_tool(server, client, action_type="database_read")(plain)
    with pytest.raises(TypeError, match="the client is that of threads"):
        governed_tool(server, policy.client(), action_type="database_read")(read)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="exclude names table"):
        governed_tool(server, client, action_type="database_read", exclude="table")(read)
    with pytest.raises(TypeError, match="takes ctx, which the model does not write"):
        governed_tool(server, client, action_type="database_read")(with_context)
    with pytest.raises(TypeError, match="no docstring"):
        governed_tool(server, client, action_type="database_read")(silent)
    server.add_tool(plain, name="read")
    with pytest.raises(ValueError, match="a tool read already"):
        governed_tool(server, client, action_type="database_read")(read)
