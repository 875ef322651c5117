// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/internal/lint"
)

// What there is beside the objects that a case is about.
const (
	bot    = `Agent shop/bot {owner: olga, subjects: [{kind: ServiceAccount, name: bot}]}`
	reader = `Agent shop/reader {owner: olga, environment: sandbox, subjects: [{kind: ServiceAccount, name: bot}], allowedActionTypes: ["db_read*"], allowedResources: ["public/*"], maxRiskScore: "6.0"}`
	all    = `ApprovalWorkflow ascend-system/all {selector: {}, stages: [{name: s, approvers: {groups: [g]}}]}`
	asks   = `stages: [{name: s, approvers: {groups: [g]}}]`
)

func parsed(t *testing.T, lines []string) []metav1.Object {
	t.Helper()
	var out []metav1.Object
	for _, line := range lines {
		title, spec, found := strings.Cut(line, " {")
		if !found {
			t.Fatalf("no spec: %s", line)
		}
		out = append(out, object(t, title, "{"+spec))
	}
	return out
}

func TestSet(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		objects []string
		want    []string
	}{
		"nothing at all": {},
		"what is refused": {[]string{all, `SmartRule shop/a {effect: Deny, conditions: [{name: c, expression: "action.tpye"}]}`},
			[]string{"Error Invalid shop/a spec.conditions[0].expression: Invalid value: line 1, column 7: undefined field 'tpye'"}},
		"each kind that is refused": {[]string{all,
			`ApprovalWorkflow shop/w {}`, `Agent shop/a {state: Odd}`, `RiskModel /default {environments: [{name: x, delta: y}]}`, `WebhookSubscription shop/s {url: "ftp://x"}`},
			[]string{
				"Error Invalid shop/w spec.stages: Required value", "Error Invalid shop/a spec.state: Unsupported value",
				"Error Invalid /default spec.environments[0].delta: Invalid value", "Error Invalid shop/s spec.url: Invalid value: is not for namespace shop",
			}},
		"each kind that is warned of": {[]string{all,
			`Agent shop/a {subjects: [{kind: User, name: u}]}`, `RiskModel /mine {}`, `WebhookSubscription shop/s {url: "https://x", agentRef: {name: nobody}}`},
			[]string{
				"Warning NoOwner shop/a spec.owner: it is empty", "Warning Unused /mine metadata.name: only the RiskModel named default",
				"Warning MissingAgent shop/s spec.agentRef: there is no Agent nobody in namespace shop",
			}},
		"one that is disabled": {[]string{all, `SmartRule shop/a {mode: Disabled, effect: RequireApproval, workflowRef: {name: nobody}}`}, nil},

		"a pair of which one shadows the other, once": {[]string{all, `SmartRule shop/outer {effect: Deny, match: {actionTypes: ["db_*"]}}`, `SmartRule shop/inner {effect: Allow, match: {actionTypes: [db_read]}}`},
			[]string{"Warning Shadowed shop/inner spec.match: SmartRule shop/outer denies all that this rule covers, so this rule never decides"}},
		"a window within another's": {[]string{all,
			`SmartRule shop/outer {effect: Deny, notBefore: "2026-01-01T00:00:00Z", notAfter: "2026-12-31T00:00:00Z"}`,
			`SmartRule shop/inner {effect: RequireApproval, notBefore: "2026-03-01T00:00:00Z", notAfter: "2026-04-01T00:00:00Z"}`},
			[]string{"Warning Shadowed shop/inner spec.match: SmartRule shop/outer denies all"}},
		"the same approval twice": {[]string{all, `SmartRule shop/a {effect: RequireApproval, match: {actionTypes: ["db_*"]}, workflowRef: {name: all}}`,
			`SmartRule shop/b {effect: RequireApproval, match: {actionTypes: [db_read]}, workflowRef: {name: all}}`},
			[]string{"Warning Redundant shop/b spec.match: SmartRule shop/a requires the same approval for all that this rule covers, so this rule changes nothing"}},
		"two approvals by other people": {[]string{all, `ApprovalWorkflow shop/own {` + asks + `}`,
			`SmartRule shop/a {effect: RequireApproval, workflowRef: {name: all}}`, `SmartRule shop/b {effect: RequireApproval, workflowRef: {name: own}}`}, nil},
		"the same missing approval twice": {[]string{all, `SmartRule shop/a {effect: RequireApproval, workflowRef: {name: x}}`, `SmartRule shop/b {effect: RequireApproval, workflowRef: {name: x}}`},
			[]string{"Warning MissingWorkflow shop/a", "Warning MissingWorkflow shop/b", "Warning Redundant shop/b"}},
		"an approval that may fail": {[]string{all, `SmartRule shop/a {effect: RequireApproval}`,
			`SmartRule shop/b {effect: RequireApproval, conditions: [{name: c, expression: "action.parameters.n > 1"}]}`}, nil},

		"a condition beyond the match": {[]string{all, `SmartRule shop/a {effect: Deny, match: {minRiskScore: "7.0"}, conditions: [{name: low, expression: "risk.level == 'Low'"}]}`},
			[]string{"Warning NeverTrue shop/a spec.conditions: condition low is true of no score and action type that the rule covers"}},
		"conditions against each other": {[]string{all, `SmartRule shop/a {effect: Deny, conditions: [{name: high, expression: "risk.score >= 9"}, {name: low, expression: "risk.score < 4.0"}]}`},
			[]string{"Warning NeverTrue shop/a spec.conditions: conditions high, low are never true together, so the rule has no effect"}},

		"a workflow of another namespace": {[]string{all, `ApprovalWorkflow other/w {selector: {}, ` + asks + `}`, `SmartRule shop/a {effect: RequireApproval, workflowRef: {name: w}}`,
			`Agent shop/bot {owner: o, subjects: [{kind: User, name: u}], workflowRef: {name: w}}`},
			[]string{
				"Warning MissingWorkflow shop/a spec.workflowRef: there is no ApprovalWorkflow w in namespace shop or ascend-system",
				"Info Elsewhere shop/a spec.workflowRef: there is an ApprovalWorkflow w in namespace other, which only rules and agents of namespace other can name",
				"Warning MissingWorkflow shop/bot", "Info Elsewhere shop/bot",
			}},

		"agents that there are not": {[]string{all, bot, `SmartRule shop/a {effect: Deny, match: {agents: {names: ["bo", "*s"]}}}`},
			[]string{"Warning NoAgent shop/a spec.match.agents: they select no agent of namespace shop (there are 1), so the rule has no effect"}},
		"labels that no agent has": {[]string{all, bot, `SmartRule ascend-system/a {effect: Deny, match: {agents: {selector: {matchLabels: {team: x}}}}}`},
			[]string{"Warning NoAgent ascend-system/a spec.match.agents: they select no agent of any namespace (there are 1)"}},
		"agents that nobody knows":    {[]string{all, `SmartRule shop/a {effect: Deny, match: {agents: {names: [x]}}}`}, nil},
		"agents of another namespace": {[]string{all, bot, `SmartRule other/a {effect: Deny, match: {agents: {names: [x]}}}`}, nil},
		"agents that are retired":     {[]string{all, `Agent shop/old {state: Retired, owner: o}`, `SmartRule shop/a {effect: Deny, match: {agents: {names: [x]}}}`}, nil},
		"types that no agent may ask for": {[]string{all, reader, `SmartRule shop/a {effect: Deny, match: {actionTypes: ["file_*", "db_delete"]}}`},
			[]string{"Warning NoAgent shop/a spec.match.actionTypes: none of them is allowed to any agent of namespace shop (there are 1) by its allowedActionTypes"}},
		"types that meet in some name":     {[]string{all, reader, `SmartRule shop/a {effect: Deny, match: {actionTypes: ["*_write"]}}`}, nil},
		"types that one agent may ask for": {[]string{all, reader, bot, `SmartRule shop/a {effect: Deny, match: {actionTypes: [file_copy]}}`}, nil},
		"resources that no agent may name": {[]string{all, reader, `SmartRule shop/a {effect: Deny, match: {resources: ["secrets/*"]}}`},
			[]string{"Warning NoAgent shop/a spec.match.resources: no agent of namespace shop (there are 1) may name one of them"}},
		"resources that are blocked, of an Allow": {[]string{`ApprovalWorkflow shop/w {selector: {}, ` + asks + `}`, all,
			`Agent shop/bot {owner: o, subjects: [{kind: User, name: u}], blockedResources: ["secrets/*"]}`,
			`SmartRule shop/a {effect: Allow, match: {resources: ["secrets/a"]}}`, `SmartRule shop/b {effect: Deny, match: {resources: ["secrets/b"]}}`},
			[]string{"Warning NoAgent shop/a spec.match.resources"}},
		"an environment that only an action claims": {[]string{`ApprovalWorkflow shop/w {selector: {}, ` + asks + `}`, all, reader,
			`SmartRule shop/a {effect: Allow, match: {environments: [staging]}}`, `SmartRule shop/b {effect: RequireApproval, match: {environments: [test]}}`},
			[]string{"Warning NoAgent shop/a spec.match.environments: no agent of namespace shop (there are 1) works in one of them"}},
		"a score above the limit": {[]string{`ApprovalWorkflow shop/w {selector: {}, ` + asks + `}`, all, reader,
			`SmartRule shop/a {effect: Allow, match: {minRiskScore: "6.1"}}`, `SmartRule shop/b {effect: Allow, match: {minRiskScore: "6.0"}}`, `SmartRule shop/c {effect: RequireApproval, match: {minRiskScore: "6.2"}}`},
			[]string{"Warning NoAgent shop/a spec.match.minRiskScore: it is above the maxRiskScore of every agent of namespace shop (there are 1)"}},
		"one reason for each agent": {[]string{all, reader, `Agent shop/other {owner: o, subjects: [{kind: User, name: u}]}`,
			`SmartRule shop/a {effect: Deny, match: {actionTypes: [db_write], agents: {names: [reader]}}}`},
			[]string{"Warning NoAgent shop/a spec.match: no agent of namespace shop (there are 2) can ask for anything that this rule covers"}},

		"an Allow under a global workflow": {[]string{all, `SmartRule shop/a {effect: Allow}`, `SmartRule ascend-system/b {effect: Allow, match: {actionTypes: [x]}}`},
			[]string{"Warning NoEffect shop/a spec.effect: it allows nothing by itself", "Info NoEffect ascend-system/b spec.effect"}},
		"an Allow beside a workflow of the namespace": {[]string{all, `ApprovalWorkflow shop/w {selector: {}, ` + asks + `}`, `SmartRule shop/a {effect: Allow}`}, nil},
		"an Allow for an agent with a workflow":       {[]string{all, `Agent shop/bot {owner: o, subjects: [{kind: User, name: u}], workflowRef: {name: all}}`, `SmartRule shop/a {effect: Allow}`}, nil},
		"an Allow without a workflow": {[]string{`ApprovalWorkflow ascend-system/w {selector: {environments: [sandbox]}, ` + asks + `}`,
			`ApprovalWorkflow ascend-system/v {selector: {actionTypes: [x]}, ` + asks + `}`, `SmartRule shop/a {effect: Allow}`},
			[]string{"Warning Overlap ascend-system/w spec.selector: ApprovalWorkflow ascend-system/v has the same priority"}},

		"a workflow that nothing names": {[]string{all, `ApprovalWorkflow shop/w {` + asks + `}`, `ApprovalWorkflow ascend-system/w {` + asks + `}`},
			[]string{"Warning Unused shop/w spec: nothing chooses it: it has no selector, and no SmartRule or Agent names it", "Info Unused ascend-system/w"}},
		"a workflow that is hidden behind the namespace's": {[]string{all, `ApprovalWorkflow shop/w {` + asks + `}`, `ApprovalWorkflow ascend-system/w {` + asks + `}`,
			`SmartRule shop/a {effect: RequireApproval, workflowRef: {name: w}}`}, []string{"Info Unused ascend-system/w"}},
		"a workflow that is named": {[]string{all, `ApprovalWorkflow ascend-system/w {` + asks + `}`, `SmartRule shop/a {effect: Deny, exceptionWorkflowRef: {name: w}}`}, nil},

		"a selector under another": {[]string{all, `ApprovalWorkflow ascend-system/low {selector: {riskLevels: [Low]}, priority: -1, ` + asks + `}`},
			[]string{"Warning NeverChosen ascend-system/low spec.selector: it chooses nothing, for ApprovalWorkflow ascend-system/all is chosen in its place for all that it covers"}},
		"a selector under several, and named": {[]string{`ApprovalWorkflow ascend-system/a {selector: {maxRiskScore: "5.0"}, ` + asks + `}`, `ApprovalWorkflow ascend-system/b {selector: {minRiskScore: "5.0"}, ` + asks + `}`,
			`ApprovalWorkflow ascend-system/rest {selector: {}, priority: -1, ` + asks + `}`, `SmartRule shop/a {effect: RequireApproval, workflowRef: {name: rest}}`},
			[]string{"Warning Overlap ascend-system/a",
				"Warning NeverChosen ascend-system/rest spec.selector: it chooses nothing, for ApprovalWorkflow ascend-system/a, ascend-system/b are chosen in its place for all that it covers; it applies only where a SmartRule or an Agent names it"}},
		"a selector for no agent": {[]string{all, reader, `ApprovalWorkflow shop/w {selector: {actionTypes: [x]}, ` + asks + `}`},
			[]string{"Warning NoAgent shop/w spec.selector: it chooses nothing, for no agent of namespace shop (there are 1) can ask for anything that it covers"}},
		"a selector for agents that have a workflow": {[]string{all, `Agent shop/bot {owner: o, subjects: [{kind: User, name: u}], workflowRef: {name: all}}`, `ApprovalWorkflow shop/w {selector: {}, ` + asks + `}`},
			[]string{"Warning NoAgent shop/w"}},
		"a selector above every limit": {[]string{all, reader, `ApprovalWorkflow shop/w {selector: {riskLevels: [High]}, ` + asks + `}`, `ApprovalWorkflow shop/v {selector: {riskLevels: [Critical]}, ` + asks + `}`},
			[]string{"Warning NoAgent shop/w"}},
		"a selector of nothing": {[]string{all, bot, `ApprovalWorkflow shop/w {selector: {riskLevels: [Low], minRiskScore: "9.0"}, ` + asks + `}`},
			[]string{"Warning NeverChosen shop/w spec.selector: it covers no action"}},

		"a global workflow that is replaced everywhere": {[]string{`ApprovalWorkflow ascend-system/w {selector: {}, allowNamespaceOverride: true, ` + asks + `}`, bot,
			`Agent team/a {owner: o, subjects: [{kind: User, name: u}], workflowRef: {name: own}}`, `ApprovalWorkflow team/own {` + asks + `}`, `ApprovalWorkflow shop/own {selector: {}, ` + asks + `}`},
			[]string{"Info Replaced ascend-system/w spec.allowNamespaceOverride: every namespace with agents that it covers chooses a workflow of its own in its place"}},
		"one that is not replaced for all": {[]string{`ApprovalWorkflow ascend-system/w {selector: {}, allowNamespaceOverride: true, ` + asks + `}`, bot, `ApprovalWorkflow shop/own {selector: {environments: [sandbox]}, ` + asks + `}`}, nil},
		"one that an Allow brings back": {[]string{`ApprovalWorkflow ascend-system/w {selector: {}, allowNamespaceOverride: true, ` + asks + `}`, bot, `ApprovalWorkflow shop/own {selector: {}, ` + asks + `}`,
			`SmartRule shop/a {effect: Allow}`}, nil},

		"no workflow at all": {[]string{`SmartRule shop/a {effect: Deny}`},
			[]string{"Info Gap namespace ascend-system spec.selector: no ApprovalWorkflow has a selector that covers any score; an action with such a score is pending until one person with the verb approve agrees"}},
		"levels without a workflow": {[]string{`ApprovalWorkflow ascend-system/m {selector: {riskLevels: [Medium]}, autoApprove: true}`, `ApprovalWorkflow shop/h {selector: {minRiskScore: "7.5"}, autoApprove: true}`},
			[]string{
				"Info Gap namespace ascend-system spec.selector: no ApprovalWorkflow has a selector that covers scores from 0.0 to 3.9 (Low), scores from 7.0 to 10.0 (High to Critical);",
				"Info Gap namespace shop spec.selector: no ApprovalWorkflow of namespace shop has a selector that covers scores from 0.0 to 3.9 (Low), scores from 7.0 to 7.4 (High);",
			}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := parsed(t, c.objects)
			got := said(lint.Set(worldOf(t, objects), objects))
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("said:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// Set says nothing of an object that is not part of what is looked at.
func TestSetOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	there := parsed(t, []string{all})
	lost := parsed(t, []string{`SmartRule shop/a {effect: Deny}`, `ApprovalWorkflow shop/w {autoApprove: true}`})
	for _, line := range said(lint.Set(worldOf(t, there), append(lost, &metav1.ObjectMeta{Name: "x"}))) {
		if !strings.HasPrefix(line, "Error NotCompiled shop/") {
			t.Error(line)
		}
	}
	if n := len(lint.Set(worldOf(t, there), lost)); n != 2 {
		t.Errorf("%d findings", n)
	}
}

// Whoever looks at what is shipped is told of no mistake.
func TestSetOfTheStarterPolicy(t *testing.T) {
	t.Parallel()
	var objects []metav1.Object
	for _, pattern := range []string{"*.yaml", "rules/*.yaml", "workflows/*.yaml"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", "config", "starter-policy", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, documents(t, text)...)
		}
	}
	if len(objects) < 20 {
		t.Fatalf("only %d objects were found", len(objects))
	}
	if got := said(lint.Set(worldOf(t, objects), objects)); len(got) > 0 {
		t.Errorf("said:\n%s", strings.Join(got, "\n"))
	}
}
