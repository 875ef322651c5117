# SPDX-License-Identifier: Apache-2.0
"""What a model is told of an action that was not run. No I/O.

It is told what it can use: why, and what not to do about it. What is for the
developer, such as addresses and commands, is logged.
"""

from __future__ import annotations

import logging

from ascend.exceptions import (
    AscendCancelledError,
    AscendConflictError,
    AscendDeniedError,
    AscendError,
    AscendExpiredError,
    AscendIntegrityError,
    AscendKillSwitchError,
    AscendNotApprovedError,
    AscendPendingTimeoutError,
    AscendRateLimitError,
    AscendValidationError,
)

logger = logging.getLogger("ascend.adapters")

# What the developer says of an action; no model can correct it.
_DEVELOPERS = frozenset({"action_type", "agent_id", "context", "description", "exception_request", "idempotency_key"})
_NO_WAY_ROUND = "Do not try it again, nor to reach the same in another way. Tell the user."


def answer(error: AscendError) -> str:
    """Return what to tell the model. It always begins with `NOT RUN`."""
    if isinstance(error, AscendNotApprovedError):
        return _undone(error)
    if (
        isinstance(error, AscendValidationError)
        and error.status is None
        and error.field.partition(".")[0] not in _DEVELOPERS
    ):
        return f"NOT RUN: the arguments cannot be used: {error.message}. Correct them and call again."
    if isinstance(error, AscendRateLimitError):
        logger.warning("%s", error)
        when = f" Try again after {error.retry_after:g} s." if error.retry_after is not None else " Try again later."
        return "NOT RUN: too many actions were asked for in a short time." + when
    if isinstance(error, AscendConflictError):
        return (
            "NOT RUN by this call: the same action was asked for before, and an action is run once at most. "
            "Do not call again. Find out what became of the earlier call, or tell the user."
        )
    # Something is wrong that no model can repair.
    logger.error("an action was not run: %s", error)
    if isinstance(error, AscendIntegrityError):
        return f"NOT RUN: what was approved is not what would have been run. {_NO_WAY_ROUND}"
    return "NOT RUN: nobody could decide about this action, for a technical reason. " + _NO_WAY_ROUND


def _undone(error: AscendNotApprovedError) -> str:
    result = error.result
    why = (result.denial_reason or result.message) if result else error.message
    action = f" (action {result.action_id})" if result else ""
    because = f": {why.rstrip('.')}" if why else ""
    if isinstance(error, AscendKillSwitchError):
        return f"NOT RUN: this agent is suspended{because}{action}. Stop working, and tell the user."
    if isinstance(error, AscendDeniedError):
        return f"NOT RUN: denied{because}{action}. {_NO_WAY_ROUND}"
    if isinstance(error, AscendPendingTimeoutError):
        return (
            f"NOT RUN: nobody has approved it in time{because}{action}. An approval that comes later does not run it. "
            "Tell the user; call again only if the user asks for it."
        )
    if isinstance(error, AscendExpiredError):
        return f"NOT RUN: it was approved, but too long ago{action}. Call again if it is still wanted."
    if isinstance(error, AscendCancelledError):
        return f"NOT RUN: it was withdrawn{because}{action}. {_NO_WAY_ROUND}"
    return f"NOT RUN: it was not approved{because}{action}. {_NO_WAY_ROUND}"
