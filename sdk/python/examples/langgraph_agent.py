# SPDX-License-Identifier: Apache-2.0
"""A LangGraph agent whose tools ask before they act."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from ascend import AscendClient
from ascend.adapters.langchain import governed_tool


def scripted_model() -> BaseChatModel:
    """Stand in for a model: in its place put one that you have, with `.bind_tools(tools)`."""
    read = {"name": "list_categories", "args": {"table": "product_categories"}, "id": "call-1"}
    delete = {"name": "delete_inactive_users", "args": {"affected_rows": 150}, "id": "call-2"}
    script: Iterator[BaseMessage] = iter(
        [
            AIMessage("", tool_calls=[read]),
            AIMessage("", tool_calls=[delete]),
            AIMessage("I listed the categories. I may not delete the users; ask a manager."),
        ]
    )
    return GenericFakeChatModel(messages=script)  # type: ignore[arg-type]


def main(client: AscendClient) -> list[BaseMessage]:
    """Have the model work, and return all messages."""

    @governed_tool(client, action_type="database_read", context={"data_classification": "public"})
    def list_categories(table: str) -> list[str]:
        """List the public product categories."""
        return ["books", "music"]

    @governed_tool(client, action_type="database_delete", resource="users")
    def delete_inactive_users(affected_rows: int) -> str:
        """Delete inactive user accounts."""
        return f"deleted {affected_rows} users"

    model = scripted_model()

    def think(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([list_categories, delete_inactive_users]))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")

    state = graph.compile().invoke({"messages": [HumanMessage("Tidy up the shop.")]})
    messages: list[BaseMessage] = state["messages"]
    return messages


if __name__ == "__main__":
    with AscendClient() as ascend_client:
        for message in main(ascend_client):
            if message.content:
                sys.stdout.write(f"{message.type}: {message.content}\n")
