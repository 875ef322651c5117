// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"maps"
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// survey is a World with what is found out about the whole of it once.
type survey struct {
	*World
	// namespaces that have policy, sorted.
	namespaces []string
	// allows says that some rule may spare a namespace's own workflow.
	allows bool
	// named are the workflows that a rule or an agent names.
	named map[approval.Key]bool
	// agents by namespace, by name, without those that are retired.
	agents map[string][]agent
	// crew are all agents, by namespace and name.
	crew []agent
	// overlaps are the pairs of workflows that are told of, each in order.
	overlaps map[[2]approval.Key]bool
}

func newSurvey(world *World) *survey {
	own := *world // which keeps what it has sorted
	own.sorted = map[string][]*rules.Rule{}
	s := &survey{
		World:      &own,
		namespaces: slices.Sorted(maps.Keys(world.Snapshot.Namespaces)),
		named:      map[approval.Key]bool{},
		agents:     map[string][]agent{},
		overlaps:   map[[2]approval.Key]bool{},
	}
	for _, namespace := range s.namespaces {
		ns := world.Snapshot.Namespace(namespace)
		for _, rule := range s.rulesIn(namespace) {
			s.allows = s.allows || rule.Spec().Effect == v1alpha1.EffectAllow && rule.Mode() == v1alpha1.RuleEnforce
			for _, name := range rule.WorkflowNames() {
				s.name(namespace, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(ns.Agents)) {
			object := ns.Agents[name].Object()
			if ref := object.Spec.WorkflowRef; ref != nil {
				s.name(namespace, string(ref.Name))
			}
			if object.Spec.State != v1alpha1.AgentRetired {
				s.agents[namespace] = append(s.agents[namespace], newAgent(object))
			}
		}
		s.crew = append(s.crew, s.agents[namespace]...)
	}
	return s
}

// name notes that something in a namespace names a workflow.
func (s *survey) name(namespace, name string) {
	if found, _ := Within(s.Snapshot).Workflow(namespace, name); found != nil {
		s.named[found.Key()] = true
	}
}

// agentsOf are the agents whose actions policy of that namespace sees: none
// where they are not known.
func (s *survey) agentsOf(namespace string) []agent {
	if namespace == v1alpha1.GlobalNamespace {
		return s.crew
	}
	return s.agents[namespace]
}

// agent is an Agent as far as it bounds what it may ask for.
type agent struct {
	namespace   string
	name        string
	labels      map[string]string
	environment string
	types       match.Globs // nil: all
	allowed     match.Globs // nil: all
	blocked     match.Globs // nil: none
	most        risk.Score
	hasWorkflow bool
}

func newAgent(object *v1alpha1.Agent) agent {
	spec := &object.Spec
	out := agent{
		namespace:   object.Namespace,
		name:        match.Fold(object.Name),
		labels:      object.Labels,
		environment: match.Fold(string(spec.Environment)),
		types:       match.NewGlobs(spec.AllowedActionTypes),
		allowed:     match.NewGlobs(spec.AllowedResources),
		blocked:     match.NewGlobs(spec.BlockedResources),
		most:        risk.MaxScore,
		hasWorkflow: spec.WorkflowRef != nil,
	}
	if out.environment == "" {
		out.environment = string(v1alpha1.EnvironmentProduction) // as it is scored
	}
	if limit, err := risk.ParseScore(spec.MaxRiskScore); err == nil {
		out.most = limit
	}
	return out
}

// obstacle is why no action of an agent is covered.
type obstacle int

const (
	noObstacle obstacle = iota
	byAgent
	byType
	byEnvironment
	byResource
	byScore
)

// scope is what a rule or a selector covers, as far as agents are bounded by it.
type scope struct {
	agent     match.Agent
	types     match.Globs // nil: all
	resources match.Globs // nil: all
	// places, folded; empty: all. Only what is certain counts where sure is set:
	// otherwise an action can claim any.
	places []string
	sure   bool
	// least score that is covered and of use: an action above the agent's own
	// limit is denied.
	least risk.Score
}

// obstacle says why the scope certainly covers no action of the agent that is
// not denied before.
func (s *scope) obstacle(a *agent) obstacle {
	switch {
	case !s.agent.Match(a.name, a.labels):
		return byAgent
	case disjoint(s.types, a.types):
		return byType
	case s.sure && len(s.places) > 0 && !slices.Contains(s.places, a.environment):
		return byEnvironment
	case s.resources != nil && !s.reaches(a):
		return byResource
	case s.least > a.most:
		return byScore
	default:
		return noObstacle
	}
}

// reaches says whether the agent may name a resource of the scope, or may leave
// open what it touches.
func (s *scope) reaches(a *agent) bool {
	if !s.sure && a.allowed == nil {
		return true // an action that names no resource may touch any
	}
	return !disjoint(s.resources, a.allowed) && (a.blocked == nil || !a.blocked.Contains(s.resources))
}

// nobody is why the scope covers no action of any of the agents; noObstacle
// where it may. common is false where it is not the same for all.
func (s *scope) nobody(agents []agent) (why obstacle, common bool) {
	common = true
	for i := range agents {
		this := s.obstacle(&agents[i])
		if this == noObstacle {
			return noObstacle, false
		}
		common = common && (i == 0 || this == why)
		why = this
	}
	return why, common
}

func folded[S ~string](words []S) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = match.Fold(string(word))
	}
	return out
}

// allWithin says whether all words are among others, of which none stands for all.
func allWithin(words, others []string) bool {
	missing := func(word string) bool { return !slices.Contains(others, word) }
	return len(others) == 0 || len(words) > 0 && !slices.ContainsFunc(words, missing)
}

// relaxes says whether a rule covers only what is certain.
func relaxes(rule *rules.Rule) bool {
	spec := rule.Spec()
	if spec.Effect == v1alpha1.EffectAllow {
		return true
	}
	delta, err := risk.ParseDelta(spec.RiskAdjustment)
	return spec.Effect == v1alpha1.EffectAdjustRisk && err == nil && delta < 0
}
