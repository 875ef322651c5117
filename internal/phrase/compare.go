// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// comparisons are the operators, in words.
var comparisons = map[string]string{
	operators.Equals: "is", operators.NotEquals: "is not",
	operators.Less: "is less than", operators.LessEquals: "is at most",
	operators.Greater: "is more than", operators.GreaterEquals: "is at least",
}

// mirrored is an operator with its sides exchanged.
var mirrored = map[string]string{
	operators.Equals: operators.Equals, operators.NotEquals: operators.NotEquals,
	operators.Less: operators.Greater, operators.LessEquals: operators.GreaterEquals,
	operators.Greater: operators.Less, operators.GreaterEquals: operators.LessEquals,
}

// compare says how two values compare. What was a constant on the left stands
// on the right.
func (w *writer) compare(operator string, left, right ast.Expr, holds bool) *Text {
	if left.Kind() == ast.LiteralKind && right.Kind() != ast.LiteralKind {
		operator, left, right = mirrored[operator], right, left
	}
	if operator == operators.NotEquals {
		operator, holds = operators.Equals, !holds
	}
	for i, side := range []ast.Expr{left, right} {
		condition, is := isCall(side, operators.Conditional, 3)
		switch {
		case is && i == 0:
			return w.choice(condition[0], w.compare(operator, condition[1], right, holds), w.compare(operator, condition[2], right, holds))
		case is:
			return w.choice(condition[0], w.compare(operator, left, condition[1], holds), w.compare(operator, left, condition[2], holds))
		}
	}
	if said := w.compareTime(operator, left, right, holds); said != "" {
		return line(said)
	}
	if operator == operators.Equals {
		return w.equal(left, right, holds)
	}
	verb := comparisons[operator]
	if isMoment(left) || isMoment(right) {
		verb = moments[operator]
	}
	if !holds {
		verb = "is not" + verb[len("is"):]
	}
	return line(fmt.Sprintf("%s %s %s", w.term(left), verb, w.term(right)))
}

// moments are the operators between points in time.
var moments = map[string]string{
	operators.Less: "is before", operators.LessEquals: "is at the latest",
	operators.Greater: "is after", operators.GreaterEquals: "is at the earliest",
}

func isMoment(e ast.Expr) bool {
	if _, is := isCall(e, "timestamp", 1); is {
		return true
	}
	at, known := path(e)
	return known && isSubmission(at)
}

func isSubmission(at []string) bool {
	return slices.Equal(at, []string{"now"}) || slices.Equal(at, []string{"action", "submittedAt"})
}

// equal says that two values are equal or not.
func (w *writer) equal(left, right ast.Expr, holds bool) *Text {
	verb := "is"
	if !holds {
		verb = "is not"
	}
	if of, is := isCall(left, "type", 1); is && right.Kind() == ast.IdentKind && typeWords[right.AsIdent()] != "" {
		return line(fmt.Sprintf("%s %s %s", w.term(of[0]), verb, typeWords[right.AsIdent()]))
	}
	if right.Kind() == ast.LiteralKind && claims(left) {
		if value, isBool := right.AsLiteral().(types.Bool); isBool {
			return w.claim(left, holds == bool(value))
		}
	}
	if words := empty(right); words != "" {
		return line(fmt.Sprintf("%s %s %s", w.term(left), verb, words))
	}
	if right.Kind() != ast.LiteralKind {
		verb += " the same as"
	}
	return line(fmt.Sprintf("%s %s %s", w.term(left), verb, w.term(right)))
}

// claims says whether an expression is a claim itself.
func claims(e ast.Expr) bool {
	name, _, _ := call(e)
	return comparisons[name] != "" || name == operators.In || name == operators.LogicalNot || loops[name]
}

// empty says in words that a value is written with nothing in it.
func empty(e ast.Expr) string {
	if written, isText := text(e); isText && written == "" {
		return "empty"
	}
	switch {
	case e.Kind() == ast.ListKind && e.AsList().Size() == 0:
		return "an empty list"
	case e.Kind() == ast.MapKind && e.AsMap().Size() == 0:
		return "an empty object"
	default:
		return ""
	}
}

// typeWords are CEL's types as people know them from JSON.
var typeWords = map[string]string{
	"int": "a whole number (int)", "uint": "a whole number (uint)", "double": "a decimal number (double)", "string": "text", "bool": "true or false",
	"list": "a list", "map": "an object", "null_type": "null", "bytes": "bytes",
}

// among says that a value is one of several.
func (w *writer) among(value, of ast.Expr, holds bool) string {
	if of.Kind() == ast.ListKind && len(of.AsList().OptionalIndices()) == 0 && of.AsList().Size() > 0 {
		elements := of.AsList().Elements()
		if said := w.weekdays(value, elements, holds); said != "" {
			return said
		}
		if len(elements) == 1 {
			return w.equal(value, elements[0], holds).inline()
		}
		words := make([]string, len(elements))
		for i, e := range elements {
			words[i] = w.term(e)
		}
		if holds {
			return fmt.Sprintf("%s is %s", w.term(value), joined(words, "or"))
		}
		return fmt.Sprintf("%s is none of %s", w.term(value), joined(words, "and"))
	}
	at, known := path(of)
	verb := "is"
	if !holds {
		verb = "is not"
	}
	if known && w.names[at[0]] == nil && isMap(at) {
		if key, isText := text(value); isText {
			return fmt.Sprintf("%s %s given", describe(append(slices.Clone(at), key)), verb)
		}
		return fmt.Sprintf("%s %s the name of something in %s", w.term(value), verb, w.term(of))
	}
	return fmt.Sprintf("%s %s in %s", w.term(value), verb, w.term(of))
}

// clock is a part of the time of submission that is asked for.
func clock(e ast.Expr, function string) (zone string, is bool) {
	name, args, member := call(e)
	if name != function || !member || len(args) > 2 {
		return "", false
	}
	if at, known := path(args[0]); !known || !isSubmission(at) {
		return "", false
	}
	if len(args) == 1 {
		return "UTC", true
	}
	zone, isText := text(args[1])
	return terminal.Mark(zone), isText
}

// compareTime says when something is submitted; empty where it is not asked.
func (w *writer) compareTime(operator string, left, right ast.Expr, holds bool) string {
	if said := w.weekdays(left, []ast.Expr{right}, holds); said != "" && operator == operators.Equals {
		return said
	}
	zone, isHours := clock(left, "getHours")
	hour, isInt := integer(right)
	if !isHours || !isInt {
		return ""
	}
	if operator == operators.LessEquals || operator == operators.Greater { // hours are whole
		hour++
	}
	if hour < 0 || hour > 23 {
		return ""
	}
	before := operator == operators.Less || operator == operators.LessEquals
	switch {
	case operator == operators.Equals && holds:
		return fmt.Sprintf("it is submitted between %02d:00 and %02d:59 (%s)", hour, hour, zone)
	case operator == operators.Equals:
		return fmt.Sprintf("it is not submitted between %02d:00 and %02d:59 (%s)", hour, hour, zone)
	case before == holds:
		return fmt.Sprintf("it is submitted before %02d:00 (%s)", hour, zone)
	default:
		return fmt.Sprintf("it is submitted at %02d:00 or later (%s)", hour, zone)
	}
}

// weekdays says on which days something is submitted; empty where it is not asked.
func (w *writer) weekdays(value ast.Expr, days []ast.Expr, holds bool) string {
	zone, is := clock(value, "getDayOfWeek")
	if !is {
		return ""
	}
	names := make([]string, len(days))
	for i, day := range days {
		number, isInt := integer(day)
		if !isInt || number < 0 || number > 6 {
			return ""
		}
		names[i] = "a " + time.Weekday(number).String()
	}
	verb := "it is submitted on"
	if !holds {
		verb = "it is not submitted on"
	}
	return fmt.Sprintf("%s %s (%s)", verb, joined(names, "or"), zone)
}
