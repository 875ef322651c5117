// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"strings"
)

// outcome is what came of one verdict, for the line that sums up several.
type outcome int

const (
	// refused: nothing was written, or what was written does not count.
	refused outcome = iota
	// decided: the action is approved, or denied, as the user wanted.
	decided
	// counted: the verdict counts, and more people have to agree.
	counted
	// recorded: it is written; what came of it is not known yet.
	recorded
	// tried: a dry run.
	tried
	outcomes
)

// tally counts what came of several verdicts.
type tally [outcomes]int

// line sums up: "3 approved, 1 refused".
func (t *tally) line(participle string) string {
	var words []string
	for _, part := range []struct {
		outcome outcome
		word    string
	}{
		{decided, participle}, {counted, "counted, more people have to agree"}, {recorded, "recorded"},
		{tried, "would be " + participle}, {refused, "refused"},
	} {
		if n := t[part.outcome]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, part.word))
		}
	}
	return strings.Join(words, ", ")
}
