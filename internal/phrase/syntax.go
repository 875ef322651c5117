// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"strings"

	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/parser"
)

// parse reads an expression that has compiled. Macros are left as the calls
// that they are written as, and a && b && c is one call: what is to be said is
// what is written, not what it is made into.
func parse(source string) (ast.Expr, bool) {
	p, err := parser.NewParser(
		parser.EnableOptionalSyntax(true),
		parser.EnableIdentEscapeSyntax(true),
		parser.EnableVariadicOperatorASTs(true),
	)
	if err != nil {
		return nil, false
	}
	parsed, errs := p.Parse(common.NewTextSource(source))
	if len(errs.GetErrors()) > 0 {
		return nil, false
	}
	return parsed.Expr(), true
}

// call is a call of a function, member or not, that has the name and number of
// arguments; the target of a member is the first.
func call(e ast.Expr) (name string, args []ast.Expr, member bool) {
	if e.Kind() != ast.CallKind {
		return "", nil, false
	}
	c := e.AsCall()
	if !c.IsMemberFunction() {
		return c.FunctionName(), c.Args(), false
	}
	return c.FunctionName(), append([]ast.Expr{c.Target()}, c.Args()...), true
}

func isCall(e ast.Expr, function string, args int) ([]ast.Expr, bool) {
	name, given, _ := call(e)
	return given, name == function && len(given) == args
}

// text is the value of an expression that is a literal text.
func text(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	value, isText := e.AsLiteral().(types.String)
	return string(value), isText
}

// integer is the value of an expression that is a literal whole number.
func integer(e ast.Expr) (int64, bool) {
	if e.Kind() != ast.LiteralKind {
		return 0, false
	}
	value, isInt := e.AsLiteral().(types.Int)
	return int64(value), isInt
}

func isNumber(e ast.Expr) bool {
	if e.Kind() != ast.LiteralKind {
		return false
	}
	switch e.AsLiteral().(type) {
	case types.Int, types.Uint, types.Double:
		return true
	default:
		return false
	}
}

// source is an expression as CEL, written anew.
func source(e ast.Expr) (string, bool) {
	written, err := parser.Unparse(e, ast.NewSourceInfo(nil))
	if err != nil {
		return "", false
	}
	again, ok := parse(written)
	if !ok {
		return "", false
	}
	twice, err := parser.Unparse(again, ast.NewSourceInfo(nil))
	return written, err == nil && twice == written
}

// path is what a chain of fields and literal indexes reads, from its variable
// on: action.parameters['a'].b and action.parameters.a.b are the same path.
func path(e ast.Expr) ([]string, bool) {
	at, known := chain(e)
	return at, known && !isOptional(e)
}

// isOptional says whether an expression reads something by .? or [?].
func isOptional(e ast.Expr) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(part ast.Expr) {
		name, _, _ := call(part)
		found = found || name == operators.OptIndex || name == operators.OptSelect
	}))
	return found
}

// chain is a path, some parts of which may be optional.
func chain(e ast.Expr) ([]string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{strings.TrimPrefix(e.AsIdent(), ".")}, true
	case ast.SelectKind:
		before, known := chain(e.AsSelect().Operand())
		return append(before, e.AsSelect().FieldName()), known && !e.AsSelect().IsTestOnly()
	case ast.CallKind:
		name, args, _ := call(e)
		if (name != operators.Index && name != operators.OptIndex && name != operators.OptSelect) || len(args) != 2 {
			return nil, false
		}
		before, known := chain(args[0])
		key, isText := text(args[1])
		return append(before, key), known && isText
	default:
		return nil, false
	}
}

// open says whether a path begins in what an action or agent may fill as it
// likes, and how many of its parts are fixed.
func open(path []string) (fixed int, isOpen bool) {
	if len(path) > 2 && (path[0] == "action" || path[0] == "agent") {
		switch path[1] {
		case "parameters", "context":
			return 2, path[0] == "action"
		case "labels", "annotations":
			return 2, true
		}
	}
	if len(path) > 3 && path[0] == "namespaceObject" && path[1] == "metadata" && (path[2] == "labels" || path[2] == "annotations") {
		return 3, true
	}
	return 0, false
}
