# SPDX-License-Identifier: Apache-2.0
"""A cluster with the operator, and a proxy before it that breaks what it is told to; test/sdk starts both."""

from __future__ import annotations

import json
import os
import shlex
import threading
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import kubernetes
import pytest

GROUP, VERSION, NAMESPACE = "governance.ascendowkai.com", "v1alpha1", "default"


class Cluster:
    """The cluster as its administrator sees it, who goes past the proxy, and the proxy's controls."""

    def __init__(self) -> None:
        missing = [
            v for v in ("DIR", "PROXY_URL", "PROXY_CA", "PROXY_CONTROL") if not os.environ.get(f"ASCEND_TEST_{v}")
        ]
        if missing:
            pytest.fail(
                f"ASCEND_TEST_{missing[0]} is not set; these tests are run by: go test ./test/sdk -run TestPython. "
                "Without a cluster: pytest -m 'not cluster'"
            )
        directory = Path(os.environ["ASCEND_TEST_DIR"])
        self.key = next(
            shlex.split(line)[1].partition("=")[2]
            for line in (directory / "env").read_text().splitlines()
            if line.startswith("export ASCEND_API_KEY=")
        )
        self.control = os.environ["ASCEND_TEST_PROXY_CONTROL"].rstrip("/")
        api = kubernetes.config.new_client_from_config(str(directory / "kubeconfig"))
        self.objects = kubernetes.client.CustomObjectsApi(api)
        approver = kubernetes.config.new_client_from_config(str(directory / "kubeconfig"))
        approver.set_default_header("Impersonate-User", "alice")
        approver.set_default_header("Impersonate-Group", "ascend-approvers")
        self.as_alice = kubernetes.client.CustomObjectsApi(approver)
        self.agent = f"sdk-python-{uuid.uuid4().hex[:8]}"
        limits = {"perMinute": 100000, "perHour": 100000, "perDay": 100000}
        subject = {"kind": "ServiceAccount", "name": "tutorial-agent"}
        spec = {"environment": "sandbox", "subjects": [subject], "rateLimit": limits}
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Agent", "metadata": {"name": self.agent}, "spec": spec}
        self.objects.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "agents", body)

    def options(self, timeout: float = 60) -> dict[str, Any]:
        """Arguments of a client that goes through the proxy; with time, where no test is about it."""
        return {
            "api_key": self.key,
            "api_url": os.environ["ASCEND_TEST_PROXY_URL"],
            "ca_file": os.environ["ASCEND_TEST_PROXY_CA"],
            "namespace": NAMESPACE,
            "agent_id": self.agent,
            "timeout": timeout,
            "poll_interval": 0.2,
        }

    def actions(self, name: str) -> list[dict[str, Any]]:
        """Return the action of that name, as it is stored; none or one."""
        listed: dict[str, Any] = self.objects.list_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, "agentactions", field_selector=f"metadata.name={name}"
        )
        return list(listed["items"])

    def approve(self, name: str) -> None:
        """Approve an action as alice."""
        body = {"spec": {"approvals": [{"verdict": "Approve"}]}}
        self.as_alice.patch_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "agentactions", name, body)

    def approving(self, name: str) -> Approver:
        """Return a context in which the action is approved as soon as it waits for somebody."""
        return Approver(self, name)

    def set_agent(self, state: str) -> None:
        """Set the agent's state."""
        body = {"spec": {"state": state}}
        self.objects.patch_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "agents", self.agent, body)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Tell the proxy what to do, or ask it what it saw."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.control + path, data, method=method)) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def plan(self, *rules: dict[str, Any]) -> None:
        """Break requests from now on; the first one is 1."""
        self.ask("POST", "/reset")
        self.ask("POST", "/plan", list(rules))


class Approver:
    """Approves an action as soon as it waits for somebody."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster, self._name = cluster, name
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(0.02):
            for action in self._cluster.actions(self._name):
                if action.get("status", {}).get("decision") == "Pending":
                    self._cluster.approve(self._name)
                    return
