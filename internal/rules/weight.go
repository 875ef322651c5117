// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// CEL charges for lists, maps and texts by their own length, not by what they
// hold, and only after they were made. An expression of a few bytes can so
// build a value that doubles at every step, and comparing or printing it never
// ends. weigher therefore bounds, before an expression ever runs, the weight
// of every value it can build: one for each scalar, element and byte of text,
// where what is there twice counts twice.
//
// It is run twice. With worst-case sizes, it refuses expressions that could
// build more than maxWeight. With typical sizes, it tells the estimate of cost
// how long the lists and texts are that an expression works on.
type weigher struct {
	checked *ast.AST
	typical bool
	scope   map[string]float64 // local variables
	known   map[int64]float64  // the largest weight seen of each expression
}

const (
	// maxWeight is the most any value may weigh: 128 times the parameters.
	maxWeight = 8 << 20
	// maxFormatted is the most one number can take in a formatted text: the
	// 309 digits of the largest double, and the most precision that is allowed.
	maxFormatted = 512
	// maxNumber is the most a number, a time or a duration takes as a text.
	maxNumber = 64
	// maxRange is the most elements lists.range makes.
	maxRange = 10_000
	// minTypical is the least typical size of a list or text.
	minTypical = 16
)

// weigh returns the largest weight of each expression in the AST.
func weigh(checked *ast.AST, typical bool) map[int64]float64 {
	w := &weigher{checked: checked, typical: typical, scope: map[string]float64{}, known: map[int64]float64{}}
	w.weigh(checked.Expr())
	return w.known
}

// weigh returns and notes the weight of an expression.
func (w *weigher) weigh(e ast.Expr) float64 {
	weight := w.parts(e)
	if w.scalar(e) {
		weight = 1
	}
	weight = max(1, weight)
	w.known[e.ID()] = max(w.known[e.ID()], weight)
	return weight
}

// scalar says whether the expression yields a value of fixed size.
func (w *weigher) scalar(e ast.Expr) bool {
	switch w.checked.GetType(e.ID()).Kind() {
	case types.BoolKind, types.IntKind, types.UintKind, types.DoubleKind,
		types.DurationKind, types.TimestampKind, types.NullTypeKind, types.TypeKind:
		return true
	default:
		return false
	}
}

func (w *weigher) parts(e ast.Expr) float64 {
	switch e.Kind() {
	case ast.LiteralKind:
		return literalWeight(e)
	case ast.IdentKind:
		return w.ident(e)
	case ast.SelectKind:
		return w.field(e)
	case ast.CallKind:
		return w.call(e.AsCall())
	case ast.ListKind:
		return w.sum(e.AsList().Elements())
	case ast.MapKind:
		sum := 0.0
		for _, entry := range e.AsMap().Entries() {
			sum += w.weigh(entry.AsMapEntry().Key()) + w.weigh(entry.AsMapEntry().Value())
		}
		return sum
	case ast.ComprehensionKind:
		return w.comprehension(e.AsComprehension())
	default: // structs cannot be made
		return math.Inf(1)
	}
}

func literalWeight(e ast.Expr) float64 {
	switch v := e.AsLiteral().(type) {
	case types.String:
		return float64(len(v))
	case types.Bytes:
		return float64(len(v))
	default:
		return 1
	}
}

func (w *weigher) sum(exprs []ast.Expr) float64 {
	sum := 0.0
	for _, e := range exprs {
		sum += w.weigh(e)
	}
	return sum
}

func (w *weigher) ident(e ast.Expr) float64 {
	if weight, local := w.scope[e.AsIdent()]; local {
		return weight
	}
	weight, _ := readable([]string{e.AsIdent()}) // a name of a type has no weight
	return weight
}

// field is that of a variable, or a part of what it is selected from.
func (w *weigher) field(e ast.Expr) float64 {
	whole := w.weigh(e.AsSelect().Operand())
	if path, fixed := w.path(e); fixed {
		if weight, found := readable(path); found {
			return weight
		}
	}
	return whole
}

// path is the path of an expression that selects from a variable.
func (w *weigher) path(e ast.Expr) ([]string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		_, local := w.scope[e.AsIdent()]
		return []string{e.AsIdent()}, !local
	case ast.SelectKind:
		path, fixed := w.path(e.AsSelect().Operand())
		return append(path, e.AsSelect().FieldName()), fixed
	default:
		return nil, false
	}
}

func (w *weigher) call(c ast.CallExpr) float64 {
	args := c.Args()
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	weights := make([]float64, len(args))
	sum := 0.0
	for i, arg := range args {
		weights[i] = w.weigh(arg)
		sum += weights[i]
	}
	switch c.FunctionName() {
	case operators.Conditional:
		return max(weights[1], weights[2])
	case operators.Index, operators.OptIndex, operators.OptSelect:
		return weights[0]
	case "replace": // every byte may become the whole replacement
		return weights[0] * (1 + weights[2])
	case "join":
		if len(weights) == 1 {
			return weights[0]
		}
		return weights[0] * (1 + weights[1])
	case "format":
		return 4*sum + maxFormatted*weights[0]
	case "strings.quote", "bytes":
		return 4 * sum
	case "string", "split", "findAll":
		return 2*sum + maxNumber
	case "lists.range":
		return maxRange
	default:
		return sum
	}
}

// comprehension bounds what a macro makes. The weights of the elements add up
// to that of the range, and a weight never grows slower than its parts; so the
// steps together add no more than one step does that sees the whole range,
// plus, for every element, what a step adds that sees nothing of it.
func (w *weigher) comprehension(c ast.ComprehensionExpr) float64 {
	whole := w.weigh(c.IterRange())
	accu := w.weigh(c.AccuInit())
	if loops(c) {
		accu = w.loop(c, whole, accu)
	}
	defer w.bind(c.AccuVar(), accu)()
	return w.weigh(c.Result())
}

func (w *weigher) loop(c ast.ComprehensionExpr, whole, start float64) float64 {
	element, count := whole, whole
	if w.typical {
		element, count = share(whole), share(whole)
	}
	seen := w.step(c, 1, element)
	unseen := w.step(c, 1, 1) // nothing weighs less than 1
	if w.step(c, 2, 1)-unseen > 1 {
		return math.Inf(1) // what was made so far is there twice
	}
	end := start + (seen - unseen) + count*(unseen-1)
	if w.typical {
		end = start + count*(seen-1)
	}
	w.step(c, end, element) // notes the weights of the last step
	return end
}

// step weighs one step with what was made so far and the loop's variables.
func (w *weigher) step(c ast.ComprehensionExpr, accu, element float64) float64 {
	defer w.bind(c.AccuVar(), accu)()
	defer w.bind(c.IterVar(), element)()
	if c.HasIterVar2() {
		defer w.bind(c.IterVar2(), element)()
	}
	w.weigh(c.LoopCondition())
	return w.weigh(c.LoopStep())
}

// bind sets a local variable and returns what unsets it.
func (w *weigher) bind(name string, weight float64) (unbind func()) {
	outer, shadowed := w.scope[name]
	w.scope[name] = weight
	return func() {
		if shadowed {
			w.scope[name] = outer
			return
		}
		delete(w.scope, name)
	}
}

// share is both the typical number of elements of a list of that weight and
// the typical weight of one: 64 KiB are 256 elements of 256 bytes.
func share(whole float64) float64 { return max(minTypical, math.Sqrt(whole)) }
