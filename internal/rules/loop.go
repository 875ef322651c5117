// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// CEL's cost tracker keeps a stack of values so that it finds the arguments of
// calls. It leaves two values there at every step of a loop and searches the
// whole stack at the next, so that a loop over 60,000 elements, which is cheap
// by its cost, takes 17 seconds. loopSteps makes the tracker forget after every
// step: each step of a loop poses as a call whose argument is the step before
// it, and the tracker drops an argument with everything above it.

// stepFunction is the name under which the steps of loops are charged.
const stepFunction = "@step"

// loopStep is a step of a loop.
type loopStep struct {
	interpreter.InterpretableV2
	mark []interpreter.InterpretableV2
}

var _ interpreter.InterpretableCall = (*loopStep)(nil)

// ID is one that no expression has: those of expressions are positive.
func (s *loopStep) ID() int64 { return -s.InterpretableV2.ID() }

// Eval implements interpreter.Interpretable.
func (s *loopStep) Eval(vars interpreter.Activation) ref.Val {
	return s.Exec(interpreter.AsFrame(vars))
}

// Function implements interpreter.InterpretableCall.
func (s *loopStep) Function() string { return stepFunction }

// OverloadID implements interpreter.InterpretableCall.
func (s *loopStep) OverloadID() string { return stepFunction }

// Args are the step before.
func (s *loopStep) Args() []interpreter.InterpretableV2 { return s.mark }

// loopSteps is the option for programs of a checked expression.
func loopSteps(checked *ast.AST) cel.ProgramOption {
	steps := map[int64]bool{}
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind && loops(e.AsComprehension()) {
			steps[e.AsComprehension().LoopStep().ID()] = true
		}
	}))
	return cel.CustomDecoratorV2(func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		if !steps[i.ID()] {
			return i, nil
		}
		step := &loopStep{InterpretableV2: i}
		step.mark = []interpreter.InterpretableV2{step}
		return step, nil
	})
}

// loops says whether a macro loops; those that only name a value run over an
// empty list.
func loops(c ast.ComprehensionExpr) bool {
	return c.IterRange().Kind() != ast.ListKind || c.IterRange().AsList().Size() > 0
}
