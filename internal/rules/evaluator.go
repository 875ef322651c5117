// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// Evaluator evaluates the rules for one action. It is not safe for concurrent
// use: one decision makes one Evaluator.
type Evaluator struct {
	in    Input
	facts match.Facts
	found [2][]*Rule // by phase, in no order, some more than once
	vars  activation
	spent [2]uint64 // cost so far, of global rules and of the namespace's
}

// NewEvaluator prepares the evaluation of an action against the global rules
// and those of its namespace. Either Index may be nil; for an action in the
// global namespace they may be the same, and each rule counts once.
func NewEvaluator(in Input, global, local *Index) *Evaluator {
	e := &Evaluator{in: in, facts: FactsOf(in.Request, in.Agent, in.Assessment)}
	e.vars.in = &e.in
	found := global.candidates(&e.facts, nil)
	if local != global {
		found = append(found, slices.DeleteFunc(local.candidates(&e.facts, nil), func(r *Rule) bool {
			_, twice := global.Get(r.key)
			return twice
		})...)
	}
	for _, rule := range found {
		e.found[rule.phase()] = append(e.found[rule.phase()], rule)
	}
	return e
}

// Adjustments evaluates the rules with effect AdjustRisk. They see the
// assessment before any adjustment. One that cannot be compiled or evaluated
// matches with effect RequireApproval.
//
// An error says that ctx ended: then nothing may be decided.
func (e *Evaluator) Adjustments(ctx context.Context) (Result, error) {
	return e.pass(ctx, adjusting, e.in.Assessment)
}

// Effects evaluates all other rules. They see the adjusted assessment.
//
// An error says that ctx ended: then nothing may be decided.
func (e *Evaluator) Effects(ctx context.Context, adjusted *risk.Assessment) (Result, error) {
	return e.pass(ctx, deciding, adjusted)
}

func (e *Evaluator) pass(ctx context.Context, phase phase, assessment *risk.Assessment) (Result, error) {
	e.vars.assess(assessment)
	result := Result{Evaluated: len(e.found[phase])}
	for _, rule := range e.covering(phase, assessment.Score) {
		change := rule.match.nextChange(e.in.Now)
		if !change.IsZero() && (result.NextChange.IsZero() || change.Before(result.NextChange)) {
			result.NextChange = change
		}
		if !rule.match.active(e.in.Now) {
			continue
		}
		if err := e.evaluate(ctx, rule, &result); err != nil {
			return Result{}, err
		}
	}
	if err := ended(ctx); err != nil {
		return Result{}, err
	}
	return result, nil
}

// covering are the rules of a phase that cover the action, in the order of
// Compare, each once.
func (e *Evaluator) covering(phase phase, score risk.Score) []*Rule {
	var rules []*Rule
	for _, rule := range e.found[phase] {
		if rule.match.covers(&e.facts, score) {
			rules = append(rules, rule)
		}
	}
	slices.SortFunc(rules, Compare)
	return slices.Compact(rules)
}

// evaluate adds what comes of a rule that covers the action. It fails only
// where ctx ended.
func (e *Evaluator) evaluate(ctx context.Context, rule *Rule, result *Result) error {
	if rule.err != nil {
		result.Matched = append(result.Matched, asksHuman(rule, rule.broken))
		return nil //nolint:nilerr // a broken rule is a match, no failure of the evaluation
	}
	verdict := e.conditions(ctx, rule)
	if err := ended(ctx); err != nil {
		return err
	}
	if verdict.disproved {
		result.Near = append(result.Near, Near{Rule: rule, Condition: verdict.condition})
		return nil
	}
	m, matches := decide(rule, verdict.failure)
	if !matches {
		return nil
	}
	e.giveReason(ctx, &m)
	if err := ended(ctx); err != nil {
		return err
	}
	m.Note = oneLine(m.Note, maxNote)
	result.Matched = append(result.Matched, m)
	return nil
}

// ended says that ctx ended, and why.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("evaluation of rules was interrupted: %w", context.Cause(ctx))
}

// verdict is what came of the conditions of a rule.
type verdict struct {
	disproved bool   // a condition was false, whatever the others
	condition string // the first that was
	failure   error  // all that failed, when none was false
}

// conditions evaluates all conditions up to the first that is false: the order
// of a false one and a failing one does not matter.
func (e *Evaluator) conditions(ctx context.Context, rule *Rule) verdict {
	var failed []error
	for _, c := range rule.conditions {
		value, err := e.run(ctx, rule, c.program)
		holds, isBool := value.(types.Bool)
		switch {
		case err != nil:
			failed = append(failed, conditionFailed(c.name, err))
		case !isBool:
			failed = append(failed, conditionFailed(c.name, fmt.Errorf("it yields a %s, not a bool", value.Type().TypeName())))
		case !bool(holds):
			return verdict{disproved: true, condition: c.name}
		}
	}
	return verdict{failure: joined(failed)}
}

// run evaluates an expression within what is left for the decision.
func (e *Evaluator) run(ctx context.Context, rule *Rule, p *program) (ref.Val, error) {
	spent := &e.spent[0]
	if !rule.Global() {
		spent = &e.spent[1]
	}
	if *spent >= DecisionCostLimit {
		return nil, fmt.Errorf("%w: the rules before this one cost more than %d units on this request", ErrCostLimit, uint64(DecisionCostLimit))
	}
	value, cost, err := p.eval(ctx, &e.vars)
	*spent += min(cost, 2*CostLimit)
	return value, err
}

// decide gives a rule its effect, after its conditions were true or failed.
func decide(rule *Rule, failure error) (m Match, matches bool) {
	policy := rule.onError
	switch {
	case failure == nil:
		return withEffect(rule), true
	case policy == v1alpha1.OnErrorSkip && !errors.Is(failure, ErrCostLimit):
		return Match{}, false
	case policy == v1alpha1.OnErrorMatch && !rule.relaxes():
		m = withEffect(rule)
		m.Err, m.Note = failure, failure.Error()+"; onError Match counts it as true"
		return m, true
	default:
		return asksHuman(rule, failure), true
	}
}

// withEffect is a match with the effect of the rule.
func withEffect(rule *Rule) Match {
	m := Match{Rule: rule, Effect: rule.effect, Adjustment: rule.delta}
	if rule.delta < 0 && !rule.Global() {
		m.Adjustment = 0
		m.Note = fmt.Sprintf("%s has no effect: a rule of a namespace cannot lower a score", rule.delta)
	}
	return m
}

// asksHuman is a match of a rule that could not be evaluated.
func asksHuman(rule *Rule, err error) Match {
	return Match{
		Rule:   rule,
		Effect: v1alpha1.EffectRequireApproval,
		Err:    err,
		Note:   oneLine(err.Error(), maxNote),
	}
}

// giveReason fills in the reason of a match, unless an error asks a human.
// Where the reasonExpression fails, there is none, and a note says so.
func (e *Evaluator) giveReason(ctx context.Context, m *Match) {
	switch {
	case m.asksHuman():
		return
	case m.Rule.reason == nil:
		m.Reason = oneLine(m.Rule.spec.Reason, maxReason)
		return
	}
	value, err := e.run(ctx, m.Rule, m.Rule.reason)
	text, isText := value.(types.String)
	switch {
	case err != nil:
		err = fmt.Errorf("reasonExpression failed: %w", err)
	case !isText:
		err = fmt.Errorf("reasonExpression yields a %s, not a string", value.Type().TypeName())
	default:
		m.Reason = oneLine(string(text), maxReason)
		return
	}
	if m.Note != "" {
		m.Note += "; "
	}
	m.Note += err.Error()
}

// asksHuman says whether the match has not the effect of its rule, for an error.
func (m *Match) asksHuman() bool {
	return m.Err != nil && (m.Rule.onError != v1alpha1.OnErrorMatch || m.Rule.relaxes())
}
