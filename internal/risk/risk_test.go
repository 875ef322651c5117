// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// submitted is a Wednesday, 10:30 UTC.
var submitted = time.Date(2026, 3, 11, 10, 30, 0, 0, time.UTC)

// action is an action in short.
type action struct {
	Type       string         `json:"type"`
	Resource   string         `json:"resource,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Context    map[string]any `json:"context,omitempty"`
}

// object makes JSON objects readable in tables.
type object = map[string]any

// read takes an action the way that the controller takes: through request.Read.
func read(tb testing.TB, a action) *request.Request {
	tb.Helper()
	return readAt(tb, a, submitted)
}

func readAt(tb testing.TB, a action, at time.Time) *request.Request {
	tb.Helper()
	stored := &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-1", CreationTimestamp: metav1.NewTime(at)},
		Spec: v1alpha1.AgentActionSpec{
			AgentRef: v1alpha1.LocalReference{Name: "tutorial-agent"}, ActionType: a.Type, Resource: a.Resource,
			Parameters: raw(tb, a.Parameters), Context: raw(tb, a.Context),
		},
	}
	req, err := request.Read(stored, v1alpha1.Requester{}, nil)
	if err != nil {
		tb.Fatalf("read the action: %v", err)
	}
	return req
}

func raw(tb testing.TB, value map[string]any) *runtime.RawExtension {
	tb.Helper()
	if value == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		tb.Fatalf("marshal: %v", err)
	}
	return &runtime.RawExtension{Raw: text}
}

// compile compiles a model that has to be right.
func compile(tb testing.TB, spec *v1alpha1.RiskModelSpec) *risk.Model {
	tb.Helper()
	model, err := risk.Compile(spec)
	if err != nil {
		tb.Fatalf("compile the model: %v", err)
	}
	return model
}

// broken compiles a model that must not be right and returns what is said.
func broken(tb testing.TB, spec *v1alpha1.RiskModelSpec) (model *risk.Model, message string) {
	tb.Helper()
	model, err := risk.Compile(spec)
	if err == nil {
		tb.Fatal("the model compiled, but it is broken")
	}
	return model, err.Error()
}

// factor returns the factors of a name, which must be exactly one.
func factor(tb testing.TB, a *risk.Assessment, name string) v1alpha1.RiskFactor {
	tb.Helper()
	var found []v1alpha1.RiskFactor
	for _, f := range a.Factors {
		if f.Name == name {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		tb.Fatalf("%d factors %s, want one, in %+v", len(found), name, a.Factors)
	}
	return found[0]
}

// addsUp holds the promise that base and deltas make the score.
func addsUp(tb rapidT, base risk.Score, factors []v1alpha1.RiskFactor, score risk.Score) {
	tb.Helper()
	sum := risk.Delta(base)
	for _, f := range factors {
		delta, err := risk.ParseDelta(f.Delta)
		if err != nil {
			tb.Fatalf("factor %s: %v", f.Name, err)
		}
		sum += delta
		if len([]rune(f.Value)) > 512 || len([]rune(f.Note)) > 512 || f.Name == "" || f.Source == "" {
			tb.Fatalf("factor %+v is not as the schema has it", f)
		}
	}
	if sum != risk.Delta(score) {
		tb.Fatalf("base %s and %v make %s, but the score is %s", base, factors, sum, score)
	}
	if score < risk.MinScore || score > risk.MaxScore {
		tb.Fatalf("score %s", score)
	}
}

// rapidT is what *testing.T and *rapid.T have in common.
type rapidT interface {
	Helper()
	Fatalf(format string, args ...any)
}
