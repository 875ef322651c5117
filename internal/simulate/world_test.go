// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// submitted is when the first action of these tests was stored, a Wednesday.
var submitted = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// compile makes policy of YAML documents, with the defaults of the schema.
func compile(tb testing.TB, texts ...string) *decision.Snapshot {
	tb.Helper()
	store, err := policy.NewStore()
	if err != nil {
		tb.Fatal(err)
	}
	generation := int64(0)
	for _, text := range texts {
		documents := utilyaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
		buffer := make([]byte, 1<<20)
		for {
			generation++ // so that what comes later replaces what came before
			n, err := documents.Read(buffer)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				tb.Fatal(err)
			}
			if document := bytes.TrimSpace(buffer[:n]); len(document) > 0 {
				set(tb, store, generation, document)
			}
		}
	}
	return store.Snapshot()
}

func set(tb testing.TB, store *policy.Store, generation int64, document []byte) {
	tb.Helper()
	var kind metav1.TypeMeta
	parse(tb, document, &kind)
	switch kind.Kind {
	case "": // comments
	case "Agent":
		object := &v1alpha1.Agent{Spec: v1alpha1.AgentSpec{State: v1alpha1.AgentActive, Environment: "production", MaxRiskScore: "10.0"}}
		parse(tb, document, object)
		object.Generation = generation
		store.SetAgent(object)
	case "SmartRule":
		priority := int32(50)
		object := &v1alpha1.SmartRule{Spec: v1alpha1.SmartRuleSpec{
			Mode: v1alpha1.RuleEnforce, OnError: v1alpha1.OnErrorRequireApproval, Priority: &priority}}
		parse(tb, document, object)
		object.Generation = generation
		store.SetRule(object)
	case "ApprovalWorkflow":
		object := &v1alpha1.ApprovalWorkflow{Spec: v1alpha1.ApprovalWorkflowSpec{OnTimeout: v1alpha1.OnTimeoutTimedOut}}
		parse(tb, document, object)
		object.Generation = generation
		store.SetWorkflow(object)
	case "RiskModel":
		object := &v1alpha1.RiskModel{}
		parse(tb, document, object)
		object.Generation = generation
		store.SetModel(object)
	default:
		tb.Fatalf("unknown kind %q", kind.Kind)
	}
}

func parse(tb testing.TB, document []byte, into any) {
	tb.Helper()
	if err := yaml.Unmarshal(document, into); err != nil {
		tb.Fatalf("%v in:\n%s", err, document)
	}
}

// starterPolicy is config/starter-policy.
func starterPolicy(tb testing.TB) []string {
	tb.Helper()
	var texts []string
	for _, pattern := range []string{"risk_model.yaml", "rules/*.yaml", "workflows/*.yaml"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "config", "starter-policy", pattern))
		if err != nil || len(files) == 0 {
			tb.Fatalf("no files %s in the starter policy: %v", pattern, err)
		}
		for _, file := range files {
			if filepath.Base(file) == "kustomization.yaml" {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			texts = append(texts, string(text))
		}
	}
	return texts
}

// bot is an Agent in sandbox, in whose name its ServiceAccount may submit.
const bot = `
kind: Agent
metadata: {namespace: shop, name: bot, labels: {tier: gold}}
spec:
  environment: sandbox
  owner: carol
  subjects: [{kind: ServiceAccount, name: bot}]
  maxRiskScore: "9.0"
`

// base approves up to 7.0, and lets people look at what is above.
const base = `
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: auto}
spec: {selector: {maxRiskScore: "6.9"}, autoApprove: true}
---
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: high}
spec:
  selector: {minRiskScore: "7.0"}
  priority: 10
  stages: [{name: look, required: 1, approvers: {groups: [guards]}}]
`
