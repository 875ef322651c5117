# SPDX-License-Identifier: Apache-2.0
"""Function calling of the OpenAI API, governed."""

from __future__ import annotations

import sys
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionFunctionToolParam, ChatCompletionMessageParam

from ascend import AscendClient
from ascend.adapters.openai import GovernedFunctions


def ask_model(
    messages: list[ChatCompletionMessageParam], tools: list[ChatCompletionFunctionToolParam]
) -> ChatCompletion:
    """Stand in for a model: in its place put `OpenAI().chat.completions.create(model=..., messages=..., tools=...)`."""
    said = sum(message["role"] == "assistant" for message in messages)
    calls = [
        {"name": "list_categories", "arguments": '{"table": "product_categories"}'},
        {"name": "delete_inactive_users", "arguments": '{"affected_rows": 150}'},
    ]
    message: dict[str, Any] = {"role": "assistant", "content": "I may not delete the users; ask a manager."}
    if said < len(calls):
        call = {"id": f"call_{said}", "type": "function", "function": calls[said]}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "tool_calls" if said < len(calls) else "stop", "message": message}
    return ChatCompletion.model_validate(
        {"id": "c", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [choice]}
    )


def main(client: AscendClient) -> list[ChatCompletionMessageParam]:
    """Have the model work, and return all messages."""
    functions = GovernedFunctions(client)

    @functions.register(
        action_type="database_read",
        context={"data_classification": "public"},
        schema={
            "type": "object",
            "properties": {"table": {"enum": ["product_categories"]}},
            "required": ["table"],
            "additionalProperties": False,
        },
    )
    def list_categories(table: str) -> list[str]:
        """List the public product categories."""
        return ["books", "music"]

    @functions.register(
        action_type="database_delete",
        resource="users",
        schema={
            "type": "object",
            "properties": {"affected_rows": {"type": "integer", "minimum": 1}},
            "required": ["affected_rows"],
            "additionalProperties": False,
        },
    )
    def delete_inactive_users(affected_rows: int) -> str:
        """Delete inactive user accounts."""
        return f"deleted {affected_rows} users"

    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Tidy up the shop."}]
    while True:
        completion = ask_model(messages, functions.chat_tools)
        messages.append(completion.choices[0].message.to_dict())  # type: ignore[arg-type]
        answers = functions.answer_chat(completion)
        if not answers:
            return messages
        messages += answers


if __name__ == "__main__":
    with AscendClient() as ascend_client:
        for said in main(ascend_client):
            if said.get("content"):
                sys.stdout.write(f"{said['role']}: {said.get('content')}\n")
