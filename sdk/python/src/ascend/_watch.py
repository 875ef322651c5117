# SPDX-License-Identifier: Apache-2.0
"""One watch for everybody who waits. No I/O.

A `Board` has a mailbox for each waiter; `keep_watching` fills them. A waiter
that joins, and every waiter after a gap in the watch, reads its action once by
itself; from then on the watch misses nothing. While the watch cannot be had,
waiters poll.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict
from collections.abc import Generator, Mapping
from typing import Any, Callable, NamedTuple, Protocol, Union

from ascend._exchange import Answer, Call, Request, Session, Sleep, Unreachable, attempt, backoff
from ascend._model import mapping

logger = logging.getLogger("ascend")

# A watch ends by itself after so many seconds and is taken up where it ended, so
# that one whose connection died silently is found out, and an idle one is closed.
PERIOD = 30
GRACE = 10
# A watch that ends sooner than this is a failure, lest it be asked for in a circle.
SHORTEST = 1.0


class Signal(Protocol):
    """A threading.Event or an asyncio.Event."""

    def set(self) -> None:
        """Wake whoever waits."""

    def clear(self) -> None:
        """Make the next one wait."""


class Mailbox:
    """What has come for one waiter."""

    def __init__(self, name: str, signal: Signal) -> None:
        self.name = name
        self.signal = signal
        self._lock = threading.Lock()
        self._news: Mapping[str, Any] | None = None
        self._gap = False

    def put(self, news: Mapping[str, Any] | None) -> None:
        """Leave an object, or, with None, word that something may have been missed."""
        with self._lock:
            self._gap = self._gap or news is None
            self._news = news
            self.signal.set()

    def take(self) -> Mapping[str, Any] | None:
        """Return the latest object; None where the waiter has to read it itself."""
        with self._lock:
            self.signal.clear()
            news, self._news = (None if self._gap else self._news), None
            self._gap = False
            return news


class Board:
    """Who waits, and whether the watch is up. Its methods may be called from any thread.

    Args:
        agent: The watch sees this agent's actions alone; empty: those of the whole namespace.
        signal: Makes a Signal.
        start: Starts `keep_watching`; called when somebody waits and it does not run.
    """

    def __init__(self, agent: str, signal: Callable[[], Signal], start: Callable[[], None]) -> None:
        self.agent = agent
        self._signal = signal
        self._start = start
        self._lock = threading.Lock()
        self._boxes: defaultdict[str, list[Mailbox]] = defaultdict(list)
        self._running = False
        self._up = False
        self._used = False
        self._closed = False

    def join(self, name: str) -> Mailbox:
        """Begin to wait for an action. The caller has to `leave`."""
        box = Mailbox(name, self._signal())
        with self._lock:
            self._boxes[name].append(box)
            self._used = True
            begin = not self._running and not self._closed
            self._running = self._running or begin
        if begin:
            self._begin(box)
        return box

    def _begin(self, box: Mailbox) -> None:
        try:
            self._start()
        except Exception as error:  # noqa: BLE001 - such as of a thread too many, or of an interpreter that ends
            self.stopped()
            logger.warning("the watch cannot be started; waits go on by polling: %s", error)
        except BaseException:  # of a signal; the watch may have begun
            self.leave(box)
            raise

    def leave(self, box: Mailbox) -> None:
        """Stop waiting."""
        with self._lock:
            boxes = self._boxes[box.name]
            boxes.remove(box)
            if not boxes:
                del self._boxes[box.name]

    def sees(self, agent: str) -> bool:
        """Say whether changes of an agent's actions come by the watch now."""
        with self._lock:
            return self._up and self.agent in ("", agent)

    def wanted(self) -> bool:
        """Say whether to go on watching: somebody waits, or has since this was last asked. False is the end."""
        with self._lock:
            self._running = not self._closed and (bool(self._boxes) or self._used)
            self._used = False
            self._up = self._up and self._running
            return self._running

    def connected(self) -> None:
        """The watch is up after a gap: everybody has to read once."""
        self._turn(up=True)

    def lost(self) -> None:
        """The watch is down: everybody has to poll."""
        self._turn(up=False)

    def _turn(self, *, up: bool) -> None:
        with self._lock:
            self._up = up
            for boxes in self._boxes.values():
                for box in boxes:
                    box.put(None)

    def publish(self, name: str, news: Mapping[str, Any] | None) -> None:
        """Pass on what the watch saw; None where the object has to be read."""
        with self._lock:
            for box in self._boxes.get(name, ()):
                box.put(news)

    def close(self) -> None:
        """Watch no more; who still waits polls."""
        with self._lock:
            self._closed = True
        self.lost()

    def stopped(self) -> None:
        """The watch ended in a way that it should not have; the next waiter starts it again."""
        with self._lock:
            self._running = self._up = False


class Open(NamedTuple):
    """Open a stream: sends an Answer, of which only a status other than 200 has a body; or throws Unreachable."""

    request: Request


class Read(NamedTuple):
    """Read the stream: sends a line, or None at its end; or throws Unreachable."""


Watching = Generator[Union[Call, Sleep, Open, Read], Any, None]


def keep_watching(session: Session, path: str) -> Watching:
    """Keep the board up to date for as long as anybody waits."""
    board = session.board
    version = ""
    failures = 0
    query = {"fieldSelector": f"spec.agentRef.name={board.agent}"} if board.agent else {}
    while board.wanted():
        try:
            fresh = not version
            if fresh:
                version = yield from _newest(session, path, query)
            began = session.clock()
            answer: Answer = yield Open(_watch(path, query, version))
            if answer.status != 200:
                raise Unreachable(f"HTTP status {answer.status}")
            if fresh:
                board.connected()
            version = yield from _pass_on(board, version)
            if session.clock() - began < SHORTEST:
                raise Unreachable("the watch ended at once")
            failures = 0
        except Unreachable:
            board.lost()
            version = ""
            failures += 1
            yield Sleep(backoff(session, failures))


def _newest(session: Session, path: str, query: Mapping[str, str]) -> Generator[Any, Any, str]:
    request = Request("GET", path, {**query, "limit": "1"}, timeout=session.settings.timeout)
    answer = yield from attempt(request)
    version = mapping(mapping(answer.json()).get("metadata")).get("resourceVersion")
    if answer.status != 200 or not isinstance(version, str) or not version:
        raise Unreachable(f"the actions cannot be listed: HTTP status {answer.status}")
    return version


def _watch(path: str, query: Mapping[str, str], version: str) -> Request:
    options = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": str(PERIOD)}
    return Request("GET", path, {**query, **options}, timeout=PERIOD + GRACE)


def _pass_on(board: Board, version: str) -> Generator[Any, Any, str]:
    """Publish what the stream has until it ends; returns the version to go on from."""
    while True:
        line: bytes | None = yield Read()
        if line is None:
            return version
        try:
            event = mapping(json.loads(line))
        except (ValueError, RecursionError):
            raise Unreachable("the watch sent what is no event") from None
        obj, kind = mapping(event.get("object")), event.get("type")
        metadata = mapping(obj.get("metadata"))
        seen, name = metadata.get("resourceVersion"), metadata.get("name")
        if kind not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK") or not isinstance(seen, str):
            raise Unreachable(f"the watch ended with an event of type {str(kind)[:32]}")
        version = seen
        if kind != "BOOKMARK" and isinstance(name, str):
            board.publish(name, None if kind == "DELETED" else obj)
