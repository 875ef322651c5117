// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// Surprise is a part of a model that has not the effect one might expect.
type Surprise struct {
	// Path of the field.
	Path string
	// Problem says what is surprising, and what to do.
	Problem string
}

// Surprises returns the parts of a spec that certainly have no effect, or
// another than their words say, in the order of the spec. It expects a spec
// that compiles.
func Surprises(spec *v1alpha1.RiskModelSpec) []Surprise {
	root := field.NewPath("spec")
	out := actionTypeSurprises(root.Child("actionTypes"), spec.ActionTypes)
	out = append(out, blastRadiusSurprises(root.Child("blastRadius"), spec.BlastRadius)...)
	return append(out, catalogSurprises(root.Child("catalog"), spec)...)
}

func surprise(path *field.Path, format string, args ...any) Surprise {
	return Surprise{path.String(), fmt.Sprintf(format, args...)}
}

// actionTypeSurprises finds patterns that match nothing, and those of which
// another one, equally specific, takes every action type.
func actionTypeSurprises(path *field.Path, entries []v1alpha1.ActionTypeRisk) []Surprise {
	compiled := make([]actionType, len(entries))
	literals := map[int][]int{}
	for i := range entries {
		compiled[i] = actionType{glob: match.NewGlob(string(entries[i].Pattern)), own: true}
		compiled[i].vector, _ = parseVector(string(entries[i].CVSSVector)) // its error is one of Compile
		n := compiled[i].glob.Literals()
		literals[n] = append(literals[n], i)
	}
	var out []Surprise
	for i := range compiled {
		at, mine := path.Index(i).Child("pattern"), &compiled[i]
		if why := mine.glob.WhyNoActionType(); why != "" {
			out = append(out, surprise(at, "%s can never match: %s", quote(string(entries[i].Pattern)), why))
			continue
		}
		if mine.glob.Exact() {
			continue
		}
		for _, j := range literals[mine.glob.Literals()] {
			other := &compiled[j]
			if i != j && !other.glob.Exact() && other.glob.Contains(mine.glob) && compareSpecificity(*other, *mine) < 0 {
				out = append(out, surprise(at, "%s is never reached, for %s covers the same action types and comes first; remove one of them",
					quote(string(entries[i].Pattern)), quote(string(entries[j].Pattern))))
				break
			}
		}
	}
	return out
}

// blastRadiusSurprises finds thresholds beside which a lower one adds as much.
func blastRadiusSurprises(path *field.Path, entries []v1alpha1.BlastRadius) []Surprise {
	var out []Surprise
	for i := range entries {
		mine := &entries[i]
		types := match.NewGlobs(mine.ActionTypes)
		if why := types.WhyNoActionType(); why != "" {
			out = append(out, surprise(path.Index(i).Child("actionTypes"), "none of them can match: %s", why))
			continue
		}
		delta, _ := ParseDelta(mine.Delta)
		for j := range entries {
			other := &entries[j]
			same := other.Parameter == mine.Parameter && (other.Above < mine.Above || other.Above == mine.Above && j < i)
			if more, err := ParseDelta(other.Delta); same && err == nil && more >= delta && match.NewGlobs(other.ActionTypes).Contains(types) {
				out = append(out, surprise(path.Index(i), "has no effect, for blastRadius[%d] adds %s above %d already; give it a larger delta, or remove it",
					j, other.Delta, other.Above))
				break
			}
		}
	}
	return out
}

// catalogSurprises finds classifications that nobody knows, which are likely
// misspelt.
func catalogSurprises(path *field.Path, spec *v1alpha1.RiskModelSpec) []Surprise {
	known := map[string]bool{}
	for _, entries := range [][]v1alpha1.DataClassificationRisk{spec.DataClassifications, BuiltIn().DataClassifications} {
		for i := range entries {
			known[match.Fold(string(entries[i].Name))] = true
		}
	}
	var out []Surprise
	for i := range spec.Catalog {
		if word := spec.Catalog[i].DataClassification; !known[match.Fold(string(word))] {
			out = append(out, surprise(path.Index(i).Child("dataClassification"),
				"%s is no classification of the model, so these resources score as the most sensitive; add it to spec.dataClassifications, or correct it", quote(string(word))))
		}
	}
	return out
}
