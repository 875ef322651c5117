// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// transition is one change of an action's status.
type transition struct {
	action        *v1alpha1.AgentAction
	request       *request.Request // as vouched for
	before, after *v1alpha1.AgentActionStatus
	policy        *decision.Snapshot // that decided; nil where the change is no decision by policy
}

// event is what happened, in the words of subscriptions and the audit trail;
// false when the change tells nothing new.
func (t transition) event() (v1alpha1.EventType, bool) {
	if t.before.Decision != t.after.Decision {
		switch t.after.Decision {
		case v1alpha1.DecisionPending:
			return v1alpha1.EventActionPending, true
		case v1alpha1.DecisionApproved:
			return v1alpha1.EventActionApproved, true
		case v1alpha1.DecisionDenied:
			return v1alpha1.EventActionDenied, true
		case v1alpha1.DecisionTimedOut:
			return v1alpha1.EventActionTimeout, true
		case v1alpha1.DecisionCancelled:
			return v1alpha1.EventActionCancelled, true
		case v1alpha1.DecisionNone:
			return "", false
		}
	}
	if t.escalated() {
		return v1alpha1.EventActionEscalated, true
	}
	// An approval was counted, a stage passed, or policy asks for something else.
	return v1alpha1.EventActionPending, t.approvalMoved() || t.before.PolicyRevision != t.after.PolicyRevision
}

func (t transition) escalated() bool {
	return t.after.Approval != nil && t.after.Approval.Escalated &&
		(t.before.Approval == nil || !t.before.Approval.Escalated)
}

func (t transition) approvalMoved() bool {
	a, b := t.before.Approval, t.after.Approval
	if a == nil || b == nil {
		return (a == nil) != (b == nil)
	}
	return a.Revision != b.Revision || a.Stage != b.Stage || a.Granted != b.Granted || len(a.Uncounted) != len(b.Uncounted)
}

// record is the audit record of the change.
func (t transition) record(event v1alpha1.EventType, now time.Time) audit.Record {
	status := t.after
	r := audit.Record{
		Time:            now,
		Event:           event,
		Namespace:       t.action.Namespace,
		Name:            t.action.Name,
		UID:             string(t.action.UID),
		ResourceVersion: t.action.ResourceVersion,
		Agent:           t.request.Agent,
		Requester:       t.request.Requester.Username,
		ActionType:      t.request.ActionType,
		Resource:        t.request.Resource,
		Decision:        status.Decision,
		BreakGlass:      status.Reason == v1alpha1.ReasonEmergencyOverride,
		Reason:          status.Reason,
		Message:         status.Message,
		SpecDigest:      status.SpecDigest,
		PolicyRevision:  status.PolicyRevision,
	}
	if a := status.Approval; a != nil {
		r.ApprovalRevision = a.Revision
		for _, w := range a.Workflows {
			r.Workflows = append(r.Workflows, fmt.Sprintf("%s/%s", w.Namespace, w.Name))
		}
	}
	if status.Risk != nil {
		r.RiskScore, r.RiskLevel = status.Risk.Score, status.Risk.Level
	}
	for _, m := range status.MatchedRules {
		r.MatchedRules = append(r.MatchedRules, fmt.Sprintf("%s/%s %s %s", m.Namespace, m.Name, m.Effect, m.Mode))
	}
	for _, a := range t.request.Approvals {
		r.Approvals = append(r.Approvals, audit.Approval{
			Approver: a.Approver, As: a.As, Stage: a.Stage, Verdict: a.Verdict, Comment: a.Comment,
		})
	}
	if t.byPolicyFirst() {
		r.Request = t.asked()
	}
	return r
}

// byPolicyFirst says whether this is the first decision, and made by policy
// about a request that could be read. Only such a one can be made again.
func (t transition) byPolicyFirst() bool {
	if t.before.Decision != v1alpha1.DecisionNone || t.after.Decision == v1alpha1.DecisionCancelled {
		return false
	}
	return t.after.Reason != v1alpha1.ReasonNotAdmitted && t.after.Reason != v1alpha1.ReasonInvalidRequest
}

// asked is everything but policy that decided.
func (t transition) asked() *audit.Request {
	asked := audit.NewRequest(t.action, t.request.Requester)
	if t.policy == nil {
		return asked
	}
	if agent := t.policy.Agent(t.request.Namespace, t.request.Agent); agent != nil {
		asked.Agent = audit.NewAgent(agent.Object())
	}
	if own := t.policy.Namespace(t.request.Namespace).Object; own != nil {
		asked.Namespace = audit.NewNamespace(own.Labels, own.Annotations)
	}
	return asked
}

// report tells the cluster and the metrics of a change that has been written.
func (r *AgentActionReconciler) report(t transition, now time.Time) {
	status := t.after
	if status.Decision.IsFinal() {
		decisions.WithLabelValues(string(status.Decision), status.Reason).Inc()
		decisionSeconds.WithLabelValues(string(status.Decision)).Observe(now.Sub(t.action.CreationTimestamp.Time).Seconds())
		r.Tally.Decided(t.action, status.Decision, now)
	}
	if _, tells := t.event(); !tells {
		return
	}
	if status.Reason == v1alpha1.ReasonAutoApproved || status.Reason == v1alpha1.ReasonRuleAllowed {
		// On the agent, where the API machinery makes one Event with a count of
		// them: an action no human has to see costs no Event of its own.
		r.Events.Eventf(r.agentOf(t.action), nil, corev1.EventTypeNormal, status.Reason, "Decide",
			"actions of this agent are approved without a human; see the audit trail for each")
		return
	}
	kind := corev1.EventTypeNormal
	if status.Decision == v1alpha1.DecisionDenied || status.Decision == v1alpha1.DecisionTimedOut {
		kind = corev1.EventTypeWarning
	}
	r.Events.Eventf(t.action, r.agentOf(t.action), kind, status.Reason, string(status.Decision), "%s", eventNote(status))
}

// eventNote is what a reader of kubectl describe wants to know.
func eventNote(status *v1alpha1.AgentActionStatus) string {
	note := status.Message
	if a := status.Approval; a != nil && status.Decision == v1alpha1.DecisionPending {
		note = fmt.Sprintf("%s; stage %s has %d of %d approvals", note, a.Stage, a.Granted, a.Required)
		if a.Escalated {
			note += ", escalated"
		}
	}
	return shorten(note, 1024) // the limit of events.k8s.io/v1
}

// shorten cuts text to a number of bytes, never within a character.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "…"
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}

// agentOf is a reference to the agent of an action, which need not exist. It is
// the same for all actions of the agent, so that Events on it form one series,
// and has the uid by which kubectl describe finds them.
func (r *AgentActionReconciler) agentOf(action *v1alpha1.AgentAction) *v1alpha1.Agent {
	reference := &v1alpha1.Agent{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Agent"},
		ObjectMeta: metav1.ObjectMeta{Namespace: action.Namespace, Name: string(action.Spec.AgentRef.Name)},
	}
	if known := r.Policy.Snapshot().Agent(reference.Namespace, reference.Name); known != nil {
		reference.UID = known.Object().UID
	}
	return reference
}
