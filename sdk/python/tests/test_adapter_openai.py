# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessageFunctionToolCall
from openai.types.responses import Response, ResponseFunctionToolCall

from ascend.adapters.openai import MAX_ARGUMENTS, AsyncGovernedFunctions, GovernedFunctions
from ascend.exceptions import AscendDeniedError, AscendError, AscendValidationError
from policy import Policy

WRITE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "customer_id": {"type": "string", "pattern": "^c[0-9]+$"},
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "number": {"type": ["integer", "null"]}},
            "required": ["street", "number"],
            "additionalProperties": False,
        },
    },
    "required": ["customer_id", "address"],
    "additionalProperties": False,
}
ROWS = {
    "type": "object",
    "properties": {"affected_rows": {"type": "integer"}},
    "required": ["affected_rows"],
    "additionalProperties": False,
}
GOOD = '{"customer_id": "c7", "address": {"street": "Elm St", "number": 1}}'


def chat_call(name: str, arguments: str, ident: str = "call_1") -> dict[str, Any]:
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}


def completion(*calls: dict[str, Any], finish_reason: str = "tool_calls", choices: int = 1) -> ChatCompletion:
    """An answer as the API sends it, read as the library reads it."""
    message = {"role": "assistant", "content": None, "tool_calls": list(calls)}
    choice = {"index": 0, "finish_reason": finish_reason, "message": message, "logprobs": None}
    return ChatCompletion.model_validate(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice] * choices}
    )


def item(name: str, arguments: str, ident: str = "call_1", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": ident, "name": name, "arguments": arguments, **more}


def response(*items: dict[str, Any], status: str = "completed") -> Response:
    text = {"type": "output_text", "text": "Thinking.", "annotations": []}
    said = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    return Response.model_validate(
        {
            "id": "r", "object": "response", "created_at": 1, "model": "m", "status": status, "output": [said, *items],
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        }
    )  # fmt: skip


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def ran() -> list[Any]:
    return []


@pytest.fixture
def functions(policy: Policy, ran: list[Any]) -> GovernedFunctions:
    made = GovernedFunctions(policy.client())

    @made.register(action_type="database_write", schema=WRITE, resource="customers/{customer_id}")
    def update_address(customer_id: str, address: dict[str, Any]) -> dict[str, Any]:
        """Update a customer's billing address."""
        ran.append((customer_id, address))
        return {"updated": customer_id}

    @made.register(action_type="database_delete", schema=ROWS)
    def delete_users(affected_rows: int) -> None:
        """Delete users."""
        ran.append(affected_rows)

    return made


def test_chat_completions(functions: GovernedFunctions, policy: Policy, ran: list[Any]) -> None:
    assert functions.chat_tools[0] == {
        "type": "function",
        "function": {
            "name": "update_address",
            "description": "Update a customer's billing address.",
            "parameters": WRITE,
            "strict": True,
        },
    }
    done, denied = functions.answer_chat(
        completion(chat_call("update_address", GOOD), chat_call("delete_users", '{"affected_rows": 150}', "call_2"))
    )
    assert done == {"role": "tool", "tool_call_id": "call_1", "content": '{"updated": "c7"}'}
    assert denied["tool_call_id"] == "call_2"
    assert str(denied["content"]).startswith("NOT RUN: denied: Bulk delete operations require manager approval (action")
    assert ran == [("c7", {"street": "Elm St", "number": 1})]
    assert policy.outcomes == ["Succeeded", ""]
    assert policy.asked[0] == {
        "agentRef": {"name": "bot"},
        "actionType": "database_write",
        "description": "Update a customer's billing address.",
        "resource": "customers/c7",
        "parameters": json.loads(GOOD),
    }
    assert functions.answer_chat(completion(finish_reason="stop")) == []


def test_responses(functions: GovernedFunctions, ran: list[Any]) -> None:
    assert functions.response_tools[1] == {
        "type": "function",
        "name": "delete_users",
        "description": "Delete users.",
        "parameters": ROWS,
        "strict": True,
    }
    done, denied = functions.answer_response(
        response(item("update_address", GOOD), item("delete_users", '{"affected_rows": 150}', "call_2"))
    )
    assert done == {"type": "function_call_output", "call_id": "call_1", "output": '{"updated": "c7"}'}
    assert (denied["call_id"], str(denied["output"])[:15]) == ("call_2", "NOT RUN: denied")
    assert len(ran) == 1


def test_asyncio(policy: Policy, ran: list[Any]) -> None:
    functions = AsyncGovernedFunctions(policy.async_client())

    @functions.register(action_type="database_read", schema=ROWS, name="count", model_description="Count.")
    async def count_rows(affected_rows: int) -> str:
        ran.append(affected_rows)
        return "counted"

    @functions.register(action_type="database_delete", schema=ROWS)
    async def delete(affected_rows: int) -> None:
        """Delete."""
        ran.append("deleted")

    async def work() -> None:
        (done,) = await functions.answer_chat(completion(chat_call("count", '{"affected_rows": 3}')))
        (denied,) = await functions.answer_response(response(item("delete", '{"affected_rows": 3}')))
        assert done["content"] == "counted"
        assert str(denied["output"]).startswith("NOT RUN: denied")

    asyncio.run(work())
    assert ran == [3]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("update_address", "", "they are no JSON"),
        ("update_address", "{", "they are no JSON"),
        ("update_address", GOOD + GOOD, "they are no JSON: Extra data"),
        ("update_address", "[1]", "they have to be a JSON object"),
        ("update_address", "null", "they have to be a JSON object"),
        ("update_address", '{"customer_id": "c1", ' + GOOD[1:], "the name 'customer_id' is there twice"),
        (
            "update_address",
            '{"customer_id": "c7", "address": {"street": "a", "number": 1, "street": "b"}}',
            "the name 'street' is there twice",
        ),
        ("update_address", '{"customer_id": "c7", "\\u0063ustomer_id": "c8"}', "the name 'customer_id' is there twice"),
        ("update_address", '{"customer_id": "c7"}', "$: 'address' is a required property"),
        ("update_address", '{"customer_id": "x", "address": {"street": "a", "number": 1}}', "'x' does not match"),
        ("update_address", '{"customer_id": "c7", "address": "Elm St"}', "'Elm St' is not of type 'object'"),
        ("update_address", GOOD[:-1] + ', "action_type": "database_read"}', "Additional properties are not allowed"),
        ("update_address", '{"customer_id": "c7", "address": {"street": "\\ud800", "number": 1}}', "lone surrogate"),
        ("delete_users", '{"affected_rows": NaN}', "NaN is no JSON"),
        ("delete_users", '{"affected_rows": 1e999}', "is inf, which JSON does not have"),
        ("delete_users", '{"affected_rows": 1' + "0" * 5000 + "}", "they are no JSON"),
        ("delete_users", '{"affected_rows": 9007199254740993}', "beyond 2^53"),
        ("delete_users", '{"affected_rows": true}', "True is not of type 'integer'"),
        ("delete_users", '{"a":' * 100_000, f"the limit is {MAX_ARGUMENTS}"),
        ("delete_users", "[" * 200_000, "they are "),
        ("drop_database", "{}", "there is no function 'drop_database'"),
        ("", "{}", "there is no function ''"),
    ],
)
def test_what_a_model_may_write(
    functions: GovernedFunctions, policy: Policy, ran: list[Any], name: str, arguments: str, words: str
) -> None:
    """Whatever is not exactly what the schema allows is answered, and neither asked for nor run."""
    (chat,) = functions.answer_chat(completion(chat_call(name, arguments)))
    (item_,) = functions.answer_response(response(item(name, arguments)))
    assert chat["content"] == item_["output"]
    assert str(chat["content"]).startswith("NOT RUN: the arguments cannot be used: ")
    assert words in str(chat["content"])
    assert (ran, policy.asked) == ([], [])


def test_calls_that_are_none_of_these(functions: GovernedFunctions, policy: Policy) -> None:
    custom = {"id": "call_1", "type": "custom", "custom": {"name": "update_address", "input": GOOD}}
    (answer,) = functions.answer_chat(completion(custom))
    assert "a call of type 'custom' is none of a function" in str(answer["content"])
    (answer_,) = functions.answer_response(response(item("update_address", GOOD, status="incomplete")))
    assert "the call is incomplete" in str(answer_["output"])
    (answer_,) = functions.answer_response(response(item("update_address", GOOD, namespace="crm")))
    assert "there is no function 'crm.update_address'" in str(answer_["output"])
    assert policy.asked == []


def test_what_was_cut_off_is_not_run(functions: GovernedFunctions, policy: Policy) -> None:
    call = chat_call("update_address", GOOD)
    for reason in ("length", "content_filter"):
        with pytest.raises(ValueError, match=f"cut off .{reason}.; none of its calls is run"):
            functions.answer_chat(completion(call, finish_reason=reason))
    with pytest.raises(ValueError, match="has 2 choices"):
        functions.answer_chat(completion(call, choices=2))
    with pytest.raises(ValueError, match="the response is incomplete"):
        functions.answer_response(response(item("update_address", GOOD), status="incomplete"))
    with pytest.raises(ValueError, match="the same id"):
        functions.answer_chat(completion(call, call))
    with pytest.raises(ValueError, match="the same id"):
        functions.answer_response(response(item("update_address", GOOD), item("update_address", GOOD)))
    assert policy.asked == []


def test_errors_of_the_function(policy: Policy, caplog: pytest.LogCaptureFixture) -> None:
    """Every call gets an answer, and none says of what was begun that it was not run."""
    schema = {**ROWS, "properties": {"affected_rows": {"type": "integer"}}}
    told = GovernedFunctions(policy.client(), on_function_error=lambda error: f"sorry: {error}")
    quiet = GovernedFunctions(policy.client(), refusals="raise")
    for functions in (told, quiet):

        @functions.register(action_type="database_read", schema=schema)
        def fail(affected_rows: int) -> None:
            """Fail."""
            if affected_rows:
                raise AscendError("inner secret")
            raise ValueError("secret")

    zero, one = chat_call("fail", '{"affected_rows": 0}'), chat_call("fail", '{"affected_rows": 1}', "call_2")
    assert [a["content"] for a in told.answer_chat(completion(zero, one))] == ["sorry: secret", "sorry: inner secret"]
    with caplog.at_level(logging.ERROR, "ascend.adapters"):
        answers = [str(a["content"]) for a in quiet.answer_chat(completion(zero, one))]
    assert all(a.startswith("FAILED: the function was started and failed.") and "secret" not in a for a in answers)
    assert "inner secret" in caplog.text
    assert policy.outcomes == ["Failed"] * 4


def test_raised_where_asked_for(policy: Policy) -> None:
    functions = GovernedFunctions(policy.client(), refusals="raise")

    @functions.register(action_type="database_delete", schema=ROWS)
    def delete(affected_rows: int) -> None:
        """Delete."""

    with pytest.raises(AscendDeniedError):
        functions.answer_chat(completion(chat_call("delete", '{"affected_rows": 1}')))
    with pytest.raises(AscendValidationError, match="there is no function 'x'"):
        functions.run(ResponseFunctionToolCall.model_validate(item("x", "{}")))
    with pytest.raises(AscendDeniedError):
        delete(affected_rows=1)


def test_optional_arguments(policy: Policy, ran: list[Any]) -> None:
    functions = GovernedFunctions(policy.client())

    @functions.register(action_type="database_read", schema={**ROWS, "required": []}, strict=False)
    def read(affected_rows: int = 10) -> None:
        """Read."""
        ran.append(affected_rows)

    call = ChatCompletionMessageFunctionToolCall.model_validate(chat_call("read", "{}"))
    assert functions.run(call) == "Done."
    assert (ran, policy.asked[0]["parameters"]) == ([10], {"affected_rows": 10})


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({**ROWS, "type": "array"}, 'has to be of "type": "object"'),
        ({"type": "object", "additionalProperties": False}, 'with "properties"'),
        ({**ROWS, "additionalProperties": True}, 'needs "additionalProperties": False'),
        ({**ROWS, "required": []}, "does not require affected_rows; require all and allow null"),
        ({**ROWS, "properties": {"affected_rows": {"type": "number-ish"}}}, "is no JSON Schema"),
        ({**ROWS, "properties": {}, "required": []}, "needs affected_rows, which its schema does not require"),
        (
            {**ROWS, "properties": {"affected_rows": {}, "other": {}}, "required": ["affected_rows", "other"]},
            "has other, which the function does not take",
        ),
    ],
)
def test_schemas_that_do_not_fit(policy: Policy, schema: dict[str, Any], words: str) -> None:
    def read(affected_rows: int) -> None:
        """Read."""

    functions = GovernedFunctions(policy.client())
    with pytest.raises(TypeError, match=words):
        functions.register(action_type="database_read", schema=schema)(read)
    assert functions.chat_tools == []


def test_refused_at_decoration(policy: Policy) -> None:
    functions = GovernedFunctions(policy.client())

    def read(affected_rows: int) -> None:
        """Read."""

    def more(affected_rows: int, connection: Any = None) -> None:
        """Read."""

    def silent(affected_rows: int) -> None: ...

    async def aread(affected_rows: int) -> None:
        """Read."""

    def any_(**affected_rows: int) -> None:
        """Read."""

    functions.register(action_type="database_read", schema=ROWS)(read)
    with pytest.raises(ValueError, match="there is a function read already"):
        functions.register(action_type="database_delete", schema=ROWS)(read)
    with pytest.raises(ValueError, match="'no name' is no name"):
        functions.register(action_type="database_read", schema=ROWS, name="no name")(read)
    with pytest.raises(TypeError, match="takes connection, which the model does not write"):
        functions.register(action_type="database_read", schema=ROWS)(more)
    with pytest.raises(TypeError, match="no docstring"):
        functions.register(action_type="database_read", schema=ROWS)(silent)
    with pytest.raises(TypeError, match="the client is that of threads"):
        functions.register(action_type="database_read", schema=ROWS)(aread)
    with pytest.raises(TypeError, match="by their names"):
        functions.register(action_type="database_read", schema=ROWS)(any_)
    with pytest.raises(TypeError, match="exclude names affected_rows, which the model writes"):
        functions.register(action_type="database_read", schema=ROWS, name="x", exclude="affected_rows")(read)
    with pytest.raises(ValueError, match="refusals"):
        GovernedFunctions(policy.client(), refusals="ignore")
    assert len(functions.chat_tools) == 1


def test_a_schema_is_taken_down_when_it_is_registered(policy: Policy) -> None:
    schema = json.loads(json.dumps(ROWS))
    functions = GovernedFunctions(policy.client())

    @functions.register(action_type="database_read", schema=schema)
    def read(affected_rows: int) -> None:
        """Read."""

    schema["properties"]["affected_rows"] = {}
    functions.chat_tools[0]["function"]["parameters"].clear()
    call = ChatCompletionMessageFunctionToolCall.model_validate(chat_call("read", '{"affected_rows": "all"}'))
    assert "'all' is not of type 'integer'" in functions.run(call)


def test_references(policy: Policy) -> None:
    """Within the schema only; nothing is fetched."""
    functions = GovernedFunctions(policy.client())

    def read(affected_rows: Any) -> None:
        """Read."""

    def register(name: str, **more: Any) -> None:
        functions.register(action_type="database_read", schema={**ROWS, **more}, name=name)(read)

    for reference in ("http://127.0.0.1:9/schema", "other.json", "#/$defs/missing"):
        with pytest.raises(TypeError, match=r"refers to .*, which is not in it"):
            register("read", properties={"affected_rows": {"$ref": reference}})
    register("read", properties={"affected_rows": {"$ref": "#/$defs/rows"}}, **{"$defs": {"rows": {"type": "integer"}}})
    register(
        "loop", properties={"affected_rows": {"$ref": "#/$defs/loop"}}, **{"$defs": {"loop": {"$ref": "#/$defs/loop"}}}
    )

    def call(name: str, arguments: str) -> str:
        return functions.run(ChatCompletionMessageFunctionToolCall.model_validate(chat_call(name, arguments)))

    assert call("read", '{"affected_rows": 1}') == "Done."
    assert "is not of type 'integer'" in call("read", '{"affected_rows": "1"}')
    assert call("loop", '{"affected_rows": 1}').startswith("NOT RUN: the arguments cannot be used: they cannot be")
    assert len(policy.asked) == 1
