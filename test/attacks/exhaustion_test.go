// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() {
	attacks = append(attacks, expressionAttacks...)
	attacks = append(attacks, patternAttacks...)
	attacks = append(attacks, crowdAttacks...)
	attacks = append(attacks, rateAttacks...)
}

// write is a rule of a rule author.
func write(number int, name, rule string, prepare func(context.Context, *scene), up, deleted outcome) *attack {
	return &attack{
		number: number, name: name,
		prepare: func(ctx context.Context, s *scene) {
			s.state["ruth"] = s.with(ctx, "ruth", "ascend-rule-author")
			if prepare != nil {
				prepare(ctx, s)
			}
		},
		attempt: func(ctx context.Context, s *scene) error { return s.as("ruth").Create(ctx, s.parse(rule)) },
		up:      up, deleted: deleted,
	}
}

func condition(expression string) string {
	return "{kind: SmartRule, metadata: {name: costly}, spec: {effect: RequireApproval, conditions: [{name: c, expression: " + toJSON(expression) + "}]}}"
}

// Expressions that could cost anything.
var expressionAttacks = []*attack{
	write(27, "an expression with loops in loops in loops",
		condition("action.parameters.l.all(x, action.parameters.l.all(y, action.parameters.l.all(z, x + y != z)))"),
		waits, refusedBy("webhook", "spec.conditions[0].expression", "the limit is 10000000", "nest fewer loops"), failsClosed("the limit is 10000000")),
	write(27, "an expression that makes a list as long as the request says",
		condition("lists.range(action.parameters.n).size() > 3"),
		waits, refusedBy("webhook", "spec.conditions[0].expression", "the limit is 10000000"), failsClosed("the limit is 10000000")),
	write(27, "an expression that is nested without end",
		condition(strings.Repeat("(", 300)+"true"+strings.Repeat(")", 300)),
		waits, refusedBy("webhook", "spec.conditions[0].expression", "recursion limit exceeded"), failsClosed("recursion limit exceeded")),
	{
		number: 27, name: "a request so large that a rule's expression costs too much, to pass it",
		prepare: func(ctx context.Context, s *scene) {
			s.apply(ctx, `
kind: SmartRule
metadata: {name: costly}
spec:
  effect: Deny
  onError: Skip
  conditions: [{name: c, expression: "action.parameters.l.all(x, action.parameters.l.all(y, x + y != 'never'))"}]
`)
		},
		attempt: func(ctx context.Context, s *scene) error {
			s.action = s.ask(`{actionType: database_read, resource: orders, parameters: {l: [` + strings.Repeat("abc,", 4000) + `]}}`)
			return s.agent.Create(ctx, s.action)
		},
		up: without("stopped, and people are asked", func(ctx context.Context, s *scene) {
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionPending)
			Expect(s.action.Status.MatchedRules).To(ContainElement(And(
				HaveField("Name", BeEquivalentTo("costly")), HaveField("Effect", v1alpha1.EffectRequireApproval),
				HaveField("Note", ContainSubstring("cost more than 1000000 units")))))
		}),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
}

// failsClosed: what was stored while nobody looked is not used, and whoever it
// is about waits for people.
func failsClosed(words string) outcome {
	return without("stored, and fails closed", func(ctx context.Context, s *scene) {
		Eventually(func(g Gomega) {
			rule := s.rule("costly")
			g.Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(rule), rule)).To(Succeed())
			g.Expect(rule.Status.Conditions).To(ContainElement(And(
				HaveField("Type", v1alpha1.ConditionReady), HaveField("Status", metav1.ConditionFalse),
				HaveField("Reason", v1alpha1.ReasonCompileFailed), HaveField("Message", ContainSubstring(words)))))
			s.action = s.fresh(ctx)
			g.Expect(s.action.Status.MatchedRules).To(ContainElement(And(
				HaveField("Name", BeEquivalentTo("costly")), HaveField("Effect", v1alpha1.EffectRequireApproval))))
		}).WithContext(ctx).Should(Succeed())
		Expect(s.action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
	})
}

// Patterns that take other matchers forever, on a text that they nearly match.
var nearly = fmt.Sprintf(`{actionType: database_read, resource: %q, parameters: {data_classification: internal}}`, strings.Repeat("a", 1000))

var patternAttacks = []*attack{
	pattern("a regular expression that takes others forever",
		condition(`action.resource.matches('^(a+)+b$') || action.resource.matches('^(a|a|a)*b') || action.resource.matches('(.*a){12}b') || true`)),
	pattern("globs that take others forever", `
kind: SmartRule
metadata: {name: costly}
spec:
  effect: RequireApproval
  match: {resources: ["*`+strings.Repeat("a*", 100)+`b", "`+strings.Repeat("?*", 100)+`b", "aa*"]}
`),
	write(28, "a regular expression whose repetitions multiply", condition(`action.resource.matches('((a{1,100}){1,100}){1,100}b')`),
		waits, refusedBy("webhook", "spec.conditions[0].expression", "invalid repeat count"), failsClosed("invalid repeat count")),
	write(28, "a regular expression that the request brings", condition(`action.resource.matches(string(action.parameters.pattern))`),
		waits, refusedBy("webhook", "spec.conditions[0].expression", "must be a literal text"), failsClosed("must be a literal text")),
	{
		number: 28, name: "an agent's globs that take others forever",
		attempt: func(ctx context.Context, s *scene) error {
			adam := s.with(ctx, "adam", "ascend-admin")
			err := mergePatch(ctx, adam, s.agentObject(ctx), `spec: {blockedResources: ["*`+strings.Repeat("a*", 100)+`b", "`+strings.Repeat("?*", 100)+`b"]}`)
			if err != nil {
				return err
			}
			s.action = s.ask(nearly)
			return s.agent.Create(ctx, s.action)
		},
		up: without("decided in time", func(ctx context.Context, s *scene) {
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionPending)
		}),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
}

// pattern is a rule with a condition that is looked at last and true, so that
// it shows when all has been looked at. Everything is decided with it in time.
func pattern(name, rule string) *attack {
	inTime := without("decided in time", func(ctx context.Context, s *scene) {
		Eventually(func(g Gomega) {
			now := s.fresh(ctx)
			g.Expect(now.Status.Decision).To(Equal(v1alpha1.DecisionPending))
			g.Expect(now.Status.MatchedRules).To(ContainElement(HaveField("Name", BeEquivalentTo("costly"))), "it is not decided anew")
		}).WithContext(ctx).Should(Succeed())
	})
	return write(28, name, rule, func(ctx context.Context, s *scene) {
		s.action = s.submit(ctx, nearly, v1alpha1.DecisionPending)
	}, inTime, inTime)
}

// flood is how many actions one namespace submits at once.
const flood = 300

var crowdAttacks = []*attack{
	{
		number: 30, name: fmt.Sprintf("submit %d actions at once, for another namespace to starve", flood),
		prepare: func(ctx context.Context, s *scene) {
			s.unlimited(ctx)
			s.state["quiet"] = newScene(ctx, &attack{number: 30}, s.mode)
		},
		attempt: func(ctx context.Context, s *scene) error {
			if err := s.submitMany(ctx, flood); err != nil {
				return err
			}
			return prepared[*scene](s, "quiet").submitMany(ctx, 3)
		},
		up: without("the other namespace's are decided", func(ctx context.Context, s *scene) {
			prepared[*scene](s, "quiet").awaitAllDecided(ctx, 3)
			s.awaitAllDecided(ctx, flood)
		}),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
}

// unlimited lifts the agent's rate limit, which is one of the defences.
func (s *scene) unlimited(ctx context.Context) {
	GinkgoHelper()
	limit := int32(1_000_000)
	agent := s.agentObject(ctx)
	agent.Spec.RateLimit = &v1alpha1.RateLimit{PerMinute: &limit, PerHour: &limit, PerDay: &limit}
	Expect(lab.admin.Update(ctx, agent)).To(Succeed())
}

// submitMany submits as many actions at once as the connection takes, and
// returns one of the errors.
func (s *scene) submitMany(ctx context.Context, n int) error {
	var group sync.WaitGroup
	errs := make([]error, n)
	gate := make(chan struct{}, 32)
	for i := range n {
		group.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			errs[i] = s.agent.Create(ctx, s.ask(readOrders))
		})
	}
	group.Wait()
	return cmp.Or(errs...)
}

func (s *scene) awaitAllDecided(ctx context.Context, n int) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var all v1alpha1.AgentActionList
		g.Expect(lab.admin.List(ctx, &all, client.InNamespace(s.namespace))).To(Succeed())
		g.Expect(all.Items).To(HaveLen(n))
		g.Expect(all.Items).To(HaveEach(HaveField("Status.Decision", v1alpha1.DecisionPending)))
	}).WithContext(ctx).Should(Succeed())
}

// An agent that asks too often is told when to come back.
var rateAttacks = []*attack{
	{
		number: 32, name: "submit more than the agent's rate limit allows",
		prepare: func(ctx context.Context, s *scene) { s.apply(ctx, slowAgent) },
		attempt: func(ctx context.Context, s *scene) error {
			for range 20 { // the limit is 2 a day, which may end just now
				if err := s.submitSlow(ctx); err != nil {
					return err
				}
			}
			return nil
		},
		up: refusedBy("webhook", "429", "Retry-After: ", "agent slow has submitted the 2 actions that its spec.rateLimit.perDay allows",
			"try again in", "kubectl edit agent slow"),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
	{
		number: 32, name: "submit more than the agent's rate limit allows, at the same moment",
		prepare: func(ctx context.Context, s *scene) { s.apply(ctx, slowAgent) },
		attempt: func(ctx context.Context, s *scene) error {
			var group sync.WaitGroup
			errs := make([]error, 20)
			for i := range errs {
				group.Go(func() { errs[i] = s.submitSlow(ctx) })
			}
			group.Wait()
			var stored v1alpha1.AgentActionList
			Expect(lab.admin.List(ctx, &stored, client.InNamespace(s.namespace))).To(Succeed())
			Expect(len(stored.Items)).To(BeNumerically("<=", 4), "twice the limit, where a day has just ended")
			return cmp.Or(errs...)
		},
		up:      refusedBy("webhook", "429", "Retry-After: ", "spec.rateLimit.perDay", "kubectl edit agent slow"),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
}

const slowAgent = `
kind: Agent
metadata: {name: slow}
spec:
  owner: olga
  environment: sandbox
  subjects: [{kind: ServiceAccount, name: bot}]
  rateLimit: {perDay: 2}
`

// submitSlow submits in the name of the agent that may not do so often, without
// trying again as client-go does when it is told to wait.
func (s *scene) submitSlow(ctx context.Context) error {
	action := s.ask(readOrders)
	action.APIVersion, action.Kind = v1alpha1.GroupVersion.String(), "AgentAction"
	action.Spec.AgentRef.Name = "slow"
	return s.post(ctx, s.agent, "agentactions", "", toJSON(action))
}
