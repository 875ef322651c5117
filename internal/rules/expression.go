// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// maxExpression is the most characters of an expression. Source: the schema of
// v1alpha1.RuleCondition.
const maxExpression = 4096

// maxOptionalMaps is how often optMap and optFlatMap may be used. They put a
// copy of what they are called on into the expression: ten in a chain, which
// are 130 characters, take 16 seconds to check, and one more four times as long.
const maxOptionalMaps = 4

// program is a compiled expression. It is safe for concurrent use.
type program struct {
	checked *cel.Ast
	ready   atomic.Pointer[cel.Program]
	shelf   *shelf
}

// shelf keeps programs ready to run. One takes about 17 KB, most of it a table
// of all functions, against 3 KB for the checked expression, so that only so
// many are kept; the others are made anew, in about 100 µs, when they are needed.
type shelf struct {
	env     *cel.Env
	options []cel.ProgramOption

	mu   sync.Mutex
	kept []*program // a ring
	next int
}

// shelfSize is the number of programs that are kept: 35 MB.
const shelfSize = 2048

// put makes the program and keeps it in the place of the one that has been
// there longest.
func (s *shelf) put(p *program) (made cel.Program, err error) {
	defer recovered(&err)
	made, err = s.env.Program(p.checked, append(slices.Clip(s.options), loopSteps(p.checked.NativeRep()))...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) < shelfSize {
		s.kept = append(s.kept, p)
	} else {
		s.kept[s.next].ready.Store(nil)
		s.kept[s.next] = p
		s.next = (s.next + 1) % shelfSize
	}
	p.ready.Store(&made)
	return made, nil
}

// ErrCostLimit says that evaluation was stopped because it cost too much. It
// is handled more strictly than other errors of conditions: see ErrorPolicy.
var ErrCostLimit = errors.New("cost limit exceeded")

// eval evaluates the program and returns what it cost.
func (p *program) eval(ctx context.Context, vars cel.Activation) (value ref.Val, cost uint64, err error) {
	run := p.ready.Load()
	if run == nil {
		made, err := p.shelf.put(p)
		if err != nil {
			return nil, 0, err
		}
		run = &made
	}
	value, details, err := (*run).ContextEval(ctx, vars)
	if actual := details.ActualCost(); actual != nil {
		cost = *actual
	}
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded {
		return nil, cost, fmt.Errorf("%w: the expression cost more than %d units on this request", ErrCostLimit, uint64(CostLimit))
	}
	return value, cost, err
}

// recovered turns a panic into an error. CEL recovers those of evaluation by
// itself, but not those of compiling: {b'a': 1} == {} is enough for one.
func recovered(err *error) { //nolint:gocritic // ptrToRefParam: a deferred call sets the caller's result.
	if r := recover(); r != nil {
		*err = fmt.Errorf("CEL cannot compile this expression, which is a fault of its own (%v); write it in another way", r)
	}
}

// compile compiles an expression that yields the wanted type. The error says
// what is wrong, where, and shows the place.
func (c *Compiler) compile(source string, wanted *cel.Type) (p *program, err error) {
	defer recovered(&err)
	if strings.TrimSpace(source) == "" {
		return nil, errors.New("is empty; write true if it shall always hold")
	}
	if length := utf8.RuneCountInString(source); length > maxExpression {
		return nil, fmt.Errorf("has %d characters, the limit is %d; split it into several conditions", length, maxExpression)
	}
	if n := strings.Count(source, "optMap") + strings.Count(source, "optFlatMap"); n > maxOptionalMaps {
		return nil, fmt.Errorf("has optMap or optFlatMap %d times, the limit is %d; use orValue, or split it into several conditions",
			n, maxOptionalMaps)
	}
	parsed, issues := c.shelf.env.Parse(source)
	if issues.Err() != nil {
		return nil, describe(source, issues)
	}
	if err := checkCalls(parsed.NativeRep()); err != nil {
		return nil, err
	}
	checked, issues := c.shelf.env.Check(parsed)
	if issues.Err() != nil {
		return nil, describe(source, issues)
	}
	if got := checked.OutputType(); !got.IsExactType(wanted) && !got.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("must yield a %s, but yields a %s", wanted, got)
	}
	if err := c.bound(checked); err != nil {
		return nil, err
	}
	p = &program{checked: checked, shelf: c.shelf}
	if _, err := c.shelf.put(p); err != nil {
		return nil, err
	}
	return p, nil
}

// bound refuses expressions that could cost too much.
func (c *Compiler) bound(checked *cel.Ast) error {
	native := checked.NativeRep()
	for _, weight := range weigh(native, false) {
		if weight > maxWeight {
			return fmt.Errorf("could build a value larger than the limit of %d MiB from a large request; "+
				"build no lists or texts out of several copies of what the request holds", maxWeight>>20)
		}
	}
	cost, err := c.shelf.env.EstimateCost(checked, newEstimate(native))
	if err != nil {
		return err
	}
	if cost.Max > EstimatedCostLimit {
		return fmt.Errorf("could cost %s units on a large request, the limit is %d; "+
			"nest fewer loops, or move what can be matched without CEL to spec.match", costText(cost.Max), EstimatedCostLimit)
	}
	return nil
}

func costText(cost uint64) string {
	if cost > beyond {
		return "unlimited"
	}
	return strconv.FormatUint(cost, 10)
}

// checkCalls refuses what cannot be bounded by its types: regular expressions
// that are not known beforehand or are too large, texts that format others in
// ways not known beforehand, and objects.
func checkCalls(checked *ast.AST) error {
	var first error
	refuse := func(format string, args ...any) {
		if first == nil {
			first = fmt.Errorf(format, args...)
		}
	}
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.StructKind:
			refuse("makes an object of type %s, which expressions cannot do; use a map, {'name': value}", e.AsStruct().TypeName())
		case ast.CallKind:
			checkCall(e.AsCall(), refuse)
		}
	}))
	return first
}

func checkCall(call ast.CallExpr, refuse func(format string, args ...any)) {
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	name := call.FunctionName()
	switch {
	case (name == "matches" || name == "find" || name == "findAll") && len(args) > 1:
		pattern, isText := args[1].AsLiteral().(types.String)
		if !isText {
			refuse("the regular expression of %s() must be a literal text, such as %s('^prod-')", name, name)
		} else if err := checkRegex(string(pattern)); err != nil {
			refuse("the regular expression of %s() %w", name, err)
		}
	case name == "format" && call.IsMemberFunction():
		if _, isText := args[0].AsLiteral().(types.String); !isText {
			refuse("the text before .format() must be a literal, such as '%%s rows'.format([...])")
		}
	}
}

// maxIssues is how many errors of one expression are described.
const maxIssues = 5

// describe says what is wrong in an expression: each error with its place, the
// line and a caret under the place.
func describe(source string, issues *cel.Issues) error {
	lines := strings.Split(source, "\n")
	var out []string
	for i, issue := range issues.Errors() {
		if i == maxIssues {
			out = append(out, fmt.Sprintf("and %d more", len(issues.Errors())-maxIssues))
			break
		}
		line, column := issue.Location.Line(), issue.Location.Column()
		message := oneLine(issue.Message, maxReason)
		if line < 1 || line > len(lines) {
			out = append(out, message)
			continue
		}
		runes := []rune(lines[line-1])
		message = advise(message, string(runes[:max(0, min(column, len(runes)))]))
		out = append(out, fmt.Sprintf("line %d, column %d: %s\n%s", line, column+1, message, pointAt(lines[line-1], column)))
	}
	return errors.New(strings.Join(out, "\n"))
}
