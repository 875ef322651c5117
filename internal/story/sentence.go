// SPDX-License-Identifier: Apache-2.0

// Package story tells audit records to people: each in a sentence, and all of one
// action in their order. The texts hold what agents and users wrote, as it is:
// whoever shows them makes them safe for where they are shown.
package story

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Sentence says what a record tells of, without when and about which object.
func Sentence(r *audit.Record) string {
	if tell, known := sentences[r.Event]; known {
		return tell(r)
	}
	if strings.HasPrefix(string(r.Event), "audit.") {
		return journal(r)
	}
	return join(": ", r.Actor, join(", ", upper(r.Decision), r.Reason, r.Message))
}

var sentences = map[v1alpha1.EventType]func(*audit.Record) string{
	v1alpha1.EventActionSubmitted: func(r *audit.Record) string { return r.Actor + " asks for " + asked(r) },
	v1alpha1.EventActionPending:   waits,
	v1alpha1.EventActionEscalated: waits,
	v1alpha1.EventActionApproved:  ruling,
	v1alpha1.EventActionDenied:    ruling,
	v1alpha1.EventActionTimeout:   ruling,
	v1alpha1.EventActionCancelled: ruling,
	v1alpha1.EventActionExecuted:  func(r *audit.Record) string { return join(": ", r.Actor+" reports that it was done", r.Message) },
	v1alpha1.EventActionFailed:    func(r *audit.Record) string { return join(": ", r.Actor+" reports that it failed", r.Message) },
	v1alpha1.EventAgentSuspended:  func(r *audit.Record) string { return join(": ", by(r, "the agent is suspended"), r.Message) },
	audit.EventEvaluated:          evaluated,
	audit.EventApprovalRecorded:   given,
	audit.EventOverridden:         func(r *audit.Record) string { return join(": ", "emergency override", r.Message) },
	audit.EventWithdrawn: func(r *audit.Record) string {
		return join(": ", "the approval is no longer valid", join(", ", r.Reason, r.Message))
	},
	audit.EventNotApplied: func(r *audit.Record) string { return join(": ", "what was decided did not come true", r.Message) },
	audit.EventCollected:  func(r *audit.Record) string { return join(": ", "deleted in the cluster, its time is over", r.Message) },
	audit.EventPurged:     func(r *audit.Record) string { return join(": ", r.Actor+" may delete it", r.Message) },
	audit.EventGone:       func(r *audit.Record) string { return join(": ", "it goes with its namespace", r.Message) },
	audit.EventRefused: func(r *audit.Record) string {
		return join(": ", "refused to "+r.Actor, join(", ", r.Reason, r.Message))
	},
	audit.EventPolicyCreated: func(r *audit.Record) string { return by(r, "created") },
	audit.EventPolicyUpdated: func(r *audit.Record) string { return join(": ", by(r, "changed"), fieldsOf(r)) },
	audit.EventPolicyDeleted: func(r *audit.Record) string { return by(r, "deleted") },
	audit.EventNotEnforced:   func(r *audit.Record) string { return join(": ", "admission is not complete", r.Message) },
	audit.EventEnforced:      func(r *audit.Record) string { return orSome(r.Message, "admission is complete again") },
}

// About names what a record is about: NAMESPACE/NAME, behind the kind where that is
// no action; empty where it is the trail itself.
func About(r *audit.Record) string {
	name := strings.Trim(r.Namespace+"/"+r.Name, "/")
	return strings.TrimSpace(r.Kind + " " + name)
}

// asked is what an action is to do.
func asked(r *audit.Record) string {
	return join(" on ", orSome(r.ActionType, "an action"), r.Resource)
}

func evaluated(r *audit.Record) string {
	rules := "no rule matched"
	if n := len(r.MatchedRules); n > 0 {
		rules = terminal.Count(n, "rule") + " matched"
	}
	if r.DecidingRule != "" {
		rules += ", " + r.DecidingRule + " decides"
	}
	return join(", ", risk(r), rules, workflows(r))
}

func risk(r *audit.Record) string {
	if r.RiskScore == "" {
		return "no risk score"
	}
	return strings.TrimSpace(fmt.Sprintf("risk %s %s", r.RiskScore, r.RiskLevel))
}

func workflows(r *audit.Record) string {
	if len(r.Workflows) == 0 {
		return ""
	}
	return "to pass " + strings.Join(r.Workflows, ", ")
}

// waits says for whom and until when.
func waits(r *audit.Record) string {
	text := "waits for people"
	if r.Event == v1alpha1.EventActionEscalated {
		text = "escalated, waits for people"
	}
	if r.Stage != "" {
		text += fmt.Sprintf(" in stage %s, %d of %d given", r.Stage, r.Granted, r.Required)
	}
	if len(r.PendingApprovers) > 0 {
		text += ", asks " + strings.Join(r.PendingApprovers, ", ")
	}
	if r.Deadline != nil {
		text += ", until " + terminal.Moment(*r.Deadline)
	}
	return join(": ", text, r.Message)
}

// given is a verdict.
func given(r *audit.Record) string {
	if r.Approval == nil {
		return r.Actor + " gave a verdict"
	}
	a := r.Approval
	return orSome(a.Approver, r.Actor) + " " + Verdict(a)
}

// Verdict says what an approver did: "approved in stage database as group:dba:
// "ticket 4711"; it does not count: …".
func Verdict(a *audit.Approval) string {
	text := VerdictWord(a.Verdict)
	if a.Stage != "" {
		text += " in stage " + a.Stage
	}
	if a.As != "" {
		text += " as " + a.As
	}
	if a.Comment != "" {
		text += `: "` + a.Comment + `"`
	}
	if a.Uncounted != "" {
		text += "; it does not count: " + a.Uncounted
	}
	return text
}

// VerdictWord is what somebody did by a verdict, as people read it.
func VerdictWord(v v1alpha1.Verdict) string {
	switch v {
	case v1alpha1.VerdictApprove:
		return "approved"
	case v1alpha1.VerdictDeny:
		return "denied"
	case v1alpha1.VerdictOverride:
		return "overrode"
	default:
		return join(" ", "said", string(v))
	}
}

func ruling(r *audit.Record) string {
	word := DecisionWord(r.Decision)
	if r.BreakGlass {
		word += " by emergency override"
	}
	return join(": ", join(", ", word, r.Reason), r.Message)
}

// DecisionWord is a decision as people read it; empty where there is none.
func DecisionWord(d v1alpha1.Decision) string {
	if d == v1alpha1.DecisionTimedOut {
		return "TIMEOUT"
	}
	return upper(d)
}

func upper(d v1alpha1.Decision) string { return strings.ToUpper(string(d)) }

func fieldsOf(r *audit.Record) string {
	const most = 4
	var names []string
	for i, change := range r.Changes {
		if i == most {
			return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", len(r.Changes)-most)
		}
		names = append(names, change.Field)
	}
	return strings.Join(names, ", ")
}

func by(r *audit.Record, done string) string {
	if r.Actor == "" {
		return done + " by the operator"
	}
	return done + " by " + r.Actor
}

// join joins what is not empty.
func join(by string, parts ...string) string {
	var has []string
	for _, part := range parts {
		if part != "" {
			has = append(has, part)
		}
	}
	return strings.Join(has, by)
}

func orSome(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
