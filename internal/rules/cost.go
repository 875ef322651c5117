// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/library"
)

// The limits of cost. One unit is about 100 ns.
const (
	// EstimatedCostLimit is what an expression may be estimated to cost at most.
	EstimatedCostLimit = 10_000_000
	// CostLimit is what one evaluation of an expression may cost at most.
	CostLimit = celconfig.PerCallLimit
	// DecisionCostLimit is what all expressions of the global rules, and again
	// those of the namespace's, may cost together for one decision.
	DecisionCostLimit = celconfig.RuntimeCELCostBudget
)

// Costs that differ from those of CEL and of Kubernetes.
const (
	// zoneCost is for a time zone, which is read anew at every call.
	zoneCost = 300
	// formatCost is for a call of format, which looks up a language.
	formatCost = 250
	// byteCost is for reading or writing a byte of text.
	byteCost = common.StringTraversalCostFactor
	// instructionCost is for one instruction of a regular expression at every
	// tenth byte of text.
	instructionCost = common.RegexStringLengthCostFactor
	// beyond is above every limit.
	beyond = 1 << 40
)

// costs tells CEL what calls cost: what Kubernetes charges, except where that
// is far from what they take.
type costs struct {
	library library.CostEstimator
}

// CallCost is the actual cost of a call. It implements
// interpreter.ActualCostEstimator.
func (c *costs) CallCost(function, overload string, args []ref.Val, result ref.Val) *uint64 {
	if cost := ownCost(function, args, result); cost >= 0 {
		charged := uint64(math.Min(math.Ceil(cost), beyond))
		return &charged
	}
	return c.library.CallCost(function, overload, args, result)
}

// ownCost is the cost of the calls that Kubernetes and CEL get wrong; negative
// for all others.
func ownCost(function string, args []ref.Val, result ref.Val) float64 {
	switch function {
	case operators.Equals, operators.NotEquals:
		return equalityCost(args[0], args[1])
	case operators.In, "indexOf", "lastIndexOf", "includes":
		return searchCost(function, args)
	case operators.Add, "replace", "join", "split", "contains":
		return 1 + byteCost*(textBytes(args)+textBytes([]ref.Val{result}))
	case "size":
		return 1 + byteCost/10*textBytes(args)
	case "format":
		return formatCost + byteCost*2*textBytes([]ref.Val{result})
	case "matches", "find", "findAll":
		return regexCost(args)
	case "sets.contains", "sets.intersects", "sets.equivalent":
		return 2 + pairCost(args[0], args[1])
	case "distinct":
		return 2 + pairCost(args[0], args[0])
	case "sort", "@sortByAssociatedKeys":
		return 10 * heft(args[len(args)-1])
	case "isSorted", "sum", "min", "max", "flatten", "slice", "reverse":
		return 1 + heft(args[0])
	case "lists.range":
		return 1 + length(result)
	case stepFunction:
		return 1
	case "getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek",
		"getHours", "getMinutes", "getSeconds", "getMilliseconds":
		return 1 + zoneCost*float64(len(args)-1)
	}
	return -1
}

// equalityCost is for comparing what both have in common.
func equalityCost(a, b ref.Val) float64 {
	switch {
	case isText(a) && isText(b):
		return 1 + byteCost*min(textBytes([]ref.Val{a}), textBytes([]ref.Val{b}))
	case isAggregate(a) && isAggregate(b):
		return 1 + heft(a) + heft(b)
	default:
		return 1
	}
}

// searchCost is for looking for a value in a list, a map or a text.
func searchCost(function string, args []ref.Val) float64 {
	needle, in := args[0], args[1]
	if function != operators.In {
		needle, in = args[1], args[0]
	}
	list, isList := in.(traits.Lister)
	switch {
	case !isList:
		return 1 + byteCost*textBytes([]ref.Val{in})
	case isAggregate(needle):
		return 1 + length(list) + heft(list)
	default:
		return 1 + length(list)
	}
}

// pairCost is for comparing each element of one list with each of the other.
func pairCost(a, b ref.Val) float64 {
	return min(heft(a)*max(1, length(b)), heft(b)*max(1, length(a)))
}

// regexCost is for a text and a regular expression.
func regexCost(args []ref.Val) float64 {
	pattern, isPattern := args[1].(types.String)
	if !isPattern {
		return beyond
	}
	return matchingCost(textBytes(args[:1]), string(pattern))
}

// matchingCost is for matching so many bytes of text: the expression takes one
// step for every byte and, in the worst case, every instruction.
// Source: https://swtch.com/~rsc/regexp/regexp1.html
func matchingCost(bytes float64, pattern string) float64 {
	return math.Ceil((bytes+1)*byteCost) * math.Ceil(float64(regexSize(pattern))*instructionCost)
}

func isText(v ref.Val) bool {
	switch v.(type) {
	case types.String, types.Bytes:
		return true
	default:
		return false
	}
}

func isAggregate(v ref.Val) bool {
	switch v.(type) {
	case traits.Lister, traits.Mapper, *types.Optional:
		return true
	default:
		return false
	}
}

func textBytes(values []ref.Val) float64 {
	bytes := 0
	for _, v := range values {
		switch text := v.(type) {
		case types.String:
			bytes += len(text)
		case types.Bytes:
			bytes += len(text)
		}
	}
	return float64(bytes)
}

func length(v ref.Val) float64 {
	if sizer, sized := v.(traits.Sizer); sized {
		if n, isInt := sizer.Size().(types.Int); isInt {
			return float64(n)
		}
	}
	return 1
}

// heft is how many values a value holds, and a tenth of the bytes of text. It
// looks no further than what would be beyond CostLimit.
func heft(v ref.Val) float64 {
	left := float64(CostLimit) + 1
	weighIn(v, &left)
	return float64(CostLimit) + 1 - left
}

func weighIn(v ref.Val, left *float64) {
	*left -= 1 + byteCost*textBytes([]ref.Val{v})
	if *left <= 0 {
		return
	}
	switch value := v.(type) {
	case *types.Optional:
		if value.HasValue() {
			weighIn(value.GetValue(), left)
		}
	case traits.Lister:
		for it := value.Iterator(); *left > 0 && it.HasNext() == types.True; {
			weighIn(it.Next(), left)
		}
	case traits.Mapper:
		for it := value.Iterator(); *left > 0 && it.HasNext() == types.True; {
			key := it.Next()
			weighIn(key, left)
			weighIn(value.Get(key), left)
		}
	}
}

// estimate bounds the cost of a checked expression before it runs. It
// implements checker.CostEstimator.
type estimate struct {
	library library.CostEstimator
	typical map[int64]float64
	lists   map[int64]bool // expressions whose elements are visited
}

func newEstimate(checked *ast.AST) *estimate {
	e := &estimate{typical: weigh(checked, true), lists: map[int64]bool{}}
	e.library.SizeEstimator = e
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(e.visit))
	return e
}

// visit notes which expressions are used as lists, for that cannot be seen by
// the type of what comes out of parameters.
func (e *estimate) visit(expr ast.Expr) {
	switch expr.Kind() {
	case ast.ComprehensionKind:
		e.list(expr.AsComprehension().IterRange())
	case ast.CallKind:
		call := expr.AsCall()
		switch call.FunctionName() {
		case "distinct", "sort", "@sortByAssociatedKeys", "flatten":
			e.list(call.Target())
		case "sets.contains", "sets.intersects", "sets.equivalent":
			for _, arg := range call.Args() {
				e.list(arg)
			}
		}
	}
}

// list notes an expression as a list, with those it takes its value from.
func (e *estimate) list(expr ast.Expr) {
	e.lists[expr.ID()] = true
	if expr.Kind() != ast.CallKind {
		return
	}
	call := expr.AsCall()
	switch call.FunctionName() {
	case operators.Conditional:
		e.list(call.Args()[1])
		e.list(call.Args()[2])
	case "orValue", "or", "value", "dyn":
		if call.IsMemberFunction() {
			e.list(call.Target())
		}
		for _, arg := range call.Args() {
			e.list(arg)
		}
	}
}

// EstimateSize bounds the length of a text, a list or a map by what is typical
// for requests as large as they may be.
func (e *estimate) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	size := float64(minTypical) // an element that is nowhere in the expression
	if expr := node.Expr(); expr != nil {
		size = e.typical[expr.ID()]
		if e.lists[expr.ID()] {
			size = share(size)
		}
	}
	return &checker.SizeEstimate{Max: uint64(math.Min(size, beyond))}
}

// EstimateCallCost bounds the cost of a call.
func (e *estimate) EstimateCallCost(
	function, overload string, target *checker.AstNode, args []checker.AstNode,
) *checker.CallEstimate {
	nodes := args
	if target != nil {
		nodes = append([]checker.AstNode{*target}, args...)
	}
	if cost := e.ownEstimate(function, nodes); cost >= 0 {
		return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Max: uint64(math.Min(cost, beyond))}}
	}
	return e.library.EstimateCallCost(function, overload, target, args)
}

// ownEstimate goes with ownCost; negative where Kubernetes and CEL estimate.
func (e *estimate) ownEstimate(function string, nodes []checker.AstNode) float64 {
	switch function {
	case "matches", "find", "findAll":
		pattern, _ := nodes[1].Expr().AsLiteral().(types.String)
		return matchingCost(e.weight(nodes[0]), string(pattern))
	case "contains":
		return 1 + byteCost*(e.weight(nodes[0])+e.weight(nodes[1]))
	case "replace":
		return 1 + byteCost*e.weight(nodes[0])*(2+e.weight(nodes[2]))
	case "split":
		return 1 + byteCost*3*e.weight(nodes[0])
	case "join":
		separator := 0.0
		if len(nodes) > 1 {
			separator = e.weight(nodes[1])
		}
		return 1 + byteCost*e.weight(nodes[0])*(2+separator)
	case "format":
		return formatCost + byteCost*(maxFormatted*e.weight(nodes[0])+8*e.weight(nodes[1]))
	case "getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek",
		"getHours", "getMinutes", "getSeconds", "getMilliseconds":
		return 1 + zoneCost*float64(len(nodes)-1)
	}
	return -1
}

func (e *estimate) weight(node checker.AstNode) float64 { return e.typical[node.Expr().ID()] }
