# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ascend._config import Given, expiry_of, settle
from ascend.exceptions import AscendAuthenticationError, AscendConnectionError, AscendError, AscendValidationError

ENV = {
    "ASCEND_API_KEY": "token",
    "ASCEND_API_URL": "https://api:6443/",
    "ASCEND_CA_FILE": "/ca",
    "ASCEND_NAMESPACE": "shop",
    "ASCEND_AGENT_ID": "bot",
}


def test_the_environment_fills_in() -> None:
    settings = settle(Given(), ENV)
    assert (settings.api_key, settings.api_url, settings.ca_file) == ("token", "https://api:6443", "/ca")
    assert (settings.namespace, settings.agent_id, settings.timeout, settings.max_retries) == ("shop", "bot", 5.0, 3)
    assert "token" not in repr(settings)


def test_arguments_go_first() -> None:
    settings = settle(Given(api_key="k", agent_id="a", api_url="https://other", namespace="n", ca_file="/c"), ENV)
    assert (settings.api_key, settings.api_url, settings.ca_file) == ("k", "https://other", "/c")
    assert (settings.namespace, settings.agent_id) == ("n", "a")
    settings = settle(Given(context="dev"), ENV)
    assert (settings.context, settings.api_url, settings.api_key) == ("dev", "", "")


def test_nothing_given_is_left_to_the_cluster() -> None:
    assert (settle(Given(), {}).api_url, settle(Given(), {}).namespace) == ("", "")


@pytest.mark.parametrize(
    ("given", "environ", "error", "words"),
    [
        ({"fail_mode": "open"}, ENV, AscendValidationError, "only 'closed'"),
        ({"api_key": ""}, ENV, AscendAuthenticationError, "ascend agents token"),
        ({"api_key": " "}, ENV, AscendAuthenticationError, "no API key"),
        ({"api_key": "owkai_your_key_here"}, ENV, AscendAuthenticationError, "placeholder"),
        ({"api_key": "a\nb"}, ENV, AscendAuthenticationError, "characters that no token has"),
        ({}, {"ASCEND_API_URL": "https://x"}, AscendAuthenticationError, "no API key"),
        ({}, {"ASCEND_API_KEY": "k"}, AscendValidationError, "ASCEND_API_URL"),
        ({"api_url": "api:6443"}, ENV, AscendValidationError, "no address"),
        ({"api_url": "https://u:p@x"}, ENV, AscendValidationError, "password"),
        ({"api_url": "http://example.com"}, ENV, AscendConnectionError, "unencrypted"),
        ({"api_url": "http://127.0.0.1.example.com"}, ENV, AscendConnectionError, "unencrypted"),
        ({"kubeconfig": "f", "api_key": "k"}, {}, AscendValidationError, "one or the other"),
        ({"timeout": 0}, ENV, AscendValidationError, "timeout"),
        ({"timeout": float("inf")}, ENV, AscendValidationError, "timeout"),
        ({"max_retries": -1}, ENV, AscendValidationError, "max_retries"),
        ({"poll_interval": "5"}, ENV, AscendValidationError, "poll_interval"),
        ({"agent_id": "My Agent"}, ENV, AscendValidationError, "agent_id"),
        ({"namespace": "A"}, ENV, AscendValidationError, "namespace"),
    ],
)
def test_what_cannot_be_used(
    given: dict[str, Any], environ: dict[str, str], error: type[AscendError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        settle(Given(**given), environ)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://localhost:1", "http://[::1]:80", "https://10.0.0.1"])
def test_where_a_key_may_be_sent(url: str) -> None:
    assert settle(Given(api_url=url), ENV).api_url == url


def test_expiry() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1797982847}).encode()).decode().rstrip("=")
    assert expiry_of(f"h.{claims}.s") == 1797982847
    for token in ("", "a.b.c", "abc", "a.e30.c", "a.!.c"):
        assert expiry_of(token) is None
