// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
)

const (
	// heldRetry is how long an action waits until somebody looks again whether
	// admission is enforced.
	heldRetry = 5 * time.Second
	// held is what the message of such an action ends in.
	held = "; admission is not enforced, so that nobody knows who has approved this: approvals count again, and have to be given anew, once admission is enforced again: " + repair
)

// throughPeople says whether an action is approved because somebody said so.
func throughPeople(outcome *decision.Outcome) bool {
	return outcome.Decision == v1alpha1.DecisionApproved &&
		(outcome.Reason == v1alpha1.ReasonApprovalGranted || outcome.Reason == v1alpha1.ReasonEmergencyOverride)
}

// sure makes a decision through people again, now that it is known whether
// admission is enforced: by what was not voided meanwhile, and without the last
// approvals where it is not, so that the action waits on. Denials count, and so
// do deadlines. The look has to come before the vouching, for what ends a gap
// between the two voids what was stored in it.
func (r *AgentActionReconciler) sure(ctx context.Context, action *v1alpha1.AgentAction, now time.Time) (*judgement, error) {
	gap, err := r.Guard.Look(ctx)
	if err != nil {
		return nil, fmt.Errorf("see whether admission is enforced, before an action is approved through people: %w", err)
	}
	vouched, err := r.vouch(action)
	if err != nil {
		return nil, err
	}
	waits := false
	for {
		made, err := r.judge(ctx, action, vouched, now)
		if err != nil {
			return nil, err
		}
		outcome := made.outcome
		switch {
		case gap != "" && throughPeople(outcome):
			waits = true
			vouched.Approvals = withoutLast(vouched.Approvals)
			continue
		case waits && outcome.Decision == v1alpha1.DecisionPending:
			outcome.Message = shorten(outcome.Message, maxStatusMessage-len(held)) + held
			if again := now.Add(heldRetry); outcome.NextCheck.IsZero() || again.Before(outcome.NextCheck) {
				outcome.NextCheck = again
			}
		}
		return made, nil
	}
}

// withoutLast leaves out the approval that was given last.
func withoutLast(given []v1alpha1.Approval) []v1alpha1.Approval {
	if len(given) == 0 {
		return nil
	}
	last := 0
	for i := range given {
		if at := given[i].Time; at == nil || given[last].Time != nil && at.After(given[last].Time.Time) {
			last = i
		}
	}
	return slices.Delete(slices.Clone(given), last, last+1)
}
