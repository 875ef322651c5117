// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"time"
)

// Day is how long a day is where nobody asks for a time zone.
const Day = 24 * time.Hour

// Ago says how long before now a Moment was, rounded down: "just now" below a
// minute and for a clock that runs ahead, then "2 min ago" below an hour,
// "3 h ago" below a Day, and "5 d ago".
func Ago(now, then time.Time) string {
	switch d := now.Sub(then); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < Day:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	default:
		return fmt.Sprintf("%d d ago", d/Day)
	}
}

// Span says how long a duration is, rounded down to its two largest units:
// "3 h 59 min", "1 h", "45 s". Below a second it is "0 s".
func Span(d time.Duration) string {
	units := []struct {
		size time.Duration
		name string
	}{{Day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
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

// Moment is a time as people read it, to the second and in UTC.
func Moment(t time.Time) string {
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Deadline is a Moment in the future with the time that is left.
func Deadline(now, then time.Time) string {
	if !now.Before(then) {
		return Moment(then) + ", passed"
	}
	return fmt.Sprintf("%s, %s left", Moment(then), Span(then.Sub(now)))
}
