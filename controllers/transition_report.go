// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// report tells the cluster and the metrics of a change that has been written.
func (r *AgentActionReconciler) report(t transition, now time.Time) {
	status := t.after
	if status.Decision.IsFinal() {
		decisions.WithLabelValues(string(status.Decision), status.Reason).Inc()
		decisionSeconds.WithLabelValues(string(status.Decision)).Observe(now.Sub(t.action.CreationTimestamp.Time).Seconds())
		r.Tally.Decided(t.action, status.Decision, now)
	}
	if len(t.events()) == 0 {
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
	done, note := t.occasion()
	r.Events.Eventf(t.regarding(), r.agentOf(t.action), kind, status.Reason, done, "%s", shorten(note, maxEventNote))
}

// maxEventNote is the limit of events.k8s.io/v1, in bytes.
const maxEventNote = 1024

// occasion is what was done, in a word of the Events API, and what a reader of
// kubectl describe wants to know of it. What is done again about the same stage
// is counted in one series, which keeps the first note: so a note says nothing
// that the next occasion makes wrong.
func (t transition) occasion() (done, note string) {
	status := t.after
	if status.Decision != v1alpha1.DecisionPending {
		return string(status.Decision), status.Message
	}
	asks := status.Message
	if a := status.Approval; a != nil {
		asks = fmt.Sprintf("%s; stage %s takes %d of its approvers", asks, a.Stage, a.Required)
	}
	switch {
	case t.escalates():
		return "Escalate", asks + ", escalated"
	case t.requestsApproval():
		return "RequestApproval", asks
	case t.verdicts() > 0:
		return "RecordApproval", "a verdict was given; status.approval says how many of them count, and which do not"
	default:
		return "Evaluate", "policy has changed, and the action waits on; its status says for what"
	}
}

// regarding is the action, with the stage that waits. It is the same for every
// version of the action: otherwise no two Events would form a series.
func (t transition) regarding() *corev1.ObjectReference {
	reference := &corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentAction",
		Namespace: t.action.Namespace, Name: t.action.Name, UID: t.action.UID,
	}
	if a := t.after.Approval; a != nil && t.after.Decision == v1alpha1.DecisionPending {
		reference.FieldPath = "status.approval{" + a.Stage + "}"
	}
	return reference
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
