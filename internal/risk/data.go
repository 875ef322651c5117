// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// classifications compiles the model's entries over the built-in ones. One
// that is unknown scores as the most sensitive, and never lowers a score.
func (c *compiler) classifications(path *field.Path, own, base []v1alpha1.DataClassificationRisk) {
	table := words{}
	for i := range own {
		c.add(table, path.Index(i), string(own[i].Name), own[i].Delta)
	}
	for i := range base {
		if _, given := table[string(base[i].Name)]; !given {
			c.add(table, path, string(base[i].Name), base[i].Delta)
		}
	}
	c.model.unknownData = table.settle(0)
	c.model.classifications = table
}

// scoreData adds what the data adds: the more sensitive of what the action
// claims and what the catalog knows.
//
// A classification that lowers the score says that there is nothing to keep
// secret. It therefore lowers it by no more than confidentiality is worth in
// the action's vector (exposed): public data is as easily destroyed as any.
func (m *Model) scoreData(a *Assessment, req *request.Request, exposed Delta) {
	listed := m.catalog.find(req)
	w, factor := m.judgeData(a, req, listed)
	switch {
	case w.delta >= 0:
	case req.ResourceUnknown:
		w.delta = 0
		factor.Note = "what it acts on is unknown, so it lowers nothing"
	case w.delta < -exposed:
		w.delta = -exposed
		factor.Note = "lowers the score by no more than confidentiality counts in the vector"
	}
	if a.Classifications = listed.words; req.Classification.Value != "" {
		a.Classifications = slices.Grow(a.Classifications, 2)
	}
	for _, word := range [...]string{factor.Value, req.Classification.Value} {
		if word != "" && word != unknown {
			a.Classifications = append(a.Classifications, word)
		}
	}
	slices.Sort(a.Classifications)
	a.Classifications = slices.Compact(a.Classifications)
	a.add(w, factor)
}

// judgeData decides which classification counts.
func (m *Model) judgeData(a *Assessment, req *request.Request, listed listing) (weight, v1alpha1.RiskFactor) {
	factor := v1alpha1.RiskFactor{Name: "data-classification", Value: unknown, Source: v1alpha1.SourceModel}
	claim := req.Classification
	claimed, known := m.classifications[claim.Value]
	switch {
	case !claim.Present && listed.all:
		factor.Value, factor.Source = listed.word, v1alpha1.SourceCatalog
		return listed.weight, factor
	case !claim.Present:
		a.ClassificationUnknown = true
		factor.Note = "no data_classification is claimed, and the catalog does not cover every resource; scored as the most sensitive"
		return m.unknownData, factor
	case !known:
		a.ClassificationUnknown = true
		factor.Source = v1alpha1.SourceClaimed
		factor.Note = "the claimed data_classification cannot be read; scored as the most sensitive"
		if claim.Value != "" {
			factor.Note = "claimed " + quote(claim.Value) + ", which is no classification of the model; scored as the most sensitive"
		}
		return m.unknownData, factor
	case listed.word == "":
		factor.Value, factor.Source = claim.Value, v1alpha1.SourceClaimed
		return claimed, factor
	case listed.weight.above(claimed):
		factor.Value, factor.Source = listed.word, v1alpha1.SourceCatalog
		factor.Note = "claimed " + claim.Value + "; the catalog says " + listed.word
		return listed.weight, factor
	case listed.word == claim.Value:
		factor.Value, factor.Source = listed.word, v1alpha1.SourceCatalog
		return listed.weight, factor
	default:
		factor.Value, factor.Source = claim.Value, v1alpha1.SourceClaimed
		return claimed, factor
	}
}
