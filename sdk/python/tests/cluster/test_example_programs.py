# SPDX-License-Identifier: Apache-2.0
"""The examples of the adapters, run as their README says: by the environment of `make dev` alone."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.cluster


def environment() -> dict[str, str]:
    directory = os.environ.get("ASCEND_TEST_DIR")
    if not directory:
        pytest.fail("ASCEND_TEST_DIR is not set; these tests are run by: go test ./test/sdk -run TestPython")
    lines = (Path(directory) / "env").read_text().splitlines()
    exported = (shlex.split(line)[1].partition("=") for line in lines if line.startswith("export "))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASCEND_", "KUBE"))}
    return {**kept, **{name: value for name, _, value in exported if name.startswith("ASCEND_")}}


@pytest.mark.parametrize(
    ("program", "done", "denied"),
    [
        ("langgraph_agent.py", 'tool: ["books", "music"]', "tool: NOT RUN: denied: "),
        ("langchain_tools.py", "TICKET-12345", "denied: "),
        ("openai_functions.py", 'tool: ["books", "music"]', "tool: NOT RUN: denied: "),
        ("mcp_session.py", "list_categories: books music", "NOT RUN: denied: "),
    ],
)
def test_example(program: str, done: str, denied: str) -> None:
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / program)],
        env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "Unclosed" not in run.stderr
    assert done in run.stdout
    assert denied + "Bulk delete operations require manager approval" in run.stdout
