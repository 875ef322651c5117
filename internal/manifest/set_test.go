// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"testing"

	"github.com/ow-kai/ascend-operator/internal/manifest"
)

func TestOver(t *testing.T) {
	agent := "{apiVersion: governance.ascendowkai.com/v1alpha1, kind: Agent, metadata: {name: a}, spec: {}}\n"
	top, _ := text(t, rule("one", ", priority: 1"))
	base, _ := text(t, rule("one", ", priority: 2")+"---\n"+rule("two", "")+"---\n"+agent)
	if got, want := names(manifest.Over(top, base)), "SmartRule default/one, Agent default/a"; got != want {
		t.Errorf("Over: got %s, want %s", got, want)
	}
	overlaid := manifest.Overlay(top, base)
	if got, want := names(overlaid), "SmartRule default/one, SmartRule default/two, Agent default/a"; got != want {
		t.Errorf("Overlay: got %s, want %s", got, want)
	}
	if p := overlaid.Rules()[0].Spec.Priority; p == nil || *p != 1 {
		t.Errorf("Overlay: priority %v, want that of the top", p)
	}
	if len(top.Objects) != 1 || len(base.Objects) != 3 {
		t.Error("the sets that were given have changed")
	}
}

// The store has everything that a cluster would have.
func TestStore(t *testing.T) {
	set, _ := load(t, manifest.Options{}, "../../config/starter-policy")
	more, problems := text(t, rule("good", "")+"---\n"+rule("bad", ", priority: 1000")+"---\n"+
		"{apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {tier: gold}}}\n---\n"+
		"{apiVersion: governance.ascendowkai.com/v1alpha1, kind: Agent, metadata: {name: a}, spec: {}}\n")
	expect(t, problems, "priority")
	store, err := manifest.Overlay(more, set).Store()
	if err != nil {
		t.Fatal(err)
	}
	rules := more.Rules()
	if _, known := store.Rule(rules[0]); !known || rules[0].Generation != 1 {
		t.Errorf("the good rule is known: %t, generation %d", known, rules[0].Generation)
	}
	if _, known := store.Rule(rules[1]); known {
		t.Error("a rule that the API server refuses is in the store")
	}
	for _, workflow := range set.Workflows() {
		if _, known := store.Workflow(workflow); !known {
			t.Errorf("workflow %s is not in the store", workflow.Name)
		}
	}
	if _, known := store.Model(set.RiskModels()[0]); !known {
		t.Error("the risk model is not in the store")
	}
	snapshot := store.Snapshot()
	if snapshot.Agent("default", "a") == nil || snapshot.Namespace("default").Object.Labels["tier"] != "gold" {
		t.Error("agent or namespace is not in the store")
	}
}
