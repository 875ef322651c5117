// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"flag"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

var update = flag.Bool("update", false, "write the golden files anew")

// noon is when approval is first asked for in every test.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

const asked = "sha256:5f1c0000000000000000000000000000000000000000000000000000000000aa"

// parties of the tests: bot asks for an agent that data-team owns.
var parties = approval.Parties{
	Requester:      "system:serviceaccount:shop:bot",
	AgentNamespace: "shop",
	Owner:          "data-team@example.com",
	Subjects: []v1alpha1.Subject{
		{Kind: v1alpha1.SubjectServiceAccount, Name: "bot"},
		{Kind: v1alpha1.SubjectUser, Name: "mallory"},
		{Kind: v1alpha1.SubjectGroup, Name: "bot-makers"},
	},
}

// workflow reads a spec in YAML; the name is "namespace/name".
func workflow(tb testing.TB, namespace, name, spec string) *approval.Workflow {
	tb.Helper()
	object := &v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := yaml.UnmarshalStrict([]byte(spec), &object.Spec); err != nil {
		tb.Fatalf("spec of %s: %v", name, err)
	}
	return approval.Compile(object)
}

// sound is workflow, of which nothing may be wrong.
func sound(tb testing.TB, namespace, name, spec string) *approval.Workflow {
	tb.Helper()
	w := workflow(tb, namespace, name, spec)
	if err := w.Err(); err != nil {
		tb.Fatalf("workflow %s: %v", name, err)
	}
	return w
}

func chain(workflows ...*approval.Workflow) approval.Chain { return approval.NewChain(workflows) }

// round is what is the same in all evaluations of a chain.
type round struct {
	chain   approval.Chain
	parties approval.Parties
}

func ask(c approval.Chain) round { return round{c, parties} }

// at evaluates when so much time has passed since noon, with status as it was
// written at noon.
func (r round) at(passed time.Duration, approvals ...v1alpha1.Approval) approval.State {
	return r.with(passed, &v1alpha1.ApprovalStatus{
		Revision:    r.chain.Revision(),
		RequestedAt: &metav1.MicroTime{Time: noon},
	}, approvals...)
}

func (r round) with(passed time.Duration, prior *v1alpha1.ApprovalStatus, approvals ...v1alpha1.Approval) approval.State {
	return r.chain.Evaluate(approval.Input{
		Now:       noon.Add(passed),
		Prior:     prior,
		Digest:    asked,
		Approvals: approvals,
		Parties:   r.parties,
	})
}

// say is a verdict stamped so long after noon, by a user named as such.
func (r round) say(verdict v1alpha1.Verdict, who, stage string, passed time.Duration) v1alpha1.Approval {
	out := v1alpha1.Approval{
		Verdict:          verdict,
		Approver:         who,
		Stage:            stage,
		Time:             &metav1.MicroTime{Time: noon.Add(passed)},
		SpecDigest:       asked,
		WorkflowRevision: r.chain.Revision(),
	}
	if verdict == v1alpha1.VerdictOverride {
		out.Comment = "production is down"
	}
	return out
}

func (r round) yes(who, stage string, passed time.Duration) v1alpha1.Approval {
	return r.say(v1alpha1.VerdictApprove, who, stage, passed)
}

func (r round) no(who, stage string, passed time.Duration) v1alpha1.Approval {
	return r.say(v1alpha1.VerdictDeny, who, stage, passed)
}

func (r round) override(who string, passed time.Duration) v1alpha1.Approval {
	return r.say(v1alpha1.VerdictOverride, who, v1alpha1.OverrideStage, passed)
}

// as stamps the entry of the stage that makes the approver eligible.
func as(label string, a v1alpha1.Approval) v1alpha1.Approval {
	a.As = label
	return a
}

func comment(text string, a v1alpha1.Approval) v1alpha1.Approval {
	a.Comment = text
	return a
}

// reasonFor returns why an approver's entry does not count, or "".
func reasonFor(s approval.State, who string) string {
	for _, u := range s.Status.Uncounted {
		if u.Approver == who {
			return u.Reason
		}
	}
	return ""
}

const (
	onePerson = `
stages: [{name: review, approvers: {users: [alice, bob, carol]}}]
timeout: 1h
`
	twoPeople = `
stages: [{name: review, required: 2, approvers: {users: [alice, bob, carol]}}]
timeout: 1h
`
	// critical is the starter workflow for critical risk.
	critical = `
selector: {riskLevels: [Critical]}
stages:
- name: first-review
  approvers: {groups: [ascend-approvers]}
  escalation: {after: 30m, approvers: {groups: [ascend-escalation]}}
- name: second-review
  approvers: {groups: [ascend-approvers]}
  escalation: {after: 30m, approvers: {groups: [ascend-escalation]}}
emergencyOverride: {approvers: {groups: [ascend-emergency]}}
timeout: 2h
`
)
