// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// coverage says how sure it is that a selector covers an action.
type coverage int

const (
	// not covered.
	not coverage = iota
	// possibly covered: only a claim speaks for it, or a part of the selector
	// cannot be read.
	possibly
	// certainly covered.
	certainly
)

// selector is a compiled WorkflowSelector.
type selector struct {
	levels       []v1alpha1.RiskLevel // empty: all
	minimum      risk.Score
	maximum      risk.Score
	actionTypes  match.Globs // nil: all
	environments []string    // empty: all
	agents       match.Agent
	unreadable   bool // some part was left out because it cannot be read
}

// newSelector compiles a selector. A part that cannot be read is reported, covers
// everything, and makes the whole no more than possible.
func newSelector(spec *v1alpha1.WorkflowSelector, path *field.Path) (*selector, field.ErrorList) {
	if spec == nil {
		return nil, nil
	}
	out := &selector{actionTypes: match.NewGlobs(spec.ActionTypes)}
	var errs field.ErrorList
	for i, level := range spec.RiskLevels {
		switch level {
		case v1alpha1.RiskLevelLow, v1alpha1.RiskLevelMedium, v1alpha1.RiskLevelHigh, v1alpha1.RiskLevelCritical:
			out.levels = append(out.levels, level)
		default:
			errs = append(errs, field.NotSupported(path.Child("riskLevels").Index(i), level, []v1alpha1.RiskLevel{
				v1alpha1.RiskLevelLow, v1alpha1.RiskLevelMedium, v1alpha1.RiskLevelHigh, v1alpha1.RiskLevelCritical}))
		}
	}
	if len(errs) > 0 {
		out.levels = nil
	}
	errs = append(errs, out.bound(spec, path)...)
	for _, e := range spec.Environments {
		out.environments = append(out.environments, match.Fold(string(e)))
	}
	agents, err := match.NewAgent(spec.Agents)
	if err != nil {
		errs = append(errs, field.Invalid(path.Child("agents", "selector"), "", err.Error()))
	}
	out.agents = agents
	out.unreadable = len(errs) > 0
	return out, errs
}

// bound reads the bounds of the score; bounds that cannot be read, or that leave
// nothing between them, are taken for none.
func (s *selector) bound(spec *v1alpha1.WorkflowSelector, path *field.Path) field.ErrorList {
	const lowest, highest risk.Score = 0, 100 // tenths: 0.0 and 10.0
	s.minimum, s.maximum = lowest, highest
	var errs field.ErrorList
	read := func(name string, text v1alpha1.Score, into *risk.Score) {
		if text == "" {
			return
		}
		score, err := risk.ParseScore(text)
		if err != nil {
			errs = append(errs, field.Invalid(path.Child(name), text, err.Error()))
			return
		}
		*into = score
	}
	read("minRiskScore", spec.MinRiskScore, &s.minimum)
	read("maxRiskScore", spec.MaxRiskScore, &s.maximum)
	if s.minimum > s.maximum {
		errs = append(errs, field.Invalid(path.Child("minRiskScore"), spec.MinRiskScore,
			"must not be above maxRiskScore, which is "+string(spec.MaxRiskScore)))
		s.minimum, s.maximum = lowest, highest
	}
	return errs
}

// covers says whether the selector covers an action. Only environments can be
// claimed by an action, so only they are in doubt where the selector can be read.
func (s *selector) covers(c Criteria) coverage {
	if c.Score < s.minimum || c.Score > s.maximum ||
		(len(s.levels) > 0 && !slices.Contains(s.levels, c.Score.Level())) ||
		!c.Facts.CoversAction(s.actionTypes) || !c.Facts.CoversAgent(s.agents) {
		return not
	}
	covers := not
	switch {
	case c.Facts.CoversEnvironments(s.environments, match.Relaxing):
		covers = certainly
	case c.Facts.CoversEnvironments(s.environments, match.Restricting):
		covers = possibly
	}
	if s.unreadable {
		covers = min(covers, possibly)
	}
	return covers
}
