// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// nothing stands in a table for what is not known yet.
const nothing = "-"

// decisionWord is the tutorial's word for a decision. EVALUATING stands for
// an action that the operator has not looked at yet; it is not PENDING,
// because no human is asked.
func decisionWord(d v1alpha1.Decision) string {
	switch d {
	case v1alpha1.DecisionNone:
		return "EVALUATING"
	case v1alpha1.DecisionTimedOut:
		return "TIMEOUT"
	case v1alpha1.DecisionPending, v1alpha1.DecisionApproved, v1alpha1.DecisionDenied, v1alpha1.DecisionCancelled:
		return strings.ToUpper(string(d))
	default:
		return strings.ToUpper(safeText(string(d)))
	}
}

// levelWord is the tutorial's word for the level of an action's risk, and "-"
// where it was not scored.
func levelWord(risk *v1alpha1.RiskStatus) string {
	if risk == nil || risk.Level == "" {
		return nothing
	}
	return strings.ToUpper(safeText(string(risk.Level)))
}

// scoreWord is the score of an action's risk, and "-" where it was not scored.
func scoreWord(risk *v1alpha1.RiskStatus) string {
	if risk == nil {
		return nothing
	}
	return orNothing(string(risk.Score))
}

// orNothing is the text made safe, and "-" when it is empty.
func orNothing(text string) string {
	if text == "" {
		return nothing
	}
	return safeText(text)
}

const day = 24 * time.Hour

// ago says how long before now a moment was, rounded down: "just now" below a
// minute and for a clock that runs ahead, then "2 min ago" below an hour,
// "3 h ago" below a day, and "5 d ago".
func ago(now, then time.Time) string {
	switch d := now.Sub(then); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	default:
		return fmt.Sprintf("%d d ago", d/day)
	}
}

// span says how long a duration is, rounded down to its two largest units:
// "3 h 59 min", "1 h", "45 s". Below a second it is "0 s".
func span(d time.Duration) string {
	units := []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, unit := range units[:len(units)-1] {
		if d < unit.size {
			continue
		}
		text := fmt.Sprintf("%d %s", d/unit.size, unit.name)
		if next := units[i+1]; d%unit.size >= next.size {
			text += fmt.Sprintf(" %d %s", d%unit.size/next.size, next.name)
		}
		return text
	}
	return fmt.Sprintf("%d s", max(d, 0)/time.Second)
}

// moment is a time as people read it, to the second and in UTC.
func moment(t time.Time) string {
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// deadlineWord is a moment in the future with the time that is left.
func deadlineWord(now, then time.Time) string {
	if !now.Before(then) {
		return moment(then) + ", passed"
	}
	return fmt.Sprintf("%s, %s left", moment(then), span(then.Sub(now)))
}
