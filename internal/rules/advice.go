// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"regexp"
	"strings"
)

// snippetWidth is how much of a line is shown around an error.
const snippetWidth = 100

// pointAt shows a line, or the part of it around a column, with a caret under
// the column. Characters that cannot be seen are shown as a dot, so that the
// caret stays in its place.
func pointAt(line string, column int) string {
	runes := []rune(line)
	for i, r := range runes {
		if hidden(r) {
			runes[i] = '·'
		}
	}
	column = max(0, min(column, len(runes)))
	from := max(0, min(column-snippetWidth/2, len(runes)-snippetWidth))
	to := min(len(runes), from+snippetWidth)
	return " | " + string(runes[from:to]) + "\n | " + strings.Repeat(" ", column-from) + "^"
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([A-Za-z_]\w*)' \(in container ''\)$`)
	undefined  = regexp.MustCompile(`^undefined field '`)
	pathBefore = regexp.MustCompile(`[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)
)

// advise says what there is, where an expression names something that is not
// there. before is the line up to the error.
func advise(message, before string) string {
	if found := undeclared.FindStringSubmatch(message); found != nil {
		if strings.HasSuffix(before, found[1]) { // the error is at its parenthesis
			return fmt.Sprintf("there is no function '%s'", found[1])
		}
		names := make([]string, len(variables))
		for i, v := range variables {
			names[i] = v.name
		}
		return fmt.Sprintf("undeclared reference to '%s'; the variables are %s", found[1], strings.Join(names, ", "))
	}
	if undefined.MatchString(message) {
		path := pathBefore.FindString(before)
		if names := fieldsAt(strings.Split(path, ".")); len(names) > 0 {
			return fmt.Sprintf("%s; %s has %s", message, path, strings.Join(names, ", "))
		}
	}
	if message == tooDeep {
		return fmt.Sprintf("%s: macros that loop can be nested or chained %d deep", message, maxNesting)
	}
	return message
}

// tooDeep is CEL's message for loops within loops.
const tooDeep = "comprehension exceeds nesting limit"

// fieldsAt are the names of the fields at a path; none where it leads to no object.
func fieldsAt(path []string) (names []string) {
	var fields []variableField
	for _, v := range variables {
		if v.name == path[0] {
			fields = v.fields
		}
	}
	for _, step := range path[1:] {
		var inner []variableField
		for _, f := range fields {
			if f.name == step {
				inner = f.fields
			}
		}
		fields = inner
	}
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}
