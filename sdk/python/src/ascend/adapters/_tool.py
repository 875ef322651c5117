# SPDX-License-Identifier: Apache-2.0
"""A function that a model calls, governed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Callable, TypedDict, cast

from ascend._governed import governed
from ascend.adapters._plain import plain
from ascend.exceptions import AscendError, AscendValidationError

if TYPE_CHECKING:
    from ascend._base import OnReportError
    from ascend._governed import Client
    from ascend._model import ExceptionRequest

_BEGAN = "__ascend_began__"
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Governing(TypedDict, total=False):
    """What can be said of a governed tool beside its action type; as of `ascend.governed`.

    Attributes:
        resource: What is acted on: text with names of arguments in braces, such as `customers/{customer_id}`,
            or a function of the arguments.
        description: For the people who decide. Left out: the first line of the function's docstring.
        parameters: Makes the action's parameters of the arguments. Left out: the arguments, as JSON.
        context: What else rules and people should know, or a function of the arguments that says so.
        exclude: Names of arguments that are no part of what is asked for. They are those that the framework
            hands over, and all of them; an argument that the model writes cannot be excluded.
        timeout_seconds: How long to wait for people.
        idempotency_key: Makes a key of the arguments. Of calls with the same key only the first runs, for as long as
            its action is kept: 30 days after the decision, unless the platform deletes it before.
        exception_request: Asks to be excepted from a rule that denies.
        on_report_error: Called with the error when an outcome could not be reported.
    """

    resource: str | Callable[..., str] | None
    description: str | None
    parameters: Callable[..., Mapping[str, Any]] | None
    context: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None
    exclude: Collection[str]
    timeout_seconds: float
    idempotency_key: Callable[..., str] | None
    exception_request: ExceptionRequest | None
    on_report_error: OnReportError | None


def began(error: AscendError) -> bool:
    """Say whether an error is of the function itself, which had begun, rather than of its approval."""
    return getattr(error, _BEGAN, False) is True


def govern(
    client: Client,
    function: Callable[..., Any],
    written: Collection[str],
    refused: Callable[[AscendError], Exception] | None,
    action_type: str,
    governing: Governing,
    check: Callable[..., None] | None = None,
) -> Callable[..., Any]:
    """Return a function that runs when its call is approved.

    Args:
        client: Submits the actions.
        function: What the model calls; a plain `def` with a client for threads, an `async def` with one for asyncio.
        written: Names of the arguments that the model writes.
        refused: Makes the exception to raise of an error that says that the function was not run. None: that error.
        action_type: Of the actions.
        governing: What else is said of them.
        check: Called with the arguments of each call before it is submitted; raises an AscendError to refuse it.

    Raises:
        TypeError: function, client and names do not fit together.
    """
    options = cast("Governing", dict(governing))
    signature = inspect.signature(function)
    given = options.get("exclude", ())
    exclude = frozenset([given] if isinstance(given, str) else given)
    _check_names(function, signature, frozenset(written), exclude)
    if options.get("parameters") is None:
        options["parameters"] = functools.partial(_parameters, signature, exclude)

    def bind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise AscendValidationError(str(error), field="arguments") from None
        if check is not None:
            check(*args, **kwargs)

    def tell(error: AscendError) -> Exception:
        return error if refused is None or began(error) else refused(error)

    if client.is_async:

        @functools.wraps(function)
        async def begin_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except AscendError as error:
                setattr(error, _BEGAN, True)
                raise

        awaited = _decorate(client, function, begin_async, action_type, options)

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            try:
                bind(args, kwargs)
                return await awaited(*args, **kwargs)
            except AscendError as error:
                if (told := tell(error)) is error:
                    raise
                raise told from error

        return call_async

    @functools.wraps(function)
    def begin(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except AscendError as error:
            setattr(error, _BEGAN, True)
            raise

    called = _decorate(client, function, begin, action_type, options)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bind(args, kwargs)
            return called(*args, **kwargs)
        except AscendError as error:
            if (told := tell(error)) is error:
                raise
            raise told from error

    return call


def _decorate(
    client: Client, function: Any, begin: Callable[..., Any], action_type: str, options: Governing
) -> Callable[..., Any]:
    governed(client, action_type=action_type)(function)  # refuses what is not of the client's kind; a wrapper hides it
    return governed(client, action_type=action_type, **options)(begin)


def _check_names(function: Any, signature: inspect.Signature, written: frozenset[str], exclude: frozenset[str]) -> None:
    name = getattr(function, "__qualname__", repr(function))
    taken = {p.name for p in signature.parameters.values() if p.kind not in _VARIABLE}
    if next(iter(signature.parameters), "") in ("self", "cls"):
        raise TypeError(f"{name} takes {next(iter(signature.parameters))}; give the bound method")
    if hidden := sorted(exclude & written):
        raise TypeError(
            f"exclude names {', '.join(hidden)}, which the model writes; all that it writes is part of what is approved"
        )
    if handed := sorted(taken - written - exclude):
        raise TypeError(
            f"{name} takes {', '.join(handed)}, which the model does not write, so that nobody approves it; "
            f"say so by exclude=({', '.join(map(repr, handed))},)"
        )


def _parameters(signature: inspect.Signature, exclude: frozenset[str], /, **arguments: Any) -> dict[str, Any]:
    """Return the arguments that are asked for, as JSON."""
    asked: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if name in exclude or name not in arguments:
            continue
        value = plain(arguments[name], name)
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            asked.update(value)
        elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL or value:
            asked[name] = value
    return asked
