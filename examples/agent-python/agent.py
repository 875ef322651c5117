# SPDX-License-Identifier: Apache-2.0
"""A small agent: it works off a list of tasks, and asks before each.

In a cluster it needs no configuration, see manifests/; beside `make dev` it
runs with the environment that make dev prints:

    . .dev/env && .venv/bin/python examples/agent-python/agent.py
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Callable

from ascend import AscendClient, governed
from ascend.exceptions import AscendError, AscendNotApprovedError


def tasks(client: AscendClient, patience: float) -> list[tuple[Callable[..., None], dict[str, Any]]]:
    """Return what the agent was told to do, which stands for what a model would come up with.

    Args:
        client: Asks.
        patience: How long to wait for people, for each task, in seconds.
    """

    @governed(client, action_type="database_read", timeout_seconds=patience)
    def read_categories(table: str, operation: str, data_classification: str) -> None:
        """Read the list of public product categories."""
        say(f"  {operation} {table}: books, music")

    @governed(
        client,
        action_type="database_write",
        resource="customers/{customer_id}",
        parameters=lambda customer_id, address: {
            "table": "customers",
            "operation": "UPDATE",
            "affected_rows": 1,
            "data_classification": "pii",
            "customer_id": customer_id,
            "billing_address": address,
        },
        context={"ticket_id": "TICKET-12345"},
        timeout_seconds=patience,
    )
    def update_address(customer_id: str, address: str) -> None:
        """Update a customer's billing address."""
        say(f"  {customer_id} is billed at {address}")

    @governed(client, action_type="database_delete", timeout_seconds=patience)
    def delete_users(table: str, operation: str, affected_rows: int) -> None:
        """Delete inactive user accounts."""
        say(f"  {operation} {affected_rows} {table}")

    return [
        (
            read_categories,
            {"table": "product_categories", "operation": "SELECT", "data_classification": "public"},
        ),
        (update_address, {"customer_id": "cust_789", "address": "1 Elm Street"}),
        (delete_users, {"table": "users", "operation": "DELETE", "affected_rows": 150}),
    ]


def work(client: AscendClient, patience: float) -> int:
    """Do each task that may be done, say what became of each, and return how many failed.

    Not being allowed to is no failure.
    """
    failed = 0
    for task, arguments in tasks(client, patience):
        say(f"{task.__name__}: {task.__doc__}")
        try:
            task(**arguments)
            say("  done")
        except AscendNotApprovedError as error:
            decision = error.result.decision if error.result else "DENIED"
            say(f"  not done: {decision}: {(error.result and error.result.denial_reason) or error.message}")
        except AscendError as error:
            failed += 1
            say(f"  failed: {error}")
    return failed


def say(line: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the agent."""
    parser = argparse.ArgumentParser(description="A small agent that asks before it acts.")
    parser.add_argument("--wait", type=float, default=300, help="seconds to wait for people, for each task")
    patience = parser.parse_args().wait
    try:
        with AscendClient() as client:
            failed = work(client, patience)
    except AscendError as error:
        say(f"agent: {error}")
        return 1
    if failed:
        say(f"{failed} tasks failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
