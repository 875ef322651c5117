# SPDX-License-Identifier: Apache-2.0
"""The two clients over HTTP."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import ascend
import ascend.aio
from ascend import AgentAction, _base
from ascend.exceptions import AscendAuthenticationError, AscendConnectionError, AscendPendingTimeoutError
from server import Server

WAITS = 1000
MAX_CONNECTIONS = 8


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def options(server: Server) -> dict[str, Any]:
    return {"api_key": "token", "api_url": server.url, "agent_id": "bot", "namespace": "shop", "poll_interval": 0.05}


def reading() -> AgentAction:
    return AgentAction("database_read", parameters={"table": "orders"})


def test_many_waits_of_threads_share_a_watch(server: Server) -> None:
    with ascend.AscendClient(**options(server)) as client:
        names = [client.submit_action(reading()).action_id for _ in range(10)]
        begun = server.reads
        threading.stack_size(256 * 1024)
        with ThreadPoolExecutor(WAITS) as pool:
            waits = [pool.submit(client.wait_for_decision, names[i % 10], 120) for i in range(WAITS)]
            server.until(lambda s: s.reads >= begun + WAITS)
            for name in names:
                server.write(name, {"decision": "Approved"})
            assert Counter(w.result().decision for w in waits) == {"APPROVED": WAITS}
        threading.stack_size(0)
        assert server.peak <= MAX_CONNECTIONS
        assert server.reads == begun + WAITS  # nobody polled
        assert server.watched == 1


def test_many_waits_of_tasks_share_a_watch(server: Server) -> None:
    async def main() -> None:
        async with ascend.aio.AscendClient(**options(server)) as client:
            names = [(await client.submit_action(reading())).action_id for _ in range(10)]
            begun = server.reads
            waits = [asyncio.create_task(client.wait_for_decision(names[i % 10], 120)) for i in range(WAITS)]
            await asyncio.to_thread(server.until, lambda s: s.reads >= begun + WAITS)
            for name in names:
                server.write(name, {"decision": "Approved"})
            assert Counter([(await w).decision for w in waits]) == {"APPROVED": WAITS}
            assert server.peak <= MAX_CONNECTIONS
            assert server.reads == begun + WAITS
            assert server.watched == 1

    asyncio.run(main())


def test_a_watch_that_ends_is_opened_again(server: Server) -> None:
    with ascend.AscendClient(**options(server)) as client, ThreadPoolExecutor(1) as pool:
        name = client.submit_action(reading()).action_id
        wait = pool.submit(client.wait_for_decision, name, 60)
        for n in (1, 2, 3):
            server.until(lambda s, n=n: s.watched >= n)
            server.drop()
        server.until(lambda s: s.watched >= 4)
        server.write(name, {"decision": "Denied"})
        assert wait.result().decision == "DENIED"


@pytest.mark.parametrize("variant", ["threads", "asyncio"])
def test_without_a_watch_waits_poll(server: Server, variant: str) -> None:
    server.refuse_watches = True

    def decide(reads: int) -> None:
        server.until(lambda s: s.reads >= reads + 4)
        for name in server.store:
            server.write(name, {"decision": "Denied"})

    async def main() -> str:
        async with ascend.aio.AscendClient(**options(server)) as client:
            name = (await client.submit_action(reading())).action_id
            wait = asyncio.create_task(client.wait_for_decision(name, 60))
            await asyncio.to_thread(decide, server.reads)
            return (await wait).decision

    if variant == "asyncio":
        assert asyncio.run(main()) == "DENIED"
        return
    with ascend.AscendClient(**options(server)) as client, ThreadPoolExecutor(1) as pool:
        name = client.submit_action(reading()).action_id
        wait = pool.submit(client.wait_for_decision, name, 60)
        decide(server.reads)
        assert wait.result().decision == "DENIED"


def test_closing_ends_the_watch(server: Server) -> None:
    others = set(threading.enumerate())  # of clients closed before, which may take a moment to end
    client = ascend.AscendClient(**options(server))
    client.submit_action(reading())
    server.until(lambda s: s.watched == 1)
    (watcher,) = [t for t in threading.enumerate() if t.name == "ascend-watch" and t not in others]
    client.close()
    watcher.join(20)
    assert not watcher.is_alive()
    server.drop()
    server.until(lambda s: s.open == 0)


def test_who_waits_at_a_closed_client_of_asyncio_is_told(server: Server) -> None:
    async def main() -> None:
        client = ascend.aio.AscendClient(**options(server))
        name = (await client.submit_action(reading())).action_id
        wait = asyncio.create_task(client.wait_for_decision(name, 600))
        await asyncio.to_thread(server.until, lambda s: s.reads >= 2)
        await client.close()
        for late in (wait, client.get_action_status(name)):
            with pytest.raises(AscendConnectionError, match="the client is closed"):
                await late

    asyncio.run(main())


def test_closing_that_is_cancelled_closes(server: Server) -> None:
    async def main() -> None:
        client = ascend.aio.AscendClient(**options(server))
        await client.submit_action(reading())
        client._tasks.add(asyncio.create_task(asyncio.sleep(600)))
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert client._watcher is not None
        assert client._watcher.done()
        assert client._http._client is not None
        assert client._http._client.closed

    asyncio.run(main())


def test_a_watch_that_somebody_cancels_is_begun_anew(server: Server) -> None:
    async def main() -> None:
        async with ascend.aio.AscendClient(**options(server)) as client:
            name = (await client.submit_action(reading())).action_id
            wait = asyncio.create_task(client.wait_for_decision(name, 600))
            await asyncio.to_thread(server.until, lambda s: s.watched == 1)
            assert client._watcher is not None
            client._watcher.cancel()
            server.drop()
            await asyncio.to_thread(server.until, lambda s: s.reads >= 4)  # it polls
            await client.submit_action(reading())
            await asyncio.to_thread(server.until, lambda s: s.watched >= 2)
            server.write(name, {"decision": "Denied"})
            assert (await wait).decision == "DENIED"

    asyncio.run(main())


def test_governed_coroutines(server: Server) -> None:
    server.first = {"decision": "Approved"}

    async def main() -> None:
        async with ascend.aio.AscendClient(**options(server)) as client:

            @ascend.governed(client, action_type="database_read", resource="tables/{table}")
            async def read(table: str, rows: list[int]) -> tuple[str, list[int]]:
                await asyncio.sleep(0)
                return table, rows

            given = [1]
            table, rows = await read("orders", given)
            assert (table, rows) == ("orders", [1])
            assert rows is not given
            async with client.governed_action(reading()) as run:
                assert run.parameters == {"table": "orders"}
            with pytest.raises(ValueError, match="boom"):
                async with client.governed_action(reading()):
                    raise ValueError("boom")
            with pytest.raises(TypeError):
                ascend.governed(client, action_type="t")(lambda: None)

    asyncio.run(main())
    results = [obj["spec"]["outcome"]["result"] for obj in server.store.values()]
    assert results == ["Succeeded", "Succeeded", "Failed"]


def test_a_cancelled_run_is_reported_and_a_cancelled_wait_runs_nothing(server: Server) -> None:
    ran = []

    async def main() -> None:
        async with ascend.aio.AscendClient(**options(server)) as client:
            running = asyncio.Event()

            @ascend.governed(client, action_type="database_read")
            async def read(table: str) -> None:
                ran.append(table)
                running.set()
                await asyncio.Event().wait()

            waiting = asyncio.create_task(read("waits"))
            await asyncio.to_thread(server.until, lambda s: s.reads >= 1)
            waiting.cancel()
            server.first = {"decision": "Approved"}
            task = asyncio.create_task(read("runs"))
            await running.wait()
            task.cancel()
            for cancelled in (waiting, task):
                with pytest.raises(asyncio.CancelledError):
                    await cancelled
            for name in server.store:
                server.write(name, {"decision": "Approved"})
            server.first = {"decision": "Pending"}
            never = ascend.governed(client, action_type="database_read", timeout_seconds=0)(_never)
            with pytest.raises(AscendPendingTimeoutError):
                await never()

    asyncio.run(main())
    assert ran == ["runs"]
    outcomes = {obj["spec"]["parameters"].get("table"): obj["spec"].get("outcome") for obj in server.store.values()}
    assert outcomes["waits"] is None
    assert outcomes["runs"]["message"] == "asyncio.exceptions.CancelledError"


async def _never() -> None:
    pytest.fail("it runs")


def test_a_client_of_asyncio_is_for_one_loop(server: Server) -> None:
    client = ascend.aio.AscendClient(**options(server))

    async def submit() -> None:
        await client.submit_action(reading())

    async def both() -> None:
        await submit()
        with pytest.raises(RuntimeError, match="one event loop"):
            await asyncio.to_thread(asyncio.run, submit())
        await client.close()

    asyncio.run(both())


def test_after_a_fork_a_client_begins_anew(server: Server) -> None:
    with ascend.AscendClient(**options(server)) as client:
        client.submit_action(reading())
        server.until(lambda s: s.watched == 1)
        session, http = client._session, client._http
        _base._begin_anew(client)
        assert client._session is not session
        assert client._http is not http
        assert client.submit_action(reading()).decision == "PENDING"
        server.until(lambda s: s.watched == 2)
        session.board.close()
        http.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_fork_leaves_the_parents_connections_alone(server: Server) -> None:
    async def main() -> None:
        async with ascend.aio.AscendClient(**options(server), max_retries=0) as client:
            name = (await client.submit_action(reading())).action_id
            assert client._watcher is not None
            client._watcher.cancel()  # it would hold what else is let go of
            await asyncio.wait([client._watcher])
            await client.get_action_status(name)
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)  # noqa: ASYNC222 - it is gone at once
            assert (await client.get_action_status(name)).decision == "PENDING"

    asyncio.run(main())


def test_nobody_there() -> None:
    given: dict[str, Any] = {"api_key": "t", "api_url": "http://127.0.0.1:1", "agent_id": "bot", "max_retries": 1}
    with ascend.AscendClient(**given) as client, pytest.raises(AscendConnectionError, match="Connection refused"):
        client.submit_action(reading())

    async def main() -> None:
        async with ascend.aio.AscendClient(**given) as client:
            await client.submit_action(reading())

    with pytest.raises(AscendConnectionError, match=r"127\.0\.0\.1"):
        asyncio.run(main())


def test_a_placeholder_is_refused_at_once() -> None:
    with pytest.raises(AscendAuthenticationError, match="placeholder"):
        ascend.AscendClient(api_key="owkai_your_key_here", api_url="https://x", agent_id="bot")
