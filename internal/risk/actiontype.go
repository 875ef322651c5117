// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// actionType is what a pattern says about the action types it covers.
type actionType struct {
	glob   match.Glob
	vector vector
	broken string
	own    bool // of the model, not built in
}

// actionTypes compiles the model's entries over the built-in ones.
func (c *compiler) actionTypes(path *field.Path, own, base []v1alpha1.ActionTypeRisk) {
	m := c.model
	m.exact = make(map[string]*actionType, len(own)+len(base))
	seen := map[string]bool{}
	for i := range own {
		at := path.Index(i)
		entry := c.actionType(at, &own[i])
		pattern := entry.glob.String()
		if pattern == "" {
			c.everything(field.Required(at.Child("pattern"), "say which action types it covers"))
			continue
		}
		if seen[pattern] {
			entry.broken = c.report(field.Duplicate(at.Child("pattern"), string(own[i].Pattern)))
		}
		seen[pattern] = true
		entry.own = true
		c.put(&entry)
	}
	for i := range base {
		entry := c.actionType(path, &base[i])
		if !seen[entry.glob.String()] {
			c.put(&entry)
		}
	}
	slices.SortFunc(m.globs, compareSpecificity)
}

func (c *compiler) actionType(at *field.Path, entry *v1alpha1.ActionTypeRisk) actionType {
	out := actionType{glob: match.NewGlob(string(entry.Pattern))}
	var err error
	if out.vector, err = parseVector(string(entry.CVSSVector)); err != nil {
		out.broken = c.report(field.Invalid(at.Child("cvssVector"), string(entry.CVSSVector), err.Error()))
	}
	return out
}

func (c *compiler) put(entry *actionType) {
	if entry.glob.Exact() {
		c.model.exact[entry.glob.String()] = entry
		return
	}
	c.model.globs = append(c.model.globs, *entry)
}

// compareSpecificity orders globs by how specific they are: more literal
// characters first, then the model's before the built-in ones, then, where a
// name may match both, the more dangerous.
func compareSpecificity(a, b actionType) int {
	if n := cmp.Compare(b.glob.Literals(), a.glob.Literals()); n != 0 {
		return n
	}
	if a.own != b.own {
		return after(b.own)
	}
	if (a.broken != "") != (b.broken != "") {
		return after(b.broken != "")
	}
	if n := cmp.Compare(b.vector.base, a.vector.base); n != 0 {
		return n
	}
	return cmp.Compare(a.glob.String(), b.glob.String())
}

// after is the result of a comparison by something that one of two has.
func after(secondHasIt bool) int {
	if secondHasIt {
		return 1
	}
	return -1
}

// actionType finds the most specific entry for a folded action type. There is
// always one: the built-in or the model's own "*".
func (m *Model) actionType(name string) *actionType {
	if entry, found := m.exact[name]; found {
		return entry
	}
	for i := range m.globs {
		if m.globs[i].glob.Match(name) {
			return &m.globs[i]
		}
	}
	return &actionType{broken: "no entry of the RiskModel covers the action type"}
}
