// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// write puts test files into a folder of their own, by name.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// suiteOf is a test file with these fields beside its header.
func suiteOf(name, fields string) string {
	return "apiVersion: " + APIVersion + "\nkind: " + Kind + "\nmetadata: {name: " + name + "}\n" + fields + "\n"
}

const oneCase = `
- {name: denied, action: {actionType: database_delete, parameters: {affected_rows: 101}}, expect: {decision: Denied}}`

// Paths without a test are no run that passes.
func TestNoTests(t *testing.T) {
	for name, path := range map[string]string{"folder": "testdata/policy", "file": "testdata/policy/rules.yaml"} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Load([]string{path}); !errors.Is(err, ErrNoTests) {
				t.Errorf("Load(%s) = %v, want ErrNoTests", path, err)
			}
		})
	}
	if _, _, err := Load([]string{"testdata/nowhere"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load of what is not there = %v, want ErrNotExist", err)
	}
	if (&Report{}).OK() {
		t.Error("a report without cases is OK")
	}
}

// In a folder, tests are found beside a kustomization and in folders below, each
// once, and hidden folders and other files are passed over.
func TestLoadFindsTests(t *testing.T) {
	dir := write(t, map[string]string{
		"kustomization.yaml":  "kind: Kustomization\nresources: []\n",
		"tests/b.yaml":        suiteOf("b", "cases:"+oneCase),
		"tests/deep/a.yml":    suiteOf("a", "cases:"+oneCase),
		"tests/c.json":        `{"apiVersion": "` + APIVersion + `", "kind": "RuleTest", "metadata": {"name": "c"}, "cases": [{"name": "x", "action": {"actionType": "a"}, "expect": {"decision": "Denied"}}]}`,
		"tests/.git/d.yaml":   suiteOf("d", "cases:"+oneCase),
		"tests/chart.yaml":    "{{ if .Values.x }}\na: [\n",
		"tests/README.md":     suiteOf("e", "cases:"+oneCase),
		"tests/two-in-it.yml": suiteOf("f", "cases:"+oneCase) + "---\n" + suiteOf("g", "cases:"+oneCase),
	})
	suites, problems, err := Load([]string{dir, dir + "/tests/b.yaml"})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	var names []string
	for _, s := range suites {
		names = append(names, s.Name)
	}
	if want := []string{"b", "c", "a", "f", "g"}; !slices.Equal(names, want) {
		t.Errorf("found %v, want %v", names, want)
	}
}

// Where the policy was forgotten, nothing is tested, and a case that expects what
// comes without any policy must not pass.
func TestForgottenPolicy(t *testing.T) {
	const pending = "\n- {name: pending, action: {actionType: x}, expect: {decision: Pending}}"
	dir := write(t, map[string]string{"a.yaml": suiteOf("a", "cases:"+pending)})
	report := play(t, Options{Policy: []string{dir}}, dir)
	if report.OK() || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Message, "names no policy") {
		t.Errorf("OK is %t, problems %v", report.OK(), report.Problems)
	}
	dir = write(t, map[string]string{"a.yaml": suiteOf("a", "policy: []\ncases:"+pending)})
	if report := play(t, Options{Policy: []string{dir}}, dir); !report.OK() {
		t.Errorf("a suite that wants none: %v", report.Problems)
	}
}

// A request that is over a limit is denied before any rule is asked. A case that
// only expects Denied must not pass by that.
func TestRefusedRequest(t *testing.T) {
	const big = "\n- {name: big, action: {actionType: x, parameters: {n: 9007199254740993}}, expect: {decision: Denied%s}}"
	for more, ok := range map[string]bool{"": false, ", reason: InvalidRequest": true} {
		dir := write(t, map[string]string{"a.yaml": suiteOf("a", "policy: []\ncases:"+strings.Replace(big, "%s", more, 1))})
		if report := play(t, Options{}, dir); report.OK() != ok {
			t.Errorf("with %q OK is %t, problems %v", more, report.OK(), report.Problems)
		}
	}
}

// The order and the content of the report do not depend on who is how fast.
func TestReportsAreDeterministic(t *testing.T) {
	first := play(t, Options{Workers: 1}, "testdata/suites")
	for range 5 {
		if diff := cmp.Diff(first, play(t, Options{Workers: 8}, "testdata/suites")); diff != "" {
			t.Fatalf("with 8 workers it differs (-1 +8):\n%s", diff)
		}
	}
}

// However many suites test a policy, it is compiled once.
func TestEachPolicyIsCompiledOnce(t *testing.T) {
	known := newPolicies(Options{})
	paths := []string{filepath.Join("testdata", "policy")}
	one := known.get(paths, nil)
	if one.err != nil || len(one.problems) > 0 || one.snapshot == nil {
		t.Fatalf("%v, %v", one.err, one.problems)
	}
	if known.get(slices.Clone(paths), nil) != one {
		t.Error("the same paths gave another policy")
	}
	if known.get([]string{filepath.Join("testdata", "broken")}, nil) == one {
		t.Error("other paths gave the same policy")
	}
}

// A policy that has been read already, as out of a cluster, is as good as its files.
func TestPolicyAsASet(t *testing.T) {
	set, problems, err := manifest.Load([]string{"testdata/policy"}, manifest.Options{})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	dir := write(t, map[string]string{"a.yaml": suiteOf("a", "cases:"+oneCase)})
	report := play(t, Options{Set: set}, dir)
	if diff := cmp.Diff(play(t, Options{Policy: []string{"./testdata/policy"}}, dir), report); diff != "" || !report.OK() {
		t.Errorf("OK is %t; it differs (-files +set):\n%s", report.OK(), diff)
	}
}

// Each namespace has the label that the API server gives it.
func TestNamespacesHaveTheirName(t *testing.T) {
	const given = `
policy: []
given:
- kind: SmartRule
  metadata: {name: where, namespace: ascend-system}
  spec: {effect: Deny, reasonExpression: "namespaceObject.metadata.labels['kubernetes.io/metadata.name']"}
cases:
- {name: it has, namespace: team-a, action: {actionType: x}, expect: {message: team-a}}`
	if report := play(t, Options{}, write(t, map[string]string{"a.yaml": suiteOf("a", given)})); !report.OK() {
		t.Errorf("%v %+v", report.Problems, report.Suites)
	}
}

// What one suite gives, another does not see, nor does the policy.
func TestGivenStaysInItsSuite(t *testing.T) {
	const bot = `
given:
- {kind: Agent, metadata: {name: bot}, spec: {environment: sandbox, subjects: [{kind: User, name: bob}]}}
- {kind: SmartRule, metadata: {name: no-x, namespace: ascend-system}, spec: {effect: Deny, match: {actionTypes: [x]}}}
cases:
- {name: denied, agent: bot, action: {actionType: x}, expect: {decision: Denied, rule: no-x}}`
	dir := write(t, map[string]string{
		"a.yaml": suiteOf("a", bot),
		"b.yaml": suiteOf("b", "cases:\n- {name: pending, agent: sandbox, action: {actionType: x}, expect: {decision: Pending}}"),
		"c.yaml": suiteOf("c", "cases:\n- {name: not there, agent: bot, action: {actionType: x}, expect: {decision: Denied}}"),
	})
	report := play(t, Options{Policy: []string{"testdata/policy"}}, dir)
	if report.Passed != 2 || report.Failed != 0 || len(report.Problems) != 1 {
		t.Errorf("%d passed, %d failed, problems %v; want 2, 0 and one problem", report.Passed, report.Failed, report.Problems)
	}
	for _, rule := range report.Coverage.Rules {
		if strings.HasSuffix(rule.Rule, "/no-x") {
			t.Error("the coverage has a rule that a suite gave")
		}
	}
}

// The requester is the agent's first subject, as the API server knows it.
func TestRequesters(t *testing.T) {
	const rule = `
- kind: SmartRule
  metadata: {name: who}
  spec:
    effect: Deny
    reasonExpression: "requester.username + ' of ' + requester.groups.join(' ')"`
	for subject, want := range map[string]string{
		"{kind: User, name: bob}":                                   "bob of system:authenticated",
		"{kind: Group, name: bots}":                                 "group-member of bots system:authenticated",
		"{kind: ServiceAccount, name: app}":                         "system:serviceaccount:default:app of system:serviceaccounts system:serviceaccounts:default system:authenticated",
		"{kind: ServiceAccount, name: app, namespace: team-a}":      "system:serviceaccount:team-a:app of system:serviceaccounts system:serviceaccounts:team-a system:authenticated",
		"{kind: User, name: bob}, {kind: User, name: second}":       "bob of system:authenticated",
		"{kind: Group, name: bots}, {kind: User, name: first-user}": "group-member of bots system:authenticated",
	} {
		t.Run(subject, func(t *testing.T) {
			dir := write(t, map[string]string{"a.yaml": suiteOf("a", "policy: []\ngiven:\n- {kind: Agent, metadata: {name: a}, spec: {subjects: ["+subject+"]}}"+rule+
				"\ncases:\n- {name: who, action: {actionType: x}, expect: {message: \""+want+"\"}}")})
			if report := play(t, Options{}, dir); !report.OK() {
				t.Errorf("%v %+v", report.Problems, report.Suites)
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	suites, _, err := Load([]string{"testdata/suites/passing.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, suites, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want context.Canceled", err)
	}
}

// Expectations of workflows hold for those that approve by themselves, too,
// however they are chosen.
func TestWorkflowsThatAskNobody(t *testing.T) {
	report := play(t, Options{}, "testdata/choice")
	if report.OK() {
		return
	}
	var text strings.Builder
	if err := report.WriteText(&text, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Error(text.String())
}
