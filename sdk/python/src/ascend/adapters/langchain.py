# SPDX-License-Identifier: Apache-2.0
"""Governed tools for LangChain and LangGraph; needs `ascend-sdk[langchain]`.

```python
from ascend import AscendClient
from ascend.adapters.langchain import governed_tool

client = AscendClient(agent_id="support-agent")


@governed_tool(client, action_type="database_write", resource="customers/{customer_id}")
def update_address(customer_id: str, address: str) -> str:
    \"\"\"Update a customer's billing address.\"\"\"
    ...
```

`update_address` is a `StructuredTool` as any other: bind it to a model, put it
into a `ToolNode`. A call that is not approved is answered with a ToolMessage of
status `error` that the model can read; the graph goes on.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, get_type_hints

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool, ToolException
from langchain_core.tools.base import InjectedToolCallId

from ascend.adapters._refusal import answer
from ascend.adapters._tool import govern
from ascend.exceptions import AscendError, AscendIntegrityError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ascend._governed import Client
    from ascend.adapters import Governing

__all__ = ["NotRunError", "govern_tool", "governed_tool"]

Refusals = Literal["answer", "raise"]


class NotRunError(ToolException):
    """Tells the model that its call was not run, and why.

    Attributes:
        error: The same for the developer.
    """

    def __init__(self, error: AscendError) -> None:
        super().__init__(answer(error))
        self.error = error


def governed_tool(
    client: Client,
    *,
    action_type: str,
    refusals: Refusals = "answer",
    tool: Mapping[str, Any] | None = None,
    **governing: Unpack[Governing],
) -> Callable[[Callable[..., Any]], StructuredTool]:
    """Make a tool of a function, of which every call is an action that runs only when it is approved.

    The model sees the name, docstring and arguments of the function, as with LangChain's own `tool`.

    Args:
        client: A plain `def` needs `ascend.AscendClient`; the tool can then be invoked both ways. An `async def`
            needs `ascend.aio.AscendClient`, and `ainvoke`.
        action_type: Of every call's action. The model has no say in it.
        refusals: `answer`: the model reads why a call was not run. `raise`: an `ascend.exceptions.AscendError`
            ends the run.
        tool: More for `StructuredTool.from_function`, such as `{"name": ..., "args_schema": ...}`.
        **governing: As of `ascend.adapters.Governing`.

    Returns:
        The decorator.

    Raises:
        TypeError: at decoration; see `govern_tool`.
    """

    def decorate(function: Callable[..., Any]) -> StructuredTool:
        options = dict(tool or {})
        options["coroutine" if client.is_async else "func"] = function
        words = inspect.getdoc(function)
        if not words and not options.get("description"):
            raise TypeError(f"{function!r} has no docstring, which would tell the model what it does")
        if not options.get("parse_docstring"):
            options.setdefault("description", words)  # LangChain leaves the indentation in
        made = StructuredTool.from_function(**options)
        return govern_tool(client, made, action_type=action_type, refusals=refusals, **governing)

    return decorate


def govern_tool(
    client: Client,
    tool: BaseTool,
    *,
    action_type: str,
    refusals: Refusals = "answer",
    **governing: Unpack[Governing],
) -> StructuredTool:
    """Return a tool like another one, of which every call is an action that runs only when it is approved.

    Keep the other one from the model. What LangChain hands over, and not the model, is named in `exclude`: a
    `RunnableConfig`, a `ToolRuntime`, an `InjectedToolCallId`. Graph state reaches a tool by its `ToolRuntime`.

    A `ToolException` of the tool itself is answered too, as its `handle_tool_error` says, or by its words. Every
    other exception of it is passed on as it is.

    Args:
        client: See `governed_tool`. Of a tool with both a function and a coroutine, the one that fits is used.
        tool: The tool; not the single-input `Tool`.
        action_type: Of every call's action. The model has no say in it.
        refusals: See `governed_tool`.
        **governing: As of `ascend.adapters.Governing`.

    Raises:
        TypeError: tool and client do not fit, the tool is governed already, or names are missing in `exclude` or
            may not be there.
        ValueError: there are no such `refusals`.
    """
    if refusals not in ("answer", "raise"):
        raise ValueError(f"refusals is {refusals!r}; give 'answer' or 'raise'")
    if (tool.metadata or {}).get("ascend_governed"):
        raise TypeError(f"tool {tool.name} is governed already")
    function = _function(tool, asynchronous=client.is_async)
    exclude = governing.get("exclude", ())
    check = _unforged(tool, function, frozenset([exclude] if isinstance(exclude, str) else exclude))
    if governing.get("description") is None:
        governing["description"] = tool.description.strip().partition("\n")[0]
    refused = NotRunError if refusals == "answer" else None
    schema = tool.args_schema
    # A JSON Schema of no arguments may leave out its properties.
    written = schema.get("properties", {}) if isinstance(schema, dict) else tool.args
    called = govern(client, function, list(written), refused, action_type, governing, check)
    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=tool.args_schema if tool.args_schema is not None else tool.get_input_schema(),
        func=None if client.is_async else called,
        coroutine=called if client.is_async else None,
        return_direct=tool.return_direct,
        response_format=tool.response_format,
        handle_tool_error=_handler(tool.handle_tool_error) if refused else tool.handle_tool_error,
        handle_validation_error=tool.handle_validation_error,
        verbose=tool.verbose,
        callbacks=tool.callbacks,
        tags=tool.tags,
        metadata={**(tool.metadata or {}), "ascend_governed": action_type},
        extras=tool.extras,
    )


def _function(tool: BaseTool, *, asynchronous: bool) -> Callable[..., Any]:
    """Return what a tool calls."""
    if isinstance(tool, Tool):
        raise TypeError(f"tool {tool.name} is a single-input Tool; make it by StructuredTool.from_function")
    function: Callable[..., Any] | None
    if isinstance(tool, StructuredTool):
        function = tool.coroutine if asynchronous else tool.func
    elif asynchronous:
        function = _without_manager(tool._arun) if type(tool)._arun is not BaseTool._arun else None
    else:
        function = _without_manager(tool._run)
    if function is None:
        has, needs = ("no coroutine", "ascend.AscendClient") if asynchronous else ("a coroutine only", "ascend.aio")
        raise TypeError(f"tool {tool.name} has {has}; it needs a client of {needs}")
    return function


def _without_manager(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a tool's method without `run_manager`, which only the method of a tool gets."""
    signature = inspect.signature(function)
    if "run_manager" not in signature.parameters:
        return function
    kept = [parameter for name, parameter in signature.parameters.items() if name != "run_manager"]

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def called_async(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        called = called_async
    else:

        @functools.wraps(function)
        def called_sync(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        called = called_sync
    called.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return called


def _unforged(tool: BaseTool, function: Callable[..., Any], exclude: frozenset[str]) -> Callable[..., None]:
    """Return a check that the model has not written what LangChain should have handed over.

    LangGraph's ToolNode takes such arguments out of what the model wrote; `tool.invoke` alone does not. What is an
    object and not JSON no model can write, and what LangChain overwrites in any case is safe as well.
    """
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - annotations may name anything; what is not known is checked
        hints = {}
    fields = getattr(tool.args_schema, "model_fields", {})
    checked = {name for name in exclude if not _overwritten(hints.get(name), known=name in fields)}
    signature = inspect.signature(function)

    def check(*args: Any, **kwargs: Any) -> None:
        given = signature.bind(*args, **kwargs).arguments
        for name in sorted(checked & set(given)):
            if isinstance(given[name], (str, int, float, list, tuple, dict)):
                raise AscendIntegrityError(
                    f"argument {name} came as {type(given[name]).__name__}, which the model could have written",
                    help="Take what the graph has from a ToolRuntime, and other objects from the function's scope.",
                )

    return check


def _overwritten(hint: Any, *, known: bool) -> bool:
    if hint is RunnableConfig or hint == Optional[RunnableConfig]:
        return True
    marks = getattr(hint, "__metadata__", ())
    return known and any(mark is InjectedToolCallId or isinstance(mark, InjectedToolCallId) for mark in marks)


def _handler(original: Any) -> Callable[[ToolException], Any]:
    """Return what answers exceptions: those of an approval by their words, others as the tool says."""

    def handle(error: ToolException) -> Any:
        if isinstance(error, NotRunError) or original is True or not original:
            return error.args[0] if error.args else "The tool failed."
        return original(error) if callable(original) else original

    return handle
