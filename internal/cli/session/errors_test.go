// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strings"
	"testing"
)

func TestWarningIsSafe(t *testing.T) {
	var b strings.Builder
	printer := &warningPrinter{out: &b}
	printer.HandleWarningHeader(299, "", "a\x1b[2K\nb")
	printer.HandleWarningHeader(299, "", "a\x1b[2K\nb") // said already
	printer.HandleWarningHeader(199, "", "another code")
	if got, want := b.String(), `warning: a\x1b[2K\nb`+"\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
