// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, frozenAttacks()...) }

// report is as Medium as readOrders, and says more.
const report = `
actionType: database_read
resource: orders
description: the monthly report
parameters:
  table: orders
  data_classification: internal
  filter: {region: eu, limit: 10}
  columns: [date, amount]
context: {ticket: "42", origin: {team: shop}}
ttlAfterDecision: 1h
`

func reported(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.generous(ctx)
	s.action = s.submit(ctx, report, v1alpha1.DecisionPending)
	s.guard(s.action)
}

func halfApproved(ctx context.Context, s *scene) {
	GinkgoHelper()
	reported(ctx, s)
	mustApprove(ctx, s, s.alice)
	s.counted(ctx)
}

func allApproved(ctx context.Context, s *scene) {
	GinkgoHelper()
	halfApproved(ctx, s)
	mustApprove(ctx, s, s.bob)
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionApproved)
}

// What was asked stays what was asked.
func frozenAttacks() []*attack {
	bot := func(s *scene) person { return s.agent }
	bob := func(s *scene) person { return s.bob }
	by := func(who, field string, says ...string) inEach {
		return inEach{
			up:      refusedBy("webhook", field+" cannot be changed; submit a new action: kubectl create -f FILE", "withdraw this one, as its requester", "kubectl patch agentaction"),
			deleted: refusedBy(who, says...),
		}
	}
	schema := func(field string) inEach { return by("schema", field, "spec."+field, field+" cannot be changed") }
	policy := func(field string) inEach {
		return by("policy", field, "ascend-agentaction-immutability", "what was asked cannot be changed, by nobody",
			"Submit a new action with: kubectl create -f FILE", "as its requester", "kubectl patch agentaction NAME")
	}
	rename := byJSON(`[{"op":"move","from":"/spec/parameters/table","path":"/spec/parameters/path"}]`)
	out := []*attack{
		frozen("a parameter", bot, byJSON(`[{"op":"replace","path":"/spec/parameters/table","value":"customers"}]`), schema("parameters")),
		frozen("a parameter, by merge patch", bot, byMerge(`spec: {parameters: {table: customers}}`), schema("parameters")),
		frozen("a parameter, by server-side apply", bot, byApply(`spec: {parameters: {table: customers}}`), schema("parameters")),
		frozen("a parameter, as an approver", bob, byMerge(`spec: {parameters: {table: customers}}`), schema("parameters")),
		frozen("the type of a parameter", bot, byMerge(`spec: {parameters: {filter: {limit: "10"}}}`), schema("parameters")),
		frozen("the order of a list in a parameter", bot, byMerge(`spec: {parameters: {columns: [amount, date]}}`), schema("parameters")),
		frozen("one parameter more", bot, byMerge(`spec: {parameters: {path: customers}}`), schema("parameters")),
		frozen("one parameter less", bot, byMerge(`spec: {parameters: {data_classification: null}}`), schema("parameters")),
		frozen("no parameters", bot, byMerge(`spec: {parameters: null}`), schema("parameters")),
		frozen("other parameters, by update", bot, rewriteSpec(func(spec *v1alpha1.AgentActionSpec) { spec.Parameters.Raw = []byte(`{"table":"customers"}`) }), schema("parameters")),
		frozen("one parameter in another's place, by JSON patch", bot, rename, policy("parameters")),
		frozen("one parameter in another's place, by merge patch", bot, byMerge(`spec: {parameters: {data_classification: null, classification: public}}`), policy("parameters")),
		frozen("one parameter in another's place, by update", bot, rewriteSpec(func(spec *v1alpha1.AgentActionSpec) {
			spec.Parameters.Raw = []byte(`{"path":"orders","data_classification":"internal","filter":{"region":"eu","limit":10},"columns":["date","amount"]}`)
		}), policy("parameters")),
		frozen("one parameter in another's place, as an approver", bob, rename, policy("parameters")),
		frozen("one nested parameter in another's place", bot, byJSON(`[{"op":"move","from":"/spec/parameters/filter/region","path":"/spec/parameters/filter/zone"}]`), schema("parameters")),
		frozen("an entry of the context", bot, byMerge(`spec: {context: {ticket: "43"}}`), schema("context")),
		frozen("one entry of the context in another's place", bot, byJSON(`[{"op":"move","from":"/spec/context/ticket","path":"/spec/context/change"}]`), policy("context")),
		frozen("one nested entry of the context in another's place", bot, byJSON(`[{"op":"move","from":"/spec/context/origin/team","path":"/spec/context/origin/crew"}]`), schema("context")),
		frozen("the description", bot, byMerge(`spec: {description: nothing to see}`), schema("description")),
		frozen("no description", bot, byMerge(`spec: {description: null}`), schema("description")),
		frozen("the resource", bot, byMerge(`spec: {resource: customers}`), schema("resource")),
		frozen("no resource, by update", bot, rewriteSpec(func(spec *v1alpha1.AgentActionSpec) { spec.Resource = "" }), schema("resource")),
		frozen("the agent", bot, byMerge(`spec: {agentRef: {name: other}}`), schema("agentRef")),
		frozen("the type", bot, byMerge(`spec: {actionType: database_delete}`), schema("actionType")),
		frozen("the type, by server-side apply", bot, byApply(`spec: {actionType: database_delete}`), schema("actionType")),
		frozen("the time to live", bot, byMerge(`spec: {ttlAfterDecision: 2h}`), schema("ttlAfterDecision")),
		frozen("an exception", bot, byMerge(`spec: {exceptionRequest: {ruleName: any, justification: please}}`), schema("exceptionRequest")),
		frozen("the requester's name", bob, byMerge(`spec: {requester: {username: alice}}`), schema("requester")),
		frozen("the requester's groups", bot, byMerge(`spec: {requester: {groups: [system:masters]}}`), schema("requester")),
		frozen("the requester's uid", bot, byMerge(`spec: {requester: {uid: "1"}}`), schema("requester")),
		frozen("the requester's seal", bot, byJSON(`[{"op":"remove","path":"/spec/requester/seal"}]`), schema("requester")),
		frozen("the time at which it was let in", bot, byMerge(`spec: {requester: {admittedAt: "2026-01-01T00:00:00.000000Z"}}`), schema("requester")),
		frozen("no requester", bot, byJSON(`[{"op":"remove","path":"/spec/requester"}]`), schema("requester")),
	}
	for _, late := range []struct {
		when    string
		prepare func(context.Context, *scene)
	}{{"after the first approval", halfApproved}, {"after the decision", allApproved}} {
		out = append(out,
			frozenWhen(late.prepare, "a parameter, "+late.when, bot, byMerge(`spec: {parameters: {table: customers}}`), schema("parameters")),
			frozenWhen(late.prepare, "one parameter in another's place, "+late.when, bot, rename, policy("parameters")),
			frozenWhen(late.prepare, "the resource, by update, "+late.when, bot, rewriteSpec(func(spec *v1alpha1.AgentActionSpec) { spec.Resource = "customers" }), schema("resource")),
		)
	}
	return append(out,
		frozen("a parameter, with an approval in the same request", bob, andApprove(`{"op":"replace","path":"/spec/parameters/table","value":"customers"}`), schema("parameters")),
		frozen("one parameter in another's place, with an approval in the same request", bob,
			andApprove(`{"op":"move","from":"/spec/parameters/table","path":"/spec/parameters/path"}`), policy("parameters")),
	)
}

// frozen is a change of what waits for approval.
func frozen(what string, who func(*scene) person, do change, want inEach) *attack {
	return frozenWhen(reported, what, who, do, want)
}

func frozenWhen(prepare func(context.Context, *scene), what string, who func(*scene) person, do change, want inEach) *attack {
	return &attack{
		number: 6, name: "change what was asked: " + what, prepare: prepare,
		attempt: func(ctx context.Context, s *scene) error { return do(ctx, s, who(s)) },
		up:      want.up, deleted: want.deleted,
	}
}

func byApply(document string) change {
	return func(ctx context.Context, s *scene, by person) error {
		return applyPatch(ctx, by, "attacker", s.action, document)
	}
}

func rewriteSpec(edit func(*v1alpha1.AgentActionSpec)) change {
	return func(ctx context.Context, s *scene, by person) error {
		changed := s.fresh(ctx)
		edit(&changed.Spec)
		return by.Update(ctx, changed)
	}
}

// andApprove is a change hidden behind an approval that would be all right.
func andApprove(operation string) change {
	return func(ctx context.Context, s *scene, by person) error {
		return jsonPatch(ctx, by, s.action, `[{"op":"add","path":"/spec/approvals","value":[`+toJSON(s.entry(ctx, by))+`]},`+operation+`]`)
	}
}
