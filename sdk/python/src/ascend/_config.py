# SPDX-License-Identifier: Apache-2.0
"""Where to connect and as whom, from arguments and environment. No I/O.

The order is: arguments, ASCEND_* variables, in-cluster, kubeconfig.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ascend._digest import text
from ascend._model import object_name
from ascend.exceptions import AscendAuthenticationError, AscendConnectionError, AscendValidationError

ENV_URL, ENV_KEY, ENV_CA_FILE = "ASCEND_API_URL", "ASCEND_API_KEY", "ASCEND_CA_FILE"
ENV_NAMESPACE, ENV_AGENT_ID = "ASCEND_NAMESPACE", "ASCEND_AGENT_ID"

_PLACEHOLDERS = ("your_key", "your-key", "your_api_key", "your-api-key", "changeme", "<", "...")


@dataclass(frozen=True)
class Given:
    """The arguments of a client, as they were given."""

    api_key: str | None = field(default=None, repr=False)
    agent_id: str | None = None
    agent_name: str | None = None
    api_url: str | None = None
    environment: str | None = None
    fail_mode: str = "closed"
    timeout: float = 5
    max_retries: int = 3
    namespace: str | None = None
    ca_file: str | None = None
    kubeconfig: str | None = None
    context: str | None = None
    poll_interval: float = 5


@dataclass(frozen=True)
class Settings:
    """What a client goes by, checked.

    `api_url` is empty where the cluster is chosen in-cluster or by kubeconfig;
    `namespace` is empty where those have the say in it.
    """

    agent_id: str
    namespace: str
    environment: str
    timeout: float
    max_retries: int
    poll_interval: float
    api_url: str = ""
    api_key: str = field(default="", repr=False)
    ca_file: str = ""
    kubeconfig: str = ""
    context: str = ""


def settle(given: Given, environ: Mapping[str, str]) -> Settings:
    """Check the arguments, and fill in from the environment what they leave out.

    Raises:
        AscendValidationError: an argument or a variable cannot be used.
        AscendAuthenticationError: the key is missing, empty or a placeholder.
    """
    if given.fail_mode != "closed":
        raise AscendValidationError(
            f"fail_mode is {given.fail_mode!r}, and there is only 'closed'",
            field="fail_mode",
            help="An action that nobody could decide about is not run. Leave fail_mode out.",
        )
    url = key = ca_file = ""
    if given.kubeconfig is None and given.context is None:
        url = _first(given.api_url, environ.get(ENV_URL))
        key = given.api_key if given.api_key is not None else environ.get(ENV_KEY, "")
        if url or key or given.api_key is not None:
            check_url(url)
            key = _check_key(key)
            ca_file = _first(given.ca_file, environ.get(ENV_CA_FILE))
    elif given.api_key is not None or given.api_url is not None or given.ca_file is not None:
        raise AscendValidationError(
            "kubeconfig or context is given beside api_key, api_url or ca_file",
            field="kubeconfig",
            help="Give one or the other.",
        )
    agent = _first(given.agent_id, environ.get(ENV_AGENT_ID))
    namespace = _first(given.namespace, environ.get(ENV_NAMESPACE))
    if given.agent_name is not None:
        text(given.agent_name, "agent_name", 128)
    return Settings(
        agent_id=object_name(agent, "agent_id") if agent else "",
        namespace=object_name(namespace, "namespace") if namespace else "",
        environment=text(given.environment, "environment", 64) if given.environment is not None else "",
        timeout=seconds(given.timeout, "timeout"),
        max_retries=_count(given.max_retries, "max_retries"),
        poll_interval=seconds(given.poll_interval, "poll_interval"),
        api_url=url.rstrip("/"),
        api_key=key,
        ca_file=ca_file,
        kubeconfig=given.kubeconfig or "",
        context=given.context or "",
    )


def _first(*values: str | None) -> str:
    return next((v for v in values if v), "")


def _check_key(key: str) -> str:
    advice = f"Set {ENV_KEY} to the agent's token; this prints one: ascend agents token NAME"
    key = text(key, "api_key").strip()
    if not key:
        raise AscendAuthenticationError("there is no API key", help=advice, reason="NoKey")
    if any(word in key.lower() for word in _PLACEHOLDERS):
        raise AscendAuthenticationError("the API key is a placeholder, not a key", help=advice, reason="Placeholder")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AscendAuthenticationError("the API key has characters that no token has", help=advice, reason="Malformed")
    return key


def check_url(url: str) -> None:
    """Refuse an address to which no key may be sent."""
    if not url:
        raise AscendValidationError(
            f"there is an API key, and no address to send it to: api_url and {ENV_URL} are not set",
            field="api_url",
            help=f"Set {ENV_URL} to the address of the API server, such as https://127.0.0.1:6443.",
        )
    if "@" in url:  # never shown, be it an address or not
        raise AscendValidationError(
            "api_url has a password in it", field="api_url", help=f"The key goes into {ENV_KEY} alone."
        )
    try:
        parts = urlsplit(text(url, "api_url"))
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        raise AscendValidationError(
            f"api_url is {url!r}, which is no address such as https://127.0.0.1:6443",
            field="api_url",
            help=f"Set {ENV_URL} to one.",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise AscendConnectionError(
            f"will not talk to {url}: the API key would go there unencrypted",
            help="Use an address that begins with https://.",
        )


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def seconds(value: Any, field_name: str, *, zero: bool = False) -> float:
    """Check a number of seconds: finite, and more than zero unless zero is allowed."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value < 0
        or (value == 0 and not zero)
    ):
        raise AscendValidationError(
            f"{field_name} is {value!r}, which is no number of seconds",
            field=field_name,
            help="Give a positive number, such as 5.",
        )
    return float(value)


def _count(value: Any, field_name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise AscendValidationError(
            f"{field_name} is {value!r}, which is no count", field=field_name, help="Give 0 or more, such as 3."
        )
    return value


def expiry_of(token: str) -> float | None:
    """Return when a token says that it expires, in seconds since 1970; None where it does not say.

    Nothing is verified: it is for a message.
    """
    try:
        claims = token.split(".")[1]
        expiry = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
        return float(expiry)
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
