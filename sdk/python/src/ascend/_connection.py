# SPDX-License-Identifier: Apache-2.0
"""Address, credentials and TLS, as the `kubernetes` client reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes.client
import kubernetes.config

from ascend._config import Settings, check_url, expiry_of, is_loopback
from ascend._version import __version__
from ascend.exceptions import AscendAuthenticationError, AscendConnectionError, AscendValidationError

# A client's connections: one of them for the watch.
MAX_CONNECTIONS = 7

# Bytes of an answer, or of an event of the watch: more than the API server can store in an object.
MAX_ANSWER = 8 * 1024 * 1024

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Connection:
    """How to talk to the API server. Nothing is sent yet."""

    def __init__(self, settings: Settings) -> None:
        # Not Configuration(): that would begin with what the program has set as default.
        self.configuration: Any = type.__call__(kubernetes.client.Configuration)
        self.namespace = settings.namespace
        if settings.api_url:
            self._given(settings)
        elif os.environ.get("KUBERNETES_SERVICE_HOST") and not settings.kubeconfig and not settings.context:
            self._in_cluster()
        else:
            self._kubeconfig(settings)
        self.namespace = self.namespace or "default"
        self.configuration.connection_pool_maxsize = MAX_CONNECTIONS
        self.configuration.retries = False
        self.host: str = self.configuration.host.rstrip("/")
        check_url(self.host)
        if is_loopback(urlsplit(self.host).hostname or ""):
            self.configuration.proxy = None  # of the environment: nobody there can reach this machine's own address

    def _given(self, settings: Settings) -> None:
        if settings.ca_file and not os.path.isfile(settings.ca_file):
            raise AscendValidationError(
                f"ca_file is {settings.ca_file!r}, and there is no such file",
                field="ca_file",
                help="Set ASCEND_CA_FILE to the file with the authority of the API server's certificate.",
            )
        self.configuration.host = settings.api_url
        self.configuration.ssl_ca_cert = settings.ca_file or None
        self.configuration.api_key = {"authorization": f"Bearer {settings.api_key}"}

    def _in_cluster(self) -> None:
        try:
            kubernetes.config.load_incluster_config(client_configuration=self.configuration)
        except (kubernetes.config.ConfigException, OSError) as error:
            raise _no_cluster(f"the pod's ServiceAccount cannot be used: {error}") from error
        if not self.namespace and _NAMESPACE_FILE.is_file():
            self.namespace = _NAMESPACE_FILE.read_text().strip()

    def _kubeconfig(self, settings: Settings) -> None:
        file = settings.kubeconfig or None
        try:
            kubernetes.config.load_kube_config(
                file, settings.context or None, client_configuration=self.configuration, persist_config=False
            )
            contexts, active = kubernetes.config.list_kube_config_contexts(file)
        except Exception as error:
            # Of what is no YAML, or no kubeconfig, the library raises whatever it stumbles over.
            raise _no_cluster(f"the kubeconfig cannot be used: {error}") from error
        chosen = next((c for c in contexts if c["name"] == settings.context), active)
        self.namespace = self.namespace or chosen["context"].get("namespace") or ""

    @property
    def refreshes(self) -> bool:
        """Whether asking for the headers may read files or run a program."""
        return self.configuration.refresh_api_key_hook is not None

    def headers(self) -> dict[str, str]:
        """Return the headers of a request, with the credentials."""
        headers = {"Accept": "application/json", "User-Agent": f"ascend-sdk-python/{__version__}"}
        for setting in self.configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                # Files end with a line's end. What else no header may have, HTTP libraries would show in their errors.
                value = setting["value"].strip()
                if not value.isascii() or not value.isprintable():
                    raise ValueError("there are characters in it that no credential has")
                headers[setting["key"].title()] = value
        return headers

    def expiry(self) -> float | None:
        """Return when the key says that it expires, in seconds since 1970; None where it does not say."""
        return expiry_of(self.headers().get("Authorization", "").rpartition(" ")[2])


def _no_cluster(why: str) -> AscendConnectionError:
    return AscendConnectionError(
        f"no cluster to talk to: {why}",
        help="Set ASCEND_API_URL, ASCEND_API_KEY and ASCEND_CA_FILE (ascend agents token NAME --export prints them), "
        "run in a pod, or choose a kubeconfig.",
        reason="NoCluster",
    )


def unusable(connection: Connection, error: Exception) -> AscendAuthenticationError:
    """Return the error for credentials that cannot be read, such as of a program that failed."""
    return AscendAuthenticationError(
        f"the credentials for {connection.host} cannot be read: {type(error).__name__}",
        help="Check the kubeconfig, or the pod's ServiceAccount.",
        reason="NoCredentials",
    )


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that are whole now.

        Raises:
            ValueError: a line is longer than any event.
        """
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_ANSWER:
            raise ValueError("a line of the watch is too long")
        return [line for line in whole if line.strip()]

    @property
    def cut_off(self) -> bool:
        """Whether the stream, if it ends here, ends in the middle of a line."""
        return bool(self._rest.strip())
