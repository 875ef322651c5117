# SPDX-License-Identifier: Apache-2.0
"""An API server with an operator, in memory, and a driver of flows with a clock of its own."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Callable, TypeVar

from ascend import AgentAction
from ascend._config import Given, settle
from ascend._digest import digest
from ascend._exchange import Answer, Await, Call, Flow, Request, Session, Sleep, Unreachable
from ascend._model import format_time
from ascend._watch import Board

T = TypeVar("T")
EPOCH = datetime(2026, 1, 2, 12, 0, 0, 250000, timezone.utc)
ENV = {"ASCEND_API_KEY": "token", "ASCEND_API_URL": "https://api", "ASCEND_AGENT_ID": "bot", "ASCEND_NAMESPACE": "shop"}


class Signal:
    """Threads do not matter here."""

    def set(self) -> None: ...

    def clear(self) -> None: ...


def status(code: int, reason: str, message: str = "", **details: Any) -> Answer:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    return Answer(code, {"date": "Fri, 02 Jan 2026 12:00:00 GMT"}, json.dumps(body).encode())


@dataclass
class World:
    """The truth.

    Attributes:
        decide: What the operator writes into status, and how many seconds after the creation.
        fault: Called with the number of a request, from 1, and the request: what goes wrong with it.
        skew: Seconds by which the server's clock is ahead of EPOCH.
    """

    decide: list[tuple[float, dict[str, Any]]] = field(default_factory=lambda: [(0.01, {"decision": "Approved"})])
    fault: Callable[[int, Request], str] = lambda number, request: ""
    watch: bool = True
    skew: float = 0.0
    now: float = 1000.0
    validity: float = 3600.0
    latency: float = 0.001
    store: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    creations: int = 0
    version: int = 7
    max_retries: int = 3

    def __post_init__(self) -> None:
        settings = settle(Given(max_retries=self.max_retries), ENV)
        self.board = Board("bot", Signal, lambda: None)
        self.session = Session(settings, "shop", self.board, clock=lambda: self.now, random=lambda: 0.5)
        if self.watch:
            self.board.connected()

    # The driver.

    def run(self, flow: Flow[T]) -> T:
        try:
            effect = next(flow)
            while True:
                try:
                    came = self.perform(effect)
                except BaseException as error:  # noqa: BLE001 - as drivers do
                    effect = flow.throw(error)
                else:
                    effect = flow.send(came)
        except StopIteration as end:
            value: T = end.value
            return value

    def perform(self, effect: object) -> Answer | None:
        if isinstance(effect, Call):
            return self.call(effect.request)
        if isinstance(effect, Sleep):
            self.slept.append(effect.seconds)
            self.advance(effect.seconds)
        elif isinstance(effect, Await):
            until = self.now + effect.seconds
            box = effect.mailbox
            while self.now < until and box._news is None and not box._gap:
                due = min([at for at, _ in self.events] + [until])
                self.advance(max(0.0, min(due, until) - self.now) or 1e-6)
        return None

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for event in sorted((e for e in self.events if e[0] <= self.now), key=lambda e: e[0]):
            self.events.remove(event)
            event[1]()

    # The API server.

    def time(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now - 1000.0 + self.skew)

    def call(self, request: Request) -> Answer:
        self.requests.append(request)
        fault = self.fault(len(self.requests), request)
        sent_at = self.now
        if fault == "slow":
            self.advance(4.9)
        self.advance(self.latency)
        if fault == "cut before":
            raise Unreachable("cut")
        if fault.isdigit():
            answer = status(int(fault), "Fault", "fault")
        else:
            answer = self.serve(request)
            if fault == "twice":
                answer = self.serve(request)
        if fault == "cut after":
            raise Unreachable("cut")
        body = answer.body[: len(answer.body) // 2] if fault == "cut middle" else answer.body
        headers = {**answer.headers, "date": format_datetime(self.time(), usegmt=True)}
        if fault == "no date":
            del headers["date"]
        self.advance(self.latency)
        return Answer(answer.status, headers, body, sent_at, self.now)

    def serve(self, request: Request) -> Answer:
        name = request.path.rpartition("/")[2]
        body = json.loads(request.body) if request.body else {}
        if request.method == "POST":
            return self.create(body)
        if name not in self.store:
            return status(404, "NotFound", f'agentactions "{name}" not found', name=name)
        if request.method == "GET":
            return self.answer(200, self.store[name])
        return self.patch(self.store[name], body)

    def answer(self, code: int, obj: Mapping[str, Any]) -> Answer:
        return Answer(code, {}, json.dumps(obj).encode())

    def create(self, obj: dict[str, Any]) -> Answer:
        name = obj["metadata"]["name"]
        if name in self.store:
            return status(409, "AlreadyExists", "already exists", name=name)
        self.creations += 1
        obj["metadata"]["uid"] = f"uid-{self.creations}"
        self.touch(obj)
        self.store[name] = obj
        for after, decision in self.decide:
            self.events.append((self.now + after, lambda d=decision: self.write(name, d)))  # type: ignore[misc]
        return self.answer(201, obj)

    def touch(self, obj: dict[str, Any]) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)

    def write(self, name: str, decision: dict[str, Any]) -> None:
        obj = self.store[name]
        written = {"specDigest": digest(obj["spec"]), **obj.get("status", {}), **decision}
        if decision.get("decision") == "Approved" and "validUntil" not in decision:
            written["validUntil"] = format_time(self.time() + timedelta(seconds=self.validity))
        if decision.get("decision") == "Approved":
            written["decidedAt"] = format_time(self.time())
        obj["status"] = written
        self.touch(obj)
        if self.board.sees("bot"):
            self.board.publish(name, copy.deepcopy(obj))

    def patch(self, obj: dict[str, Any], body: dict[str, Any]) -> Answer:
        if body.get("metadata", {}).get("uid", obj["metadata"]["uid"]) != obj["metadata"]["uid"]:
            return status(409, "Conflict", "uid differs", name=obj["metadata"]["name"])
        decided = obj.get("status", {}).get("decision", "")
        if "outcome" in body["spec"]:
            if decided != "Approved":
                return status(422, "Invalid", "an outcome can be reported only after the action was approved")
            if obj["spec"].get("outcome", body["spec"]["outcome"]) != body["spec"]["outcome"]:
                return status(422, "Invalid", "an outcome is reported once")
            obj["spec"]["outcome"] = body["spec"]["outcome"]
        if "cancelled" in body["spec"]:
            if decided not in ("", "Pending"):
                return status(422, "Invalid", "the action is already decided")
            obj["spec"]["cancelled"] = True
            self.touch(obj)
            self.events.append(
                (self.now + 0.01, lambda: self.write(obj["metadata"]["name"], {"decision": "Cancelled"}))
            )
        return self.answer(200, obj)


def reading(**given: Any) -> AgentAction:
    return AgentAction("database_read", parameters={"table": "orders"}, **given)
