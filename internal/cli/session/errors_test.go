// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strings"
	"testing"
)

func TestWarningIsSafe(t *testing.T) {
	var b strings.Builder
	warningPrinter{&b}.HandleWarningHeader(299, "", "a\x1b[2K\nb")
	if got, want := b.String(), `warning: a\x1b[2K\nb`+"\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
