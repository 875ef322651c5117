// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/lint"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// What admission says of one object, each with its code. Its words are pinned
// where they are said, in package webhooks.
func TestCodes(t *testing.T) {
	t.Parallel()
	const stage = `stages: [{name: a, approvers: {groups: [x]}}]`
	there := parsed(t, []string{
		`ApprovalWorkflow shop/auto {selector: {riskLevels: [Low]}, autoApprove: true}`, `ApprovalWorkflow shop/same {selector: {riskLevels: [High]}, priority: 7, ` + stage + `}`,
		`SmartRule shop/no-db {effect: Deny, match: {actionTypes: ["db_*"]}}`, `SmartRule shop/reads {effect: Allow, match: {actionTypes: [file_read]}}`,
	})
	for line, want := range map[string][]lint.Code{
		`SmartRule shop/x {effect: Deny, match: {actionTypes: [x]}, exceptionWorkflowRef: {name: none}}`:                                                                                   {lint.MissingWorkflow},
		`SmartRule shop/x {effect: RequireApproval, match: {actionTypes: [x]}, workflowRef: {name: auto}}`:                                                                                 {lint.ApprovesItself},
		`SmartRule shop/x {effect: Deny, notAfter: "2026-01-01T00:00:00Z"}`:                                                                                                                {lint.Ended},
		`SmartRule shop/x {effect: Deny, conditions: [{name: a, expression: "false"}]}`:                                                                                                    {lint.NeverTrue},
		`SmartRule shop/x {effect: Deny, match: {actionTypes: ["a b"], agents: {names: ["A_b"]}, resources: [" "]}}`:                                                                       {lint.NeverMatches, lint.NeverMatches, lint.NeverMatches},
		`SmartRule shop/x {effect: AdjustRisk, riskAdjustment: "-1.0"}`:                                                                                                                    {lint.NoEffect},
		`SmartRule shop/x {effect: AdjustRisk, riskAdjustment: "0.0"}`:                                                                                                                     {lint.NoEffect},
		`SmartRule shop/x {effect: AdjustRisk, riskAdjustment: "+1.0"}`:                                                                                                                    nil,
		`SmartRule shop/x {effect: Allow, match: {actionTypes: [db_read]}}`:                                                                                                                {lint.Shadowed},
		`SmartRule shop/x {effect: RequireApproval, match: {actionTypes: ["file_*"]}}`:                                                                                                     {lint.Shadows},
		`SmartRule shop/x {effect: Deny, priority: 99}`:                                                                                                                                    {lint.Shadows},
		`SmartRule ascend-system/x {effect: Deny, match: {actionTypes: ["file_*"]}}`:                                                                                                       {lint.Shadows},
		`SmartRule shop/x {effect: Deny, mode: Disabled, exceptionWorkflowRef: {name: none}}`:                                                                                              nil,
		`ApprovalWorkflow shop/x {selector: {riskLevels: [Low], minRiskScore: "9.0"}, autoApprove: true}`:                                                                                  {lint.NeverChosen},
		`ApprovalWorkflow shop/x {selector: {actionTypes: ["a b", c], agents: {names: ["A_b", c]}}, autoApprove: true}`:                                                                    {lint.NeverMatches, lint.NeverMatches},
		`ApprovalWorkflow shop/x {priority: 7, selector: {}, ` + stage + `}`:                                                                                                               {lint.Overlap},
		`ApprovalWorkflow shop/x {priority: 7, selector: {}, autoApprove: true}`:                                                                                                           {lint.Overlap},
		`ApprovalWorkflow shop/x {selector: {riskLevels: [Low]}, ` + stage + `}`:                                                                                                           {lint.Overlap},
		`ApprovalWorkflow shop/x {allowNamespaceOverride: true, autoApprove: true}`:                                                                                                        {lint.NoEffect},
		`ApprovalWorkflow shop/x {stages: [{name: a, approvers: {users: [u]}}, {name: b, approvers: {users: [u]}}]}`:                                                                       {lint.Impossible},
		`ApprovalWorkflow shop/x {timeout: 1h, stages: [{name: a, timeout: 2h, approvers: {groups: ["system:masters"]}}]}`:                                                                 {lint.Crowd, lint.TooLate},
		`ApprovalWorkflow shop/x {allowSelfApproval: true, stages: [{name: a, approvers: {users: ["system:serviceaccount:a"]}}]}`:                                                          {lint.Nobody, lint.SelfApproval},
		`Agent shop/x {rateLimit: {perDay: 0}}`:                                                                                                                                            {lint.NoSubjects, lint.NoOwner, lint.NoRate},
		`Agent shop/x {owner: u, subjects: [{kind: User, name: u}, {kind: ServiceAccount, name: "A"}], blockedResources: ["*"]}`:                                                           {lint.Nobody, lint.OwnerSubmits, lint.Blocked},
		`Agent shop/x {owner: o, subjects: [{kind: Group, name: "system:authenticated"}, {kind: User, name: "system:serviceaccount:a"}], allowedResources: [a, b], blockedResources: [b]}`: {lint.Crowd, lint.Nobody, lint.Blocked},
		`RiskModel /mine {catalog: [{resources: [x], dataClassification: odd}]}`:                                                                                                           {lint.Unused, lint.RiskEntry},
		`WebhookSubscription shop/x {url: "https://x", agentRef: {name: none}}`:                                                                                                            {lint.MissingAgent},
	} {
		objects := parsed(t, []string{line})
		world := worldOf(t, append(objects, there...))
		var found []lint.Finding
		var errs field.ErrorList
		switch o := objects[0].(type) {
		case *v1alpha1.SmartRule:
			rule, _ := world.Snapshot.Namespace(o.Namespace).Rules.Get(rules.Key{Namespace: o.Namespace, Name: o.Name})
			found, errs = world.SmartRule(rule)
		case *v1alpha1.ApprovalWorkflow:
			found, errs = world.ApprovalWorkflow(approval.Compile(o))
		case *v1alpha1.Agent:
			found, errs = world.Agent(o)
		case *v1alpha1.RiskModel:
			found, errs = lint.RiskModel(o)
		case *v1alpha1.WebhookSubscription:
			found, errs = world.WebhookSubscription(o)
		}
		var got []lint.Code
		for _, f := range found {
			got = append(got, f.Code)
			if f.Severity != lint.Warning || f.Message == "" || strings.ContainsAny(f.String(), "\n\x1b") || !strings.HasPrefix(f.String(), f.Path+": ") {
				t.Errorf("%s: %+v", line, f)
			}
		}
		if !slices.Equal(got, want) || len(errs) > 0 {
			t.Errorf("%s: %v, %v, want %v", line, found, errs, want)
		}
	}
}

// nobodyKnows is a Lookup that cannot tell anything now.
type nobodyKnows struct{}

func (nobodyKnows) Workflow(string, string) (*approval.Workflow, bool) { return nil, false }
func (nobodyKnows) HasAgent(string, string) bool                       { return true }

// Nobody is warned of what may be there.
func TestWhatNobodyKnowsIsNotMissing(t *testing.T) {
	t.Parallel()
	objects := parsed(t, []string{
		`ApprovalWorkflow ascend-system/all {selector: {}, autoApprove: true}`, `ApprovalWorkflow other/x {selector: {}, autoApprove: true}`,
		`SmartRule shop/a {effect: RequireApproval, workflowRef: {name: x}}`, `WebhookSubscription shop/s {url: "https://x", agentRef: {name: none}}`,
	})
	world := worldOf(t, objects)
	world.Lookup = nobodyKnows{}
	if got := said(lint.Set(world, objects)); len(got) > 0 {
		t.Error(strings.Join(got, "\n"))
	}
	if !lint.Within(worldOf(t, parsed(t, []string{`Agent shop/bot {}`})).Snapshot).HasAgent("shop", "bot") {
		t.Error("the agent is there")
	}
}

func TestRefusalsSayWhatTheErrorsSay(t *testing.T) {
	t.Parallel()
	path := field.NewPath("spec", "x")
	errs := field.ErrorList{field.Invalid(path, "v", "no"), field.Required(path, "give it"), field.Invalid(path.Index(1), field.OmitValueType{}, "no")}
	for i, f := range lint.Refusals(errs) {
		if f.String() != errs[i].Error() || f.Severity != lint.Error || f.Code != lint.Invalid {
			t.Errorf("%+v", f)
		}
	}
}

// Names are shown so that none can write to a terminal or fill a page.
func TestNamesAreQuoted(t *testing.T) {
	t.Parallel()
	world := worldOf(t, nil)
	for name, want := range map[string]string{
		"a b": `"a b"`, "a\x1b[2J": `"a\x1b[2J"`, "\u202ea": `"\u202ea"`, strings.Repeat("ä", 300): `"` + strings.Repeat("ä", 255) + `…"`,
	} {
		agent := &v1alpha1.Agent{Spec: v1alpha1.AgentSpec{Owner: "o", Subjects: []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Name: v1alpha1.UserName(name)}}}}
		found, _ := world.Agent(agent)
		if len(found) != 1 || !strings.Contains(found[0].Message, "has the name "+want+":") {
			t.Errorf("%q: %v", name, found)
		}
	}
}
