// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestDecisionWord(t *testing.T) {
	for decision, want := range map[v1alpha1.Decision]string{
		v1alpha1.DecisionNone: "EVALUATING", v1alpha1.DecisionPending: "PENDING", v1alpha1.DecisionApproved: "APPROVED",
		v1alpha1.DecisionDenied: "DENIED", v1alpha1.DecisionTimedOut: "TIMEOUT", v1alpha1.DecisionCancelled: "CANCELLED",
		"Later\n": `LATER\n`,
	} {
		if got := DecisionWord(decision); got != want {
			t.Errorf("the word for %q is %q, want %q", decision, got, want)
		}
	}
}
