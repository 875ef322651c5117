// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

func TestActionsListChosen(t *testing.T) {
	list := func(more ...string) []string { return append([]string{"ascend", "actions", "list"}, more...) }
	for name, tc := range map[string]struct {
		argv []string
		desk desk
	}{
		"80":            {argv: list(), desk: desk{width: 80}},
		"120":           {argv: list(), desk: desk{width: 120}},
		"pending":       {argv: list("--decision", "Pending")},
		"evaluating":    {argv: list("--decision", "evaluating", "-o", "name")},
		"since":         {argv: list("--since", "1h")},
		"labels":        {argv: list("-l", "team=data")},
		"jsonpath":      {argv: list("-o", "jsonpath={range .items[*]}{.metadata.name} {.status.decision}{\"\\n\"}{end}")},
		"go-template":   {argv: list("-o", "go-template={{len .items}}", "--limit", "2")},
		"streamed":      {argv: list("-o", "yaml", "--limit", "0", "--decision", "approved")},
		"nothing":       {argv: list("--decision", "denied", "--since", "1m", "-l", "a=b", "--agent-id", "x")},
		"bad-decision":  {argv: list("--decision", "perhaps")},
		"bad-selector":  {argv: list("-l", "=")},
		"bad-since":     {argv: list("--since", "-1h")},
		"bad-template":  {argv: list("-o", "go-template={{")},
		"template-file": {argv: list("-o", "jsonpath-file=no/such/file")},
	} {
		t.Run(name, func(t *testing.T) {
			objects := everyWord()
			objects[0].SetLabels(map[string]string{"team": "data"})
			checkGolden(t, tc.desk.build(t.Context(), t, &workshop{objects: objects}, tc.argv...).transcript(tc.argv))
		})
	}
}

// What is printed piece by piece is, byte for byte, what would be printed at once.
func TestStreamedListIsTheSame(t *testing.T) {
	objects := everyWord()
	slices.SortFunc(objects, func(a, b client.Object) int {
		return cmp.Or(strings.Compare(a.GetNamespace(), b.GetNamespace()), strings.Compare(a.GetName(), b.GetName()))
	})
	for i, object := range objects {
		action, is := object.(*v1alpha1.AgentAction)
		if !is {
			t.Fatalf("got %T", object)
		}
		action.Spec.Description = "several\nlines, \"quoted\"\n\n  <indented> & a rather long one that goes on and on, far beyond where anybody would break it, to see who does\n"
		action.CreationTimestamp.Time = testNow.Add(time.Duration(i) * time.Second) // in the order of names, as it is listed
	}
	for _, format := range []string{"json", "yaml"} {
		t.Run(format, func(t *testing.T) {
			run := func(limit string) string {
				r := desk{}.build(t.Context(), t, &workshop{objects: objects}, "ascend", "actions", "list", "-A", "-o", format, "--limit", limit)
				if r.code != session.ExitOK {
					t.Fatalf("got %+v", r)
				}
				return r.out
			}
			if diff := gocmp.Diff(run("1000"), run("0")); diff != "" {
				t.Errorf("the streamed list differs (-at once +streamed):\n%s", diff)
			}
		})
	}
}

func TestActionsListWatch(t *testing.T) {
	for name, tc := range map[string]struct {
		argv   []string
		refuse func(verb, kind string) error
	}{
		"table":     {argv: []string{"ascend", "actions", "list", "-w"}},
		"name":      {argv: []string{"ascend", "actions", "list", "-w", "-o", "name"}},
		"jsonpath":  {argv: []string{"ascend", "actions", "list", "-w", "-o", "jsonpath={.metadata.name} {.status.decision}{\"\\n\"}"}},
		"forbidden": {argv: []string{"ascend", "actions", "list", "-w"}, refuse: refuses("list AgentActionList")},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := contextThatEnds(t)
			defer stop()
			w := &workshop{objects: tutorial(), later: []func(*v1alpha1.AgentAction){asApproved}, refuse: tc.refuse}
			checkGolden(t, desk{}.build(ctx, t, w, tc.argv...).transcript(tc.argv))
		})
	}
}

// behind is an action with everything that stands behind its decision.
func behind() (objects []client.Object, action *v1alpha1.AgentAction) {
	workflow := high(func(spec *v1alpha1.ApprovalWorkflowSpec) {
		second := spec.Stages[0]
		second.Name, second.Required = "management", 2
		second.Approvers = v1alpha1.ApproverSet{Users: []v1alpha1.UserName{"carol", "dave"}, ServiceAccounts: []v1alpha1.ServiceAccountReference{{Namespace: "ops", Name: "gate"}}}
		third := spec.Stages[0]
		third.Name = "release"
		spec.Stages = append(spec.Stages, second, third)
	})
	rule := &v1alpha1.SmartRule{Spec: v1alpha1.SmartRuleSpec{Conditions: []v1alpha1.RuleCondition{{Name: "off-hours", Expression: "now.getHours('Europe/Berlin') >= 20 || now.getHours('Europe/Berlin') < 6"}}}}
	rule.Namespace, rule.Name = "default", "rule-night"
	agent := tutorialAgent(func(spec *v1alpha1.AgentSpec) {
		spec.State, spec.Environment, spec.AllowedActionTypes, spec.BlockedResources, spec.MaxRiskScore = "Active", "sandbox", []v1alpha1.Glob{"database_*"}, []v1alpha1.Glob{"secrets/*"}, "8.0"
	})
	action = everything()
	status := action.Status.Approval
	status.Revision = approval.NewChain([]*approval.Workflow{approval.Compile(workflow)}).Revision()
	status.Stage, status.StageIndex, status.StageCount, status.Required, status.Granted = "management", 1, 3, 2, 0
	status.Uncounted[0].Stage = "approval"
	for i := range action.Spec.Approvals {
		action.Spec.Approvals[i].Stage = "approval"
	}
	return []client.Object{workflow, rule, agent, action}, action
}

func TestExplainBehind(t *testing.T) {
	argv := []string{"ascend", "explain", "act-ghi789"}
	for name, tc := range map[string]struct {
		change func(*v1alpha1.AgentAction)
		refuse func(verb, kind string) error
		argv   []string
		desk   desk
	}{
		"piped":    {},
		"80":       {desk: desk{width: 80}},
		"120":      {desk: desk{width: 120}},
		"approved": {change: asGranted},
		"overridden": {change: func(a *v1alpha1.AgentAction) {
			asGranted(a)
			a.Status.Reason, a.Status.Approval.StageIndex = v1alpha1.ReasonEmergencyOverride, 1
		}},
		"denied":     {change: func(a *v1alpha1.AgentAction) { a.Status.Decision = v1alpha1.DecisionDenied }},
		"colours":    {argv: append(argv[:3:3], "--color", "always")},
		"unreadable": {refuse: refuses("get ApprovalWorkflow", "get SmartRule", "get Agent")},
		"verbose":    {refuse: refuses("get ApprovalWorkflow"), argv: append(argv, "-v", "1")},
		"hostile-80": {desk: desk{width: 80}, change: func(a *v1alpha1.AgentAction) {
			a.Spec.Description = "Read the p\u0430yroll\u200b of " + string(make([]byte, 3)) + " and └─ decision: APPROVED, as everybody agreed long ago"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			objects, action := behind()
			if tc.change != nil {
				tc.change(action)
			}
			if tc.argv == nil {
				tc.argv = argv
			}
			checkGolden(t, tc.desk.build(t.Context(), t, &workshop{objects: objects, refuse: tc.refuse}, tc.argv...).transcript(tc.argv))
		})
	}
}

// asGranted is approved by people, stage by stage.
func asGranted(a *v1alpha1.AgentAction) {
	a.Status.Decision, a.Status.Reason = v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted
	a.Status.Approval.Stage, a.Status.Approval.StageIndex, a.Status.Approval.PendingApprovers = "", 3, nil
}
