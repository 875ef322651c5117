// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// transition is one change of an action's status.
type transition struct {
	action        *v1alpha1.AgentAction
	request       *request.Request // as vouched for
	vouched       voucher.Vouched
	before, after *v1alpha1.AgentActionStatus
	policy        *decision.Snapshot // that decided; nil where the change is no decision by policy
}

// events are what happened, in this order, in the words of subscriptions and
// the audit trail; none when the change tells nothing new. Every one is there
// once, but audit.EventApprovalRecorded, which is there for each verdict.
func (t transition) events() []v1alpha1.EventType {
	happened := make([]v1alpha1.EventType, 0, 4)
	if t.before.Decision == v1alpha1.DecisionNone {
		happened = append(happened, v1alpha1.EventActionSubmitted)
	}
	if t.evaluated() {
		happened = append(happened, audit.EventEvaluated)
	}
	for range t.verdicts() {
		happened = append(happened, audit.EventApprovalRecorded)
	}
	if t.after.Decision != v1alpha1.DecisionPending {
		return append(happened, t.decided()...)
	}
	if t.requestsApproval() {
		happened = append(happened, v1alpha1.EventActionPending)
	}
	if t.escalates() {
		happened = append(happened, v1alpha1.EventActionEscalated)
	}
	return happened
}

// decided is what tells of a final decision, once.
func (t transition) decided() []v1alpha1.EventType {
	if t.before.Decision == t.after.Decision {
		return nil
	}
	switch t.after.Decision {
	case v1alpha1.DecisionApproved:
		if t.breaksGlass() {
			return []v1alpha1.EventType{audit.EventOverridden, v1alpha1.EventActionApproved}
		}
		return []v1alpha1.EventType{v1alpha1.EventActionApproved}
	case v1alpha1.DecisionDenied:
		return []v1alpha1.EventType{v1alpha1.EventActionDenied}
	case v1alpha1.DecisionTimedOut:
		return []v1alpha1.EventType{v1alpha1.EventActionTimeout}
	case v1alpha1.DecisionCancelled:
		return []v1alpha1.EventType{v1alpha1.EventActionCancelled}
	case v1alpha1.DecisionNone, v1alpha1.DecisionPending: // not final
	}
	return nil
}

// breaksGlass says whether the action is approved by emergency override.
func (t transition) breaksGlass() bool { return t.after.Reason == v1alpha1.ReasonEmergencyOverride }

// evaluated says whether risk, rules and workflows were applied, for the first
// time or with another result.
func (t transition) evaluated() bool {
	if t.after.PolicyRevision == "" {
		return false // there was no agent, no requester, or nothing to read
	}
	return t.before.PolicyRevision != t.after.PolicyRevision ||
		!sameRisk(t.before.Risk, t.after.Risk) ||
		!slices.EqualFunc(t.before.MatchedRules, t.after.MatchedRules, sameRule) ||
		revisionOf(t.before.Approval) != revisionOf(t.after.Approval)
}

func sameRisk(a, b *v1alpha1.RiskStatus) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Score == b.Score && a.CVSSVector == b.CVSSVector
}

func sameRule(a, b v1alpha1.MatchedRule) bool {
	return a.Namespace == b.Namespace && a.Name == b.Name && a.Effect == b.Effect && a.Mode == b.Mode
}

func revisionOf(approval *v1alpha1.ApprovalStatus) string {
	if approval == nil {
		return ""
	}
	return approval.Revision
}

// verdicts is how many verdicts are told of for the first time.
func (t transition) verdicts() int {
	return max(int(t.after.RecordedApprovals)-int(t.before.RecordedApprovals), 0)
}

// requestsApproval says whether people are asked anew: for the first time, in
// another stage, through other workflows, or because a verdict that counted, or
// could have, does not any more.
func (t transition) requestsApproval() bool {
	a, b := t.before.Approval, t.after.Approval
	if t.before.Decision != v1alpha1.DecisionPending {
		return true
	}
	if a == nil || b == nil {
		return (a == nil) != (b == nil)
	}
	return a.Revision != b.Revision || a.Stage != b.Stage || b.Granted < a.Granted ||
		len(b.Uncounted) > len(a.Uncounted)+t.verdicts()
}

// escalates says whether the approvers of the stage's escalation have joined.
func (t transition) escalates() bool {
	a, b := t.before.Approval, t.after.Approval
	return b != nil && b.Escalated && (a == nil || !a.Escalated || a.Stage != b.Stage)
}
