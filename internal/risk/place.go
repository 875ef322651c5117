// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// unknown is the value of a factor whose word is missing or not in the model.
const unknown = "unknown"

// production is what an Agent's environment is taken for when it is unknown.
const production = string(v1alpha1.EnvironmentProduction)

// towardsProduction are the environments that have an order.
var towardsProduction = [...]v1alpha1.Environment{
	v1alpha1.EnvironmentSandbox, v1alpha1.EnvironmentTest, v1alpha1.EnvironmentDevelopment,
	v1alpha1.EnvironmentStaging, v1alpha1.EnvironmentProduction,
}

// environments compiles the model's entries over the built-in ones. None scores
// lower than one that is further from production.
func (c *compiler) environments(path *field.Path, own, base []v1alpha1.EnvironmentRisk) {
	table := words{}
	for i := range own {
		c.add(table, path.Index(i), string(own[i].Name), own[i].Delta)
	}
	for i := range base {
		if _, given := table[string(base[i].Name)]; !given {
			c.add(table, path, string(base[i].Name), base[i].Delta)
		}
	}
	c.model.unknownPlace = table.settle(-MaxDelta)
	least := table[string(towardsProduction[0])]
	for _, name := range towardsProduction {
		least = table[string(name)].or(least)
		table[string(name)] = least
	}
	c.model.environments = table
	c.model.places = slices.Sorted(maps.Keys(table))
}

// scorePlace adds what the environment adds: the agent's own, unless the
// action claims one that scores higher.
func (m *Model) scorePlace(a *Assessment, req *request.Request, agents string) {
	best, known := m.environment(agents)
	factor := v1alpha1.RiskFactor{Name: "environment", Value: agents, Source: v1alpha1.SourceAgent}
	a.Environments = make([]string, 0, 2+len(req.Environments))
	if agents != "" {
		a.Environments = append(a.Environments, agents)
	}
	if !known {
		factor.Value = unknown
		factor.Note = notedEnvironment("the Agent's environment", agents)
		a.Environments = append(a.Environments, production)
	}
	for _, claim := range req.Environments {
		if !claim.Present {
			continue
		}
		w, known := m.environment(claim.Value)
		if claim.Value != "" {
			a.Environments = append(a.Environments, claim.Value)
		}
		if !known {
			a.Environments = append(a.Environments, "")
			a.Environments = append(a.Environments, m.places...)
		}
		if !w.above(best) {
			continue
		}
		best = w
		factor.Value, factor.Source, factor.Note = claim.Value, v1alpha1.SourceClaimed, "the Agent's is "+cutWord(agents)
		if !known {
			factor.Value = unknown
			factor.Note = notedEnvironment("the claimed environment", claim.Value)
		}
	}
	slices.Sort(a.Environments)
	a.Environments = slices.Compact(a.Environments)
	a.add(best, factor)
}

func (m *Model) environment(word string) (w weight, known bool) {
	if w, known = m.environments[word]; known {
		return w, true
	}
	return m.unknownPlace, false
}

func notedEnvironment(whose, word string) string {
	if word == "" {
		return whose + " is missing or cannot be read; scored as the most dangerous"
	}
	return whose + " " + quote(word) + " is not known; scored as the most dangerous"
}
