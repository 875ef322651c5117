#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the pipeline runs for every change of the policy. It needs ascend, and no cluster.
set -eu
cd "$(dirname "$0")"

ascend rules validate policy/ --strict
ascend rules test policy/ --cover-min 100 ${JUNIT:+--junit "$JUNIT"}

# What would it have changed? AUDIT_LOG is what the operator wrote, fetched by the pipeline;
# BASE is a checkout of the branch that is merged into. Only what gets laxer stops the merge.
if [ -n "${AUDIT_LOG:-}" ]; then
  ascend simulate --rules policy/ ${BASE:+--against "$BASE/policy/"} \
    --audit-log "$AUDIT_LOG" --fail-on loosened
fi
