// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"testing"
	"time"
)

// testNow is the time in tests.
var testNow = time.Date(2025, 12, 19, 14, 2, 30, 0, time.UTC)

func TestAgo(t *testing.T) {
	for _, tc := range []struct {
		age  time.Duration
		want string
	}{
		{-time.Hour, "just now"}, {0, "just now"}, {59 * time.Second, "just now"},
		{time.Minute, "1 min ago"}, {119 * time.Second, "1 min ago"}, {2 * time.Minute, "2 min ago"}, {time.Hour - 1, "59 min ago"},
		{time.Hour, "1 h ago"}, {3*time.Hour + 59*time.Minute, "3 h ago"}, {Day - 1, "23 h ago"},
		{Day, "1 d ago"}, {5 * Day, "5 d ago"}, {400 * Day, "400 d ago"},
	} {
		if got := Ago(testNow, testNow.Add(-tc.age)); got != tc.want {
			t.Errorf("ago of %s is %q, want %q", tc.age, got, tc.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0 s"}, {999 * time.Millisecond, "0 s"}, {45 * time.Second, "45 s"},
		{time.Minute, "1 min"}, {90 * time.Second, "1 min 30 s"}, {time.Hour, "1 h"},
		{4*time.Hour - time.Second, "3 h 59 min"}, {time.Hour + time.Second, "1 h"}, {49 * time.Hour, "2 d 1 h"},
	} {
		if got := Span(tc.d); got != tc.want {
			t.Errorf("span of %s is %q, want %q", tc.d, got, tc.want)
		}
	}
}

func TestDeadline(t *testing.T) {
	if got, want := Deadline(testNow, testNow.Add(time.Hour)), "2025-12-19 15:02:30 UTC, 1 h left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Deadline(testNow, testNow), "2025-12-19 14:02:30 UTC, passed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
