// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// defaultPriority of a rule that gives none. Source: SmartRuleSpec.Priority.
const defaultPriority = 50

// Compiler compiles SmartRules. It is safe for concurrent use.
type Compiler struct {
	shelf *shelf
}

// NewCompiler makes the CEL environment, which takes some milliseconds. One
// Compiler is enough for a process.
func NewCompiler() (*Compiler, error) {
	env, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	return &Compiler{shelf: &shelf{env: env, options: programOptions(env)}}, nil
}

// Compile compiles a rule. It never returns nil: Rule.Err says what is broken.
func (c *Compiler) Compile(rule *v1alpha1.SmartRule) *Rule {
	spec := rule.Spec.DeepCopy()
	r := &Rule{key: Key{Namespace: rule.Namespace, Name: rule.Name}, spec: spec, priority: defaultPriority}
	if spec.Priority != nil {
		r.priority = *spec.Priority
	}
	var errs field.ErrorList
	note := func(err *field.Error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	note(r.digest())
	note(r.readMode())
	note(r.readEffect())
	note(r.readErrorPolicy())
	matcher, matchErrs := newMatcher(spec, r.sense())
	errs = append(errs, matchErrs...)
	errs = append(errs, c.compileConditions(r)...)
	note(c.compileReason(r))
	r.match = matcher
	if len(errs) > 0 {
		// What is broken asks a human, so that it covers what cannot be excluded.
		r.match.sense = match.Restricting
		r.err = errs.ToAggregate()
		r.broken = brokenRule(errs, r.err)
	}
	return r
}

func (r *Rule) digest() *field.Error {
	var err error
	if r.revision, err = canonical.Digest(r.spec); err != nil {
		return field.InternalError(field.NewPath("spec"), err)
	}
	return nil
}

func (r *Rule) readMode() *field.Error {
	switch mode := r.spec.Mode; mode {
	case v1alpha1.RuleEnforce, v1alpha1.RuleAudit, v1alpha1.RuleDisabled:
		r.mode = mode
		return nil
	case "":
		r.mode = v1alpha1.RuleEnforce
		return nil
	default:
		r.mode = v1alpha1.RuleEnforce
		return field.NotSupported(field.NewPath("spec", "mode"), mode,
			[]v1alpha1.RuleMode{v1alpha1.RuleEnforce, v1alpha1.RuleAudit, v1alpha1.RuleDisabled})
	}
}

func (r *Rule) readEffect() *field.Error {
	r.effect = r.spec.Effect
	switch r.effect {
	case v1alpha1.EffectDeny, v1alpha1.EffectRequireApproval, v1alpha1.EffectAllow:
		return nil
	case v1alpha1.EffectAdjustRisk:
		var err error
		if r.delta, err = risk.ParseDelta(r.spec.RiskAdjustment); err != nil {
			return field.Invalid(field.NewPath("spec", "riskAdjustment"), field.OmitValueType{}, err.Error())
		}
		return nil
	default:
		return field.NotSupported(field.NewPath("spec", "effect"), r.effect, []v1alpha1.RuleEffect{
			v1alpha1.EffectDeny, v1alpha1.EffectRequireApproval, v1alpha1.EffectAllow, v1alpha1.EffectAdjustRisk})
	}
}

func (r *Rule) readErrorPolicy() *field.Error {
	switch policy := r.spec.OnError; policy {
	case v1alpha1.OnErrorRequireApproval, v1alpha1.OnErrorSkip, v1alpha1.OnErrorMatch:
		r.onError = policy
		return nil
	case "":
		r.onError = v1alpha1.OnErrorRequireApproval
		return nil
	default:
		r.onError = v1alpha1.OnErrorRequireApproval
		return field.NotSupported(field.NewPath("spec", "onError"), policy, []v1alpha1.ErrorPolicy{
			v1alpha1.OnErrorRequireApproval, v1alpha1.OnErrorMatch, v1alpha1.OnErrorSkip})
	}
}

// relaxes says whether the rule would make a decision easier.
func (r *Rule) relaxes() bool {
	return r.effect == v1alpha1.EffectAllow || (r.effect == v1alpha1.EffectAdjustRisk && r.delta < 0)
}

func (r *Rule) sense() match.Sense {
	if r.relaxes() {
		return match.Relaxing
	}
	return match.Restricting
}

func (c *Compiler) compileConditions(r *Rule) field.ErrorList {
	var errs field.ErrorList
	for i, written := range r.spec.Conditions {
		compiled, err := c.compile(written.Expression, cel.BoolType)
		if err != nil {
			path := field.NewPath("spec", "conditions").Index(i).Child("expression")
			errs = append(errs, field.Invalid(path, field.OmitValueType{}, err.Error()))
			continue
		}
		r.conditions = append(r.conditions, condition{name: written.Name, program: compiled})
	}
	return errs
}

func (c *Compiler) compileReason(r *Rule) *field.Error {
	if strings.TrimSpace(r.spec.ReasonExpression) == "" {
		return nil
	}
	var err error
	if r.reason, err = c.compile(r.spec.ReasonExpression, cel.StringType); err != nil {
		return field.Invalid(field.NewPath("spec", "reasonExpression"), field.OmitValueType{}, err.Error())
	}
	return nil
}
