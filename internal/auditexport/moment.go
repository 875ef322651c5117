// SPDX-License-Identifier: Apache-2.0

package auditexport

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// ParseMoment reads when something was: a time of RFC 3339; a day such as
// 2026-11-22, which begins at midnight UTC; or how long ago it is, as Go writes
// durations or in days: 90m, 24h ago, 7d. An empty text is no bound, the zero time.
func ParseMoment(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	ago, err := span(strings.TrimSpace(strings.TrimSuffix(text, "ago")))
	if err != nil || ago < 0 {
		return time.Time{}, fmt.Errorf("%q is no time; write 2026-11-22T09:00:00Z, 2026-11-22, or how long ago it was, such as 24h or 7d", terminal.Safe(text))
	}
	return now.Add(-ago), nil
}

// longestSpan is how many days may have passed: a hundred years.
const longestSpan = 36500

func span(text string) (time.Duration, error) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n > longestSpan {
			return 0, fmt.Errorf("%q is no number of days", days)
		}
		return time.Duration(n) * terminal.Day, nil
	}
	return time.ParseDuration(text)
}
