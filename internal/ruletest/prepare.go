// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// prepared is a suite that is ready to run.
type prepared struct {
	suite    *Suite
	world    *world // nil where there are problems
	cases    []*ready
	problems []manifest.Problem
}

// ready is a case that is ready to run.
type ready struct {
	*testCase
	agent   *v1alpha1.Agent
	request *request.Request
	refused *decision.Outcome // the request is over a limit: what becomes of it
	want    expectation       // with names resolved
	moments []time.Time
}

// prepare reads what the suite needs; what is wrong is in its problems. It fails
// where the checks themselves cannot be made.
func prepare(s *Suite, known *policies) (*prepared, error) {
	p := &prepared{suite: s}
	base := p.policy(known)
	if base == nil {
		return p, nil
	}
	w := newWorld(base)
	if err := p.give(w); err != nil || len(p.problems) > 0 {
		return p, err
	}
	actions, err := p.actions()
	if err != nil || len(p.problems) > 0 {
		return p, err
	}
	ruleNames := newDirectory("rule", ruleKeys(w.snapshot))
	workflowNames := newDirectory("workflow", w.workflows)
	for i, c := range s.cases {
		one := &ready{testCase: c, want: c.want, moments: s.moments(c)}
		if problem := p.read(one, w, actions[i]); problem != nil {
			p.problems = append(p.problems, *problem)
		}
		p.resolve(one, actions[i].Namespace, ruleNames, workflowNames, w)
		p.cases = append(p.cases, one)
	}
	if len(p.problems) == 0 {
		p.world = w
	}
	return p, nil
}

// give puts what the suite gives into its world.
func (p *prepared) give(w *world) error {
	s := p.suite
	all := make(drafts, len(s.given))
	for i, item := range s.given {
		all[i] = givenDraft(item)
	}
	objects, problems, err := all.check(s.File, s.home(&testCase{}))
	if err != nil {
		return err
	}
	p.problems = append(p.problems, problems...)
	for i, object := range objects {
		if object != nil {
			for _, problem := range w.add(object, all[i].at(s.File)) {
				problem.Path = join(all[i].spot.path, problem.Path)
				p.problems = append(p.problems, problem)
			}
		}
	}
	return nil
}

// actions reads the action of every case, without its agent.
func (p *prepared) actions() ([]*v1alpha1.AgentAction, error) {
	s := p.suite
	out := make([]*v1alpha1.AgentAction, len(s.cases))
	var all drafts
	var inline []int
	for i, c := range s.cases {
		if c.file.string == "" {
			all, inline = append(all, actionDraft(c, i, s.home(c))), append(inline, i)
			continue
		}
		action, problems := actionFile(c, s.home(c))
		out[i], p.problems = action, append(p.problems, problems...)
		if action != nil && c.namespace != "" {
			action.Namespace = c.namespace
		}
	}
	objects, problems, err := all.check(s.File, s.home(&testCase{}))
	if err != nil {
		return nil, err
	}
	p.problems = append(p.problems, problems...)
	for i, object := range objects {
		if action, isAction := object.(*v1alpha1.AgentAction); isAction {
			action.Name, action.Spec.AgentRef.Name = "case", ""
			out[inline[i]] = action
		}
	}
	return out, nil
}

// policy is the compiled policy of the suite; nil where there are problems.
func (p *prepared) policy(known *policies) *compiled {
	s := p.suite
	var base *compiled
	switch {
	case s.ownPolicy:
		base = known.get(s.policy, s.beside)
	case known.fallback != nil:
		base = known.fallback(s.beside)
	default:
		p.problems = append(p.problems, problemAt(s.Position, "policy", "it names no policy, and none is given on the command line; add policy: [FOLDER]"))
		return nil
	}
	switch {
	case base.err != nil:
		at := s.policyAt
		if at == (manifest.Position{}) {
			at = s.Position
		}
		p.problems = append(p.problems, problemAt(at, "policy", "it cannot be read: %v", base.err))
		return nil
	case len(base.problems) > 0:
		p.problems = append(p.problems, base.problems...)
		return nil
	case !s.ownPolicy && len(base.set.Objects) == 0:
		p.problems = append(p.problems, problemAt(s.Position, "policy", "it names no policy, and there is none in what is named on the command line; add policy: [FOLDER], or policy: [] for none"))
		return nil
	}
	return base
}

// read fills in who asks for the action of a case, and for what.
func (p *prepared) read(c *ready, w *world, action *v1alpha1.AgentAction) *manifest.Problem {
	w.settle(action.Namespace)
	agent, problem := p.agent(c, w, action)
	if problem != nil {
		return problem
	}
	c.agent = agent
	action.Spec.AgentRef.Name = v1alpha1.ObjectName(agent.Name)
	requester, problem := requesterOf(c, action)
	if problem != nil {
		return problem
	}
	var err error
	if c.request, err = request.Read(action, requester, nil); err == nil {
		return nil
	}
	c.refused = decision.Refuse(c.request, err)
	if c.want.reason == "" && c.want.message == "" && len(c.want.contains) == 0 {
		return new(problemAt(c.at, c.path, "no rule is asked about it, for the request itself is refused: %v; correct it, or expect reason %s", err, v1alpha1.ReasonInvalidRequest))
	}
	return nil
}

// agent is the agent in whose name the action of a case is submitted.
func (p *prepared) agent(c *ready, w *world, action *v1alpha1.AgentAction) (*v1alpha1.Agent, *manifest.Problem) {
	name := p.agentName(c, w, action)
	agents := w.snapshot.Namespace(action.Namespace).Agents
	names := sortedKeys(agents)
	if name.string == "" && len(names) == 1 {
		name.string = names[0]
	}
	switch known := strings.Join(names, ", "); {
	case agents[name.string] != nil:
		return agents[name.string].Object(), nil
	case name.string == "" && known == "":
		return nil, new(name.wrong("there is no agent in namespace %s, neither in the policy nor in given; give one", action.Namespace))
	case name.string == "":
		return nil, new(name.wrong("it names no agent, and namespace %s has %s; add agent to the case, or to defaults", action.Namespace, known))
	case known == "":
		return nil, new(name.wrong("there is no agent %q in namespace %s, nor any other, neither in the policy nor in given; give one", name.string, action.Namespace))
	default:
		return nil, new(name.wrong("there is no agent %q in namespace %s, which has %s%s", name.string, action.Namespace, known, hint(name.string, names)))
	}
}

// agentName is what the case calls its agent: by itself, by its file, by the
// suite's defaults, or by being silent.
func (p *prepared) agentName(c *ready, w *world, action *v1alpha1.AgentAction) text {
	switch {
	case c.testCase.agent.string != "":
		return c.testCase.agent
	case action.Spec.AgentRef.Name != "": // of a file
		return text{string(action.Spec.AgentRef.Name), c.file.at, c.file.path}
	case p.suite.defaults.agent.string != "":
		return p.suite.defaults.agent
	case !w.ownAgents:
		return text{DefaultAgent, c.at, c.path}
	default:
		return text{at: c.at, path: c.path}
	}
}

// requesterOf is who submits the action: whom the case names, or its file,
// otherwise the agent's first subject, as the API server would know them.
func requesterOf(c *ready, action *v1alpha1.AgentAction) (v1alpha1.Requester, *manifest.Problem) {
	switch {
	case c.requester != nil:
		return *c.requester, nil
	case action.Spec.Requester != nil && action.Spec.Requester.Username != "":
		return *action.Spec.Requester, nil
	case len(c.agent.Spec.Subjects) == 0:
		return v1alpha1.Requester{}, new(problemAt(c.at, c.path, "agent %s has no subjects, so nobody may submit in its name; give it subjects, or the case a requester", c.agent.Name))
	}
	subject := c.agent.Spec.Subjects[0]
	name := string(subject.Name)
	switch subject.Kind {
	case v1alpha1.SubjectServiceAccount:
		namespace := string(subject.Namespace)
		if namespace == "" {
			namespace = c.agent.Namespace
		}
		groups := append(serviceaccount.MakeGroupNames(namespace), user.AllAuthenticated)
		return v1alpha1.Requester{Username: serviceaccount.MakeUsername(namespace, name), Groups: userNames(groups)}, nil
	case v1alpha1.SubjectGroup:
		return v1alpha1.Requester{Username: GroupMember, Groups: userNames([]string{name, user.AllAuthenticated})}, nil
	case v1alpha1.SubjectUser:
		return v1alpha1.Requester{Username: name, Groups: userNames([]string{user.AllAuthenticated})}, nil
	default:
		return v1alpha1.Requester{}, new(problemAt(c.at, c.path, "agent %s has a first subject of kind %q, which submits nothing; give the case a requester", c.agent.Name, subject.Kind))
	}
}

// GroupMember is the user name of whoever submits for an agent whose first
// subject is a group.
const GroupMember = "group-member"

func userNames(words []string) []v1alpha1.UserName {
	out := make([]v1alpha1.UserName, len(words))
	for i, word := range words {
		out[i] = v1alpha1.UserName(word)
	}
	return out
}

// resolve finds the rules and workflows that the case names.
func (p *prepared) resolve(c *ready, home string, ruleNames, workflowNames directory, w *world) {
	e := &c.want
	find := func(n *name, in directory) {
		found, problem := in.find(n.string, home)
		if problem != "" {
			p.problems = append(p.problems, n.wrong("%s", problem))
		}
		n.key = found
	}
	if e.rule != nil {
		e.rule = new(*e.rule)
		find(e.rule, ruleNames)
	}
	for _, list := range []struct {
		names *[]name
		in    directory
	}{{&e.matched, ruleNames}, {&e.not, ruleNames}, {&e.nearly, ruleNames}, {&e.workflows, workflowNames}} {
		*list.names = slices.Clone(*list.names)
		for i := range *list.names {
			find(&(*list.names)[i], list.in)
		}
	}
	for _, n := range e.nearly {
		p.checkCondition(n, w)
	}
}

// checkCondition refuses the name of a condition that the rule does not have.
func (p *prepared) checkCondition(n name, w *world) {
	rule, exists := w.snapshot.Namespace(n.key.namespace).Rules.Get(rules.Key{Namespace: n.key.namespace, Name: n.key.name})
	if !exists || n.condition == "" {
		return
	}
	var names []string
	for _, condition := range rule.Spec().Conditions {
		names = append(names, condition.Name)
	}
	if !slices.Contains(names, n.condition) {
		p.problems = append(p.problems, n.wrong("rule %s has no condition %q%s", n.key, n.condition, hint(n.condition, names)))
	}
}
