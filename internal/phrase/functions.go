// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/common/ast"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// textTests are the tests of a text, when they hold and when not.
var textTests = map[string][2]string{
	"contains": {"contains", "does not contain"}, "startsWith": {"begins with", "does not begin with"},
	"endsWith": {"ends with", "does not end with"}, "matches": {"matches the regular expression", "does not match the regular expression"},
}

// formTests are the tests of what a text can be read as.
var formTests = map[string]string{
	"isURL": "a URL", "isIP": "an IP address", "isCIDR": "a range of IP addresses", "isQuantity": "a quantity", "isSemver": "a version",
}

// setTests are the functions of the library sets.
var setTests = map[string][2]string{
	"intersects": {"and %s have an element in common", "and %s have no element in common"},
	"contains":   {"has every element of %s", "lacks some element of %s"},
	"equivalent": {"and %s have the same elements", "and %s do not have the same elements"},
}

func pick(words [2]string, holds bool) string {
	if holds {
		return words[0]
	}
	return words[1]
}

// claimFunction says what a function claims; empty where it is not known.
func (w *writer) claimFunction(name string, args []ast.Expr, member, holds bool) string {
	is := pick([2]string{"is", "is not"}, holds)
	_, testsText := textTests[name]
	_, testsSet := setTests[name]
	switch {
	case testsText && len(args) == 2:
		return w.textTest(name, args, holds)
	case formTests[name] != "" && len(args) == 1:
		return fmt.Sprintf("%s %s %s", w.term(args[0]), is, formTests[name])
	case testsSet && len(args) == 3 && isNamed(args[0], "sets"):
		return w.term(args[1]) + " " + fmt.Sprintf(pick(setTests[name], holds), w.term(args[2]))
	case member && len(args) == 2:
		return w.claimMember(name, args[0], args[1], is)
	case name == "hasValue" && isOptional(args[0]):
		at, known := chain(args[0])
		if known && isVariable(at[0]) {
			return fmt.Sprintf("%s %s given", describe(at), is)
		}
		return ""
	default:
		return ""
	}
}

// claimMember says what a function of a value claims about another.
func (w *writer) claimMember(name string, of, other ast.Expr, is string) string {
	switch name {
	case "containsIP":
		ranges, known := isCall(of, "cidr", 1)
		if !known {
			return ""
		}
		return fmt.Sprintf("%s %s in the range %s", w.term(other), is, w.term(ranges[0]))
	case "isLessThan":
		return fmt.Sprintf("%s %s less than %s", w.term(of), is, w.term(other))
	case "isGreaterThan":
		return fmt.Sprintf("%s %s more than %s", w.term(of), is, w.term(other))
	default:
		return ""
	}
}

func isNamed(e ast.Expr, name string) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == name }

func (w *writer) textTest(name string, args []ast.Expr, holds bool) string {
	verb := pick(textTests[name], holds)
	if name != "matches" {
		return fmt.Sprintf("%s %s %s", w.term(args[0]), verb, w.term(args[1]))
	}
	pattern, known := regex(args[1])
	if !known {
		return ""
	}
	return fmt.Sprintf("%s %s %s", w.term(args[0]), verb, pattern)
}

// conversions make one value of another.
var conversions = map[string]string{
	"string": "%s as text", "int": "%s as a whole number", "uint": "%s as a whole number (uint)", "double": "%s as a decimal number",
	"dyn": "%s", "type": "the type of %s", "url": "the URL %s", "ip": "%s", "cidr": "the range %s",
	"quantity": "the quantity %s", "semver": "the version %s", "timestamp": "the time %s", "duration": "the span %s", "size": "the size of %s",
}

// manners are how a text is changed before it is looked at.
var manners = map[string]string{"lowerAscii": "in lower case", "upperAscii": "in upper case", "trim": "without spaces at its ends"}

// partsOfURL are the functions of a URL.
var partsOfURL = map[string]string{
	"getHostname": "the host name", "getHost": "the host and port", "getScheme": "the scheme", "getPort": "the port", "getEscapedPath": "the path",
}

// partsOfTime are the functions of a time.
var partsOfTime = map[string]string{
	"getHours": "the hour", "getMinutes": "the minute", "getDayOfWeek": "the weekday (Sunday is 0)", "getDate": "the day of the month",
	"getDayOfMonth": "the day of the month (the first is 0)", "getMonth": "the month (January is 0)", "getFullYear": "the year",
	"getDayOfYear": "the day of the year (the first is 0)",
}

// termFunction is the value of a function in words; empty where it is not known.
func (w *writer) termFunction(name string, args []ast.Expr, member bool) string {
	switch {
	case partsOfTime[name] != "" && member:
		return partOfTime(name, args)
	case name == "filter" && len(args) == 3 && args[1].Kind() == ast.IdentKind:
		return "those " + w.selected(args)
	case len(args) == 1:
		return w.made(name, args[0])
	default:
		return ""
	}
}

// made is what a function makes of one value.
func (w *writer) made(name string, of ast.Expr) string {
	if selected, is := isCall(of, "filter", 3); is && name == "size" && selected[1].Kind() == ast.IdentKind {
		return "the number of " + w.selected(selected)
	}
	switch {
	case name == "dyn":
		return w.term(of)
	case conversions[name] != "":
		return fmt.Sprintf(conversions[name], w.operand(of))
	case manners[name] != "":
		return w.changed(name, of)
	case partsOfURL[name] != "":
		address, is := isCall(of, "url", 1)
		if !is {
			return ""
		}
		return partsOfURL[name] + " of " + fmt.Sprintf(conversions["url"], w.term(address[0]))
	default:
		return ""
	}
}

// changed is a text with all that is done to it, in its order.
func (w *writer) changed(name string, of ast.Expr) string {
	how := []string{manners[name]}
	for {
		before, args, member := call(of)
		if manners[before] == "" || !member || len(args) != 1 {
			break
		}
		how = append([]string{manners[before]}, how...)
		of = args[0]
	}
	return fmt.Sprintf("%s (%s)", w.term(of), strings.Join(how, ", "))
}

func partOfTime(name string, args []ast.Expr) string {
	written := args[0]
	if at, known := path(written); !known || !isSubmission(at) || len(args) > 2 {
		return ""
	}
	zone := "UTC"
	if len(args) == 2 {
		literal, isText := text(args[1])
		if !isText {
			return ""
		}
		zone = terminal.Mark(literal)
	}
	return fmt.Sprintf("%s of submission, in %s", partsOfTime[name], zone)
}

// selected are the elements that a filter keeps.
func (w *writer) selected(args []ast.Expr) string {
	inner := w.within(args[1].AsIdent())
	return fmt.Sprintf("%s in %s for which %s", code(args[1].AsIdent()), w.elements(args[0]), inner.claim(args[2], true).inline())
}

// within is a writer for the body of a loop over a variable. It is lost where
// the variable has the name of something else that is put in words.
func (w *writer) within(variable string) *writer {
	inner := &writer{names: map[string]ast.Expr{}, progress: w.progress}
	for known, meant := range w.names {
		if known != variable {
			inner.names[known] = meant
			w.lost = w.lost || mentions(meant, variable)
		}
	}
	w.lost = w.lost || isVariable(variable) || typeWords[variable] != "" || variable == "sets"
	return inner
}
