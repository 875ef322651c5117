# SPDX-License-Identifier: Apache-2.0
"""Starts mcp_server.py, as a host of the Model Context Protocol does, and calls its tools."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import TextContent


async def main(server: Any) -> list[str]:
    """Call the tools as a model does, and return the answers."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_categories", {"table": "product_categories"}),
        ("delete_inactive_users", {"affected_rows": 150}),
    ]
    answers = []
    async with Client(server) as session:
        for name, arguments in calls:
            result = await session.call_tool(name, arguments)
            text = " ".join(block.text for block in result.content if isinstance(block, TextContent))
            answers.append(f"{name}: {'error: ' if result.is_error else ''}{text}")
    return answers


if __name__ == "__main__":
    program = str(Path(__file__).with_name("mcp_server.py"))
    # Servers get no environment but what they are given.
    environment = {name: value for name, value in os.environ.items() if name.startswith(("ASCEND_", "PYTHON"))}
    started = stdio_client(StdioServerParameters(command=sys.executable, args=[program], env=environment))
    for answer in asyncio.run(main(started)):
        sys.stdout.write(answer + "\n")
