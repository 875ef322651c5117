# SPDX-License-Identifier: Apache-2.0
"""What docs/sdk-python.md and the adapters' docstrings show runs as it is written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ascend
import ascend.aio
import ascend.exceptions
from policy import Policy

SDK = Path(__file__).parent.parent
PAGE = SDK.parent.parent / "docs" / "sdk-python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    found = [(f"page-{i}", block) for i, block in enumerate(BLOCK.findall(PAGE.read_text()))]
    for module in sorted((SDK / "src/ascend/adapters").glob("[a-z]*.py")):
        docstring = ast.get_docstring(ast.parse(module.read_text())) or ""
        found += [(module.stem, block) for block in BLOCK.findall(docstring)]
    return found


@pytest.mark.parametrize("block", [pytest.param(block, id=name) for name, block in blocks()])
def test_block(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy()
    monkeypatch.setattr(ascend, "AscendClient", lambda **_: policy.client())
    monkeypatch.setattr(ascend.aio, "AscendClient", lambda **_: policy.async_client())
    # A docstring goes on where a program would be served, or a model be asked.
    runs, _, _ = block.partition("\nserver.run()")
    runs, _, _ = runs.partition("\ncompletion = ")
    exec(compile(runs, "block", "exec"), {"__name__": "block"})
    assert "Failed" not in policy.outcomes


def test_blocks_are_found() -> None:
    assert len(blocks()) >= 12


def test_every_error_is_in_the_table() -> None:
    text = PAGE.read_text()
    missing = [name for name in ascend.exceptions.__all__ if f"`{name}`" not in text]
    assert missing == []
