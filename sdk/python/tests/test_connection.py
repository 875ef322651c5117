# SPDX-License-Identifier: Apache-2.0
"""Where the configuration comes from, with the real library."""

from __future__ import annotations

import base64
import json
import traceback
from pathlib import Path

import kubernetes.config.incluster_config as incluster
import pytest

import ascend
from ascend import _connection
from ascend.exceptions import AscendAuthenticationError, AscendConnectionError, AscendError, AscendValidationError

CLAIMS = base64.urlsafe_b64encode(b'{"exp": 1767355200}').decode().rstrip("=")


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("API_KEY", "API_URL", "CA_FILE", "NAMESPACE", "AGENT_ID"):
        monkeypatch.delenv(f"ASCEND_{name}", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))


def kubeconfig(path: Path, server: str = "https://kube:6443") -> str:
    clusters = [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": True}}]
    users = [{"name": "u", "user": {"token": "kube-token"}}]
    contexts = [
        {"name": "one", "context": {"cluster": "c", "user": "u"}},
        {"name": "two", "context": {"cluster": "c", "user": "u", "namespace": "of-two"}},
    ]
    file = path / "config"
    file.write_text(
        json.dumps(
            {"clusters": clusters, "users": users, "contexts": contexts, "current-context": "one", "kind": "Config"}
        )
    )
    return str(file)


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASCEND_API_KEY", f"h.{CLAIMS}.s")
    monkeypatch.setenv("ASCEND_API_URL", "https://env:6443")
    client = ascend.AscendClient(kubeconfig=None)
    assert client._connection.host == "https://env:6443"
    assert client._connection.headers()["Authorization"] == f"Bearer h.{CLAIMS}.s"
    assert client._session.expiry() == 1767355200
    assert client.namespace == "default"
    # An argument goes first, and no key to another address.
    client = ascend.AscendClient(kubeconfig=kubeconfig(tmp_path))
    assert client._connection.host == "https://kube:6443"
    assert client._connection.headers()["Authorization"] == "Bearer kube-token"


def test_from_a_kubeconfig(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path)
    assert ascend.AscendClient(kubeconfig=file).namespace == "default"
    assert ascend.AscendClient(kubeconfig=file, context="two").namespace == "of-two"
    assert ascend.AscendClient(kubeconfig=file, context="two", namespace="mine").namespace == "mine"


def test_a_kubeconfig_that_cannot_be_used(tmp_path: Path) -> None:
    for file, context in ((None, None), (str(tmp_path / "none"), None), (kubeconfig(tmp_path), "three")):
        with pytest.raises(AscendConnectionError, match="no cluster to talk to"):
            ascend.AscendClient(kubeconfig=file, context=context)
    for content in ("a: b: c", "[1, 2]", "\0", '{"contexts": [1], "current-context": "one"}'):
        (tmp_path / "bad").write_text(content)
        with pytest.raises(AscendConnectionError, match="the kubeconfig cannot be used"):
            ascend.AscendClient(kubeconfig=str(tmp_path / "bad"))
    with pytest.raises(AscendConnectionError, match="unencrypted"):
        ascend.AscendClient(kubeconfig=kubeconfig(tmp_path, "http://kube:8080"))


def test_a_key_of_a_file_is_shown_in_no_error(tmp_path: Path) -> None:
    """HTTP libraries refuse what is no header, and say what it was."""
    for written, sent in (("s3cret\n", "Bearer s3cret"), ("a\ns3cret", ""), ("s3cret-\u00e9", "")):
        file = Path(kubeconfig(tmp_path, "http://127.0.0.1:1"))
        file.write_text(file.read_text().replace("kube-token", json.dumps(written)[1:-1]))
        with ascend.AscendClient(kubeconfig=str(file), agent_id="bot", max_retries=0) as client:
            with pytest.raises(AscendError) as raised:
                client.get_action_status("act-1")
            if sent:
                assert client._connection.headers()["Authorization"] == sent
            else:
                assert isinstance(raised.value, AscendAuthenticationError)
        assert "s3cret" not in "".join(traceback.format_exception(None, raised.value, None))


def test_in_a_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(AscendConnectionError, match="ServiceAccount cannot be used"):
        ascend.AscendClient()
    for name, content in (("token", "pod-token"), ("ca.crt", "x"), ("namespace", "of-the-pod")):
        (tmp_path / name).write_text(content)
    defaults = {
        "token_filename": str(tmp_path / "token"), "cert_filename": str(tmp_path / "ca.crt"), "try_refresh_token": True,
    }  # fmt: skip

    def load(client_configuration: object) -> None:
        incluster.InClusterConfigLoader(**defaults).load_and_set(client_configuration)

    monkeypatch.setattr("kubernetes.config.load_incluster_config", load)
    monkeypatch.setattr(_connection, "_NAMESPACE_FILE", tmp_path / "namespace")
    client = ascend.AscendClient()
    assert (client._connection.host, client.namespace) == ("https://10.0.0.1:443", "of-the-pod")
    assert client._connection.headers()["Authorization"].lower() == "bearer pod-token"
    assert client._connection.refreshes


def test_no_proxy_gets_a_key_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example.com:3128")
    for host in ("http://127.0.0.1:8001", "http://localhost:8001", "https://[::1]:6443"):
        assert ascend.AscendClient(api_key="k", api_url=host)._connection.configuration.proxy is None


def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    with pytest.raises(AscendValidationError, match="there is no such file"):
        ascend.AscendClient(api_key="k", api_url="https://x", ca_file=str(tmp_path / "none"))
