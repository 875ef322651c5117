# SPDX-License-Identifier: Apache-2.0
"""Functions and blocks that run only when they are approved."""

from __future__ import annotations

import copy
import functools
import inspect
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, TypeVar, Union, cast

from ascend._config import seconds
from ascend._digest import digest, plain_object
from ascend._flows import draft_of, spec_of
from ascend._gate import Permit, permit
from ascend._model import ActionResult, AgentAction, ExceptionRequest
from ascend.exceptions import AscendValidationError

if TYPE_CHECKING:
    from ascend import aio
    from ascend import client as threads
    from ascend._base import OnReportError
    from ascend._exchange import Flow

F = TypeVar("F", bound=Callable[..., Any])

Client = Union["threads.AscendClient", "aio.AscendClient"]


def governed(
    client: Client,
    *,
    action_type: str,
    resource: str | Callable[..., str] | None = None,
    description: str | None = None,
    parameters: Callable[..., Mapping[str, Any]] | None = None,
    context: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None = None,
    exclude: Collection[str] = (),
    timeout_seconds: float = 300,
    idempotency_key: Callable[..., str] | None = None,
    exception_request: ExceptionRequest | None = None,
    on_report_error: OnReportError | None = None,
) -> Callable[[F], F]:
    """Make every call of a function an action that runs only when it is approved.

    A call submits the action, waits, and runs the function if, the moment before, the action is approved, the
    approval is still good, and the arguments are those that were approved. It runs at most once. How it went is
    reported; failing to report hides neither result nor exception.

    What is asked for is the arguments, all but `self` or `cls` and the excluded ones, by their names. They are
    copied deeply when the action is submitted, and the function gets the copies: nobody can change them while
    people decide.

    Args:
        client: Submits the actions: an `ascend.AscendClient` for a plain `def`, an `ascend.aio.AscendClient` for an
            `async def`.
        action_type: Of every call's action, such as `database_write`.
        resource: What is acted on: text with names of arguments in braces, such as `customers/{customer_id}`,
            or a function of the arguments. Such functions are given those arguments that they take, by name.
        description: For the people who decide. Left out: the first line of the function's docstring.
        parameters: Makes the action's parameters of the arguments, where these are not JSON. It has to make the
            same of the same, for it is asked again before the run.
        context: What else rules and people should know, or a function of the arguments that says so.
        exclude: Names of arguments that are no part of what is asked for, such as a database's connection. The
            function gets them as they are.
        timeout_seconds: How long to wait for people.
        idempotency_key: Makes a key of the arguments. Of calls with the same key only the first runs, for as long as
            its action is kept: 30 days after the decision, unless the platform deletes it before.
            Left out: every call is a new action.
        exception_request: Asks to be excepted from a rule that denies.
        on_report_error: Called with the error when an outcome could not be reported; a warning is logged as well.

    Returns:
        The decorator.

    Raises:
        TypeError: at decoration, where function and client do not fit, or the function is a generator.
        AscendNotApprovedError: at a call that was not approved.
        AscendConflictError: at a call whose key was used before.
        AscendIntegrityError: at a call whose arguments are not those that were approved.
        AscendError: at a call that could not be decided. Whatever of these is raised, the function was not run.
    """
    timeout = seconds(timeout_seconds, "timeout_seconds", zero=True)

    def decorate(function: F) -> F:
        _check_kind(function, client)
        plan = _Plan(
            function, inspect.signature(function), action_type, resource, description, parameters, context,
            frozenset([exclude] if isinstance(exclude, str) else exclude), idempotency_key, exception_request,
        )  # fmt: skip

        if client.is_async:
            asynchronous = cast("aio.AscendClient", client)

            @functools.wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                call = plan.bind(args, kwargs)
                session = asynchronous._session
                draft = draft_of(session, call.action())
                now = functools.partial(_digest_now, session, call.action)
                return await asynchronous._govern(draft, timeout, now, call.run_async, on_report_error)

            return cast("F", call_async)

        synchronous = cast("threads.AscendClient", client)

        @functools.wraps(function)
        def call_sync(*args: Any, **kwargs: Any) -> Any:
            call = plan.bind(args, kwargs)
            session = synchronous._session
            draft = draft_of(session, call.action())
            now = functools.partial(_digest_now, session, call.action)
            return synchronous._govern(draft, timeout, now, call.run, on_report_error)

        return cast("F", call_sync)

    return decorate


def _digest_now(session: Any, action: Callable[[], AgentAction]) -> str:
    return digest(spec_of(session, action()))


def _check_kind(function: Any, client: Any) -> None:
    name = getattr(function, "__qualname__", repr(function))
    if isinstance(function, (classmethod, staticmethod)):
        raise TypeError(f"put @governed below @{type(function).__name__}, next to the function")
    if not callable(function) or inspect.isclass(function):
        raise TypeError(f"@governed is for functions, and {name} is none")
    inner = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    call = inner if inspect.isroutine(inner) else type(inner).__call__
    if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
        raise TypeError(
            f"{name} is a generator, which runs in parts; govern a function that does all of it and returns"
        )
    if inspect.iscoroutinefunction(call) and not client.is_async:
        raise TypeError(f"{name} is an async def, and the client is that of threads; use ascend.aio.AscendClient")
    if not inspect.iscoroutinefunction(call) and client.is_async:
        raise TypeError(f"{name} is a plain def, and the client is that of asyncio; use ascend.AscendClient")


def _wanted(function: Callable[..., Any]) -> set[str] | None:
    """Return the names of the arguments that a function wants; None for all."""
    kinds = inspect.Parameter
    taken = inspect.signature(function).parameters.values()
    if any(p.kind in (kinds.POSITIONAL_ONLY, kinds.VAR_POSITIONAL) for p in taken):
        raise TypeError(f"{function!r} has to take arguments by their names")
    if any(p.kind is kinds.VAR_KEYWORD for p in taken):
        return None
    return {p.name for p in taken}


@dataclass(frozen=True)
class _Plan:
    """What is known of a governed function at its decoration."""

    function: Callable[..., Any]
    signature: inspect.Signature
    action_type: str
    resource: str | Callable[..., str] | None
    description: str | None
    parameters: Callable[..., Mapping[str, Any]] | None
    context: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None
    exclude: frozenset[str]
    idempotency_key: Callable[..., str] | None
    exception_request: ExceptionRequest | None

    def __post_init__(self) -> None:
        names = list(self.signature.parameters)
        if unknown := self.exclude - set(names):
            raise TypeError(f"exclude names {', '.join(sorted(unknown))}, which the function does not take")
        if isinstance(self.resource, str):
            self._check_template(self.resource)
        for of in (self.resource, self.parameters, self.context, self.idempotency_key):
            if callable(of) and (strange := (_wanted(of) or set()) - set(names)):
                raise TypeError(f"{of!r} wants {', '.join(sorted(strange))}, which the function does not take")
        words = self.description
        if words is None:
            words = (inspect.getdoc(self.function) or "").strip().partition("\n")[0]
        object.__setattr__(self, "description", words)
        context = None if callable(self.context) else self.context
        AgentAction(self.action_type, words, context=context, exception_request=self.exception_request)

    @property
    def asked(self) -> list[str]:
        """Names of the arguments that are asked for."""
        names = list(self.signature.parameters)
        if names and names[0] in ("self", "cls"):
            names = names[1:]
        return [name for name in names if name not in self.exclude]

    def _check_template(self, template: str) -> None:
        try:
            fields = [f for f in string.Formatter().parse(template) if f[1] is not None]
        except ValueError as error:
            raise TypeError(f"resource {template!r} is no template: {error}") from None
        for _, name, spec, conversion in fields:
            if spec or conversion or name not in self.asked:
                raise TypeError(f"resource {template!r} names {{{name}}}, which is no argument that is asked for")

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
        """Take down a call: the arguments that are asked for are copied."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name in self.asked:
            try:
                bound.arguments[name] = copy.deepcopy(bound.arguments[name])
            except Exception as error:
                raise AscendValidationError(
                    f"argument {name} cannot be copied: {error}",
                    field=name,
                    help=f"What is no part of what is asked for is left out by exclude=({name!r},).",
                ) from error
        return _Call(self, bound)


@dataclass
class _Call:
    """One call of a governed function, with arguments of its own."""

    plan: _Plan
    bound: inspect.BoundArguments
    _key: str | None = field(init=False, default=None)
    _context: Mapping[str, Any] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        plan = self.plan
        # Both may be told once only: a time of day is good context.
        if plan.idempotency_key is not None:
            self._key = self._ask(plan.idempotency_key)
        context = self._ask(plan.context) if callable(plan.context) else plan.context
        self._context = None if context is None else plain_object(context, "context")

    def _ask(self, of: Callable[..., Any]) -> Any:
        wanted = _wanted(of)
        return of(**{name: value for name, value in self.bound.arguments.items() if wanted is None or name in wanted})

    def action(self) -> AgentAction:
        """Return the action of the arguments as they are now."""
        plan, asked = self.plan, {name: self.bound.arguments[name] for name in self.plan.asked}
        if plan.parameters is not None:
            parameters: Mapping[str, Any] = self._ask(plan.parameters)
        else:
            parameters = asked
        return AgentAction(
            action_type=plan.action_type,
            description=plan.description or "",
            parameters=plain_object(parameters, "parameters"),
            context=self._context,
            resource=self._resource(asked),
            exception_request=plan.exception_request,
            idempotency_key=self._key,
        )

    def _resource(self, asked: Mapping[str, Any]) -> str | None:
        template = self.plan.resource
        if template is None or not isinstance(template, str):
            return None if template is None else self._ask(template)
        parts = []
        for literal, name, _, _ in string.Formatter().parse(template):
            parts.append(literal)
            if name is None:
                continue
            value = asked[name]
            if type(value) not in (str, int, float, bool):
                raise AscendValidationError(
                    f"resource names {{{name}}}, which is of type {type(value).__name__}",
                    field="resource",
                    help="Text and numbers can stand in a resource; for others give a function.",
                )
            parts.append(str(value))
        return "".join(parts)

    def run(self) -> Any:
        """Run the function, now."""
        return _whole(self.plan.function(*self.bound.args, **self.bound.kwargs))

    async def run_async(self) -> Any:
        """Run the function, now."""
        return _whole(await self.plan.function(*self.bound.args, **self.bound.kwargs))


def _whole(value: Any) -> Any:
    """Refuse a result that has yet to run: it would do so whenever somebody likes, and any number of times."""
    returned = f"the governed function returned a {type(value).__name__}"
    if inspect.iscoroutine(value) or inspect.isgenerator(value) or inspect.isasyncgen(value):
        if not inspect.isasyncgen(value):  # which has nothing to close before it has begun
            value.close()
        raise TypeError(f"{returned}, which would run later; it is not run")
    if inspect.isawaitable(value):
        raise TypeError(
            f"{returned}, of which nobody knows how it ends; await it in the function, and return its result"
        )
    return value


@dataclass(frozen=True)
class ActionRun:
    """An approved action, while it is run.

    Attributes:
        result: The decision.
        parameters: What was approved, for the block to use; a copy of its own.
        resource: What was approved to be acted on; empty where the action named none.
    """

    result: ActionResult
    parameters: dict[str, Any]
    resource: str

    @property
    def action_id(self) -> str:
        """Name of the action."""
        return self.result.action_id


class _Block:
    """What both context managers have in common."""

    def __init__(self, client: Any, action: AgentAction, timeout: float, on_report_error: OnReportError | None) -> None:
        self._client = client
        self._draft = draft_of(client._session, action)
        self._parameters = copy.deepcopy(dict(self._draft.spec.get("parameters") or {}))
        self._permit: Permit | None = None
        self._used = False
        self._on_report_error = on_report_error
        self._timeout = seconds(timeout, "timeout_seconds", zero=True)
        self._now = functools.partial(_digest_now, client._session, lambda: action)

    def _begin(self) -> Flow[Permit]:
        if self._used:
            raise RuntimeError("a governed action runs once; make another for another run")
        self._used = True
        return permit(self._client._session, self._draft, self._timeout, self._now)

    def _enter(self, permit: Permit) -> ActionRun:
        self._permit = permit
        return ActionRun(permit.result, self._parameters, str(self._draft.spec.get("resource") or ""))


class GovernedAction(_Block):
    """A `with` block that runs only when its action is approved; see `AscendClient.governed_action`."""

    def __enter__(self) -> ActionRun:
        return self._enter(self._client._run(self._begin()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._permit is not None:
            self._client._report(self._permit, error, self._on_report_error)


class AsyncGovernedAction(_Block):
    """An `async with` block that runs only when its action is approved; see `aio.AscendClient.governed_action`."""

    async def __aenter__(self) -> ActionRun:
        return self._enter(await self._client._run(self._begin()))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._permit is None:
            return
        if isinstance(error, GeneratorExit):  # of a loop that ends: nothing can be waited for
            self._client._begin_report(self._permit, error, self._on_report_error)
        else:
            await self._client._report(self._permit, error, self._on_report_error)
