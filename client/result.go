// SPDX-License-Identifier: Apache-2.0

package client

import (
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Result is an action and what has become of it, as it was read last.
type Result struct {
	// ID is the name of the AgentAction; Namespace where it is.
	ID, Namespace string
	// UID tells it from another action that had or will have the same name.
	UID string
	// Decision is Pending, Approved, Denied, TimedOut or Cancelled; empty where
	// the operator has not looked at it yet, which only Status returns.
	Decision v1alpha1.Decision
	// Reason is a code in CamelCase, Message says it to people.
	Reason, Message string
	// Risk is the score and how it came about; nil where there was nothing to score.
	Risk *v1alpha1.RiskStatus
	// Rule is the one that made the decision; nil where none did.
	Rule *v1alpha1.RuleReference
	// PendingApprovers are who can agree now, as "user:NAME", "group:NAME" or
	// "serviceaccount:NAMESPACE/NAME".
	PendingApprovers []string
	// ApprovalURL is the page for approvers; empty where there is none.
	ApprovalURL string
	// ValidUntil is how long an approval is good, by the cluster's clock; zero
	// unless Approved.
	ValidUntil time.Time
	// SpecDigest is over what was asked, as sha256:HEX.
	SpecDigest string
	// Outcome that was reported; nil while none was.
	Outcome *v1alpha1.Outcome
	// Created says that the call which returns it made the action. False: an
	// earlier one with the same idempotency key did.
	Created bool
}

// Approved says whether the action was approved. Govern asks more than that
// before it runs anything.
func (r *Result) Approved() bool { return r.Decision == v1alpha1.DecisionApproved }

// Final says whether the decision can no longer change.
func (r *Result) Final() bool { return r.Decision.IsFinal() }

// resultOf is what an action says.
func resultOf(action *v1alpha1.AgentAction, created bool) *Result {
	status := &action.Status
	result := &Result{
		ID: action.Name, Namespace: action.Namespace, UID: string(action.UID),
		Decision: status.Decision, Reason: status.Reason, Message: status.Message,
		Risk: status.Risk, Rule: status.DecidingRule,
		ApprovalURL: status.ApprovalURL, SpecDigest: status.SpecDigest,
		Outcome: action.Spec.Outcome, Created: created,
	}
	if status.Decision == v1alpha1.DecisionPending && status.Approval != nil {
		result.PendingApprovers = status.Approval.PendingApprovers
	}
	if status.Decision == v1alpha1.DecisionApproved && status.ValidUntil != nil {
		result.ValidUntil = status.ValidUntil.Time
	}
	return result
}

// standing is how an action is, in words that go on a sentence.
func (r *Result) standing() string {
	switch {
	case r.Decision == v1alpha1.DecisionNone:
		return "the operator has not looked at it yet"
	case r.Decision == v1alpha1.DecisionPending && len(r.PendingApprovers) > 0:
		return "it waits for " + strings.Join(r.PendingApprovers[:min(len(r.PendingApprovers), 5)], ", ")
	default:
		return "it is " + string(r.Decision) + because(r)
	}
}

// because is the reason of a decision, in brackets.
func because(r *Result) string {
	switch {
	case r.Reason == "":
		return ""
	case r.Message == "":
		return " (" + r.Reason + ")"
	default:
		return " (" + r.Reason + ": " + r.Message + ")"
	}
}
