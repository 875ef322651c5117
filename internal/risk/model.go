// SPDX-License-Identifier: Apache-2.0

// Package risk scores what an agent asks to do: the CVSS 3.1 base score of the
// action's type, plus what data, environment, volume and time add. What an
// agent claims about itself can raise the score; it lowers it only as far as
// nothing that the platform knows speaks against it.
package risk

import (
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// Model is a compiled RiskModel. It is immutable and safe for concurrent use.
type Model struct {
	revision string
	// broken says what makes every score fail: an entry that may cover anything.
	broken string

	exact map[string]*actionType
	globs []actionType // most specific first

	classifications map[string]weight
	unknownData     weight
	environments    map[string]weight
	places          []string // the environments, sorted
	unknownPlace    weight
	blastRadius     []volume
	hours           *hours
	catalog         catalog
}

// weight is what a word or a number adds to the score.
type weight struct {
	// delta to add. Of an entry that cannot be read: the largest of those that can.
	delta Delta
	// broken says which entry cannot be read; scoring fails where it counts.
	broken string
}

// above says whether w counts more than v: an entry that cannot be read counts
// more than any that can.
func (w weight) above(v weight) bool {
	if (w.broken != "") != (v.broken != "") {
		return w.broken != ""
	}
	return w.delta > v.delta
}

// or returns the one that counts more.
func (w weight) or(v weight) weight {
	if v.above(w) {
		return v
	}
	return w
}

// Revision is a digest over the model and the built-in numbers under it.
func (m *Model) Revision() string { return m.revision }

// Assess scores a request of an agent that works in the environment. It never
// fails: what cannot be read scores as the worst, and where the model itself
// cannot be read the assessment says so in Failure.
//
// With the same model, a request of which a claim cannot be read never scores
// lower than the same request with any claim in its place; nor does one with
// more sensitive data, more rows, or closer to production. A claim that is
// left out scores as the worst that the platform cannot exclude: for data what
// the catalog says of all resources, otherwise the most sensitive; for a
// number above every threshold; for the environment the Agent's.
func (m *Model) Assess(req *request.Request, agentEnvironment string) *Assessment {
	a := &Assessment{Factors: make([]v1alpha1.RiskFactor, 0, 6)}
	a.fail(m.broken)
	kind := m.actionType(req.ActionType)
	a.fail(kind.broken)
	a.Vector, a.Base = kind.vector.text, kind.vector.base
	a.sum = Delta(a.Base)
	m.scoreData(a, req, kind.vector.exposed)
	m.scorePlace(a, req, match.Fold(agentEnvironment))
	m.scoreVolume(a, req)
	m.scoreTime(a, req.SubmittedAt)
	a.settle()
	return a
}

// add adds a factor, cut to the limits of the schema.
func (a *Assessment) add(w weight, factor v1alpha1.RiskFactor) {
	a.fail(w.broken)
	a.sum += w.delta
	factor.Delta = v1alpha1.Delta(w.delta.String())
	factor.Value = cut(factor.Value)
	factor.Note = cut(factor.Note)
	a.Factors = append(a.Factors, factor)
}

// fail notes a reason why scoring failed, each only once.
func (a *Assessment) fail(why string) {
	switch {
	case why == "" || strings.Contains(a.Failure, why):
	case a.Failure == "":
		a.Failure = why
	default:
		a.Failure += "; " + why
	}
}
