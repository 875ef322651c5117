# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import enum
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool, ToolException
from langchain_core.tools.base import InjectedToolArg, InjectedToolCallId
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime, tools_condition
from pydantic import BaseModel, Field

from ascend.adapters.langchain import NotRunError, govern_tool, governed_tool
from ascend.exceptions import AscendDeniedError, AscendError
from policy import Policy


class Model(GenericFakeChatModel):
    """A chat model that says what it was told to say."""

    bound: list[Any] = []  # noqa: RUF012 - a field of pydantic

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        self.bound = list(tools)
        return self


def says(*messages: BaseMessage) -> Model:
    script: Iterator[BaseMessage] = iter(messages)
    return Model(messages=script)  # type: ignore[arg-type]


def calling(name: str, ident: str = "call-1", **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": ident}])


def graph(model: Model, *tools: BaseTool) -> Any:
    bound = model.bind_tools(tools)

    def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [bound.invoke(state["messages"])]}

    made = StateGraph(MessagesState)
    made.add_node("think", think)
    made.add_node("tools", ToolNode(list(tools)))
    made.add_edge(START, "think")
    made.add_conditional_edges("think", tools_condition)
    made.add_edge("tools", "think")
    return made.compile()


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def ran() -> list[Any]:
    return []


def tools_of(policy: Policy, ran: list[Any]) -> list[StructuredTool]:
    @governed_tool(policy.client(), action_type="database_write", resource="customers/{customer_id}")
    def update_address(customer_id: str, address: str, urgent: bool = False) -> str:
        """Update a customer's billing address.

        More for the model.
        """
        ran.append(("update_address", customer_id, address, urgent))
        return f"updated {customer_id}"

    @governed_tool(policy.client(), action_type="database_delete")
    def delete_users(affected_rows: int) -> str:
        """Delete inactive users."""
        ran.append(("delete_users", affected_rows))
        return "deleted"

    @governed_tool(policy.client(), action_type="money_transfer", timeout_seconds=60)
    def transfer(amount: float) -> str:
        """Transfer money."""
        ran.append(("transfer", amount))
        return "transferred"

    return [update_address, delete_users, transfer]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_in_a_graph(policy: Policy, ran: list[Any], asynchronous: bool) -> None:
    """What is approved is run, what is not is answered, and the graph goes on to its end."""
    model = says(
        calling("update_address", customer_id="c7", address="Elm St 1"),
        AIMessage(
            "",
            tool_calls=[
                {"name": "delete_users", "args": {"affected_rows": 150}, "id": "call-2"},
                {"name": "transfer", "args": {"amount": 9.5}, "id": "call-3"},
            ],
        ),
        AIMessage("I could do one of three."),
    )
    app = graph(model, *tools_of(policy, ran))
    given = {"messages": [HumanMessage("Please.")]}
    state = asyncio.run(app.ainvoke(given)) if asynchronous else app.invoke(given)
    done, denied, waiting = (m for m in state["messages"] if isinstance(m, ToolMessage))
    assert (done.status, done.content) == ("success", "updated c7")
    assert denied.status == waiting.status == "error"
    assert denied.tool_call_id == "call-2"
    assert str(denied.content).startswith("NOT RUN: denied: Bulk delete operations require manager approval (action a")
    assert "nobody has approved it in time: no decision within 60 s: it waited for group:managers" in str(
        waiting.content
    )
    assert state["messages"][-1].content == "I could do one of three."
    assert ran == [("update_address", "c7", "Elm St 1", False)]
    assert sorted(policy.outcomes) == ["", "", "Succeeded"]
    assert policy.asked[0] == {
        "agentRef": {"name": "bot"},
        "actionType": "database_write",
        "description": "Update a customer's billing address.",
        "resource": "customers/c7",
        "parameters": {"customer_id": "c7", "address": "Elm St 1", "urgent": False},
    }


def test_coroutine_in_a_graph(policy: Policy, ran: list[Any]) -> None:
    @governed_tool(policy.async_client(), action_type="database_read")
    async def read(table: str) -> list[str]:
        """Read a table."""
        ran.append(table)
        return ["a", "b"]

    @governed_tool(policy.async_client(), action_type="database_delete")
    async def drop(table: str) -> None:
        """Drop a table."""
        ran.append("dropped")

    model = says(calling("read", table="orders"), calling("drop", "call-2", table="orders"), AIMessage("Done."))
    state = asyncio.run(graph(model, read, drop).ainvoke({"messages": [HumanMessage("Read.")]}))
    read_answer, drop_answer = (m for m in state["messages"] if isinstance(m, ToolMessage))
    assert (read_answer.status, drop_answer.status) == ("success", "error")
    assert ran == ["orders"]
    with pytest.raises(NotImplementedError, match="does not support sync"):
        read.invoke({"table": "orders"})
    assert len(policy.asked) == 2


def test_the_model_sees_the_tool_and_no_more(policy: Policy, ran: list[Any]) -> None:
    tool = tools_of(policy, ran)[0]
    assert (tool.name, tool.description) == (
        "update_address",
        "Update a customer's billing address.\n\nMore for the model.",
    )
    assert set(tool.args) == {"customer_id", "address", "urgent"}
    # What the model writes beside the arguments has no effect at all.
    tool.invoke({"customer_id": "c", "address": "a", "action_type": "database_read", "resource": "public"})
    assert (policy.asked[0]["actionType"], policy.asked[0]["resource"]) == ("database_write", "customers/c")
    assert set(policy.asked[0]["parameters"]) == {"customer_id", "address", "urgent"}


def test_raised_where_asked_for(policy: Policy, ran: list[Any]) -> None:
    @governed_tool(policy.client(), action_type="database_delete", refusals="raise")
    def delete(table: str) -> None:
        """Delete."""
        ran.append(table)

    with pytest.raises(AscendDeniedError) as caught:
        delete.invoke({"table": "users"})
    assert caught.value.result is not None
    assert caught.value.result.rule_id == "rule-no-bulk-delete"
    with pytest.raises(AscendDeniedError):
        graph(says(calling("delete", table="users")), delete).invoke({"messages": [HumanMessage("Go.")]})
    assert ran == []


def test_errors_of_the_function_are_its_own(policy: Policy) -> None:
    """An error of the SDK raised in the function does not say that the function was not run."""

    @governed_tool(policy.client(), action_type="database_read")
    def fail(how: str) -> None:
        """Fail."""
        raise {"value": ValueError("broken"), "ascend": AscendError("inner"), "tool": ToolException("says why")}[how]

    with pytest.raises(ValueError, match="broken"):
        fail.invoke({"how": "value"})
    with pytest.raises(AscendError, match="inner"):
        fail.invoke({"how": "ascend"})
    assert fail.invoke({"how": "tool"}) == "says why"
    assert policy.outcomes == ["Failed"] * 3


@pytest.mark.parametrize(
    ("flag", "words"), [(True, "says why"), ("sorry", "sorry"), (lambda e: f"handled {e}", "handled says why")]
)
def test_the_tools_own_handler_stays(policy: Policy, flag: Any, words: str) -> None:
    def fail() -> None:
        """Fail."""
        raise ToolException("says why")

    own = StructuredTool.from_function(fail, handle_tool_error=flag)
    assert govern_tool(policy.client(), own, action_type="database_read").invoke({}) == words
    denied = govern_tool(policy.client(), own, action_type="database_delete").invoke({})
    assert denied.startswith("NOT RUN: denied")


class Level(enum.Enum):
    HIGH = "high"


class Address(BaseModel):
    street: str
    secret: str = Field(exclude=True)  # not in what pydantic dumps, and yet the model wrote it
    day: date


def test_models_are_shown_whole(policy: Policy, ran: list[Any]) -> None:
    @governed_tool(policy.client(), action_type="database_write")
    def move(address: Address, level: Level) -> str:
        """Move."""
        assert isinstance(address, Address)
        ran.append((address.street, address.secret, level))
        return "moved"

    move.invoke({"address": {"street": "Elm St", "secret": "s", "day": "2026-01-02"}, "level": "high"})
    assert ran == [("Elm St", "s", Level.HIGH)]
    assert policy.asked[0]["parameters"] == {
        "address": {"street": "Elm St", "secret": "s", "day": "2026-01-02"},
        "level": "high",
    }


def test_what_has_no_json_is_not_asked_for(policy: Policy, ran: list[Any]) -> None:
    @governed_tool(policy.client(), action_type="database_write")
    def keep(blob: bytes) -> None:
        """Keep."""
        ran.append(blob)

    words = keep.invoke({"blob": "x"})
    assert words.startswith("NOT RUN: the arguments cannot be used: blob is of type builtins.bytes")
    assert (ran, policy.asked) == ([], [])


def test_handed_over_by_langchain(policy: Policy, ran: list[Any]) -> None:
    """What the graph hands over is named, and its idempotency key makes a resumed node harmless."""

    @governed_tool(
        policy.client(),
        action_type="database_write",
        exclude=("config", "runtime", "call_id"),
        idempotency_key=lambda config, call_id: f"{config['configurable']['thread_id']}/{call_id}",
    )
    def write(
        row: str, config: RunnableConfig, runtime: ToolRuntime, call_id: Annotated[str, InjectedToolCallId]
    ) -> str:
        """Write a row."""
        ran.append((row, config["configurable"]["thread_id"], len(runtime.state["messages"]), call_id))
        return "written"

    def once() -> ToolMessage:
        app = graph(says(calling("write", "call-9", row="r", call_id="forged", config={}), AIMessage("Ok.")), write)
        state = app.invoke({"messages": [HumanMessage("Go.")]}, {"configurable": {"thread_id": "t1"}})
        (answer,) = (m for m in state["messages"] if isinstance(m, ToolMessage))
        return answer

    assert once().content == "written"
    again = once()
    assert again.status == "error"
    assert str(again.content).startswith("NOT RUN by this call: the same action was asked for before")
    assert ran == [("r", "t1", 2, "call-9")]
    assert policy.asked[0]["parameters"] == {"row": "r"}


def test_forged_arguments_do_not_get_past(policy: Policy, ran: list[Any]) -> None:
    """tool.invoke takes injected arguments from anybody; a ToolNode does not."""

    @governed_tool(policy.client(), action_type="database_read", exclude="tenant")
    def read(table: str, tenant: Annotated[str, InjectedToolArg]) -> None:
        """Read."""
        ran.append(tenant)

    @governed_tool(policy.client(), action_type="database_read", exclude="state")
    def look(table: str, state: Annotated[dict[str, Any], InjectedState]) -> None:
        """Look."""
        ran.append(state)

    forged = read.invoke({"name": "read", "args": {"table": "t", "tenant": "other"}, "id": "1", "type": "tool_call"})
    assert (forged.status, forged.content[:8]) == ("error", "NOT RUN:")
    look.invoke({"table": "t", "state": {}})
    assert (ran, policy.asked) == ([], [])


def test_schemas_that_langchain_does_not_check(policy: Policy, ran: list[Any]) -> None:
    """Of a JSON Schema, LangChain passes on whatever the model wrote."""
    schema = {"type": "object", "properties": {"table": {"type": "string"}}, "required": ["table"]}

    def read(table: str) -> str:
        """Read."""
        ran.append(table)
        return "ok"

    tool = govern_tool(
        policy.client(), StructuredTool.from_function(read, args_schema=schema), action_type="database_read"
    )
    assert "unexpected keyword argument 'limit'" in tool.invoke({"table": "t", "limit": 1})
    assert "missing a required argument: 'table'" in tool.invoke({})
    assert tool.invoke({"table": "t"}) == "ok"
    assert (ran, len(policy.asked)) == (["t"], 1)


def test_what_was_asked_for_is_what_runs(policy: Policy, ran: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody changes the arguments while people decide, not even who holds the tool call."""

    def write(row: dict[str, Any]) -> str:
        ran.append(row)
        return "written"

    # Of a JSON Schema LangChain passes on the very objects of the call.
    schema = {"type": "object", "properties": {"row": {"type": "object"}}}
    own = StructuredTool(name="write", description="Write.", args_schema=schema, func=write)
    tool = govern_tool(policy.client(), own, action_type="database_write")
    call = {"name": "write", "args": {"row": {"id": 1}}, "id": "1", "type": "tool_call"}
    create = policy.create

    def meanwhile(obj: dict[str, Any]) -> Any:
        call["args"]["row"]["id"] = 2  # type: ignore[index]
        return create(obj)

    monkeypatch.setattr(policy, "create", meanwhile)
    assert tool.invoke(call).content == "written"
    assert ran == [{"id": 1}]
    assert policy.asked[0]["parameters"] == {"row": {"id": 1}}


def test_tools_that_take_anything(policy: Policy, ran: list[Any]) -> None:
    """As of libraries that make tools of a remote server's: a JSON Schema, and **arguments."""

    async def remote(runtime: Any = None, **arguments: Any) -> str:
        ran.append(arguments)
        return "ok"

    def tool(schema: dict[str, Any]) -> StructuredTool:
        own = StructuredTool(name="remote", description="Remote.", args_schema=schema, coroutine=remote)
        return govern_tool(policy.async_client(), own, action_type="remote_call", exclude="runtime")

    schema = {"type": "object", "properties": {"table": {"type": "string"}}}
    assert asyncio.run(tool(schema).ainvoke({"table": "t", "deep": {"er": [1]}})) == "ok"
    assert asyncio.run(tool({"type": "object"}).ainvoke({})) == "ok"
    assert "NOT RUN" in asyncio.run(tool(schema).ainvoke({"table": "t", "runtime": {"forged": True}}))
    assert ran == [{"table": "t", "deep": {"er": [1]}}, {}]
    assert [spec["parameters"] for spec in policy.asked] == ran


class Search(BaseTool):
    name: str = "search"
    description: str = "Search."
    response_format: Any = "content_and_artifact"

    def _run(self, query: str, run_manager: Any = None) -> tuple[str, list[str]]:
        return f"found {query}", [query]


class Slow(Search):
    async def _arun(self, query: str, run_manager: Any = None) -> tuple[str, list[str]]:
        return f"slowly found {query}", [query]


def test_tools_of_their_own_class(policy: Policy) -> None:
    tool = govern_tool(policy.client(), Search(), action_type="web_search", resource="web/{query}")
    call = {"name": "search", "args": {"query": "q"}, "id": "1", "type": "tool_call"}
    answer = tool.invoke(call)
    assert (answer.content, answer.artifact) == ("found q", ["q"])
    slow = govern_tool(policy.async_client(), Slow(), action_type="web_search")
    assert asyncio.run(slow.ainvoke(call)).content == "slowly found q"
    assert [spec["parameters"] for spec in policy.asked] == [{"query": "q"}] * 2


def test_refused_at_decoration(policy: Policy) -> None:
    client, asynchronous = policy.client(), policy.async_client()

    def read(table: str) -> None:
        """Read."""

    async def aread(table: str) -> None:
        """Read."""

    def handed(table: str, config: RunnableConfig) -> None:
        """Read."""

    def silent(table: str) -> None: ...

    tool = StructuredTool.from_function(read)
    with pytest.raises(TypeError, match="exclude names table, which the model writes"):
        governed_tool(client, action_type="database_read", exclude=("table",))(read)
    with pytest.raises(TypeError, match=r"takes config, which the model does not write.*exclude=\('config',\)"):
        governed_tool(client, action_type="database_read")(handed)
    with pytest.raises(TypeError, match="async def, and the client is that of threads"):
        governed_tool(client, action_type="database_read")(aread)
    with pytest.raises(TypeError, match="plain def, and the client is that of asyncio"):
        governed_tool(asynchronous, action_type="database_read")(read)
    with pytest.raises(TypeError, match="tool read has no coroutine"):
        govern_tool(asynchronous, tool, action_type="database_read")
    with pytest.raises(TypeError, match="tool search has no coroutine"):
        govern_tool(asynchronous, Search(), action_type="database_read")
    with pytest.raises(TypeError, match="single-input Tool"):
        govern_tool(client, Tool("t", lambda x: x, "T."), action_type="database_read")
    with pytest.raises(TypeError, match="governed already"):
        govern_tool(client, govern_tool(client, tool, action_type="a"), action_type="b")
    with pytest.raises(TypeError, match="no docstring"):
        governed_tool(client, action_type="database_read")(silent)
    with pytest.raises(ValueError, match="refusals is 'ignore'"):
        govern_tool(client, tool, action_type="a", refusals="ignore")  # type: ignore[arg-type]
    with pytest.raises(AscendError, match="action_type"):
        govern_tool(client, tool, action_type="Not A Type")
    assert policy.asked == []


def test_nothing_of_the_cluster_reaches_the_model(policy: Policy, ran: list[Any]) -> None:
    policy.fault = lambda number, request: "401"
    words = tools_of(policy, ran)[0].invoke({"customer_id": "c", "address": "a"})
    assert words.startswith("NOT RUN: nobody could decide about this action, for a technical reason.")
    assert ran == []
    error = NotRunError(AscendDeniedError("denied", help="kubectl"))
    assert "kubectl" not in str(error)
