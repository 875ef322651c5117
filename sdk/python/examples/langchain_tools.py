# SPDX-License-Identifier: Apache-2.0
"""A LangChain tool that is there already, governed."""

from __future__ import annotations

import sys
import uuid

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool

from ascend import AscendClient
from ascend.adapters.langchain import govern_tool, governed_tool
from ascend.exceptions import AscendDeniedError


@tool
def list_tickets(table: str) -> str:
    """List the open tickets."""
    return "TICKET-12345"


def main(client: AscendClient) -> list[str]:
    """Call the tools as a model does, and return the answers."""
    tickets = govern_tool(client, list_tickets, action_type="database_read", context={"data_classification": "public"})

    # What LangChain hands over is no part of what is asked for, and is named. The key makes of a node that a
    # checkpoint runs again the same action, which is not run again.
    @governed_tool(
        client,
        action_type="database_delete",
        exclude=["config"],
        idempotency_key=lambda config, table: f"{config['configurable']['job']}/{table}",
        refusals="raise",  # ends the run, rather than telling the model
    )
    def delete_rows(table: str, affected_rows: int, config: RunnableConfig) -> str:
        """Delete rows of a table."""
        return f"deleted {affected_rows} rows of {table}"

    call = {"name": "list_tickets", "args": {"table": "product_categories"}, "id": "call-1"}
    message = AIMessage("", tool_calls=[call])
    answers = [str(tickets.invoke(call).content) for call in message.tool_calls]
    try:
        job: RunnableConfig = {"configurable": {"job": str(uuid.uuid4())}}
        answers.append(delete_rows.invoke({"table": "users", "affected_rows": 150}, job))
    except AscendDeniedError as error:
        answers.append(f"denied: {error.result.denial_reason if error.result else error}")
    return answers


if __name__ == "__main__":
    with AscendClient() as ascend_client:
        for answer in main(ascend_client):
            sys.stdout.write(answer + "\n")
