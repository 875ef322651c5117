#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the pipeline runs for every change of the policy. It needs ascend, and no cluster.
set -eu
cd "$(dirname "$0")"

# The policy that holds for every namespace: here, that of this repository.
GLOBAL=../../../config/starter-policy

ascend rules validate policy/ --strict --beside "$GLOBAL"
ascend rules test policy/ --cover-min 100 ${JUNIT:+--junit "$JUNIT"}

# What would it have changed? AUDIT_LOG is what the operator wrote, fetched by the pipeline;
# BASE is a checkout of the branch that is merged into. Only what gets laxer stops the merge.
if [ -n "${AUDIT_LOG:-}" ]; then
  ascend simulate --rules policy/ --rules "$GLOBAL" --audit-log "$AUDIT_LOG" --fail-on loosened \
    ${BASE:+--against "$BASE/policy/" --against "$GLOBAL"}
fi
