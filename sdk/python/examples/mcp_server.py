# SPDX-License-Identifier: Apache-2.0
"""A server of the Model Context Protocol whose tools ask before they act. It speaks over stdin and stdout."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import MCPServer

from ascend.adapters.mcp import governed_tool
from ascend.aio import AscendClient


def make_server(client: AscendClient) -> MCPServer[Any]:
    """Return the server."""

    @asynccontextmanager
    async def running(_: MCPServer[Any]) -> AsyncIterator[None]:
        async with client:  # its connections end with the server
            yield

    server = MCPServer("shop", lifespan=running)

    @governed_tool(server, client, action_type="database_read", context={"data_classification": "public"})
    async def list_categories(table: str) -> list[str]:
        """List the public product categories."""
        return ["books", "music"]

    @governed_tool(server, client, action_type="database_delete", resource="users")
    async def delete_inactive_users(affected_rows: int) -> str:
        """Delete inactive user accounts."""
        return f"deleted {affected_rows} users"

    return server


if __name__ == "__main__":
    make_server(AscendClient()).run()
