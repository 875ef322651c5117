// SPDX-License-Identifier: Apache-2.0

package actions

import "testing"

func TestTenths(t *testing.T) {
	for text, want := range map[string]int{
		"7.2": 72, "10.0": 100, "10": 100, "+1.0": 10, "-2.2": -22, "-0.5": -5, "+0": 0,
		"": unreadable, "x": unreadable, "1.23": unreadable, "1.x": unreadable, "100000": unreadable,
	} {
		if got := tenths(text); got != want {
			t.Errorf("%q is read as %d tenths, want %d", text, got, want)
		}
	}
}
