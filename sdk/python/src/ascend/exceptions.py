# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, a class for each way of handling it.

Every class is an `AscendError`. Whatever is raised: the action was not run by
the SDK. The one exception is an error of your own function, which is passed on
as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ascend._model import ActionResult

__all__ = [
    "AscendAgentNotRegisteredError",
    "AscendAuthenticationError",
    "AscendAuthorizationError",
    "AscendCancelledError",
    "AscendConflictError",
    "AscendConnectionError",
    "AscendDeniedError",
    "AscendError",
    "AscendExpiredError",
    "AscendIntegrityError",
    "AscendKillSwitchError",
    "AscendNotApprovedError",
    "AscendNotFoundError",
    "AscendNotInstalledError",
    "AscendOperatorAbsentError",
    "AscendPendingTimeoutError",
    "AscendRateLimitError",
    "AscendSignatureError",
    "AscendTimeoutError",
    "AscendValidationError",
]


class AscendError(Exception):
    """The base of every error of the SDK.

    Attributes:
        message: What was wrong, and where.
        help: What to do next, often a command; empty where nothing is known to help.
        status: The HTTP status of the API server's answer, where there was one.
        reason: A word in CamelCase: the API server's reason or the decision's.
    """

    def __init__(self, message: str, *, help: str = "", status: int | None = None, reason: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.message}\n{self.help}" if self.help else self.message


class AscendConnectionError(AscendError):
    """The API server could not be reached, or did not answer as one."""


class AscendAuthenticationError(AscendError):
    """The API key is missing, a placeholder, expired, or not accepted (401)."""


class AscendAuthorizationError(AscendError):
    """The key is known, and may not do this (403): a right or the agent's subjects are missing."""


class AscendValidationError(AscendError):
    """An argument or a field is over a limit or cannot be read.

    Attributes:
        field: What is wrong, such as `parameters.rows` or `spec.actionType`; may be empty.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        help: str = "",  # noqa: A002
        status: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, help=help, status=status, reason=reason)
        self.field = field


class AscendRateLimitError(AscendError):
    """The agent's or the API server's limit is reached (429).

    Attributes:
        retry_after: Seconds after which to try again; None where nothing was said.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        help: str = "",  # noqa: A002
        status: int | None = 429,
        reason: str = "",
    ) -> None:
        super().__init__(message, help=help, status=status, reason=reason)
        self.retry_after = retry_after


class AscendTimeoutError(AscendError):
    """Something took longer than it may."""


class AscendOperatorAbsentError(AscendTimeoutError):
    """The action is submitted, or could not be, and no operator looks at it."""


class AscendNotFoundError(AscendError):
    """There is no such object (404)."""


class AscendAgentNotRegisteredError(AscendNotFoundError):
    """There is no such Agent in the namespace; `ascend agents register` makes one."""


class AscendNotInstalledError(AscendError):
    """The cluster does not know Ascend's kinds: the operator is not installed."""


class AscendConflictError(AscendError):
    """The object exists already or was changed: another call's action, or an outcome reported before."""


class AscendIntegrityError(AscendError):
    """What was decided is not what would be run: the digest, the uid or the arguments differ."""


class AscendSignatureError(AscendError):
    """A delivery of a webhook is not to be believed."""


class AscendNotApprovedError(AscendError):
    """The action may not be run.

    Attributes:
        result: What was decided; None where the action was refused before it was stored.
    """

    def __init__(
        self,
        message: str,
        result: ActionResult | None = None,
        *,
        help: str = "",  # noqa: A002
        status: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, help=help, status=status, reason=reason or (result.reason if result else ""))
        self.result = result


class AscendDeniedError(AscendNotApprovedError):
    """A rule, a limit or a person said no."""


class AscendKillSwitchError(AscendDeniedError):
    """The agent is suspended: none of its actions may be run."""


class AscendPendingTimeoutError(AscendNotApprovedError):
    """Nobody decided in time: within your timeout, or, where `result.final`, within the workflow's."""


class AscendCancelledError(AscendNotApprovedError):
    """The action was withdrawn."""


class AscendExpiredError(AscendNotApprovedError):
    """The action was approved, and the approval is no longer good."""
