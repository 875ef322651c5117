// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// counting returns a store and the number of rules it has compiled.
func counting(tb testing.TB) (*Store, *atomic.Int64) {
	tb.Helper()
	store, err := NewStore()
	if err != nil {
		tb.Fatal(err)
	}
	compiled := &atomic.Int64{}
	compile := store.compile
	store.compile = func(rule *v1alpha1.SmartRule) *rules.Rule {
		compiled.Add(1)
		return compile(rule)
	}
	return store, compiled
}

func meta(namespace, name string, uid types.UID, generation int64) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uid, Generation: generation}
}

func rule(namespace, name string, uid types.UID, generation int64, reason string) *v1alpha1.SmartRule {
	return &v1alpha1.SmartRule{ObjectMeta: meta(namespace, name, uid, generation), Spec: v1alpha1.SmartRuleSpec{
		Mode:       v1alpha1.RuleEnforce,
		Effect:     v1alpha1.EffectDeny,
		OnError:    v1alpha1.OnErrorRequireApproval,
		Reason:     reason,
		Match:      v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"database_*"}},
		Conditions: []v1alpha1.RuleCondition{{Name: "bulk", Expression: "action.parameters.affected_rows > 100"}},
	}}
}

func workflow(namespace, name string, uid types.UID, generation int64) *v1alpha1.ApprovalWorkflow {
	return &v1alpha1.ApprovalWorkflow{ObjectMeta: meta(namespace, name, uid, generation),
		Spec: v1alpha1.ApprovalWorkflowSpec{Selector: &v1alpha1.WorkflowSelector{}, AutoApprove: true}}
}

func agent(namespace, name string, uid types.UID, generation int64, state v1alpha1.AgentState) *v1alpha1.Agent {
	return &v1alpha1.Agent{ObjectMeta: meta(namespace, name, uid, generation), Spec: v1alpha1.AgentSpec{State: state}}
}

func namespace(name string, labels map[string]string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

// reasonOf is the reason of a rule in the snapshot; "" when there is no such rule.
func reasonOf(snapshot *decision.Snapshot, namespace, name string) string {
	r, found := snapshot.Namespace(namespace).Rules.Get(rules.Key{Namespace: namespace, Name: name})
	if !found {
		return ""
	}
	return r.Spec().Reason
}

func TestARuleCompilesOnceAGeneration(t *testing.T) {
	t.Parallel()
	store, compiled := counting(t)
	for range 3 { // a resync brings everything again
		store.SetRule(rule("default", "a", "1", 1, "first"))
		store.SetRule(rule("default", "b", "2", 1, "other"))
	}
	if n := compiled.Load(); n != 2 {
		t.Errorf("two rules were compiled %d times", n)
	}
	store.SetRule(rule("default", "a", "1", 2, "second"))
	if n := compiled.Load(); n != 3 {
		t.Errorf("one edit compiled %d rules", n-2)
	}
	if got := reasonOf(store.Snapshot(), "default", "a"); got != "second" {
		t.Errorf("the snapshot has %q", got)
	}
}

func TestWhatComesLateDoesNotCount(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	store.SetRule(rule("default", "a", "1", 5, "new"))
	store.SetRule(rule("default", "a", "1", 4, "old"))
	if got := reasonOf(store.Snapshot(), "default", "a"); got != "new" {
		t.Errorf("an older generation came later, and the snapshot has %q", got)
	}
}

func TestARecreatedObjectIsAnother(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	old, recreated := rule("default", "a", "old", 7, "old"), rule("default", "a", "new", 1, "new")
	store.SetRule(old)
	store.SetRule(recreated) // generation 1 again
	store.RemoveRule(old)    // and now the watch tells that the old one went
	if got := reasonOf(store.Snapshot(), "default", "a"); got != "new" {
		t.Errorf("the snapshot has %q", got)
	}
	if _, ok := store.Rule(old); ok {
		t.Error("the store answers for an object that is gone")
	}
	if _, ok := store.Rule(recreated); !ok {
		t.Error("the store does not answer for the object it has")
	}
	if _, ok := store.Rule(rule("default", "a", "new", 2, "")); ok {
		t.Error("the store answers for a generation it has not seen")
	}
	store.RemoveRule(recreated)
	if got := reasonOf(store.Snapshot(), "default", "a"); got != "" {
		t.Errorf("removed, and the snapshot has %q", got)
	}
}

func TestWorkflowsAndModelsFollowTheSameRules(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	old, recreated := workflow("default", "w", "old", 3), workflow("default", "w", "new", 1)
	store.SetWorkflow(old)
	store.SetWorkflow(recreated)
	store.RemoveWorkflow(old)
	if store.Snapshot().Namespace("default").Workflows.Get("w") == nil {
		t.Error("the recreated workflow went with the old one")
	}
	if _, ok := store.Workflow(old); ok {
		t.Error("the store answers for a workflow that is gone")
	}
	store.RemoveWorkflow(recreated)
	if store.Snapshot().Namespace("default").Workflows.Get("w") != nil {
		t.Error("the workflow stays after it was removed")
	}

	builtIn := store.Snapshot().Model.Revision()
	model := func(name string, uid types.UID, generation int64) *v1alpha1.RiskModel {
		return &v1alpha1.RiskModel{ObjectMeta: meta("", name, uid, generation), Spec: v1alpha1.RiskModelSpec{
			DataClassifications: []v1alpha1.DataClassificationRisk{{Name: "pii", Delta: "+3.0"}}}}
	}
	store.SetModel(model("other", "1", 1))
	if store.Snapshot().Model.Revision() != builtIn {
		t.Error("a model that is not named default is used")
	}
	first := model(v1alpha1.DefaultRiskModelName, "2", 2)
	store.SetModel(first)
	store.SetModel(model(v1alpha1.DefaultRiskModelName, "2", 1))
	if store.Snapshot().Model.Revision() == builtIn {
		t.Error("the model named default is not used")
	}
	if _, ok := store.Model(first); !ok {
		t.Error("the store does not answer for the model it has")
	}
	store.RemoveModel(model(v1alpha1.DefaultRiskModelName, "another", 1))
	if store.Snapshot().Model.Revision() == builtIn {
		t.Error("the model went with another of its name")
	}
	store.RemoveModel(first)
	if store.Snapshot().Model.Revision() != builtIn {
		t.Error("without a model the built-in one is not used")
	}
}

func TestAnAgentsStatusIsNoNews(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	store.SetAgent(agent("default", "a", "1", 1, v1alpha1.AgentActive))
	before := store.Snapshot()
	store.Changes().Take()

	counted := agent("default", "a", "1", 1, v1alpha1.AgentActive)
	counted.Status.Actions.Approved, counted.ResourceVersion = 17, "18"
	store.SetAgent(counted)
	if store.Snapshot() != before || len(store.Changes().Take()) > 0 {
		t.Error("a change of an agent's status makes a new snapshot")
	}
	for name, change := range map[string]func(*v1alpha1.Agent){
		"suspended":  func(a *v1alpha1.Agent) { a.Generation, a.Spec.State = 2, v1alpha1.AgentSuspended },
		"labelled":   func(a *v1alpha1.Agent) { a.Labels = map[string]string{"team": "data"} },
		"annotated":  func(a *v1alpha1.Agent) { a.Annotations = map[string]string{"note": "x"} },
		"recreated":  func(a *v1alpha1.Agent) { a.UID = "2" },
		"edited too": func(a *v1alpha1.Agent) { a.UID, a.Generation = "2", 9 },
	} {
		next := agent("default", "a", "1", 1, v1alpha1.AgentActive)
		change(next)
		store.SetAgent(next)
		if got := store.Snapshot().Agent("default", "a").Object(); got != next {
			t.Errorf("%s: the snapshot has the agent of before", name)
		}
		if scopes := store.Changes().Take(); !slices.Equal(scopes, []Scope{{"default", "a"}}) {
			t.Errorf("%s: scopes %v", name, scopes)
		}
		store.SetAgent(agent("default", "a", types.UID(name), 1, v1alpha1.AgentActive)) // back
		store.Snapshot()
		store.Changes().Take()
	}
}

func TestAnAgentRecreatedBeforeTheSnapshotStays(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	old, recreated := agent("default", "a", "old", 1, v1alpha1.AgentActive), agent("default", "a", "new", 1, v1alpha1.AgentActive)
	store.SetAgent(old)
	store.SetAgent(recreated)
	store.RemoveAgent(old)
	if got := store.Snapshot().Agent("default", "a"); got == nil || got.Object() != recreated {
		t.Errorf("the snapshot has %v", got)
	}
	store.RemoveAgent(recreated)
	store.RemoveAgent(recreated)
	if store.Snapshot().Agent("default", "a") != nil {
		t.Error("the agent stays after it was removed")
	}
}

func TestNothingIsKeptOfNamespacesThatAreGone(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	gone := namespace("team-a", map[string]string{"tier": "gold"})
	store.SetNamespace(gone)
	store.SetRule(rule("team-a", "a", "1", 1, "r"))
	store.SetAgent(agent("team-a", "a", "2", 1, v1alpha1.AgentActive))
	if got := store.Snapshot().Namespace("team-a").Object; got == nil || got.Labels["tier"] != "gold" {
		t.Fatalf("the namespace is %v", got)
	}
	store.RemoveNamespace(gone)
	if len(store.Snapshot().Namespaces) != 1 || store.Snapshot().Namespace("team-a").Object != nil {
		t.Error("the policy of a namespace went before its objects")
	}
	store.RemoveRule(rule("team-a", "a", "1", 1, "r"))
	store.RemoveAgent(agent("team-a", "a", "2", 1, v1alpha1.AgentActive))
	if n := len(store.Snapshot().Namespaces); n != 0 {
		t.Errorf("%d namespaces are kept", n)
	}
}

func TestSnapshotsNeverChange(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	store.SetRule(rule("default", "a", "1", 1, "first"))
	store.SetAgent(agent("default", "a", "1", 1, v1alpha1.AgentActive))
	old := store.Snapshot()
	if store.Snapshot() != old {
		t.Error("nothing has changed, and the snapshot is another")
	}
	store.SetRule(rule("default", "a", "1", 2, "second"))
	store.SetRule(rule("default", "b", "2", 1, "b"))
	store.SetAgent(agent("default", "a", "1", 2, v1alpha1.AgentSuspended))
	store.SetWorkflow(workflow("default", "w", "3", 1))
	store.Snapshot()
	if reasonOf(old, "default", "a") != "first" || reasonOf(old, "default", "b") != "" ||
		old.Agent("default", "a").Object().Spec.State != v1alpha1.AgentActive || old.Namespace("default").Workflows.Get("w") != nil {
		t.Error("edits reached a snapshot that had been handed out")
	}
}
