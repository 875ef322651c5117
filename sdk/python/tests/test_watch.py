# SPDX-License-Identifier: Apache-2.0
"""The shared watch, step by step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ascend._connection import MAX_ANSWER, Lines
from ascend._exchange import Answer, Call, Sleep, Unreachable
from ascend._watch import PERIOD, Board, Mailbox, Open, Read, keep_watching
from world import Signal, World

LIST = Answer(200, {}, b'{"metadata": {"resourceVersion": "41"}}')


def event(kind: str, version: int, name: str = "act-1") -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"name": name, "resourceVersion": str(version)}}}).encode()


class Watch:
    """Drives the watch, with answers that are given beforehand."""

    def __init__(self, *script: Any) -> None:
        self.world = World(watch=False)
        self.board = self.world.board
        self.box = self.board.join("act-1")
        self.script = list(script)
        self.steps: list[Any] = []

    def run(self) -> list[Any]:
        """Run to the end of the script; nobody waits any more then."""
        watching = keep_watching(self.world.session, "/actions")
        effect = next(watching)
        while True:
            self.steps.append(effect)
            if isinstance(effect, Sleep):
                came: Any = None
            elif self.script:
                came = self.script.pop(0)
            else:
                self.board.close()
                came = Unreachable("the end")
            self.world.now += 1
            came = came() if callable(came) else came
            try:
                effect = watching.throw(came) if isinstance(came, Exception) else watching.send(came)
            except StopIteration:
                return self.steps

    def opened_from(self) -> list[str]:
        return [step.request.query["resourceVersion"] for step in self.steps if isinstance(step, Open)]

    def lists(self) -> int:
        return sum(isinstance(step, Call) for step in self.steps)


def test_first_a_version_then_the_watch_from_there() -> None:
    watch = Watch(LIST, Answer(200), event("MODIFIED", 42), None)
    steps = watch.run()
    assert steps[0].request.query == {"fieldSelector": "spec.agentRef.name=bot", "limit": "1"}
    assert steps[1].request.query["timeoutSeconds"] == str(PERIOD)
    assert steps[1].request.query["allowWatchBookmarks"] == "true"
    assert steps[1].request.timeout > PERIOD


def test_a_watch_that_ends_goes_on_where_it_was_without_a_gap() -> None:
    gaps: list[bool] = []
    watch: Watch = Watch(
        LIST, Answer(200), event("MODIFIED", 42), event("BOOKMARK", 50), None,
        lambda: (watch.box.take(), Answer(200))[1], event("MODIFIED", 51), lambda: gaps.append(watch.box._gap),
    )  # fmt: skip
    watch.run()
    assert watch.opened_from() == ["41", "50", "51"]
    assert watch.lists() == 1
    assert gaps == [False]


@pytest.mark.parametrize(
    "broken",
    [
        [Unreachable("cut")],
        [Answer(410)],
        [Answer(403)],
        [Answer(200), b'{"type":"ERROR","object":{"code":410,"metadata":{}}}'],
        [Answer(200), b"{"],
        [Answer(200), b"[]"],
        [Answer(200), event("SURPRISE", 44)],
        [Answer(200), Unreachable("cut")],
    ],
)
def test_after_a_failure_everybody_reads_again(broken: list[Any]) -> None:
    seen: list[bool] = []

    def look() -> Answer:
        seen.append(watch.board.sees("bot"))
        return LIST

    watch: Watch = Watch(LIST, *broken, look, Answer(200), lambda: seen.append(watch.board.sees("bot")))
    steps = watch.run()
    assert seen == [False, True]
    assert watch.box.take() is None
    assert watch.lists() >= 2
    assert any(isinstance(step, Sleep) for step in steps)


def test_failures_are_further_and_further_apart() -> None:
    watch = Watch(*[Unreachable("cut")] * 9)
    pauses = [step.seconds for step in watch.run() if isinstance(step, Sleep)]
    assert pauses[:3] == [0.1, 0.2, 0.4]
    assert max(pauses) == 2.5  # half of the longest


def test_a_watch_that_ends_at_once_is_a_failure() -> None:
    watch = Watch(LIST)

    def at_once(came: Answer | None) -> Any:
        def go() -> Answer | None:
            watch.world.now -= 1  # what a step takes
            return came

        return go

    watch.script += [at_once(Answer(200)), at_once(None)]
    assert any(isinstance(step, Sleep) for step in watch.run())


def test_nobody_waits_nothing_is_asked() -> None:
    watch = Watch(LIST, Answer(200), None, Answer(200), None)
    watch.board.leave(watch.box)
    steps = watch.run()  # once more, for somebody who may come back
    assert sum(isinstance(step, Open) for step in steps) == 1
    assert not watch.board.sees("bot")


def test_what_is_published() -> None:
    watch = Watch(LIST, Answer(200), event("ADDED", 42, "act-2"), event("MODIFIED", 43))
    watch.script.append(lambda: watch.box.take() or event("MODIFIED", 44))
    seen: list[Any] = []
    watch.script.append(lambda: seen.append(watch.box.take()) or event("DELETED", 45))  # type: ignore[func-returns-value]
    watch.script.append(lambda: seen.append(watch.box.take()) or None)  # type: ignore[func-returns-value]
    watch.run()
    assert seen[0]["metadata"]["resourceVersion"] == "44"
    assert seen[1] is None


def test_closing_wakes_who_waits() -> None:
    world = World()
    box = world.board.join("act-1")
    box.put({"a": 1})
    world.board.close()
    assert not world.board.sees("bot")
    assert box.take() is None


def test_a_watch_that_cannot_be_started_is_started_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    """As when there are threads enough."""
    started: list[BaseException | None] = [RuntimeError("can't start new thread"), None]

    def start() -> None:
        if error := started.pop(0):
            raise error

    board = Board("bot", Signal, start)
    board.leave(board.join("act-1"))
    assert "waits go on by polling: can't start new thread" in caplog.text
    board.leave(board.join("act-1"))
    assert not started
    assert board.wanted()
    assert not board.wanted()
    started.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        board.join("act-1")
    assert board.wanted()
    assert not board.wanted()


def test_an_agent_that_the_watch_does_not_see() -> None:
    world = World()
    assert world.board.sees("bot")
    assert not world.board.sees("other")


def test_a_gap_is_not_forgotten_by_what_comes_after_it() -> None:
    box = Mailbox("act-1", Signal())
    box.put(None)
    box.put({"a": 1})
    assert box.take() is None
    box.put({"a": 2})
    assert box.take() == {"a": 2}
    assert box.take() is None


def test_lines() -> None:
    lines = Lines()
    assert lines.feed(b"a\nb") == [b"a"]
    assert lines.cut_off
    assert lines.feed(b"c\n\nd\n") == [b"bc", b"d"]
    assert not lines.cut_off
    with pytest.raises(ValueError, match="too long"):
        lines.feed(b"x" * (MAX_ANSWER + 1))


def test_reads_are_of_the_stream_alone() -> None:
    steps = Watch(LIST, Answer(200), event("MODIFIED", 42)).run()
    assert [type(step) for step in steps[:4]] == [Call, Open, Read, Read]
