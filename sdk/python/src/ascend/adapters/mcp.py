# SPDX-License-Identifier: Apache-2.0
"""Governed tools in servers of the Model Context Protocol; needs `ascend-sdk[mcp]` (mcp 2).

```python
from ascend.adapters.mcp import governed_tool
from ascend.aio import AscendClient
from mcp.server import MCPServer

client = AscendClient(agent_id="support-agent")
server = MCPServer("customers")


@governed_tool(server, client, action_type="database_write", resource="customers/{customer_id}")
async def update_address(customer_id: str, address: str) -> str:
    \"\"\"Update a customer's billing address.\"\"\"
    ...


server.run()
```

A call that is not approved is answered with a result that `is_error` and says
why, for the model to read. A client that gives up while people decide ends the
call: it is not run then, though it may be approved later.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool

from ascend.adapters._refusal import answer
from ascend.adapters._tool import govern
from ascend.exceptions import AscendError

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from typing_extensions import Unpack

    from ascend.adapters import Governing
    from ascend.aio import AscendClient

__all__ = ["NotRunError", "governed_tool"]

F = TypeVar("F", bound=Callable[..., Any])


class NotRunError(ToolError):
    """Tells the model that its call was not run, and why.

    Attributes:
        error: The same for the developer.
    """

    def __init__(self, error: AscendError) -> None:
        super().__init__(answer(error))
        self.error = error


def governed_tool(
    server: MCPServer[Any],
    client: AscendClient,
    *,
    action_type: str,
    tool: Mapping[str, Any] | None = None,
    **governing: Unpack[Governing],
) -> Callable[[F], F]:
    """Add a tool to a server, of which every call is an action that runs only when it is approved.

    Exceptions of the function itself are MCP's: a `ToolError` reaches the model with its words, any other without.

    Args:
        server: The server.
        client: That of asyncio, for functions that are `async def`: what waits for people can then be ended.
        action_type: Of every call's action. The model has no say in it.
        tool: More for `MCPServer.add_tool`, such as `{"name": ..., "annotations": ...}`.
        **governing: As of `ascend.adapters.Governing`. `exclude` names what MCP hands over: a `Context`, and what is
            resolved.

    Returns:
        The decorator. It returns the function governed, so that no other way to it is left by accident.

    Raises:
        TypeError: at decoration, where function and client do not fit, or names are missing in `exclude` or may not
            be there.
        ValueError: at decoration, where the server has a tool of the name.
    """

    def decorate(function: F) -> F:
        options = dict(tool or {})
        if not options.get("description") and not inspect.getdoc(function):
            raise TypeError(f"{function!r} has no docstring, which would tell the model what it does")
        known = Tool.from_function(function, **options)
        if server._tool_manager.get_tool(known.name) is not None:
            # MCP would keep the other tool, and warn.
            raise ValueError(f"the server has a tool {known.name} already")
        said = governing.copy()
        if said.get("description") is None:
            said["description"] = inspect.cleandoc(known.description).partition("\n")[0]
        called = govern(client, function, list(known.parameters["properties"]), NotRunError, action_type, said)
        server.add_tool(called, **options)
        return called  # type: ignore[return-value]

    return decorate
