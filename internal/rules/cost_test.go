// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// raw runs an expression of any type with these program options.
func raw(tb testing.TB, expression string, in Input, options ...cel.ProgramOption) (value ref.Val, cost uint64, bound float64) {
	tb.Helper()
	checked, issues := shared().shelf.env.Compile(expression)
	if issues.Err() != nil {
		tb.Fatalf("%s: %v", expression, issues.Err())
	}
	if options == nil {
		options = append(options, loopSteps(checked.NativeRep()))
	}
	run, err := shared().shelf.env.Program(checked, append(append([]cel.ProgramOption{}, shared().shelf.options...), options...)...)
	if err != nil {
		tb.Fatal(err)
	}
	value, details, err := run.ContextEval(context.Background(), &activation{in: &in, assessment: in.Assessment})
	if err != nil {
		tb.Fatalf("%s: %v", expression, err)
	}
	return value, *details.ActualCost(), weigh(checked.NativeRep(), false)[checked.NativeRep().Expr().ID()]
}

// The bound on what an expression can build holds for what it does build.
func TestWeightBoundsValues(t *testing.T) {
	t.Parallel()
	inputs := map[string]Input{
		"text": asked(t, fmt.Sprintf(`{"s": %q, "l": ["b"]}`, strings.Repeat("a", 60_000))),
		"list": asked(t, `{"s": "a", "l": ["`+strings.Repeat(`b","`, 12_000)+`"]}`),
	}
	for _, expression := range []string{
		"action", "agent", "risk", "requester", "namespaceObject", "namespaceObject.metadata", "now", "string(now)", "action.parameters",
		"[action.parameters.s, action.parameters.s]", "action.parameters.s + action.parameters.s", "{'a': action.parameters, 'b': action.context}",
		"action.parameters.s.replace('a', 'xy')", "action.parameters.s.replace('', '-')", "'%s'.format([action.parameters.s])",
		"'%s%s'.format([action.parameters, 1.5])", "'%e %d %b %x'.format([1e300, 1, 2, 3])", "'%x'.format([action.parameters.s])", "action.parameters.s.split('')", "action.parameters.s.findAll('a')",
		"strings.quote(action.parameters.s)", "bytes(action.parameters.s)", "string(bytes(action.parameters.s))", "string(1.0e300)",
		"action.parameters.l.map(x, x)", "action.parameters.l.map(x, [x, x])", "action.parameters.l.map(x, 'prefix')", "action.parameters.l.filter(x, true)",
		"action.parameters.l.map(x, {'k': x})", "action.parameters.l.map(x, x == 'b', x + x)", "action.parameters.l.join('--')", "action.parameters.l.join()",
		"action.parameters.l.transformMap(i, x, [x])", "action.parameters.l.transformList(i, x, string(i))", "action.parameters.l.sortBy(x, x)",
		"action.parameters.l.map(x, [x]).flatten()", "action.parameters.l.slice(0, 1)", "lists.range(100)", "optional.of(action.parameters)",
		"action.parameters.?l.optMap(x, [x, x])", "action.parameters.?l.orValue([])", "action.parameters.l[0]", "true ? action.parameters.s : 'x'",
		"[[1, 2].map(x, [x, x])].map(y, [y, y])", "'text'", "b'bytes'", "[1, 'a'.size()]", "action.parameters.l.map(x, action.resources)",
	} {
		for name, in := range inputs {
			value, _, bound := raw(t, expression, in)
			if got := weighed(value); got > bound {
				t.Errorf("%s on %s weighs %.0f, the bound is %.0f", expression, name, got, bound)
			}
		}
	}
}

// weighed is the weight as weigher means it: each scalar, element and byte of text.
func weighed(v ref.Val) float64 {
	sum := 0.0
	switch value := v.(type) {
	case types.String, types.Bytes:
		sum = textBytes([]ref.Val{v})
	case *types.Optional:
		if value.HasValue() {
			sum = weighed(value.GetValue())
		}
	case traits.Lister:
		for it := value.Iterator(); it.HasNext() == types.True; {
			sum += weighed(it.Next())
		}
	case traits.Mapper:
		for it := value.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			sum += weighed(key) + weighed(value.Get(key))
		}
	}
	return max(1, sum)
}

// A long loop takes time in proportion to its length.
func TestLoopsTakeLinearTime(t *testing.T) {
	t.Parallel()
	in := asked(t, fmt.Sprintf(`{"text": %q}`, strings.Repeat("a", 60_000)))
	begun := time.Now()
	got := only(t, in, rule("r", when("action.parameters.text.split('').all(c, c == 'a')")))
	if took := time.Since(begun); got == nil || got.Err != nil || took > patience {
		t.Errorf("got %+v after %s", got, took)
	}
}

// Forgetting what a loop left behind changes no cost but that of its steps.
func TestLoopStepsKeepCosts(t *testing.T) {
	t.Parallel()
	in := asked(t, `{"text": "abc", "l": ["a", "b", "c", "d", "e"], "m": [["a"], ["b", "c"]]}`)
	for expression, steps := range map[string]uint64{
		"action.parameters.l.all(x, x != 'z')":                                                               5,
		"action.parameters.l.exists(x, x == 'c')":                                                            3,
		"action.parameters.l.map(x, x + 'y').size() == 5":                                                    5,
		"action.parameters.l.filter(x, x != 'c').size() + action.parameters.l.size() == 9":                   5,
		"action.parameters.l.size() + action.parameters.l.filter(x, x.size() + 1 > 1).size() == 10":          5,
		"action.parameters.m.all(y, y.size() + y.filter(x, x != 'z').size() == 2 * y.size())":                5,
		"action.parameters.m.all(y, y.all(x, action.parameters.l.exists(z, z == x) && x.startsWith(x)))":     11,
		"[1, 2].map(x, [x, x]).map(y, y.map(z, z + 1)).size() == 2":                                          8,
		"action.parameters.?text.optMap(v, v + 'd').orValue('') == 'abcd'":                                   0,
		"action.parameters.l.sortBy(x, x)[0] == 'a' && action.parameters.l.exists_one(x, x == 'a')":          10,
		"action.parameters.l.transformMap(i, x, x).size() == 5 && action.parameters.all(k, v, k != 'never')": 8,
	} {
		none := cel.CustomDecoratorV2(func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) { return i, nil })
		want, plain, _ := raw(t, expression, in, none)
		got, cost, _ := raw(t, expression, in)
		if got.Equal(want) != types.True || want != types.True {
			t.Errorf("%s: got %v, plain %v", expression, got, want)
		}
		if diff := max(cost, plain) - min(cost, plain); diff > steps {
			t.Errorf("%s costs %d, plain %d: more apart than its %d steps", expression, cost, plain, steps)
		}
	}
}

func TestCostsOfCalls(t *testing.T) {
	t.Parallel()
	text, long := types.String("abc"), types.String(strings.Repeat("a", 10_000))
	list := types.DefaultTypeAdapter.NativeToValue([]string{"a", "b"})
	for name, test := range map[string]struct {
		function string
		args     []ref.Val
		want     uint64
	}{
		"equal texts":        {"_==_", []ref.Val{long, long}, 1001},
		"text and number":    {"_==_", []ref.Val{long, types.Int(1)}, 1},
		"equal lists":        {"_!=_", []ref.Val{list, list}, 8},
		"a text in a list":   {"@in", []ref.Val{text, list}, 3},
		"a list in a list":   {"@in", []ref.Val{list, list}, 7},
		"a key in a map":     {"@in", []ref.Val{text, types.DefaultTypeAdapter.NativeToValue(map[string]any{})}, 1},
		"index in a text":    {"indexOf", []ref.Val{long, text}, 1001},
		"size of a text":     {"size", []ref.Val{long}, 101},
		"size of a list":     {"size", []ref.Val{list}, 1},
		"time without zone":  {"getHours", []ref.Val{types.Timestamp{}}, 1},
		"time in a zone":     {"getHours", []ref.Val{types.Timestamp{}, text}, 301},
		"regular expression": {"matches", []ref.Val{long, types.String("a+")}, 2002},
		"repetition":         {"matches", []ref.Val{long, types.String("a{100}")}, 51 * 1001},
		"broken repetition":  {"matches", []ref.Val{long, types.String("a{2")}, 1001},
		"no pattern":         {"matches", []ref.Val{long, types.Int(1)}, beyond},
		"as Kubernetes does": {"isIP", []ref.Val{long}, 1000},
	} {
		got := (&costs{}).CallCost(test.function, "", test.args, types.True)
		if got == nil || *got != test.want {
			t.Errorf("%s: got %v, want %d", name, value(got), test.want)
		}
	}
	if got := (&costs{}).CallCost("_&&_", "", nil, types.True); got != nil {
		t.Errorf("a call that CEL charges right costs %d", *got)
	}
	if got := heft(types.DefaultTypeAdapter.NativeToValue(make([]bool, 2*CostLimit))); got < CostLimit || got > CostLimit+2 {
		t.Errorf("heft looked at %.0f values, want about %d", got, uint64(CostLimit))
	}
}

func value(cost *uint64) any {
	if cost == nil {
		return nil
	}
	return *cost
}

func TestRegexSize(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]int{
		"abc": 7, "a{3}": 8, "(a|b){2}c": 13, "(ab|cd){2}": 27, "[a-z]{1,253}": 506, "x{2,}": 6, "a{1": 3, "(a{1}": maxRegexSize, "": 1,
	} {
		if got := regexSize(pattern); got != want {
			t.Errorf("%s: got %d, want %d", pattern, got, want)
		}
	}
	for pattern, valid := range map[string]bool{
		"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$": true, "(?i)select.{0,200}from": true, strings.Repeat("a", 900): true,
		"(": false, strings.Repeat("a", 1100): false, "((a{10}){10}){10}b": false, "(a|b|c){400}": false,
	} {
		if err := checkRegex(pattern); (err == nil) != valid {
			t.Errorf("%.40s: got %v, want valid %v", pattern, err, valid)
		}
	}
}

func TestErrorsUnwrap(t *testing.T) {
	t.Parallel()
	one, other := errors.New("one"), errors.New("other")
	err := joined([]error{conditionFailed("a", one), conditionFailed("b", other)})
	if !errors.Is(err, one) || !errors.Is(err, other) || err.Error() != `condition "a" failed: one; condition "b" failed: other` {
		t.Errorf("got %v", err)
	}
	if joined(nil) != nil {
		t.Error("no errors must join to none")
	}
}
