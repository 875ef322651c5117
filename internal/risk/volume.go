// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// volume has the thresholds of one parameter.
type volume struct {
	parameter  string
	thresholds []threshold
}

type threshold struct {
	weight
	above int64
	types *match.Globs // nil: all; the same list is the same pointer
}

// blastRadius compiles the thresholds. Those of the model take the place of
// the built-in ones for the same parameter.
func (c *compiler) blastRadius(path *field.Path, own, base []v1alpha1.BlastRadius) {
	byParameter := map[string][]threshold{}
	lists := map[string]*match.Globs{}
	for i := range own {
		at, entry := path.Index(i), &own[i]
		t := c.threshold(at, entry, lists)
		if entry.Above < 0 {
			t.broken = c.report(field.Invalid(at.Child("above"), entry.Above, "must be 0 or more"))
		}
		if entry.Parameter == "" {
			t.broken = c.report(field.Required(at.Child("parameter"), "name the key in spec.parameters"))
		}
		byParameter[entry.Parameter] = append(byParameter[entry.Parameter], t)
	}
	for i := range base {
		if !givenFor(own, base[i].Parameter) {
			t := c.threshold(path, &base[i], lists)
			byParameter[base[i].Parameter] = append(byParameter[base[i].Parameter], t)
		}
	}
	for parameter, thresholds := range byParameter {
		c.model.blastRadius = append(c.model.blastRadius, volume{parameter, thresholds})
	}
	slices.SortFunc(c.model.blastRadius, func(a, b volume) int { return cmp.Compare(a.parameter, b.parameter) })
}

func givenFor(own []v1alpha1.BlastRadius, parameter string) bool {
	return slices.ContainsFunc(own, func(b v1alpha1.BlastRadius) bool { return b.Parameter == parameter })
}

func (c *compiler) threshold(at *field.Path, entry *v1alpha1.BlastRadius, lists map[string]*match.Globs) threshold {
	t := threshold{weight: c.increase(at.Child("delta"), entry.Delta), above: entry.Above}
	if len(entry.ActionTypes) == 0 {
		return t
	}
	var key strings.Builder
	for i, pattern := range entry.ActionTypes {
		key.WriteString(strconv.Quote(string(pattern)))
		if match.Fold(string(pattern)) == "" {
			c.everything(field.Required(at.Child("actionTypes").Index(i), "say which action types it covers"))
		}
	}
	if t.types = lists[key.String()]; t.types == nil {
		globs := match.NewGlobs(entry.ActionTypes)
		t.types = &globs
		lists[key.String()] = t.types
	}
	return t
}

// scoreVolume adds, for each parameter that the action's type has, the largest
// increase of the thresholds that its number is above.
func (m *Model) scoreVolume(a *Assessment, req *request.Request) {
	for i := range m.blastRadius {
		v := &m.blastRadius[i]
		var read, covers bool
		var number quantity
		var types *match.Globs
		var best weight
		for j := range v.thresholds {
			t := &v.thresholds[j]
			if j == 0 || t.types != types {
				types = t.types
				covers = types == nil || types.Match(req.ActionType)
			}
			if !covers {
				continue
			}
			if !read {
				number, read = readQuantity(req, v.parameter), true
			}
			if number.above(t.above) {
				best = best.and(t.weight)
			}
		}
		if best != (weight{}) {
			a.add(best, number.factor(v.parameter))
		}
	}
}

// and returns the larger delta of both, broken when either is.
func (w weight) and(v weight) weight {
	w.delta = max(w.delta, v.delta)
	if w.broken == "" {
		w.broken = v.broken
	}
	return w
}

// quantity is a number that an action claims, or why it cannot be believed.
type quantity struct {
	value   any // int64 or float64, not negative
	problem string
}

// readQuantity reads a number out of the parameters. Only a JSON number that is
// not negative is one; text that looks like a number is not.
func readQuantity(req *request.Request, parameter string) quantity {
	value, present, ambiguous := request.Lookup(req.Parameters, parameter)
	switch {
	case ambiguous:
		return quantity{problem: "is given twice, in different spellings"}
	case !present:
		return quantity{problem: "is missing"}
	}
	negative, isNumber := false, true
	switch v := value.(type) {
	case int64:
		negative = v < 0
	case float64:
		negative, isNumber = v < 0, !math.IsNaN(v)
	default:
		isNumber = false
	}
	switch {
	case !isNumber:
		return quantity{problem: "is not a number"}
	case negative:
		return quantity{problem: "is negative"}
	default:
		return quantity{value: value}
	}
}

// above says whether the number is larger than a threshold. One that cannot be
// believed is larger than any.
func (q quantity) above(limit int64) bool {
	switch v := q.value.(type) {
	case int64:
		return v > limit
	case float64:
		// A whole number compares exactly; a threshold near 2^63 as a float might round down to v.
		if v < 1<<63 && v == math.Trunc(v) {
			return int64(v) > limit
		}
		return v > float64(limit)
	default:
		return true
	}
}

// factor describes the number.
func (q quantity) factor(parameter string) v1alpha1.RiskFactor {
	out := v1alpha1.RiskFactor{Name: "blast-radius", Source: v1alpha1.SourceClaimed}
	value := unknown
	switch v := q.value.(type) {
	case int64:
		value = strconv.FormatInt(v, 10)
	case float64:
		value = strconv.FormatFloat(v, 'g', -1, 64)
	default:
		out.Source = v1alpha1.SourceModel
		out.Note = "parameters." + cutWord(parameter) + " " + q.problem + "; scored as above every threshold"
	}
	out.Value = cutWord(parameter) + "=" + value
	return out
}
