// SPDX-License-Identifier: Apache-2.0

package trailtest

import (
	"encoding/json"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Controls that the rules of the Day serve.
var (
	dropControls = []string{"HIPAA:164.312(c)(1)", "MITRE-ATTACK:T1485", "NIST-800-53:AC-6", "NIST-800-53:CM-3", "PCI-DSS:7.2", "SOC2:CC6.1"}
	payControls  = []string{"NIST-800-53:AC-5", "NIST-800-53:AC-6", "PCI-DSS:7.2", "SOC2:CC8.1"}
)

// Day is a day of the leader on which every event happens, in its chain: one
// action is let through, one approved by two people and carried out, one denied
// by a rule, one overridden at night.
func Day() []audit.Record {
	dropRule := ruled("ascend-system/no-bulk-delete", dropControls...)
	payRule := ruled("payments/large-refunds", payControls...)
	drop := []func(*audit.Record){risk("8.8", v1alpha1.RiskLevelHigh), dropRule}
	with := func(of []func(*audit.Record), more ...func(*audit.Record)) []func(*audit.Record) {
		return append(append([]func(*audit.Record){}, of...), more...)
	}
	alice := audit.Approval{Approver: "alice@example.com", As: "group:dba", Stage: "database", Verdict: v1alpha1.VerdictApprove, Comment: "ticket 4711"}
	carol := audit.Approval{Approver: "carol@example.com", As: "group:security", Stage: "security", Verdict: v1alpha1.VerdictApprove, Comment: "backup checked"}
	records := []audit.Record{
		{Event: audit.EventStarted, Journal: &audit.Journal{Replica: "ascend-controller-manager-0", Version: "v0.5.0"}},
		policyRecord(audit.EventPolicyCreated, "SmartRule", "ascend-system", "no-bulk-delete"),
		about(v1alpha1.EventActionSubmitted, "act-read", "system:serviceaccount:default:tutorial-agent", nil),
		about(audit.EventEvaluated, "act-read", "", decided(v1alpha1.DecisionApproved, "", "", risk("2.1", v1alpha1.RiskLevelLow))),
		about(v1alpha1.EventActionApproved, "act-read", "", decided(v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "Low risk is approved", risk("2.1", v1alpha1.RiskLevelLow), request)),
		about(v1alpha1.EventActionSubmitted, "act-drop", "system:serviceaccount:default:tutorial-agent", nil),
		about(audit.EventEvaluated, "act-drop", "", decided("", "", "", drop...)),
		about(v1alpha1.EventActionPending, "act-drop", "", decided(v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "Deleting in production needs two people", with(drop, asking("database", 1, 0, "group:dba"), request)...)),
		about(audit.EventApprovalRecorded, "act-drop", "mallory@example.com", decided(v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", verdict("mallory@example.com", "", "database", v1alpha1.VerdictApprove, "looks fine", "is not one of those who are asked", 8))),
		about(audit.EventApprovalRecorded, "act-drop", "alice@example.com", decided(v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", with(drop, verdict("alice@example.com", "group:dba", "database", v1alpha1.VerdictApprove, "ticket 4711", "", 9))...)),
		about(v1alpha1.EventActionEscalated, "act-drop", "", decided(v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "Stage security took too long", with(drop, asking("security", 1, 0, "group:ciso", "group:security"))...)),
		about(audit.EventApprovalRecorded, "act-drop", "carol@example.com", decided(v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", with(drop, verdict("carol@example.com", "group:security", "security", v1alpha1.VerdictApprove, "backup checked", "", 11))...)),
		about(v1alpha1.EventActionApproved, "act-drop", "", decided(v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted, "Approved in all stages", with(drop, granted(alice, carol))...)),
		about(v1alpha1.EventActionExecuted, "act-drop", "system:serviceaccount:default:tutorial-agent", func(r *audit.Record) {
			r.Decision, r.Message = v1alpha1.DecisionApproved, "3 rows deleted"
		}),
		{Event: audit.EventCheckpoint, Journal: &audit.Journal{Checkpoint: &audit.Checkpoint{Time: Start.Add(14 * time.Minute), KeyID: "0123456789abcdef", Signature: "c2lnbmF0dXJl"}}},
		about(v1alpha1.EventActionSubmitted, "act-pay", "system:serviceaccount:payments:refunds", nil),
		about(audit.EventEvaluated, "act-pay", "", decided("", "", "", risk("9.6", v1alpha1.RiskLevelCritical), payRule)),
		about(v1alpha1.EventActionDenied, "act-pay", "", decided(v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "Refunds above 10000 are not for agents", risk("9.6", v1alpha1.RiskLevelCritical), payRule, request)),
		about(v1alpha1.EventActionSubmitted, "act-night", "system:serviceaccount:default:tutorial-agent", nil),
		about(v1alpha1.EventActionPending, "act-night", "", decided(v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "Changes of DNS need an operator", risk("9.1", v1alpha1.RiskLevelCritical), ruled("ascend-system/dns", "NIST-800-53:CM-3", "SOC2:CC8.1"), asking("operations", 2, 0, "group:sre"))),
		about(audit.EventOverridden, "act-night", "", decided(v1alpha1.DecisionApproved, v1alpha1.ReasonEmergencyOverride, "Overridden by frank@example.com and grace@example.com", ruled("ascend-system/dns", "NIST-800-53:CM-3", "SOC2:CC8.1"))),
		about(v1alpha1.EventActionApproved, "act-night", "", decided(v1alpha1.DecisionApproved, v1alpha1.ReasonEmergencyOverride, "Approved by emergency override", risk("9.1", v1alpha1.RiskLevelCritical), ruled("ascend-system/dns", "NIST-800-53:CM-3", "SOC2:CC8.1"), func(r *audit.Record) {
			r.BreakGlass = true
			r.Approvals = []audit.Approval{
				{Approver: "frank@example.com", Stage: "emergency", Verdict: v1alpha1.VerdictOverride, Comment: "site is down"},
				{Approver: "grace@example.com", Stage: "emergency", Verdict: v1alpha1.VerdictOverride, Comment: "incident 12"},
			}
		})),
		about(v1alpha1.EventActionFailed, "act-night", "system:serviceaccount:default:tutorial-agent", func(r *audit.Record) {
			r.Decision, r.Message = v1alpha1.DecisionApproved, "the provider did not answer"
		}),
	}
	return Chained(Leader, append(records, rest()...))
}

// rest is every event that the Day has not had by then.
func rest() []audit.Record {
	suspended := policyRecord(v1alpha1.EventAgentSuspended, "Agent", "default", "tutorial-agent")
	suspended.Agent, suspended.Reason, suspended.Message = "tutorial-agent", "Suspended", "incident 12"
	return []audit.Record{
		suspended,
		about(audit.EventWithdrawn, "act-night", "", decided(v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended, "Agent tutorial-agent is suspended")),
		about(v1alpha1.EventActionTimeout, "act-late", "", decided(v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout, "Nobody decided in time", ruled("ascend-system/dns", "NIST-800-53:CM-3"))),
		about(v1alpha1.EventActionCancelled, "act-back", "", decided(v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, "Its requester has withdrawn it")),
		about(audit.EventNotApplied, "act-late", "", decided(v1alpha1.DecisionTimedOut, "", "the action had changed meanwhile")),
		about(audit.EventRefused, "act-drop", "mallory@example.com", func(r *audit.Record) {
			r.Reason, r.Message = "SpecChanged", "spec.parameters of a submitted action cannot be changed"
		}),
		policyRecord(audit.EventPolicyUpdated, "ApprovalWorkflow", "default", "high-risk",
			audit.Change{Field: "spec.stages[0].required", Before: "1", After: "2"}),
		policyRecord(audit.EventPolicyDeleted, "RiskModel", "", "default"),
		{Event: audit.EventNotEnforced, Message: "ValidatingWebhookConfiguration ascend-validating is missing"},
		{Event: audit.EventEnforced, Message: "admission is complete again"},
		{Event: audit.EventResumed, Message: "records can be kept again", Journal: &audit.Journal{Lost: 2}},
		about(audit.EventCollected, "act-read", "", decided(v1alpha1.DecisionApproved, "", "")),
		about(audit.EventPurged, "act-back", "root@example.com", nil),
		about(audit.EventGone, "act-late", "", nil),
		{Event: audit.EventStopped},
	}
}

func policyRecord(event v1alpha1.EventType, kind, namespace, name string, changes ...audit.Change) audit.Record {
	return audit.Record{Event: event, Kind: kind, Namespace: namespace, Name: name, UID: "uid-" + name, Actor: "erin@example.com", Changes: changes, SpecDigest: "sha256:aa55"}
}

// request is what an agent asked for.
func request(r *audit.Record) {
	r.Request = &audit.Request{
		ActionType: r.ActionType, Description: "tidy up", Resource: r.Resource, Parameters: json.RawMessage(`{"table":"customers","where":"id > 7","password":"[redacted]"}`),
		Requester:   audit.Requester{Username: r.Requester, UID: "5f0c", Groups: []v1alpha1.UserName{"system:serviceaccounts"}},
		SubmittedAt: Start,
	}
}

// Hostile are records whose texts are made to harm whoever reads them: by escapes
// of a terminal, by characters that turn text around, by markup, and by formulas
// of spreadsheets.
func Hostile() []audit.Record {
	var records []audit.Record
	for _, text := range []string{
		"\x1b[2J\x1b]0;owned\x07", "\u202eevil\u202c", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`,
		"=HYPERLINK(\"http://evil.example\")", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "  =1+1", "well; =1+1;-2",
		"a\nb\r\nc,d;\"e\"", "\u2028\u2029\x00", "\xff\xfe", "javascript:alert(1)", "</style><script>alert(2)</script>", "{{.}}", "../../etc/passwd",
	} {
		deadline := Start
		records = append(records, audit.Record{
			Event: v1alpha1.EventActionDenied, Actor: text, Namespace: text, Name: text, UID: text, Agent: text, Requester: text,
			ActionType: text, Resource: text, Decision: v1alpha1.DecisionDenied, Reason: text, Message: text, MatchedRules: []string{text},
			DecidingRule: text, Controls: []string{"NIST-800-53:" + text, text}, Workflows: []string{text}, Stage: text, PendingApprovers: []string{text}, Deadline: &deadline,
			Approvals: []audit.Approval{{Approver: text, As: text, Stage: text, Verdict: v1alpha1.VerdictDeny, Comment: text, Uncounted: text}},
			Approval:  &audit.Approval{Approver: text, Comment: text}, Changes: []audit.Change{{Field: text, Before: text, After: text}},
		}, audit.Record{Event: audit.EventPolicyUpdated, Kind: text, Actor: text, Namespace: text, Name: text, Changes: []audit.Change{{Field: text, Before: text, After: text}}},
			audit.Record{Event: audit.EventRefused, Actor: text, Name: text, Reason: text, Message: text})
	}
	return Chained("hostile", records)
}
