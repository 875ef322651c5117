// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"

	// Time zones in expressions have to mean the same on every host, and in an
	// image that has no files of its own.
	_ "time/tzdata"
)

// languageVersion is the Kubernetes version whose CEL libraries expressions
// can use. It is fixed, so that a rule means the same on every cluster.
var languageVersion = version.MajorMinor(1, 37)

const (
	// maxNesting is how deep macros that loop may be nested or chained.
	maxNesting = 4
	// maxRecursion is how deep an expression may be nested. Checking takes time
	// with the cube of it: 120 levels of optional.of() took seconds.
	maxRecursion = 64
)

// newEnvironment makes the environment expressions are compiled in: the
// libraries of Kubernetes, the variables, the costs, and the guards on
// functions that take far longer than their text lets expect.
func newEnvironment() (*cel.Env, error) {
	declared, options := declare()
	options = append(options,
		cel.ParserRecursionLimit(maxRecursion),
		cel.ASTValidators(cel.ValidateComprehensionNestingLimit(maxNesting)),
	)
	set, err := environment.MustBaseEnvSet(languageVersion).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        options,
		DeclTypes:         declared,
	})
	if err != nil {
		return nil, fmt.Errorf("make the CEL environment: %w", err)
	}
	return guarded(set.NewExpressionsEnv())
}

// charged are the functions whose costs CEL's libraries track by themselves,
// each by the number of its elements squared.
var charged = []string{
	"sets.contains", "sets.intersects", "sets.equivalent",
	"distinct", "sort", "@sortByAssociatedKeys", "flatten", "slice", "reverse", "lists.range",
}

// programOptions are those of every program: it is charged by costs and not by
// the libraries, stops at CostLimit, and at every step of a loop looks whether
// its context has ended.
func programOptions(env *cel.Env) []cel.ProgramOption {
	estimator := &costs{}
	var trackers []interpreter.CostTrackerOption
	declared := env.Functions()
	for _, name := range charged {
		for _, overload := range declared[name].OverloadDecls() {
			trackers = append(trackers, interpreter.OverloadCostTracker(overload.ID(), func(args []ref.Val, result ref.Val) *uint64 {
				return estimator.CallCost(name, overload.ID(), args, result)
			}))
		}
	}
	return []cel.ProgramOption{
		cel.CostLimit(CostLimit),
		cel.CostTracking(estimator),
		cel.CostTrackerOptions(trackers...),
		cel.InterruptCheckFrequency(1),
	}
}

// guard refuses a call before it is made. It returns nil, or why not.
type guard func(args []ref.Val) error

// guards of functions, by overload. They compare everything with everything,
// or make as much as they are told to.
var guards = map[string]guard{
	"list_sets_contains_list":   guardPairs,
	"list_sets_intersects_list": guardPairs,
	"list_sets_equivalent_list": guardPairs,
	"list_distinct":             func(args []ref.Val) error { return guardPairs([]ref.Val{args[0], args[0]}) },
	"lists_range":               guardRange,
}

// guardPairs allows as many comparisons as CostLimit pays for.
func guardPairs(args []ref.Val) error {
	if pairCost(args[0], args[1]) > CostLimit {
		return fmt.Errorf("lists of %.0f and %.0f elements are too long to compare each with each; use shorter lists",
			length(args[0]), length(args[1]))
	}
	return nil
}

func guardRange(args []ref.Val) error {
	if n, isInt := args[0].(types.Int); isInt && n > maxRange {
		return fmt.Errorf("lists.range(%d) is too long, the limit is %d", n, maxRange)
	}
	return nil
}

// guarded puts the guards before the functions they are for. It fails when one
// of them is not there any more.
func guarded(env *cel.Env) (*cel.Env, error) {
	var options []cel.EnvOption
	found := 0
	for name, declaration := range env.Functions() {
		bindings, err := declaration.Bindings()
		if err != nil {
			return nil, fmt.Errorf("read CEL function %s: %w", name, err)
		}
		for _, overload := range declaration.OverloadDecls() {
			check, guarded := guards[overload.ID()]
			if !guarded {
				continue
			}
			found++
			declare := cel.Overload
			if overload.IsMemberFunction() {
				declare = cel.MemberOverload
			}
			options = append(options, cel.Function(name, declare(overload.ID(), overload.ArgTypes(), overload.ResultType(),
				guardedBinding(check, bindings, overload.ID()))))
		}
	}
	if found != len(guards) {
		return nil, fmt.Errorf("guard CEL functions: found %d of %d", found, len(guards))
	}
	return env.Extend(options...)
}

// guardedBinding calls the function bound to an overload, if the guard allows.
func guardedBinding(check guard, bindings []*functions.Overload, id string) cel.OverloadOpt {
	for _, b := range bindings {
		switch {
		case b.Operator != id:
		case b.Unary != nil:
			return cel.UnaryBinding(func(arg ref.Val) ref.Val {
				if err := check([]ref.Val{arg}); err != nil {
					return types.WrapErr(err)
				}
				return b.Unary(arg)
			})
		case b.Binary != nil:
			return cel.BinaryBinding(func(left, right ref.Val) ref.Val {
				if err := check([]ref.Val{left, right}); err != nil {
					return types.WrapErr(err)
				}
				return b.Binary(left, right)
			})
		}
	}
	return cel.FunctionBinding(func(...ref.Val) ref.Val { return types.NewErr("function %s is not available", id) })
}
