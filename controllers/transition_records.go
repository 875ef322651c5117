// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// records are the audit records of the change, one for each of its events.
func (t transition) records(now time.Time) []audit.Record {
	happened := t.events()
	made := make([]audit.Record, 0, len(happened))
	next := int(t.before.RecordedApprovals) // of spec.approvals
	for _, event := range happened {
		r := t.told(event, next, now)
		if r.Approval != nil {
			next++
		}
		made = append(made, r)
	}
	return made
}

// told is the record of one event; next is the verdict that comes next.
func (t transition) told(event v1alpha1.EventType, next int, now time.Time) audit.Record {
	if event == v1alpha1.EventActionSubmitted {
		return t.submission(now)
	}
	if event == audit.EventEvaluated {
		return t.evaluation(now)
	}
	if event == audit.EventApprovalRecorded {
		return t.verdict(next, now)
	}
	return t.record(event, now)
}

// about is what every record of the change says. The decision is the one that
// stands once the event has happened.
func (t transition) about(event v1alpha1.EventType, now time.Time) audit.Record {
	return audit.Record{
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
		SpecDigest:      t.after.SpecDigest,
		Decision:        t.before.Decision,
	}
}

// submission tells who asked, and when the API server stored it.
func (t transition) submission(now time.Time) audit.Record {
	r := t.about(v1alpha1.EventActionSubmitted, now)
	r.Actor = r.Requester
	stored := t.action.CreationTimestamp.UTC().Format(time.RFC3339)
	switch requester := t.request.Requester; {
	case t.vouched.Refusal != "":
		r.Message = "stored at " + stored + "; nobody vouches for who submitted it"
	case requester.AdmittedAt != nil:
		r.Message = "admitted at " + requester.AdmittedAt.UTC().Format(time.RFC3339) + ", stored at " + stored
	default:
		r.Message = "stored at " + stored
	}
	return r
}

// evaluation tells what risk, rules and workflows came to. Where no record of
// the change tells of a decision, for the action waits as before, it says for
// what reason it waits now.
func (t transition) evaluation(now time.Time) audit.Record {
	r := t.about(audit.EventEvaluated, now)
	t.judged(&r)
	if t.before.Decision == t.after.Decision {
		r.Reason, r.Message = t.after.Reason, t.after.Message
	}
	return r
}

// verdict tells of one entry of spec.approvals. Who gave one that nobody vouches
// for is not known, so that it has no actor.
func (t transition) verdict(at int, now time.Time) audit.Record {
	given := t.action.Spec.Approvals[at]
	r := t.about(audit.EventApprovalRecorded, now)
	r.ApprovalRevision = given.WorkflowRevision
	r.Approval = &audit.Approval{
		Approver: given.Approver, As: given.As, Stage: given.Stage, Verdict: given.Verdict, Comment: given.Comment,
		Uncounted: t.uncounted(&given),
	}
	if given.Time != nil {
		utc := given.Time.UTC()
		r.Approval.Time = &utc
	}
	if t.vouched.Refusal == "" && objection(t.vouched.Forged, &given) == "" {
		r.Actor = given.Approver
	}
	return r
}

// uncounted is why a verdict does not count as things are, empty where it does.
func (t transition) uncounted(given *v1alpha1.Approval) string {
	heard := func(a v1alpha1.Approval) bool { return a.Approver == given.Approver && a.Stage == given.Stage }
	switch why := objection(t.vouched.Forged, given); {
	case t.vouched.Refusal != "":
		return "nobody vouches for who submitted the action"
	case why != "":
		return why
	case t.after.Decision == v1alpha1.DecisionCancelled:
		return "the action was withdrawn before it was counted"
	case t.after.Approval == nil:
		return "policy decided without asking people"
	case !slices.ContainsFunc(t.vouched.Approvals, heard):
		return "it is held until admission is enforced"
	default:
		return objection(t.after.Approval.Uncounted, given)
	}
}

// objection is what a list of verdicts that do not count says about one; empty
// where that is not in it. An entry has an approver and a stage of its own.
func objection(uncounted []v1alpha1.UncountedApproval, given *v1alpha1.Approval) string {
	for _, u := range uncounted {
		if u.Approver == given.Approver && u.Stage == given.Stage {
			return u.Reason
		}
	}
	return ""
}

// record tells of a decision, of a wait for people, or of what brought it about.
func (t transition) record(event v1alpha1.EventType, now time.Time) audit.Record {
	status := t.after
	r := t.about(event, now)
	t.judged(&r)
	r.Decision, r.Reason, r.Message = status.Decision, status.Reason, status.Message
	r.BreakGlass = t.breaksGlass()
	for _, a := range t.request.Approvals {
		r.Approvals = append(r.Approvals, audit.Approval{
			Approver: a.Approver, As: a.As, Stage: a.Stage, Verdict: a.Verdict, Comment: a.Comment,
		})
	}
	if a := status.Approval; a != nil && status.Decision == v1alpha1.DecisionPending {
		r.Stage, r.Required, r.Granted, r.PendingApprovers = a.Stage, a.Required, a.Granted, a.PendingApprovers
		if a.Deadline != nil {
			utc := a.Deadline.UTC()
			r.Deadline = &utc
		}
	}
	if t.byPolicyFirst() && event != audit.EventOverridden {
		r.Request = t.asked()
	}
	return r
}

// judged fills in what risk, rules and workflows came to.
func (t transition) judged(r *audit.Record) {
	status := t.after
	r.PolicyRevision = status.PolicyRevision
	if status.Risk != nil {
		r.RiskScore, r.RiskLevel, r.CVSSVector = status.Risk.Score, status.Risk.Level, status.Risk.CVSSVector
	}
	if rule := status.DecidingRule; rule != nil {
		r.DecidingRule = string(rule.Namespace) + "/" + string(rule.Name)
	}
	for _, m := range status.MatchedRules {
		r.MatchedRules = append(r.MatchedRules, fmt.Sprintf("%s/%s %s %s", m.Namespace, m.Name, m.Effect, m.Mode))
	}
	r.Controls = controlsOf(t.policy, status.MatchedRules)
	if a := status.Approval; a != nil {
		r.ApprovalRevision = a.Revision
		for _, w := range a.Workflows {
			r.Workflows = append(r.Workflows, fmt.Sprintf("%s/%s", w.Namespace, w.Name))
		}
	}
}

// controlsOf are the controls that the enforced ones among these rules name,
// sorted, each once. The policy is the one they matched in; nil knows none.
func controlsOf(policy *decision.Snapshot, matched []v1alpha1.MatchedRule) []string {
	if policy == nil {
		return nil
	}
	var controls []string
	for _, m := range matched {
		if m.Mode != v1alpha1.RuleEnforce {
			continue
		}
		index := policy.Namespace(string(m.Namespace)).Rules
		if rule, known := index.Get(rules.Key{Namespace: string(m.Namespace), Name: string(m.Name)}); known {
			for _, control := range rule.Spec().Controls {
				controls = append(controls, string(control))
			}
		}
	}
	slices.Sort(controls)
	return slices.Compact(controls)
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
