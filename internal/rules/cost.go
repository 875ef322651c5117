// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"

	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apiserver/pkg/cel/library"
)

// The limits of cost. One unit is about 100 ns. CostLimit and DecisionCostLimit
// are those of Kubernetes for a call and for a ValidatingAdmissionPolicy. Source:
// k8s.io/apiserver/pkg/apis/cel, PerCallLimit and RuntimeCELCostBudget.
const (
	// EstimatedCostLimit is what an expression may be estimated to cost at most.
	EstimatedCostLimit = 10_000_000
	// CostLimit is what one evaluation of an expression may cost at most.
	CostLimit = 1_000_000
	// DecisionCostLimit is what all expressions of the global rules, and again
	// those of the namespace's, may cost together for one decision.
	DecisionCostLimit = 10_000_000
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
