// SPDX-License-Identifier: Apache-2.0

// Package actionstatus writes the outcome of a decision down as the status of
// its action.
package actionstatus

import (
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
)

// For is the status that says an outcome of that moment. What the outcome does
// not speak of is kept. approvalURL is the template of status.approvalURL, in
// which {namespace} and {name} are replaced; empty: no URL.
func For(action *v1alpha1.AgentAction, outcome *decision.Outcome, approvalURL string, now time.Time) *v1alpha1.AgentActionStatus {
	status := action.Status.DeepCopy()
	status.ObservedGeneration = action.Generation
	status.Decision = outcome.Decision
	status.Reason = outcome.Reason
	status.Message = outcome.Message
	if outcome.Risk != nil || outcome.Decision != v1alpha1.DecisionCancelled {
		status.Risk = outcome.Risk
		status.MatchedRules = outcome.MatchedRules
		status.NearRules = outcome.NearRules
		status.DecidingRule = outcome.DecidingRule
		status.Approval = outcome.Approval
		status.PolicyRevision = outcome.PolicyRevision
	}
	status.RecordedApprovals = int32(len(action.Spec.Approvals)) //nolint:gosec // the schema's bound is a few hundred
	status.SpecDigest = outcome.SpecDigest
	if outcome.SpecDigest == "" {
		status.SpecDigest = action.Status.SpecDigest
	}
	submitted := metav1.NewMicroTime(action.CreationTimestamp.Time)
	status.SubmittedAt = &submitted
	if outcome.Decision.IsFinal() {
		decided := microTime(now)
		status.DecidedAt = &decided
	}
	if outcome.Decision == v1alpha1.DecisionApproved {
		until := microTime(now.Add(outcome.ValidFor))
		status.ValidUntil = &until
	}
	status.ApprovalURL = "" // a decided action has nothing to approve
	if outcome.Decision == v1alpha1.DecisionPending && approvalURL != "" {
		status.ApprovalURL = strings.NewReplacer("{namespace}", action.Namespace, "{name}", action.Name).Replace(approvalURL)
	}
	SetConditions(status, action.Generation, now)
	return status
}

// SetConditions keeps Decided, and Reconciling while people are asked.
func SetConditions(status *v1alpha1.AgentActionStatus, generation int64, now time.Time) {
	decided := metav1.Condition{
		Type:               v1alpha1.ConditionDecided,
		Status:             metav1.ConditionFalse,
		ObservedGeneration: generation,
		LastTransitionTime: metav1.NewTime(now),
		Reason:             status.Reason,
		Message:            status.Message,
	}
	if status.Decision.IsFinal() {
		decided.Status = metav1.ConditionTrue
	}
	apimeta.SetStatusCondition(&status.Conditions, decided)
	if status.Decision != v1alpha1.DecisionPending {
		apimeta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionReconciling)
		return
	}
	waiting := decided
	waiting.Type = v1alpha1.ConditionReconciling
	waiting.Status = metav1.ConditionTrue
	apimeta.SetStatusCondition(&status.Conditions, waiting)
}

// microTime has the precision that the API keeps, so that what is written
// compares equal to what is read back.
func microTime(t time.Time) metav1.MicroTime {
	return metav1.NewMicroTime(t.UTC().Truncate(time.Microsecond))
}
