// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
)

var submittedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func submitted() *v1alpha1.AgentAction {
	return &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "act-1", Generation: 3, CreationTimestamp: metav1.NewTime(submittedAt),
	}}
}

func pendingOutcome() *decision.Outcome {
	return &decision.Outcome{
		Decision: v1alpha1.DecisionPending, Reason: v1alpha1.ReasonApprovalRequired, Message: "High risk (7.2) requires approval",
		Risk:       &v1alpha1.RiskStatus{Score: "7.2", Level: v1alpha1.RiskLevelHigh},
		Approval:   &v1alpha1.ApprovalStatus{Stage: "review", Required: 1},
		SpecDigest: "sha256:spec", PolicyRevision: "sha256:policy",
	}
}

func TestTheStatusOfWhatWaits(t *testing.T) {
	t.Parallel()
	r := &AgentActionReconciler{ApprovalURL: "https://x.example.com/{namespace}/{name}"}
	got := r.statusFor(submitted(), pendingOutcome(), submittedAt.Add(time.Second))
	if got.ObservedGeneration != 3 || got.DecidedAt != nil || got.ValidUntil != nil || !got.SubmittedAt.Time.Equal(submittedAt) {
		t.Errorf("status %+v", got)
	}
	if got.ApprovalURL != "https://x.example.com/default/act-1" {
		t.Errorf("approvalURL %q", got.ApprovalURL)
	}
	if !apimeta.IsStatusConditionFalse(got.Conditions, v1alpha1.ConditionDecided) || !apimeta.IsStatusConditionTrue(got.Conditions, v1alpha1.ConditionReconciling) {
		t.Errorf("conditions %+v", got.Conditions)
	}
	if without := (&AgentActionReconciler{}).statusFor(submitted(), pendingOutcome(), submittedAt); without.ApprovalURL != "" {
		t.Errorf("approvalURL without a template: %q", without.ApprovalURL)
	}
}

func TestLookingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	r := &AgentActionReconciler{}
	action := submitted()
	first := r.statusFor(action, pendingOutcome(), submittedAt.Add(time.Second))
	action.Status = *first
	second := r.statusFor(action, pendingOutcome(), submittedAt.Add(time.Hour))
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same outcome an hour later would be written again:\n%s", diff)
	}
}

func TestTheStatusOfAnApproval(t *testing.T) {
	t.Parallel()
	r := &AgentActionReconciler{}
	action := submitted()
	action.Status = *r.statusFor(action, pendingOutcome(), submittedAt.Add(time.Second))
	now := submittedAt.Add(time.Minute + 123456789*time.Nanosecond)
	got := r.statusFor(action, &decision.Outcome{
		Decision: v1alpha1.DecisionApproved, Reason: v1alpha1.ReasonApprovalGranted, ValidFor: 30 * time.Minute, SpecDigest: "sha256:spec",
	}, now)
	if want := now.Truncate(time.Microsecond); !got.DecidedAt.Time.Equal(want) || !got.ValidUntil.Time.Equal(want.Add(30*time.Minute)) {
		t.Errorf("decided at %s, valid until %s", got.DecidedAt, got.ValidUntil)
	}
	if !apimeta.IsStatusConditionTrue(got.Conditions, v1alpha1.ConditionDecided) || apimeta.FindStatusCondition(got.Conditions, v1alpha1.ConditionReconciling) != nil {
		t.Errorf("conditions %+v", got.Conditions)
	}
	if at := apimeta.FindStatusCondition(got.Conditions, v1alpha1.ConditionDecided).LastTransitionTime; !at.Time.Equal(now) {
		t.Errorf("the condition changed at %s", at)
	}
}

func TestAWithdrawnActionKeepsWhatWasKnown(t *testing.T) {
	t.Parallel()
	r := &AgentActionReconciler{}
	action := submitted()
	action.Status = *r.statusFor(action, pendingOutcome(), submittedAt)
	got := r.statusFor(action, &decision.Outcome{Decision: v1alpha1.DecisionCancelled, Reason: v1alpha1.ReasonCancelledByRequester}, submittedAt)
	if got.Risk == nil || got.Approval == nil || got.SpecDigest != "sha256:spec" || got.PolicyRevision != "sha256:policy" {
		t.Errorf("status %+v", got)
	}
}

func TestForgedApprovalsAreListedWithinTheBound(t *testing.T) {
	t.Parallel()
	forged := make([]v1alpha1.UncountedApproval, 10)
	for before, want := range map[int]int{0: 10, 50: 60, 54: 64, 60: 64, 64: 64} {
		approval := &v1alpha1.ApprovalStatus{Uncounted: make([]v1alpha1.UncountedApproval, before)}
		listForged(approval, forged)
		if len(approval.Uncounted) != want {
			t.Errorf("%d and 10 more are %d", before, len(approval.Uncounted))
		}
	}
	listForged(nil, forged)
}
