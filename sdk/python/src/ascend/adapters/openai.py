# SPDX-License-Identifier: Apache-2.0
"""Governed function calling of the OpenAI API; needs `ascend-sdk[openai]`.

```python
from ascend import AscendClient
from ascend.adapters.openai import GovernedFunctions
from openai import OpenAI

functions = GovernedFunctions(AscendClient(agent_id="support-agent"))


@functions.register(
    action_type="database_write",
    resource="customers/{customer_id}",
    schema={
        "type": "object",
        "properties": {"customer_id": {"type": "string"}, "address": {"type": "string"}},
        "required": ["customer_id", "address"],
        "additionalProperties": False,
    },
)
def update_address(customer_id: str, address: str) -> str:
    \"\"\"Update a customer's billing address.\"\"\"
    ...


completion = OpenAI().chat.completions.create(model=..., messages=messages, tools=functions.chat_tools)
messages += functions.answer_chat(completion)  # and, with the Responses API, functions.answer_response
```

What a model wrote is taken strictly: valid JSON, no name twice, and what the
schema allows. Every call gets its answer, also one that was not run.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, TypeVar, Union

import jsonschema
import referencing
import referencing.exceptions
import referencing.jsonschema
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionToolMessageParam,
)
from openai.types.responses import FunctionToolParam, Response, ResponseFunctionToolCall
from openai.types.responses.response_input_item_param import FunctionCallOutput

from ascend._digest import plain_object
from ascend._gate import message_of
from ascend.adapters._refusal import answer
from ascend.adapters._tool import began, govern
from ascend.exceptions import AscendError, AscendValidationError

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageToolCallUnion
    from typing_extensions import Unpack

    from ascend import aio
    from ascend import client as threads
    from ascend._governed import Client
    from ascend.adapters import Governing

__all__ = ["AsyncGovernedFunctions", "GovernedFunctions"]

F = TypeVar("F", bound=Callable[..., Any])
ToolCall = Union["ChatCompletionMessageToolCallUnion", ResponseFunctionToolCall]
OnFunctionError = Callable[[Exception], str]

logger = logging.getLogger("ascend.adapters")

# A model's arguments that are longer are no arguments. What is asked for has a limit of 64 KiB of its own.
MAX_ARGUMENTS = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class _Function:
    name: str
    description: str
    schema: dict[str, Any]
    strict: bool
    validator: Any
    call: Callable[..., Any]


class _Functions:
    """What both registries have in common."""

    def __init__(
        self, client: Client, *, refusals: str = "answer", on_function_error: OnFunctionError | None = None
    ) -> None:
        if refusals not in ("answer", "raise"):
            raise ValueError(f"refusals is {refusals!r}; give 'answer' or 'raise'")
        self._client = client
        self._refusals = refusals
        self._on_function_error = on_function_error
        self._functions: dict[str, _Function] = {}

    def register(
        self,
        *,
        action_type: str,
        schema: Mapping[str, Any],
        name: str | None = None,
        model_description: str | None = None,
        strict: bool = True,
        **governing: Unpack[Governing],
    ) -> Callable[[F], F]:
        """Let models call a function; every call is an action that runs only when it is approved.

        Args:
            action_type: Of every call's action. The model has no say in it.
            schema: A JSON Schema (2020-12) of the arguments: an object with a property for each argument of the
                function, and `"additionalProperties": False`. References to elsewhere are not fetched.
            name: What models call it: at most 64 letters, digits, `_` and `-`. Left out: the function's name.
            model_description: What models are told of it. Left out: the function's docstring.
            strict: Whether OpenAI holds the model to the schema; every property then has to be required. The
                arguments are held to it here in any case.
            **governing: As of `ascend.adapters.Governing`. As the model writes all arguments, `exclude` has no use.

        Returns:
            The decorator. It returns the function governed, so that no other way to it is left by accident.

        Raises:
            TypeError: at decoration: function, client and schema do not fit together.
            ValueError: at decoration: the name cannot be used, or is taken.
        """
        copy = plain_object(schema, "schema")

        def decorate(function: F) -> F:
            known = str(name or getattr(function, "__name__", ""))
            if not _NAME.fullmatch(known):
                raise ValueError(f"{known!r} is no name of a function: use at most 64 letters, digits, _ and -")
            if known in self._functions:
                raise ValueError(f"there is a function {known} already")
            words = model_description or inspect.getdoc(function) or ""
            if not words:
                raise TypeError(f"function {known} has no docstring, which would tell the model what it does")
            _check_schema(known, function, copy, strict=strict)
            call = govern(self._client, function, list(copy["properties"]), None, action_type, governing)
            validator = jsonschema.Draft202012Validator(copy, registry=referencing.Registry())
            self._functions[known] = _Function(known, words, copy, strict, validator, call)
            return call  # type: ignore[return-value]

        return decorate

    @property
    def chat_tools(self) -> list[ChatCompletionFunctionToolParam]:
        """The functions, as `tools` of chat completions."""
        return [
            {
                "type": "function",
                "function": {
                    "name": f.name,
                    "description": f.description,
                    "parameters": plain_object(f.schema, "schema"),
                    "strict": f.strict,
                },
            }
            for f in self._functions.values()
        ]

    @property
    def response_tools(self) -> list[FunctionToolParam]:
        """The functions, as `tools` of the Responses API."""
        return [
            {
                "type": "function",
                "name": f.name,
                "description": f.description,
                "parameters": dict(plain_object(f.schema, "schema")),
                "strict": f.strict,
            }
            for f in self._functions.values()
        ]

    def _chosen(self, call: ToolCall) -> tuple[Callable[..., Any], dict[str, Any]]:
        """Return what a tool call calls, with which arguments.

        Raises:
            AscendValidationError: it cannot be used; nothing of it is.
        """
        if isinstance(call, ResponseFunctionToolCall):
            if call.status not in (None, "completed"):
                raise AscendValidationError(f"the call is {call.status}, so that arguments may be missing")
            name, text = call.name, call.arguments
            if namespace := getattr(call, "namespace", None):  # of somebody else's functions; not in all versions
                name = f"{namespace}.{name}"
        elif isinstance(call, ChatCompletionMessageFunctionToolCall):
            name, text = call.function.name, call.function.arguments
        else:
            raise AscendValidationError(f"a call of type {getattr(call, 'type', '')!r} is none of a function")
        function = self._functions.get(name)
        if function is None:
            raise AscendValidationError(f"there is no function {name[:80]!r}", field="name")
        arguments = _parsed(text)
        try:
            error = jsonschema.exceptions.best_match(function.validator.iter_errors(arguments))
        except Exception as failure:
            logger.exception("the schema of function %s cannot be used", name)
            raise AscendValidationError("they cannot be checked", field="arguments") from failure
        if error is not None:
            raise AscendValidationError(f"{error.json_path}: {error.message[:500]}", field="arguments")
        return function.call, arguments

    def _failed(self, call: ToolCall, error: Exception) -> str:
        """Return what to answer when a call raised an error, or raise it."""
        if isinstance(error, AscendError) and not began(error):
            if self._refusals == "raise":
                raise error
            return answer(error)
        if self._on_function_error is not None:
            return self._on_function_error(error)
        # The words are for the developer. To the model they could say what it must not know.
        logger.error("the function of call %s failed", _id(call), exc_info=error)
        return "FAILED: the function was started and failed. What it did before is not known. Tell the user."


def _check_schema(name: str, function: Callable[..., Any], schema: dict[str, Any], *, strict: bool) -> None:
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.exceptions.SchemaError as error:
        raise TypeError(f"the schema of function {name} is no JSON Schema: {error.message}") from None
    root = referencing.Registry().resolver_with_root(referencing.jsonschema.DRAFT202012.create_resource(schema))
    for reference in _references(schema):
        try:
            root.lookup(reference)
        except referencing.exceptions.Unresolvable:
            raise TypeError(f"the schema of function {name} refers to {reference}, which is not in it") from None
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, dict):
        raise TypeError(f'the schema of function {name} has to be of "type": "object" with "properties"')
    if schema.get("additionalProperties") is not False:
        raise TypeError(f'the schema of function {name} needs "additionalProperties": False')
    required = set(schema.get("required", ()))
    if strict and (optional := sorted(set(properties) - required)):
        raise TypeError(
            f"the schema of function {name} does not require {', '.join(optional)}; require all and allow null, "
            "or register with strict=False"
        )
    parameters = inspect.signature(function).parameters.values()
    kinds = inspect.Parameter
    if any(p.kind not in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY) for p in parameters):
        raise TypeError(f"function {name} has to take its arguments by their names")
    if extra := sorted(set(properties) - {p.name for p in parameters}):
        raise TypeError(f"the schema of function {name} has {', '.join(extra)}, which the function does not take")
    if missing := sorted({p.name for p in parameters if p.default is kinds.empty} - required):
        raise TypeError(f"function {name} needs {', '.join(missing)}, which its schema does not require")


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key in ("$ref", "$dynamicRef"):
            if isinstance(schema.get(key), str):
                yield schema[key]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _parsed(text: str) -> dict[str, Any]:
    """Return the arguments that a model wrote."""
    if len(text) > MAX_ARGUMENTS:
        raise AscendValidationError(
            f"they have {len(text)} characters, the limit is {MAX_ARGUMENTS}", field="arguments"
        )
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise AscendValidationError("they are nested too deep", field="arguments") from None
    except ValueError as error:
        raise AscendValidationError(f"they are no JSON: {error}", field="arguments") from None
    if not isinstance(value, dict):
        raise AscendValidationError("they have to be a JSON object", field="arguments")
    return plain_object(value, "arguments")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # One reader takes the first of two, another the last: what is approved would not be what is meant.
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise AscendValidationError(f"the name {name[:80]!r} is there twice", field="arguments")
        made[name] = value
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _id(call: ToolCall) -> str:
    return call.call_id if isinstance(call, ResponseFunctionToolCall) else call.id


def _text(result: Any) -> str:
    return message_of(result) or "Done."


def _chat_calls(completion: ChatCompletion) -> list[ChatCompletionMessageToolCallUnion]:
    if len(completion.choices) != 1:
        raise ValueError(f"the completion has {len(completion.choices)} choices; ask for one")
    choice = completion.choices[0]
    calls = list(choice.message.tool_calls or ())
    if calls and choice.finish_reason in ("length", "content_filter"):
        raise ValueError(f"the completion was cut off ({choice.finish_reason}); none of its calls is run")
    return _distinct(calls)


def _response_calls(response: Response) -> list[ResponseFunctionToolCall]:
    calls = [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]
    if calls and response.status not in (None, "completed"):
        raise ValueError(f"the response is {response.status}; none of its calls is run")
    return _distinct(calls)


def _distinct(calls: list[Any]) -> list[Any]:
    if len({_id(call) for call in calls}) < len(calls):
        raise ValueError("two tool calls have the same id; none of them is run")
    return calls


def _chat_answer(call: ToolCall, text: str) -> ChatCompletionToolMessageParam:
    return {"role": "tool", "tool_call_id": _id(call), "content": text}


def _response_answer(call: ResponseFunctionToolCall, text: str) -> FunctionCallOutput:
    return {"type": "function_call_output", "call_id": call.call_id, "output": text}


class GovernedFunctions(_Functions):
    """Functions that models may call, for threads.

    Args:
        client: Submits the actions.
        refusals: `answer`: the model reads why a call was not run. `raise`: an `ascend.exceptions.AscendError` is
            raised; calls of the same message that came before have been run.
        on_function_error: Makes what the model is told of an exception of a function. Left out: that it failed; the
            exception is logged.
    """

    def __init__(
        self,
        client: threads.AscendClient,
        *,
        refusals: str = "answer",
        on_function_error: OnFunctionError | None = None,
    ) -> None:
        super().__init__(client, refusals=refusals, on_function_error=on_function_error)

    def run(self, call: ToolCall) -> str:
        """Run what a tool call calls, if it is approved, and return what to answer the model.

        Args:
            call: Of a chat completion's message, or an item of a response's output.
        """
        try:
            function, arguments = self._chosen(call)
        except AscendError as error:
            return self._failed(call, error)
        try:
            return _text(function(**arguments))
        except Exception as error:  # noqa: BLE001 - every call gets an answer
            return self._failed(call, error)

    def answer_chat(self, completion: ChatCompletion) -> list[ChatCompletionToolMessageParam]:
        """Run the calls of a chat completion, one after another, and return the messages that answer them.

        Put the completion's own message before them.

        Raises:
            ValueError: it was cut off, or is of several choices: nothing was run.
        """
        return [_chat_answer(call, self.run(call)) for call in _chat_calls(completion)]

    def answer_response(self, response: Response) -> list[FunctionCallOutput]:
        """Run the calls of a response, one after another, and return the items that answer them.

        Raises:
            ValueError: it was cut off: nothing was run.
        """
        return [_response_answer(call, self.run(call)) for call in _response_calls(response)]


class AsyncGovernedFunctions(_Functions):
    """Functions that models may call, for asyncio; see `GovernedFunctions`."""

    def __init__(
        self, client: aio.AscendClient, *, refusals: str = "answer", on_function_error: OnFunctionError | None = None
    ) -> None:
        super().__init__(client, refusals=refusals, on_function_error=on_function_error)

    async def run(self, call: ToolCall) -> str:
        """Run what a tool call calls, if it is approved; see `GovernedFunctions.run`."""
        try:
            function, arguments = self._chosen(call)
        except AscendError as error:
            return self._failed(call, error)
        try:
            return _text(await function(**arguments))
        except Exception as error:  # noqa: BLE001 - every call gets an answer
            return self._failed(call, error)

    async def answer_chat(self, completion: ChatCompletion) -> list[ChatCompletionToolMessageParam]:
        """Run the calls of a chat completion; see `GovernedFunctions.answer_chat`."""
        return [_chat_answer(call, await self.run(call)) for call in _chat_calls(completion)]

    async def answer_response(self, response: Response) -> list[FunctionCallOutput]:
        """Run the calls of a response; see `GovernedFunctions.answer_response`."""
        return [_response_answer(call, await self.run(call)) for call in _response_calls(response)]
