// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// NeverTrue is the name of the first condition that is false whatever is
// asked, as far as that shows in constants, compared with each other and
// joined by && || ! and ?:. Empty where there is none.
func (r *Rule) NeverTrue() string {
	for _, c := range r.conditions {
		if known(nil).constant(c.program.checked.NativeRep().Expr()) == types.False {
			return c.name
		}
	}
	return ""
}

// known are the values of fields that are known, by their paths such as
// risk.score, beside the constants of an expression.
type known map[string]ref.Val

// constant is the value of an expression that no request changes; nil where
// that does not show. A false term makes a conjunction false even where another
// term fails, and so does a true one with a disjunction.
// Source: CEL language definition, "Logical Operators".
func (k known) constant(e ast.Expr) ref.Val {
	switch e.Kind() {
	case ast.LiteralKind:
		return e.AsLiteral()
	case ast.SelectKind:
		if value, found := k[fieldPath(e)]; found {
			return value
		}
		return nil
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			return k.member(call)
		}
		return k.call(call.FunctionName(), call.Args())
	default:
		return nil
	}
}

func (k known) call(function string, args []ast.Expr) ref.Val {
	if function == operators.In && len(args) == 2 {
		return k.in(args[0], args[1])
	}
	values := make([]ref.Val, len(args))
	for i, arg := range args {
		values[i] = k.constant(arg)
	}
	switch function {
	case operators.LogicalAnd:
		return joinedBy(types.True, values)
	case operators.LogicalOr:
		return joinedBy(types.False, values)
	case operators.LogicalNot:
		if b, known := values[0].(types.Bool); known {
			return !b
		}
		return nil
	case operators.Conditional:
		if values[0] == types.True {
			return values[1]
		}
		if values[0] == types.False {
			return values[2]
		}
		return nil
	}
	if len(values) != 2 || values[0] == nil || values[1] == nil {
		return nil
	}
	return compared(function, values[0], values[1])
}

// joinedBy is the value of a conjunction, of which true is the neutral
// element, or a disjunction, of which false is.
func joinedBy(neutral types.Bool, values []ref.Val) ref.Val {
	known := true
	for _, v := range values {
		b, isBool := v.(types.Bool)
		switch {
		case !isBool:
			known = false
		case b != neutral:
			return b
		}
	}
	if known {
		return neutral
	}
	return nil
}

// compared compares two constants of the same type, or two numbers.
func compared(function string, left, right ref.Val) ref.Val {
	left, right = asDoubles(left, right)
	if left.Type() != right.Type() {
		return nil
	}
	switch function {
	case operators.Equals:
		return left.Equal(right)
	case operators.NotEquals:
		if equal, known := left.Equal(right).(types.Bool); known {
			return !equal
		}
		return nil
	}
	comparer, ordered := left.(traits.Comparer)
	if !ordered {
		return nil
	}
	order, known := comparer.Compare(right).(types.Int)
	if !known {
		return nil
	}
	switch function {
	case operators.Less:
		return types.Bool(order < 0)
	case operators.LessEquals:
		return types.Bool(order <= 0)
	case operators.Greater:
		return types.Bool(order > 0)
	case operators.GreaterEquals:
		return types.Bool(order >= 0)
	default:
		return nil
	}
}

// asDoubles makes two numbers comparable of which one is a double. A whole
// number that a double cannot hold stays what it is.
func asDoubles(left, right ref.Val) (_, _ ref.Val) {
	const exact = 1 << 53
	double := func(v, other ref.Val) ref.Val {
		whole, isInt := v.(types.Int)
		if _, isDouble := other.(types.Double); !isInt || !isDouble || whole < -exact || whole > exact {
			return v
		}
		return types.Double(whole)
	}
	return double(left, right), double(right, left)
}
