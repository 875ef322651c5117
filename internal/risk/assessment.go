// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"cmp"
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Assessment is the score of one action and how it came about. It is not
// changed once made; Base and the deltas of Factors always add up to Score.
type Assessment struct {
	// Vector is the CVSS 3.1 vector of the action's type; empty when it cannot
	// be read.
	Vector string
	// Base is the base score of Vector, 0 without one.
	Base Score
	// Factors in the order of scoring: data-classification, environment,
	// blast-radius (by parameter), off-hours, rule (by name), clamp,
	// scoring-failed. A clamp that no single delta can express is several.
	Factors []v1alpha1.RiskFactor
	// Score from 0.0 to 10.0; FailedScore or more when Failure is not empty.
	Score Score
	// Failure says why scoring failed: a human has to decide. Empty when it did not.
	Failure string
	// Classifications are the words that are known or claimed for the data,
	// folded, without repeats, sorted: the one that was scored, the claimed
	// one and the catalog's. A word of the catalog is there for every resource
	// that may be meant, so for all of them when the resource is unknown.
	Classifications []string
	// ClassificationUnknown says that the data may be of any classification:
	// what is claimed is missing, unreadable or no word of the model.
	ClassificationUnknown bool
	// Environments are the agent's and the claimed ones, folded, without
	// repeats, sorted. An agent's that is unknown is there with production. A
	// claimed one that is unknown or unreadable may be any: it is there with
	// every one of the model, and with the empty word, which match.Facts takes
	// for one that cannot be read.
	Environments []string
	// OffHours says that the action was submitted outside business hours.
	OffHours bool

	sum    Delta // Base and the deltas of Factors[:summed], before clamping
	summed int
}

// Adjustment is what a SmartRule with effect AdjustRisk adds.
type Adjustment struct {
	// Rule is "namespace/name".
	Rule string
	// Delta it adds; at most MaxDelta up or down, what is beyond is cut.
	Delta Delta
	// Note for the factor, such as why a lowering had no effect.
	Note string
}

// Adjusted returns the assessment with the adjustments added to it and leaves a
// as it is. All deltas are summed and clamped once, so the order of adjustments
// does not matter. Where scoring failed the score never falls below FailedScore.
func (a *Assessment) Adjusted(adjustments []Adjustment) *Assessment {
	out := *a
	out.Factors = make([]v1alpha1.RiskFactor, a.summed, a.summed+len(adjustments)+2)
	copy(out.Factors, a.Factors)
	sorted := slices.Clone(adjustments)
	slices.SortFunc(sorted, func(x, y Adjustment) int {
		return cmp.Or(cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Delta, y.Delta), cmp.Compare(x.Note, y.Note))
	})
	for _, adjustment := range sorted {
		delta := min(max(adjustment.Delta, -MaxDelta), MaxDelta)
		out.add(weight{delta: delta}, v1alpha1.RiskFactor{
			Name: "rule", Value: adjustment.Rule, Source: v1alpha1.SourceRule, Note: adjustment.Note,
		})
	}
	out.settle()
	return &out
}

// settle turns the sum into the score and says in factors what it took.
func (a *Assessment) settle() {
	a.summed = len(a.Factors)
	clamped := min(max(a.sum, Delta(MinScore)), Delta(MaxScore))
	a.Score = Score(clamped)
	for rest := clamped - a.sum; rest != 0; {
		step := min(max(rest, -MaxDelta), MaxDelta)
		rest -= step
		a.Factors = append(a.Factors, v1alpha1.RiskFactor{
			Name: "clamp", Value: a.Score.String(), Source: v1alpha1.SourceModel, Delta: v1alpha1.Delta(step.String()),
			Note: "scores go from 0.0 to 10.0",
		})
	}
	if a.Failure == "" {
		return
	}
	a.Score = max(a.Score, FailedScore)
	a.Factors = append(a.Factors, v1alpha1.RiskFactor{
		Name: "scoring-failed", Value: a.Score.String(), Source: v1alpha1.SourceModel,
		Delta: v1alpha1.Delta((Delta(a.Score) - clamped).String()), Note: cut(a.Failure),
	})
}
