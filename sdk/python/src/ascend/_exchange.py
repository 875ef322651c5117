# SPDX-License-Identifier: Apache-2.0
"""Requests and answers, and trying again. No I/O.

What the SDK does is written as flows: generators that yield an effect, which a
driver carries out, and are sent what came of it. One flow thus serves threads
(`ascend.client`), asyncio (`ascend.aio`) and tests.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, TypeVar, Union
from urllib.parse import urlencode

if TYPE_CHECKING:
    from ascend._config import Settings
    from ascend._watch import Board, Mailbox

T = TypeVar("T")

# What may pass by itself. A create is safe to repeat, for its name is fixed.
RETRIED = frozenset({429, 500, 502, 503, 504})
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0


@dataclass(frozen=True)
class Request:
    """One HTTP request to the API server; the driver adds address and credentials."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    timeout: float = 5.0

    @property
    def target(self) -> str:
        """The path with the query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True)
class Answer:
    """What came back. Times are of the monotonic clock, in seconds."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = field(default=b"", repr=False)
    sent_at: float = 0.0
    received_at: float = 0.0

    def json(self) -> dict[str, Any] | None:
        """Return the body's JSON object; None where it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @property
    def date(self) -> datetime | None:
        """The server's time when it answered, in whole seconds, cut."""
        try:
            date = parsedate_to_datetime(self.headers.get("date", ""))
        except (TypeError, ValueError):
            return None
        return date if date.tzinfo else None

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait; None where it does not, or in words that are not known."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


class Unreachable(Exception):
    """There was no answer, or none that can be read; whether the request arrived is not known."""

    def __init__(self, why: str, *, lasting: bool = False) -> None:
        super().__init__(why)
        self.lasting = lasting  # another try cannot help, such as with a certificate


class Call(NamedTuple):
    """Make the request: sends the Answer, or throws Unreachable."""

    request: Request


class Sleep(NamedTuple):
    """Wait: sends None."""

    seconds: float


class Await(NamedTuple):
    """Wait for something in the mailbox, at most so long: sends None."""

    mailbox: Mailbox
    seconds: float


Effect = Union[Call, Sleep, Await]
Flow = Generator[Effect, Any, T]


@dataclass
class Session:
    """What flows know of their client."""

    settings: Settings
    namespace: str
    board: Board
    expiry: Callable[[], float | None] = lambda: None  # when the key expires, in seconds since 1970
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random


@dataclass(frozen=True)
class ServerTime:
    """The server's time, from an answer's Date header and the monotonic clock. The local wall clock has no say."""

    date: datetime
    sent_at: float
    received_at: float

    @classmethod
    def of(cls, answer: Answer) -> ServerTime | None:
        """Return the time that an answer tells; None where it tells none."""
        date = answer.date
        return cls(date, answer.sent_at, answer.received_at) if date else None

    def latest(self, now: float) -> datetime:
        """Return the latest that it can be: Date cuts the second, and the answer may have been made as it was asked."""
        return self.date + timedelta(seconds=1 + now - self.sent_at)

    def about(self, now: float) -> datetime:
        """Return about the time that it is."""
        return self.date + timedelta(seconds=0.5 + now - self.received_at)


def backoff(session: Session, failures: int) -> float:
    """Return how long to wait after so many failures, from 1: exponential, with full jitter."""
    longest: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 16))
    return longest * session.random()


def exchange(session: Session, request: Request, patience: float) -> Flow[Answer]:
    """Make a request, again where that is safe and may help.

    Returns the last answer; one with a status of 200 to 299 has a JSON object.

    Args:
        session: The client's.
        request: What to ask; it has to be safe to repeat.
        patience: Seconds that a Retry-After may ask for; a longer one is not waited for.

    Raises:
        Unreachable: there was no answer at the last try.
    """
    for tries in itertools.count(1):
        answer: Answer | None = None
        try:
            answer = yield from attempt(request)
        except Unreachable as failure:
            if failure.lasting or tries > session.settings.max_retries:
                raise
        pause = backoff(session, tries)
        if answer is not None:
            asked = answer.retry_after or 0.0
            if answer.status not in RETRIED or tries > session.settings.max_retries or asked > patience:
                return answer
            pause += asked
        yield Sleep(pause)
    raise AssertionError


def attempt(request: Request) -> Flow[Answer]:
    """Make a request once. A success that cannot be read is none: raises Unreachable."""
    answer: Answer = yield Call(request)
    if 200 <= answer.status < 300 and answer.json() is None:
        raise Unreachable(f"the answer to {request.method} {request.path} is no JSON object")
    return answer
