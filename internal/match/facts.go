// SPDX-License-Identifier: Apache-2.0

package match

import (
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Sense says which way doubt counts when a selector is held against Facts.
type Sense int

const (
	// Restricting selectors (Deny, RequireApproval, a raised score, a workflow
	// with stages) cover everything that cannot be excluded. The zero Sense.
	Restricting Sense = iota
	// Relaxing selectors (Allow, a lowered score, a workflow that approves by
	// itself) cover only what is certain.
	Relaxing
)

// Facts are what is known of an action when selectors are held against it. All
// words are folded by Fold.
type Facts struct {
	// ActionType of the action.
	ActionType string
	// Agent is the name of the Agent.
	Agent string
	// AgentLabels are the Agent's labels.
	AgentLabels map[string]string
	// Environments are the Agent's own and those the action claims. An empty
	// word stands for one that cannot be read.
	Environments []string
	// Classifications are all that the action claims and that the catalog knows.
	Classifications []string
	// ClassificationUnknown says that the action may touch data of other
	// classifications too.
	ClassificationUnknown bool
	// Resources are all resources the action names.
	Resources []string
	// ResourceUnknown says that the action may touch other resources too.
	ResourceUnknown bool
}

// CoversAction says whether any of the globs covers the action type. No globs cover all.
func (f *Facts) CoversAction(globs Globs) bool {
	return globs == nil || globs.Match(f.ActionType)
}

// CoversAgent says whether the selector covers the agent.
func (f *Facts) CoversAgent(selector Agent) bool {
	return selector.Match(f.Agent, f.AgentLabels)
}

// CoversResources says whether the globs cover the resources. No globs cover
// all. Restricting: any resource that is named, or any at all where others
// cannot be excluded. Relaxing: every resource, and there is no other.
func (f *Facts) CoversResources(globs Globs, sense Sense) bool {
	switch {
	case globs == nil:
		return true
	case sense == Restricting:
		return f.ResourceUnknown || globs.MatchAny(f.Resources)
	default:
		return !f.ResourceUnknown && globs.MatchAll(f.Resources)
	}
}

// CoversClassifications says whether the folded words cover the data
// classifications. No words cover all. Restricting: any classification known or
// claimed, or any at all where others cannot be excluded. Relaxing: every one,
// and there is no other.
func (f *Facts) CoversClassifications(words []string, sense Sense) bool {
	switch {
	case len(words) == 0:
		return true
	case sense == Restricting:
		return f.ClassificationUnknown || containsAny(words, f.Classifications)
	default:
		return !f.ClassificationUnknown && containsAll(words, f.Classifications)
	}
}

// CoversEnvironments says whether the folded words cover the environments. No
// words cover all. Restricting: any environment, where one that cannot be read
// may be any, and a word nobody knows may be production, as it is scored.
// Relaxing: every environment, by its own word.
func (f *Facts) CoversEnvironments(words []string, sense Sense) bool {
	if len(words) == 0 {
		return true
	}
	if sense != Restricting {
		return containsAll(words, f.Environments)
	}
	if len(f.Environments) == 0 || containsAny(words, f.Environments) {
		return true
	}
	for _, environment := range f.Environments {
		if environment == "" {
			return true
		}
		if !knownEnvironment(environment) && slices.Contains(words, string(v1alpha1.EnvironmentProduction)) {
			return true
		}
	}
	return false
}

func knownEnvironment(word string) bool {
	switch v1alpha1.Environment(word) {
	case v1alpha1.EnvironmentProduction, v1alpha1.EnvironmentStaging, v1alpha1.EnvironmentDevelopment,
		v1alpha1.EnvironmentTest, v1alpha1.EnvironmentSandbox:
		return true
	default:
		return false
	}
}

func containsAny(words, facts []string) bool {
	for _, fact := range facts {
		if slices.Contains(words, fact) {
			return true
		}
	}
	return false
}

// containsAll says whether there are facts and each is among the words.
func containsAll(words, facts []string) bool {
	for _, fact := range facts {
		if !slices.Contains(words, fact) {
			return false
		}
	}
	return len(facts) > 0
}
