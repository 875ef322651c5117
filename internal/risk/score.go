// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Score is a risk score in tenths, from 0 (0.0) to 100 (10.0).
type Score int

// Delta is a signed change of a score in tenths. What a user writes is between
// -100 (-10.0) and 100 (+10.0); sums may be beyond.
type Delta int

const (
	// MinScore is the lowest score, 0.0.
	MinScore Score = 0
	// MaxScore is the highest score, 10.0.
	MaxScore Score = 100
	// MaxDelta is the largest change that can be written, +10.0; the smallest
	// is its negative.
	MaxDelta Delta = 100
	// FailedScore is the least that an action scores whose scoring failed:
	// 9.5, Critical. Source: docs/scoring.md.
	FailedScore Score = 95
)

// The lowest score of each level but Low. Source: CVSS 3.1 specification,
// section 5, table 14 (None counts as Low).
const (
	mediumScore   Score = 40
	highScore     Score = 70
	criticalScore Score = 90
)

// ErrNotNumber says that a text is not a score or a delta.
var ErrNotNumber = errors.New("not a number from 0.0 to 10.0 with at most one decimal")

// ParseScore reads a score from "0.0" to "10.0" with at most one decimal. The
// form is the schema's of v1alpha1.Score; everything else is an error that
// wraps ErrNotNumber.
func ParseScore(s v1alpha1.Score) (Score, error) {
	tenths, valid := parseTenths(string(s))
	if !valid {
		return 0, fmt.Errorf("score %s: %w", quote(string(s)), ErrNotNumber)
	}
	return Score(tenths), nil
}

// ParseDelta reads a change of score from "-10.0" to "+10.0" with at most one
// decimal and an optional sign. The form is the schema's of v1alpha1.Delta;
// everything else is an error that wraps ErrNotNumber.
func ParseDelta[T ~string](s T) (Delta, error) {
	digits, negative := strings.CutPrefix(string(s), "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	tenths, valid := parseTenths(digits)
	if !valid {
		return 0, fmt.Errorf("change of score %s: %w, with or without a sign", quote(string(s)), ErrNotNumber)
	}
	if negative {
		return Delta(-tenths), nil
	}
	return Delta(tenths), nil
}

// parseTenths reads D, D.D, 10 or 10.0 as tenths.
func parseTenths(s string) (tenths int, valid bool) {
	whole, fraction, hasFraction := strings.Cut(s, ".")
	if hasFraction && !isDigit(fraction) {
		return 0, false
	}
	switch {
	case whole == "10" && (!hasFraction || fraction == "0"):
		return 100, true
	case !isDigit(whole):
		return 0, false
	case !hasFraction:
		return 10 * int(whole[0]-'0'), true
	default:
		return 10*int(whole[0]-'0') + int(fraction[0]-'0'), true
	}
}

func isDigit(s string) bool { return len(s) == 1 && s[0] >= '0' && s[0] <= '9' }

// String returns the score with one decimal, such as "5.3".
func (s Score) String() string { return Delta(s).String()[1:] }

// Level returns the CVSS severity of the score: Low < 4.0 <= Medium < 7.0 <=
// High < 9.0 <= Critical.
func (s Score) Level() v1alpha1.RiskLevel {
	switch {
	case s >= criticalScore:
		return v1alpha1.RiskLevelCritical
	case s >= highScore:
		return v1alpha1.RiskLevelHigh
	case s >= mediumScore:
		return v1alpha1.RiskLevelMedium
	default:
		return v1alpha1.RiskLevelLow
	}
}

// deltaTexts are the texts of -10.0 to +10.0, so that scoring does not format
// a number.
var deltaTexts = func() (texts [2*MaxDelta + 1]string) {
	for i := range texts {
		texts[i] = formatDelta(Delta(i) - MaxDelta)
	}
	return texts
}()

// String returns the delta with a sign and one decimal: "+1.0", "-2.2", "+0.0".
func (d Delta) String() string {
	if d < -MaxDelta || d > MaxDelta {
		return formatDelta(d)
	}
	return deltaTexts[d+MaxDelta]
}

func formatDelta(d Delta) string {
	if d < 0 {
		return fmt.Sprintf("-%d.%d", -d/10, -d%10)
	}
	return fmt.Sprintf("+%d.%d", d/10, d%10)
}
