// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// wednesday is when the examples are submitted: a day with people at work.
var wednesday = time.Date(2026, time.March, 4, 10, 0, 0, 0, time.UTC)

const (
	starterPolicy = "config/starter-policy"
	strictPatch   = "config/starter-policy-strict/risk_medium.yaml"
)

// starterObjects are the documents of the starter policy.
func starterObjects(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.yaml", "rules/*.yaml", "workflows/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(root, starterPolicy, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s/%s: no files: %v", starterPolicy, pattern, err)
		}
		for _, file := range files {
			all = append(all, strings.Split(read(t, file), "\n---\n")...)
		}
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// starter is the starter policy, or its strict form.
func starter(t *testing.T, strict bool) *policy.Store {
	t.Helper()
	store, err := policy.NewStore()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range starterObjects(t) {
		object, err := decode(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		switch o := object.(type) {
		case *v1alpha1.SmartRule:
			o.Generation = 1
			store.SetRule(o)
		case *v1alpha1.ApprovalWorkflow:
			o.Generation = 1
			if strict && o.Name == "risk-medium" {
				o = patched(t, o)
			}
			store.SetWorkflow(o)
		case *v1alpha1.RiskModel:
			o.Generation = 1
			store.SetModel(o)
		}
	}
	return store
}

// patched is the workflow with the patch of the strict overlay.
func patched(t *testing.T, workflow *v1alpha1.ApprovalWorkflow) *v1alpha1.ApprovalWorkflow {
	t.Helper()
	before, err := yaml.Marshal(workflow)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := yaml.YAMLToJSON([]byte(read(t, filepath.Join(root, strictPatch))))
	if err != nil {
		t.Fatal(err)
	}
	if before, err = yaml.YAMLToJSON(before); err != nil {
		t.Fatal(err)
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		t.Fatal(err)
	}
	out := &v1alpha1.ApprovalWorkflow{}
	if err := yaml.UnmarshalStrict(after, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// agents counts the agents made, for each takes the place of the last.
var agents int

// decide makes the decision about an action of an agent that works there.
func decide(t *testing.T, store *policy.Store, action *v1alpha1.AgentAction, environment string) *decision.Outcome {
	t.Helper()
	agents++
	store.SetAgent(&v1alpha1.Agent{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: action.Namespace, Name: string(action.Spec.AgentRef.Name), UID: types.UID(strconv.Itoa(agents)),
		},
		Spec: v1alpha1.AgentSpec{
			Environment: v1alpha1.Environment(environment), State: v1alpha1.AgentActive,
			Subjects: []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Namespace: "default", Name: "tutorial-agent"}},
		},
	})
	action.CreationTimestamp = metav1.NewTime(wednesday)
	req, err := request.Read(action, v1alpha1.Requester{Username: "system:serviceaccount:default:tutorial-agent"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := decision.Decide(t.Context(), store.Snapshot(), req, nil, wednesday)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func actionOf(t *testing.T, text string) *v1alpha1.AgentAction {
	t.Helper()
	object, err := decode(text)
	action, isAction := object.(*v1alpha1.AgentAction)
	if err != nil || !isAction {
		t.Fatalf("no AgentAction: %v\n%s", err, text)
	}
	return action
}

// The worked examples add up as the code does it.
func TestWorkedExamples(t *testing.T) {
	normal, strict := starter(t, false), starter(t, true)
	examples := readPage(t, "docs/scoring.md").marks("example")
	if len(examples) < 5 {
		t.Fatalf("%d worked examples, want one for each fixed point", len(examples))
	}
	for _, m := range examples {
		options := map[string]string{}
		for option := range strings.FieldsSeq(m.text) {
			key, value, _ := strings.Cut(option, "=")
			options[key] = value
		}
		action := actionOf(t, m.block(t, "yaml"))
		got := decide(t, normal, action, options["environment"])
		want := []string{row("base", got.Risk.CVSSVector, "model", string(got.Risk.CVSSBaseScore))}
		for _, f := range got.Risk.Factors {
			want = append(want, row(f.Name, f.Value, string(f.Source), string(f.Delta)))
		}
		strictly := decide(t, strict, action, options["environment"])
		want = append(want,
			row("score", string(got.Risk.Level), "", string(got.Risk.Score)),
			row("decision", string(got.Decision), "strict: "+string(strictly.Decision), ""))
		var shown []string
		for _, cells := range m.table(t) {
			for i := range cells {
				cells[i] = code(cells[i])
			}
			shown = append(shown, row(cells...))
		}
		if s, w := strings.Join(shown, "\n"), strings.Join(want, "\n"); s != w {
			t.Errorf("%s:%d, %s: the table says\n%s\nthe code says\n%s", m.page.path, m.line+1, action.Name, s, w)
		}
		if rule := options["rule"]; rule != "" && (got.DecidingRule == nil || string(got.DecidingRule.Name) != rule) {
			t.Errorf("%s: decided by %v, want %s", action.Name, got.DecidingRule, rule)
		}
	}
}

func row(cells ...string) string { return strings.Join(cells, " | ") }

// The table of the samples in both places.
func TestMatrix(t *testing.T) {
	store := starter(t, false)
	for _, cells := range readPage(t, "docs/scoring.md").only(t, "matrix", "").table(t) {
		for i, environment := range []string{"sandbox", "production"} {
			action := actionOf(t, read(t, filepath.Join(root, "config", "samples", cells[0]+".yaml")))
			got := decide(t, store, action, environment)
			if said := fmt.Sprintf("%s %s, %s", got.Risk.Score, got.Risk.Level, got.Decision); said != cells[1+i] {
				t.Errorf("%s in %s: the page says %q, the code %q", cells[0], environment, cells[1+i], said)
			}
		}
	}
}

// What claims do to a score.
func TestClaims(t *testing.T) {
	store := starter(t, false)
	for _, m := range readPage(t, "docs/scoring.md").marks("claims") {
		for _, cells := range m.table(t) {
			action := actionOf(t, fmt.Sprintf("apiVersion: %s\nkind: AgentAction\nmetadata: {name: a, namespace: default}\n"+
				"spec: {agentRef: {name: a}, actionType: %s, parameters: %s}\n", v1alpha1.GroupVersion, m.text, code(cells[0])))
			if got := decide(t, store, action, "sandbox"); string(got.Risk.Score) != cells[1] {
				t.Errorf("%s: the page says %s, the code %s: %+v", cells[0], cells[1], got.Risk.Score, got.Risk.Factors)
			}
		}
	}
}

// The tables of the built-in model have every number of it, and no other.
func TestBuiltInNumbers(t *testing.T) {
	page, model := readPage(t, "docs/scoring.md"), risk.BuiltIn()
	want := map[string]bool{}
	for _, a := range model.ActionTypes {
		want[row("actionTypes", string(a.Pattern), string(a.CVSSVector), base(t, a.Pattern))] = true
	}
	for _, d := range model.DataClassifications {
		want[row("dataClassifications", string(d.Name), string(d.Delta))] = true
	}
	for _, e := range model.Environments {
		want[row("environments", string(e.Name), string(e.Delta))] = true
	}
	for _, b := range model.BlastRadius {
		want[row("blastRadius", b.Parameter, strconv.FormatInt(b.Above, 10), string(b.Delta))] = true
	}
	shown := map[string]bool{}
	for _, m := range page.marks("built-in") {
		for _, cells := range m.table(t) {
			switch m.text {
			case "actionTypes":
				for name := range strings.FieldsSeq(cells[2]) {
					shown[row(m.text, code(name), "CVSS:3.1/"+code(cells[1]), cells[0])] = true
				}
			case "blastRadius":
				shown[row(m.text, code(cells[0]), cells[1], cells[2])] = true
			default:
				shown[row(m.text, code(cells[0]), cells[1])] = true
			}
		}
	}
	for number := range want {
		if !shown[number] {
			t.Errorf("docs/scoring.md does not say: %s", number)
		}
	}
	for number := range shown {
		if !want[number] {
			t.Errorf("docs/scoring.md says, and the code does not: %s", number)
		}
	}
	text := strings.Join(page.lines, "\n")
	for _, b := range model.BlastRadius {
		for _, glob := range b.ActionTypes {
			if !strings.Contains(text, "`"+string(glob)+"`") {
				t.Errorf("docs/scoring.md does not name %s, a type with %s", glob, b.Parameter)
			}
		}
	}
}

// base is the base score that the built-in model gives to a type.
func base(t *testing.T, pattern v1alpha1.Glob) string {
	t.Helper()
	model, err := risk.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(string(pattern), "*", "nothing-known")
	return model.Assess(&request.Request{ActionType: name}, "sandbox").Base.String()
}
