// SPDX-License-Identifier: Apache-2.0

package match

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Agent is a compiled v1alpha1.AgentMatch. The zero Agent matches every agent.
type Agent struct {
	names    Globs
	selector labels.Selector
}

// NewAgent compiles an AgentMatch; nil matches every agent. It fails where the
// label selector is not valid.
func NewAgent(m *v1alpha1.AgentMatch) (Agent, error) {
	if m == nil {
		return Agent{}, nil
	}
	out := Agent{names: NewGlobs(m.Names)}
	if m.Selector != nil {
		selector, err := metav1.LabelSelectorAsSelector(m.Selector)
		if err != nil {
			return Agent{}, err
		}
		out.selector = selector
	}
	return out, nil
}

// Names are the globs over agent names; nil when any name will do.
func (a Agent) Names() Globs { return a.names }

// Match says whether the agent of that folded name and these labels is selected.
func (a Agent) Match(name string, set map[string]string) bool {
	if a.names != nil && !a.names.Match(name) {
		return false
	}
	return a.selector == nil || a.selector.Matches(labels.Set(set))
}
