// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"slices"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// need is what a condition takes for granted of something that an action or an
// agent may fill in as it likes.
type need struct {
	at    []string
	given bool   // that it is there
	kind  string // what it must not be: "is not a number"; empty where it may be anything
}

// line says where the need is not met; empty where there is none.
func (n *need) line() string {
	name := describe(n.at)
	switch {
	case n.given && n.kind != "":
		return name + " is missing, or " + n.kind
	case n.given:
		return name + " is missing"
	case n.kind != "":
		return name + " " + n.kind
	default:
		return ""
	}
}

// doubts finds what conditions take for granted. A condition that asks for it
// first, with has() or type(), does not; nor does one beside it in a
// conjunction, which is false then, and false beats failure.
type doubts struct {
	found []*need
	order map[string]*need
}

// doubtsOf are the needs of the conditions of a rule, in their order.
func doubtsOf(conditions []ast.Expr) []*need {
	d := &doubts{order: map[string]*need{}}
	sure := known{}
	for _, c := range conditions {
		sure = sure.with(factsOf(c, true))
	}
	for _, c := range conditions {
		d.look(c, sure)
	}
	return slices.DeleteFunc(d.found, func(n *need) bool { return n.line() == "" })
}

// known are facts that hold where an expression matters: "given" or "typed"
// and a path.
type known map[string]bool

func (k known) with(more known) known {
	all := known{}
	for _, facts := range []known{k, more} {
		for fact := range facts {
			all[fact] = true
		}
	}
	return all
}

// typed are the facts about types alone: whoever asks for one type takes care
// of the others.
func (k known) typed() known {
	out := known{}
	for fact := range k {
		if strings.HasPrefix(fact, "typed") {
			out[fact] = true
		}
	}
	return out
}

func fact(word string, at []string) string { return word + "\x00" + strings.Join(at, "\x00") }

// factsOf is what is known where an expression is true, or where it is false.
func factsOf(e ast.Expr, holds bool) known {
	out := known{}
	name, args, _ := call(e)
	switch name {
	case operators.LogicalNot:
		return factsOf(args[0], !holds)
	case operators.LogicalAnd, operators.LogicalOr:
		if holds != (name == operators.LogicalAnd) {
			return out
		}
		for _, part := range args {
			out = out.with(factsOf(part, holds))
		}
	case operators.Equals, operators.NotEquals:
		of, asksType := isCall(args[0], "type", 1)
		if !asksType || holds != (name == operators.Equals) {
			return out
		}
		if at, isPath := path(of[0]); isPath {
			out[fact("typed", at)] = true
		}
	case "has", operators.In:
		if at, isPath := presence(name, args); isPath && holds {
			out[fact("given", at)] = true
		}
	}
	return out
}

// presence is the path that has(path), or 'name' in path, asks for.
func presence(function string, args []ast.Expr) ([]string, bool) {
	if function == "has" {
		return path(args[0])
	}
	key, isText := text(args[0])
	at, isPath := path(args[1])
	return append(slices.Clone(at), key), isPath && isText && isMap(at)
}

// look finds the needs of an expression, given what is known where it matters.
func (d *doubts) look(e ast.Expr, sure known) {
	d.note(e, sure)
	name, args, member := call(e)
	switch {
	case (name == operators.LogicalAnd || name == operators.LogicalOr) && !member:
		all := sure
		for _, part := range args {
			all = all.with(factsOf(part, name == operators.LogicalAnd))
		}
		for _, part := range args {
			d.look(part, all)
		}
	case name == operators.Conditional && len(args) == 3:
		d.look(args[0], sure)
		yes, no := factsOf(args[0], true), factsOf(args[0], false)
		d.look(args[1], sure.with(yes).with(no.typed()))
		d.look(args[2], sure.with(no).with(yes.typed()))
	case name == "has" && !member && len(args) == 1:
		d.look(args[0].AsSelect().Operand(), sure)
	case optionals[name]: // they see to it themselves
	default:
		d.lookInside(e, sure)
	}
}

// lookInside finds the needs of the parts of an expression.
func (d *doubts) lookInside(e ast.Expr, sure known) {
	switch e.Kind() {
	case ast.CallKind:
		name, args, _ := call(e)
		for i, arg := range args {
			d.expect(name, i, arg, args, sure)
			d.look(arg, sure)
		}
	case ast.SelectKind:
		if _, isPath := path(e); !isPath {
			d.look(e.AsSelect().Operand(), sure)
		}
	case ast.ListKind:
		for _, element := range e.AsList().Elements() {
			d.look(element, sure)
		}
	}
}

// optionals are the functions of what may be missing.
var optionals = map[string]bool{"orValue": true, "or": true, "optMap": true, "optFlatMap": true, "hasValue": true}

// note is that something is read.
func (d *doubts) note(e ast.Expr, sure known) {
	at, isPath := path(e)
	if !isPath {
		return
	}
	if _, isOpen := open(at); isOpen && !sure[fact("given", at)] {
		d.need(at).given = true
	}
}

func (d *doubts) need(at []string) *need {
	key := fact("", at)
	if d.order[key] == nil {
		d.order[key] = &need{at: slices.Clone(at)}
		d.found = append(d.found, d.order[key])
	}
	return d.order[key]
}

// expect is that a value is used as one of a kind.
func (d *doubts) expect(function string, place int, arg ast.Expr, args []ast.Expr, sure known) {
	at, isPath := path(arg)
	if !isPath || sure[fact("typed", at)] {
		return
	}
	if _, isOpen := open(at); !isOpen || (at[1] != "parameters" && at[1] != "context") {
		return
	}
	if kind := kindOf(function, place, args); kind != "" {
		d.need(at).kind = kind
	}
}

// kindOf is what a value is that a function does not take in a place; empty
// where it takes anything, or that does not show.
func kindOf(function string, place int, args []ast.Expr) string {
	ordered := comparisons[function] != "" && function != operators.Equals && function != operators.NotEquals
	switch {
	case ordered && isNumber(args[1-place]):
		return "is not a number"
	case textTests[function] != [2]string{} && place == 0, manners[function] != "", formTests[function] != "":
		return "is not text"
	case loops[function] && place == 0:
		return "is neither a list nor an object"
	case function == "size":
		return "is neither text nor a list nor an object"
	case function == operators.LogicalNot:
		return "is neither true nor false"
	default:
		return ""
	}
}
