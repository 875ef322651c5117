# SPDX-License-Identifier: Apache-2.0
"""A namespace of one test's own with an agent, in the cluster that test/sdk starts, behind its proxy."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import urllib3
import yaml

GROUP = "governance.ascendowkai.com"
VARIABLES = ("ASCEND_TEST_DIR", "ASCEND_TEST_PROXY_URL", "ASCEND_TEST_PROXY_CA", "ASCEND_TEST_PROXY_CONTROL")
NO_LIMIT = {"perMinute": 1_000_000, "perHour": 1_000_000, "perDay": 1_000_000}
# What a person has to agree to, and what nobody has to.
WRITE = {"table": "customers", "operation": "UPDATE", "affected_rows": 1, "data_classification": "pii"}
READ = {"table": "product_categories", "operation": "SELECT", "data_classification": "public"}


class Cluster:
    """The cluster as its administrator sees it, and the proxy before it."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.url = environ["ASCEND_TEST_PROXY_URL"]
        self.ca_file = environ["ASCEND_TEST_PROXY_CA"]
        self._control = environ["ASCEND_TEST_PROXY_CONTROL"]
        self._plain = urllib3.PoolManager()
        folder = Path(environ["ASCEND_TEST_DIR"])
        config = yaml.safe_load((folder / "kubeconfig").read_text(encoding="utf-8"))
        self.server = config["clusters"][0]["cluster"]["server"]
        self.server_ca = str(folder / "ca.crt")
        user = config["users"][0]["user"]
        self._keys = tempfile.TemporaryDirectory()
        files = {name: Path(self._keys.name) / name for name in ("client-certificate", "client-key")}
        for name, file in files.items():
            file.write_bytes(base64.b64decode(user[name + "-data"]))
        self._http = urllib3.PoolManager(
            ca_certs=self.server_ca, cert_file=str(files["client-certificate"]), key_file=str(files["client-key"])
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()
        self._plain.clear()
        self._keys.cleanup()

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json", **headers: str) -> Any:
        """Ask the API server as the administrator, past the proxy."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._http.request(
            method,
            self.server + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": kind, **named},
        )
        assert answer.status < 300, f"{method} {path}: {answer.data.decode()}"
        return answer.json()

    def plan(self, *rules: dict[str, Any]) -> None:
        """Have the proxy begin anew, with these rules and no connections."""
        self._tell("/disconnect", None)
        deadline = time.monotonic() + 90
        while self.connections()["open"] and time.monotonic() < deadline:
            time.sleep(0.005)
        self._tell("/reset", None)
        self._tell("/plan", rules)

    def requests(self) -> list[dict[str, Any]]:
        """Return what came through the proxy since its plan was made."""
        return cast("list[dict[str, Any]]", self._plain.request("GET", self._control + "/log").json())

    def connections(self) -> dict[str, int]:
        """Return how many connections the proxy has, and had."""
        return cast("dict[str, int]", self._plain.request("GET", self._control + "/connections").json())

    @contextmanager
    def without_decisions(self) -> Iterator[None]:
        """Take away the operator's right to write decisions, as if it were not there."""
        path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/ascend-manager-role"
        rules = self.ask("GET", path)["rules"]
        fewer = [
            {**rule, "resources": [r for r in rule["resources"] if r != "agentactions/status"]}
            for rule in rules
            if "resources" in rule
        ]
        self._grant(path, [rule for rule in fewer if rule["resources"]], False)
        try:
            yield
        finally:
            self._grant(path, rules, True)

    def _grant(self, path: str, rules: list[dict[str, Any]], allowed: bool) -> None:
        self.ask("PATCH", path, {"rules": rules}, "application/merge-patch+json")
        attributes = {
            "group": GROUP,
            "resource": "agentactions",
            "subresource": "status",
            "verb": "update",
            "namespace": "default",
        }
        self.await_right("system:serviceaccount:ascend-system:ascend-controller-manager", attributes, allowed)

    def await_right(self, user: str, attributes: dict[str, str], allowed: bool) -> None:
        """Wait until the API server allows somebody something, or does not any more."""
        review = {"spec": {"user": user, "resourceAttributes": attributes}}
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            got = self.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            if got["status"]["allowed"] == allowed:
                return
            time.sleep(0.02)
        pytest.fail("the API server does not hear of the role's change")

    def disconnect(self) -> None:
        """Cut every connection to the proxy."""
        self._tell("/disconnect", None)

    def _tell(self, path: str, what: Any) -> None:
        answer = self._plain.request("POST", self._control + path, body=json.dumps(what).encode())
        assert answer.status == 204, answer.data.decode()


class Team:
    """A namespace with an agent in it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.agent = "bot"
        self.namespace = "sdk-python-" + uuid.uuid4().hex[:8]
        cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        self.account("bot")
        self.register("bot")
        self.token = self.token_of("bot")

    def account(self, name: str) -> None:
        """Make a ServiceAccount that may submit."""
        self.cluster.ask("POST", f"/api/v1/namespaces/{self.namespace}/serviceaccounts", {"metadata": {"name": name}})
        self.bind(name, {"kind": "ClusterRole", "name": "ascend-agent-submitter"})

    def bind(self, account: str, role: dict[str, str]) -> None:
        """Give a ServiceAccount a role, and wait until the API server, which hears of it by a watch, knows."""
        scope = "" if role["kind"] == "ClusterRole" else f"/namespaces/{self.namespace}"
        path = f"/apis/rbac.authorization.k8s.io/v1{scope}/{role['kind'].lower()}s/{role['name']}"
        rules = self.cluster.ask("GET", path)["rules"]
        self.cluster.ask(
            "POST",
            f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}/rolebindings",
            {
                "metadata": {"generateName": "may-"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", **role},
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.namespace}],
            },
        )
        for rule in rules:
            attributes = {
                "namespace": self.namespace,
                "group": rule["apiGroups"][0],
                "resource": rule["resources"][0],
                "name": rule.get("resourceNames", [""])[0],
                "verb": rule["verbs"][0],
            }
            self.cluster.await_right(f"system:serviceaccount:{self.namespace}:{account}", attributes, True)

    def register(self, name: str, **spec: Any) -> None:
        """Register an Agent in whose name the account bot may submit."""
        self.cluster.ask(
            "POST",
            self.path("agents"),
            {
                "apiVersion": f"{GROUP}/v1alpha1",
                "kind": "Agent",
                "metadata": {"name": name},
                "spec": {
                    "environment": "sandbox",
                    "rateLimit": NO_LIMIT,
                    "subjects": [{"kind": "ServiceAccount", "name": "bot"}],
                    **spec,
                },
            },
        )

    def path(self, resource: str, name: str = "") -> str:
        """Return the path of objects of the group."""
        return f"/apis/{GROUP}/v1alpha1/namespaces/{self.namespace}/{resource}" + (f"/{name}" if name else "")

    def token_of(self, account: str) -> str:
        """Return a key of the account."""
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        made = self.cluster.ask("POST", path, {"spec": {"expirationSeconds": 3600}})
        return cast("str", made["status"]["token"])

    def actions(self) -> list[dict[str, Any]]:
        """Return every action of the namespace, as it is stored."""
        return cast("list[dict[str, Any]]", self.cluster.ask("GET", self.path("agentactions"))["items"])

    def pending(self, description: str) -> str:
        """Return the name of the action with this description, once it waits for people."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            for action in self.actions():
                decision = action.get("status", {}).get("decision")
                if action["spec"].get("description", "") == description and decision == "Pending":
                    return str(action["metadata"]["name"])
            time.sleep(0.05)
        pytest.fail(f"no action {description!r} waits for people")

    def approve(self, name: str) -> None:
        """Approve an action as a person would."""
        self.cluster.ask(
            "PATCH",
            self.path("agentactions", name),
            {"spec": {"approvals": [{"verdict": "Approve"}]}},
            "application/merge-patch+json",
            Impersonate_User="alice",
            Impersonate_Group="ascend-approvers",
        )

    def connect(self, **options: Any) -> dict[str, Any]:
        """Return the arguments of a client of this agent, through the proxy; with time, where no test is about it."""
        return {
            "timeout": 60,
            "api_key": self.token,
            "api_url": self.cluster.url,
            "ca_file": self.cluster.ca_file,
            "namespace": self.namespace,
            "agent_id": self.agent,
            **options,
        }


def begin() -> Cluster:
    """Return the cluster; without it, the tests that need it fail."""
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        pytest.fail(
            f"{', '.join(missing)}: not set; run make test PKG=./test/sdk, or leave these tests out by -m 'not cluster'"
        )
    return Cluster({name: os.environ[name] for name in VARIABLES})
