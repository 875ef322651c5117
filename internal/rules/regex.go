// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

// maxRegexSize is the most instructions a regular expression may have. A
// repetition counts as often as it repeats: (a{30}){30} has 900.
const maxRegexSize = 1000

// checkRegex says what is wrong with a regular expression; nil when it can be used.
func checkRegex(pattern string) error {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return fmt.Errorf("is not valid: %w", err)
	}
	if size := instructions(parsed); size > maxRegexSize {
		return fmt.Errorf("has %d instructions, the limit is %d; repeat less", size, maxRegexSize)
	}
	return nil
}

// regexSize bounds the number of instructions of a regular expression.
func regexSize(pattern string) int {
	if !strings.Contains(pattern, "{") { // without repetition: at most two for each byte
		return 2*len(pattern) + 1
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return maxRegexSize
	}
	return instructions(parsed)
}

// instructions counts those that regexp/syntax compiles an expression to.
func instructions(re *syntax.Regexp) int {
	inner := 0
	for _, sub := range re.Sub {
		inner += instructions(sub)
	}
	switch re.Op { //nolint:exhaustive // the others are one instruction, by default
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCapture:
		return inner + 2
	case syntax.OpConcat:
		return inner
	case syntax.OpAlternate:
		return inner + len(re.Sub)
	case syntax.OpRepeat: // what may be left out needs a branch each time
		return max(1, re.Min+1, re.Max) * (inner + 1)
	default:
		return inner + 1
	}
}
