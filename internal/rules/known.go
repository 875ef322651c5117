// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/ow-kai/ascend-operator/internal/risk"
)

// The fields whose values the match of a rule restricts.
const (
	fieldScore      = varRisk + ".score"
	fieldLevel      = varRisk + ".level"
	fieldActionType = varAction + ".actionType"
)

// maxTried bounds the values that are tried, so that no rule takes more than a
// moment. What is not tried counts as possible.
const maxTried = 101 * 16

// NeverTrueTogether returns the names of conditions that no action fulfills
// which the rule covers: of each score and action type that the match leaves,
// one of them is false. None where that does not show, and where a single
// condition is false whatever is asked, which NeverTrue says.
func (r *Rule) NeverTrueTogether() []string {
	if r.err != nil || len(r.conditions) == 0 || r.NeverTrue() != "" {
		return nil
	}
	cases := r.cases()
	if len(cases) > maxTried {
		return nil
	}
	disproved := make([]int, len(r.conditions))
	guilty := map[int]bool{}
	for _, k := range cases {
		first := -1
		for i := range r.conditions {
			if k.constant(r.conditions[i].program.checked.NativeRep().Expr()) != types.False {
				continue
			}
			disproved[i]++
			if first < 0 {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		guilty[first] = true
	}
	var names []string
	for i, c := range r.conditions {
		if disproved[i] == len(cases) {
			return []string{c.name}
		}
		if guilty[i] {
			names = append(names, c.name)
		}
	}
	return names
}

// cases are the scores and action types that the match leaves. Types are only
// known where none of the patterns has a wildcard.
func (r *Rule) cases() []known {
	var out []known
	actionTypes := r.match.actionTypes
	for _, glob := range actionTypes {
		if !glob.Exact() {
			actionTypes = nil
			break
		}
	}
	for score := r.match.minScore; score <= risk.MaxScore; score++ {
		k := known{fieldScore: types.Double(float64(score) / 10), fieldLevel: types.String(score.Level())}
		if actionTypes == nil {
			out = append(out, k)
		}
		for _, glob := range actionTypes {
			out = append(out, known{
				fieldScore: k[fieldScore], fieldLevel: k[fieldLevel], fieldActionType: types.String(glob.String()),
			})
		}
	}
	return out
}

// fieldPath is the path of a field of a variable, such as risk.score; empty for
// everything else.
func fieldPath(e ast.Expr) string {
	selected := e.AsSelect()
	if selected.IsTestOnly() || selected.Operand().Kind() != ast.IdentKind {
		return ""
	}
	return selected.Operand().AsIdent() + "." + selected.FieldName()
}

// in says whether a value is in a list of constants.
func (k known) in(element, list ast.Expr) ref.Val {
	value := k.constant(element)
	if value == nil || list.Kind() != ast.ListKind {
		return nil
	}
	for _, e := range list.AsList().Elements() {
		entry := k.constant(e)
		if entry == nil || entry.Type() != value.Type() {
			return nil
		}
		if entry.Equal(value) == types.True {
			return types.True
		}
	}
	return types.False
}

// member is what a function of a text says of another.
func (k known) member(call ast.CallExpr) ref.Val {
	if len(call.Args()) != 1 {
		return nil
	}
	text, isText := k.constant(call.Target()).(types.String)
	part, isPart := k.constant(call.Args()[0]).(types.String)
	if !isText || !isPart {
		return nil
	}
	switch call.FunctionName() {
	case "startsWith":
		return types.Bool(strings.HasPrefix(string(text), string(part)))
	case "endsWith":
		return types.Bool(strings.HasSuffix(string(text), string(part)))
	case "contains":
		return types.Bool(strings.Contains(string(text), string(part)))
	default:
		return nil
	}
}
