// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Condition says in words when a condition is true. The expression has
// compiled; one that cannot be put in words is quoted.
func Condition(expression string) *Text {
	parsed, ok := parse(expression)
	if ok {
		w := &writer{names: map[string]ast.Expr{}, progress: &progress{}}
		if said := w.claim(parsed, true); !w.lost {
			return said
		}
	}
	return &Text{Line: code(expression) + " is true"}
}

// writer puts one expression in words.
type writer struct {
	names map[string]ast.Expr // of loops over one element: what the variable stands for
	*progress
}

// progress is shared by the writers of one expression.
type progress struct {
	claims int  // said so far
	lost   bool // something can be said only with the whole expression
}

// maxClaims are the most claims of one expression. Alternatives within each
// other are said several times; who reads so many lines is better served by CEL.
const maxClaims = 500

// quote is an expression as it was written. One with a variable that was put
// in words elsewhere cannot be quoted alone.
func (w *writer) quote(e ast.Expr) string {
	written, ok := source(e)
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(part ast.Expr) {
		if part.Kind() == ast.IdentKind && w.names[part.AsIdent()] != nil {
			ok = false
		}
	}))
	if !ok {
		w.lost = true
	}
	return code(written)
}

// claim says that an expression is true, or that it is false.
func (w *writer) claim(e ast.Expr, holds bool) *Text {
	w.claims++
	if w.claims > maxClaims || w.lost {
		w.lost = true
		return &Text{}
	}
	switch e.Kind() {
	case ast.LiteralKind:
		if b, isBool := e.AsLiteral().(types.Bool); isBool {
			if bool(b) == holds {
				return &Text{Line: "always"}
			}
			return &Text{Line: "never"}
		}
	case ast.IdentKind:
		if meant := w.names[e.AsIdent()]; meant != nil {
			return w.claim(meant, holds)
		}
	case ast.CallKind:
		if said := w.claimCall(e, holds); said != nil {
			return said
		}
	}
	if said := knownClaim(e, holds); said != "" {
		return &Text{Line: said}
	}
	return &Text{Line: fmt.Sprintf("%s is %t", w.term(e), holds)}
}

// claimCall says what a call claims; nil where it is not known.
func (w *writer) claimCall(e ast.Expr, holds bool) *Text {
	name, args, member := call(e) // operators have the arguments that the grammar gives them
	switch name {
	case operators.LogicalAnd:
		return w.several(args, holds, holds)
	case operators.LogicalOr:
		return w.several(args, holds, !holds)
	case operators.LogicalNot:
		return w.claim(args[0], !holds)
	case operators.Conditional:
		return w.choice(args[0], w.claim(args[1], holds), w.claim(args[2], holds))
	case operators.In:
		return line(w.among(args[0], args[1], holds))
	}
	switch {
	case comparisons[name] != "":
		return w.compare(name, args[0], args[1], holds)
	case name == "has" && !member && len(args) == 1:
		return line(w.given(args[0], holds))
	case loops[name] && member && len(args) == 3:
		return w.loop(name, args, holds)
	default:
		return line(w.claimFunction(name, args, member, holds))
	}
}

func line(words string) *Text {
	if words == "" {
		return nil
	}
	return &Text{Line: words}
}

// several says that all of some expressions are true or false, or at least one.
func (w *writer) several(parts []ast.Expr, holds, all bool) *Text {
	out := &Text{Line: "at least one of these:"}
	if all {
		out.Line = "all of these:"
	}
	for _, part := range parts {
		said := w.claim(part, holds)
		if said.Line == out.Line && len(said.Below) > 0 {
			out.Below = append(out.Below, said.Below...)
		} else {
			out.Below = append(out.Below, said)
		}
	}
	return out
}

// choice says what holds where a condition does, and otherwise.
func (w *writer) choice(condition ast.Expr, yes, no *Text) *Text {
	out := &Text{Line: "one or the other:"}
	out.Below = append(out.Below, yes.prefixed("if "+w.claim(condition, true).inline()+": "), no.prefixed("otherwise: "))
	return out
}

// knownClaim says what a field of true or false means.
func knownClaim(e ast.Expr, holds bool) string {
	if at, known := path(e); known && len(at) == 2 && at[0] == "risk" && at[1] == "offHours" {
		if holds {
			return "it is submitted outside the business hours of the RiskModel"
		}
		return "it is submitted within the business hours of the RiskModel"
	}
	return ""
}

// given says that something is there. Only what is open may be missing.
func (w *writer) given(e ast.Expr, holds bool) string {
	at, known := path(e)
	if !known || w.names[at[0]] != nil {
		return ""
	}
	if _, isOpen := open(at); !isOpen && isVariable(at[0]) {
		return ""
	}
	if holds {
		return w.term(e) + " is given"
	}
	return w.term(e) + " is not given"
}

// loops are the macros that say something of the elements of a list.
var loops = map[string]bool{"exists": true, "all": true, "exists_one": true, "existsOne": true}

// loop says something of elements. A list of one element needs no loop.
func (w *writer) loop(name string, args []ast.Expr, holds bool) *Text {
	over, variable, body := args[0], args[1], args[2]
	if variable.Kind() != ast.IdentKind {
		return nil
	}
	if condition, is := isCall(over, operators.Conditional, 3); is {
		yes := w.loop(name, []ast.Expr{condition[1], variable, body}, holds)
		no := w.loop(name, []ast.Expr{condition[2], variable, body}, holds)
		return w.choice(condition[0], yes, no)
	}
	v := variable.AsIdent()
	inner := w.within(v)
	if over.Kind() == ast.ListKind && over.AsList().Size() == 1 && len(over.AsList().OptionalIndices()) == 0 && !mentions(over, v) {
		inner.names[v] = over.AsList().Elements()[0]
		return inner.claim(body, holds)
	}
	words := "for exactly one"
	switch {
	case name == "exists" && holds:
		words = "for at least one"
	case name == "exists":
		words = "for no"
	case name == "all" && holds:
		words = "for every"
	case name == "all":
		words = "not for every"
	case !holds:
		words = "not for exactly one"
	}
	return inner.claim(body, true).prefixed(fmt.Sprintf("%s %s in %s: ", words, code(v), w.elements(over)))
}

func mentions(e ast.Expr, variable string) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(part ast.Expr) {
		found = found || (part.Kind() == ast.IdentKind && part.AsIdent() == variable)
	}))
	return found
}

// elements are what a loop goes over: a map has keys.
func (w *writer) elements(over ast.Expr) string {
	at, known := path(over)
	if known && w.names[at[0]] == nil && isMap(at) {
		return "the names in " + w.term(over)
	}
	return w.term(over)
}
