// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"slices"

	"github.com/ow-kai/ascend-operator/internal/decision"
)

// workflowsOf are the workflows that an outcome rests on: those whose people are
// asked, or those that approved by themselves.
func workflowsOf(answer *decision.Inquiry) []key {
	var out []key
	for _, w := range answer.Consent {
		k := key{w.Key().Namespace, w.Key().Name}
		if k != (key{}) && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}
