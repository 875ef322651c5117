// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// matcher is a compiled v1alpha1.RuleMatch with the rule's window. The zero
// matcher covers every action at any time.
type matcher struct {
	sense           match.Sense
	actionTypes     match.Globs
	agent           match.Agent
	environments    []string
	classifications []string
	resources       match.Globs
	minScore        risk.Score

	notBefore, notAfter time.Time // zero: not bounded
}

// newMatcher compiles the matcher of a rule. When any part of it is broken the
// matcher covers everything.
func newMatcher(spec *v1alpha1.SmartRuleSpec, sense match.Sense) (matcher, field.ErrorList) {
	var errs field.ErrorList
	path := field.NewPath("spec", "match")
	m := matcher{
		sense:           sense,
		actionTypes:     match.NewGlobs(spec.Match.ActionTypes),
		environments:    fold(spec.Match.Environments),
		classifications: fold(spec.Match.DataClassifications),
		resources:       match.NewGlobs(spec.Match.Resources),
	}
	var err error
	if m.agent, err = match.NewAgent(spec.Match.Agents); err != nil {
		errs = append(errs, field.Invalid(path.Child("agents", "selector"), field.OmitValueType{}, err.Error()))
	}
	if text := spec.Match.MinRiskScore; text != "" {
		if m.minScore, err = risk.ParseScore(text); err != nil {
			errs = append(errs, field.Invalid(path.Child("minRiskScore"), field.OmitValueType{}, err.Error()))
		}
	}
	if spec.NotBefore != nil {
		m.notBefore = spec.NotBefore.Time
	}
	if spec.NotAfter != nil {
		m.notAfter = spec.NotAfter.Time
	}
	if !m.notBefore.IsZero() && !m.notAfter.IsZero() && !m.notBefore.Before(m.notAfter) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "notAfter"), field.OmitValueType{},
			fmt.Sprintf("must be later than notBefore, which is %s", m.notBefore.UTC().Format(time.RFC3339))))
	}
	if len(errs) > 0 {
		return matcher{}, errs
	}
	return m, nil
}

func fold[S ~string](words []S) []string {
	if len(words) == 0 {
		return nil
	}
	folded := make([]string, len(words))
	for i, word := range words {
		folded[i] = match.Fold(string(word))
	}
	return folded
}

// covers says whether the matcher covers an action of that score, whatever the time.
func (m *matcher) covers(facts *match.Facts, score risk.Score) bool {
	return score >= m.minScore &&
		facts.CoversAction(m.actionTypes) &&
		facts.CoversAgent(m.agent) &&
		facts.CoversEnvironments(m.environments, m.sense) &&
		facts.CoversClassifications(m.classifications, m.sense) &&
		facts.CoversResources(m.resources, m.sense)
}

// active says whether the rule has effect at that time: from notBefore on,
// until just before notAfter.
func (m *matcher) active(now time.Time) bool {
	return !now.Before(m.notBefore) && (m.notAfter.IsZero() || now.Before(m.notAfter))
}

// nextChange is the first end of the window after that time; zero when there is none.
func (m *matcher) nextChange(now time.Time) time.Time {
	switch {
	case m.notBefore.After(now):
		return m.notBefore
	case m.notAfter.After(now):
		return m.notAfter
	default:
		return time.Time{}
	}
}
