// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// Lookup finds what policy refers to.
type Lookup interface {
	// Workflow is what a reference from that namespace means: the namespace's
	// own workflow, otherwise the global one, nil where there is neither. known
	// is false where nobody can tell now.
	Workflow(namespace, name string) (found *approval.Workflow, known bool)
	// HasAgent says whether there is an agent, or nobody can tell now.
	HasAgent(namespace, name string) bool
}

// World is what an object is judged by beside itself.
type World struct {
	// Snapshot is the policy that the object is or will be part of. Required.
	Snapshot *decision.Snapshot
	// Lookup finds what an object refers to; nil looks in Snapshot alone.
	Lookup Lookup
	// Now tells what has ended.
	Now time.Time
	// CheckURL says why a subscription of that namespace may not name the URL;
	// nil when it may. Required for subscriptions; notify.CheckURL is the one.
	CheckURL func(url, namespace string) error

	// sorted are the rules of namespaces that were looked at before; nil keeps none.
	sorted map[string][]*rules.Rule
}

func (w *World) lookup() Lookup {
	if w.Lookup != nil {
		return w.Lookup
	}
	return Within(w.Snapshot)
}

// Within finds what is part of a snapshot, which for it is all there is.
func Within(snapshot *decision.Snapshot) Lookup { return within{snapshot} }

type within struct{ snapshot *decision.Snapshot }

func (w within) Workflow(namespace, name string) (found *approval.Workflow, known bool) {
	for _, at := range [...]string{namespace, v1alpha1.GlobalNamespace} {
		if found := w.snapshot.Namespace(at).Workflows.Get(name); found != nil {
			return found, true
		}
	}
	return nil, true
}

func (w within) HasAgent(namespace, name string) bool {
	return w.snapshot.Agent(namespace, name) != nil
}

// workflow is what a reference means; nil where there is none or nobody can
// tell. It warns of one that does not exist.
func (w *World) workflow(f *findings, path, namespace string, ref *v1alpha1.WorkflowReference) *approval.Workflow {
	if ref == nil {
		return nil
	}
	name := string(ref.Name)
	found, known := w.lookup().Workflow(namespace, name)
	if found != nil || !known {
		return found
	}
	where := "namespace " + namespace
	if namespace != v1alpha1.GlobalNamespace {
		where += " or " + v1alpha1.GlobalNamespace
	}
	f.add(MissingWorkflow, path, "there is no ApprovalWorkflow %s in %s; until there is, one person who holds the verb approve on that name has to agree",
		name, where)
	return nil
}

// rulesOf are the rules of the namespaces, each namespace once.
func (w *World) rulesOf(namespaces ...string) iter.Seq[*rules.Rule] {
	return func(yield func(*rules.Rule) bool) {
		for _, namespace := range slices.Compact(namespaces) {
			for _, rule := range w.rulesIn(namespace) {
				if !yield(rule) {
					return
				}
			}
		}
	}
}

// rulesIn are the rules of a namespace in the order of rules.Compare.
func (w *World) rulesIn(namespace string) []*rules.Rule {
	known, found := w.sorted[namespace]
	if !found {
		known = slices.Collect(w.Snapshot.Namespace(namespace).Rules.Rules())
	}
	if w.sorted != nil {
		w.sorted[namespace] = known
	}
	return known
}

// indexed is the path of an entry of a list.
func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
