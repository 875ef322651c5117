# SPDX-License-Identifier: Apache-2.0
"""The Python SDK of Ascend Operator: AI agents ask before they act."""

from ascend._governed import ActionRun, governed
from ascend._model import ActionResult, AgentAction, ExceptionRequest
from ascend._version import __version__
from ascend._webhook import verify_webhook
from ascend.client import AscendClient

__all__ = [
    "ActionResult",
    "ActionRun",
    "AgentAction",
    "AscendClient",
    "ExceptionRequest",
    "__version__",
    "governed",
    "verify_webhook",
]
