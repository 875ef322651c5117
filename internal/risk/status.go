// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// maxFactors is the schema's limit of status.risk.factors.
const maxFactors = 64

// Status returns the assessment as it is written to an action's status. Of
// more factors than the schema takes, the largest are kept and one named
// "others" stands for the rest, so that the sum still is the score.
func (a *Assessment) Status() *v1alpha1.RiskStatus {
	out := &v1alpha1.RiskStatus{
		Score:      v1alpha1.Score(a.Score.String()),
		Level:      a.Score.Level(),
		CVSSVector: a.Vector,
		Factors:    a.statusFactors(),
	}
	if a.Vector != "" {
		out.CVSSBaseScore = v1alpha1.Score(a.Base.String())
	}
	return out
}

func (a *Assessment) statusFactors() []v1alpha1.RiskFactor {
	if len(a.Factors) <= maxFactors {
		return slices.Clone(a.Factors)
	}
	type ranked struct {
		at    int
		delta Delta
	}
	order := make([]ranked, a.summed)
	for i := range order {
		// What add wrote can always be read.
		delta, _ := ParseDelta(a.Factors[i].Delta)
		order[i] = ranked{i, delta}
	}
	slices.SortStableFunc(order, func(x, y ranked) int { return cmp.Compare(max(y.delta, -y.delta), max(x.delta, -x.delta)) })

	failed := a.Factors[len(a.Factors)-1:]
	rest := Delta(a.Score - a.Base)
	if a.Failure == "" {
		failed = nil
	} else {
		delta, _ := ParseDelta(failed[0].Delta)
		rest -= delta
	}
	// The rest, with what clamping took, may need several deltas of 10.0: keep
	// as many factors as leave room for them.
	keep := min(len(order), maxFactors)
	for _, r := range order[:keep] {
		rest -= r.delta
	}
	for keep+len(failed)+steps(rest) > maxFactors {
		keep--
		rest += order[keep].delta
	}
	kept := order[:keep]
	slices.SortFunc(kept, func(x, y ranked) int { return cmp.Compare(x.at, y.at) })
	out := make([]v1alpha1.RiskFactor, 0, maxFactors)
	for _, r := range kept {
		out = append(out, a.Factors[r.at])
	}
	for range steps(rest) {
		step := min(max(rest, -MaxDelta), MaxDelta)
		rest -= step
		out = append(out, v1alpha1.RiskFactor{
			Name: "others", Value: strconv.Itoa(a.summed-keep) + " factors", Source: v1alpha1.SourceModel,
			Delta: v1alpha1.Delta(step.String()), Note: "the smaller factors, and what clamping to 0.0 to 10.0 took",
		})
	}
	return append(out, failed...)
}

// steps is how many deltas the rest takes; at least one, to say that there is a rest.
func steps(rest Delta) int {
	return max(1, int((max(rest, -rest)+MaxDelta-1)/MaxDelta))
}
