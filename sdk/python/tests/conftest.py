# SPDX-License-Identifier: Apache-2.0
"""The same examples each time, on machines of any speed; ASCEND_TEST_RANDOM=1 looks for new ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from stack import Cluster

settings.register_profile(
    "ascend",
    derandomize=not os.environ.get("ASCEND_TEST_RANDOM"),
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ascend")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent / "cluster"
    for item in items:
        if here in item.path.parents:
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def stack() -> Cluster:
    return Cluster()


@pytest.fixture
def cluster(stack: Cluster) -> Iterator[Cluster]:
    stack.ask("POST", "/reset")
    yield stack
    stack.ask("POST", "/reset")
