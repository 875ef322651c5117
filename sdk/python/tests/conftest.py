# SPDX-License-Identifier: Apache-2.0
"""The same examples each time, on machines of any speed; ASCEND_TEST_RANDOM=1 looks for new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ascend",
    derandomize=not os.environ.get("ASCEND_TEST_RANDOM"),
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ascend")
