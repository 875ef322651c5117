// SPDX-License-Identifier: Apache-2.0

package decision_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

var update = flag.Bool("update", false, "write the golden files anew")

// submitted is when every action of these tests was stored, a Wednesday.
var submitted = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// world is policy and one action, read from YAML.
type world struct {
	t          testing.TB
	model      *v1alpha1.RiskModelSpec
	rules      []*v1alpha1.SmartRule
	workflows  []*v1alpha1.ApprovalWorkflow
	agents     []*v1alpha1.Agent
	namespaces map[string]*rules.NamespaceObject
	action     *v1alpha1.AgentAction
}

// readWorld reads YAML documents, with the defaults that the schema would give.
func readWorld(tb testing.TB, text string) *world {
	tb.Helper()
	w := &world{t: tb, namespaces: map[string]*rules.NamespaceObject{}}
	docs := utilyaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
	buffer := make([]byte, 1<<20)
	for {
		n, err := docs.Read(buffer)
		if errors.Is(err, io.EOF) {
			return w
		}
		if err != nil {
			tb.Fatal(err)
		}
		if doc := bytes.TrimSpace(buffer[:n]); len(doc) > 0 {
			w.add(doc)
		}
	}
}

func (w *world) add(doc []byte) {
	w.t.Helper()
	var kind struct {
		Kind string `json:"kind"`
	}
	w.parse(doc, &kind)
	switch kind.Kind {
	case "Agent":
		object := &v1alpha1.Agent{Spec: v1alpha1.AgentSpec{State: v1alpha1.AgentActive, Environment: "sandbox", MaxRiskScore: "10.0"}}
		w.parse(doc, object)
		w.agents = append(w.agents, object)
	case "SmartRule":
		priority := int32(50)
		object := &v1alpha1.SmartRule{Spec: v1alpha1.SmartRuleSpec{
			Mode: v1alpha1.RuleEnforce, OnError: v1alpha1.OnErrorRequireApproval, Priority: &priority}}
		w.parse(doc, object)
		w.rules = append(w.rules, object)
	case "ApprovalWorkflow":
		object := &v1alpha1.ApprovalWorkflow{Spec: v1alpha1.ApprovalWorkflowSpec{OnTimeout: v1alpha1.OnTimeoutTimedOut}}
		w.parse(doc, object)
		w.workflows = append(w.workflows, object)
	case "RiskModel":
		object := &v1alpha1.RiskModel{}
		w.parse(doc, object)
		w.model = &object.Spec
	case "AgentAction":
		w.action = &v1alpha1.AgentAction{}
		w.parse(doc, w.action)
		w.action.CreationTimestamp.Time = submitted
	default:
		w.t.Fatalf("unknown kind %q", kind.Kind)
	}
}

func (w *world) parse(doc []byte, into any) {
	w.t.Helper()
	if err := yaml.UnmarshalStrict(doc, into, yaml.DisallowUnknownFields); err != nil && !strings.Contains(err.Error(), "unknown field") {
		w.t.Fatalf("%v in:\n%s", err, doc)
	}
}

var compiler = func() *rules.Compiler {
	c, err := rules.NewCompiler()
	if err != nil {
		panic(err)
	}
	return c
}()

// snapshot compiles the policy.
func (w *world) snapshot() *decision.Snapshot {
	model, _ := risk.Compile(w.model)
	snap := &decision.Snapshot{Model: model, Namespaces: map[string]*decision.Namespace{}}
	in := func(name string) *decision.Namespace {
		if snap.Namespaces[name] == nil {
			snap.Namespaces[name] = &decision.Namespace{Agents: map[string]*decision.Agent{}, Object: &rules.NamespaceObject{Name: name}}
		}
		return snap.Namespaces[name]
	}
	byNamespace := map[string][]*rules.Rule{}
	for _, r := range w.rules {
		byNamespace[r.Namespace] = append(byNamespace[r.Namespace], compiler.Compile(r))
	}
	for name, compiled := range byNamespace {
		in(name).Rules = rules.NewIndex(compiled)
	}
	for _, f := range w.workflows {
		in(f.Namespace).Workflows = in(f.Namespace).Workflows.With([]*approval.Workflow{approval.Compile(f)}, nil)
	}
	for _, a := range w.agents {
		in(a.Namespace).Agents[a.Name] = decision.NewAgent(a)
	}
	return snap
}

// decide makes the decision at a time after submission.
func (w *world) decide(after time.Duration) *decision.Outcome {
	w.t.Helper()
	requester := v1alpha1.Requester{}
	if r := w.action.Spec.Requester; r != nil {
		requester = *r
	}
	req, err := request.Read(w.action, requester, w.action.Spec.Approvals)
	if err != nil {
		return decision.Refuse(req, err)
	}
	outcome, err := decision.Decide(context.Background(), w.snapshot(), req, &w.action.Status, submitted.Add(after))
	if err != nil {
		w.t.Fatal(err)
	}
	return outcome
}

// TestScenarios decides about each action in testdata/scenarios and compares
// the whole outcome with the golden file beside it.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := yaml.Marshal(readWorld(t, string(text)).decide(time.Second))
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; write it with go test ./internal/decision -update", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the outcome differs from %s; if that is meant, run go test ./internal/decision -update\ngot:\n%s\nwant:\n%s", golden, got, want)
			}
		})
	}
}
