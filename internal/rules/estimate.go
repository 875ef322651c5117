// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"k8s.io/apiserver/pkg/cel/library"
)

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
//
//nolint:gocritic // ptrToRefParam: checker.CostEstimator wants the pointer.
func (e *estimate) EstimateCallCost(function, overload string, target *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
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
