// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// What CI systems read is well-formed, whatever names and messages hold.
func TestJUnitIsWellFormed(t *testing.T) {
	evil := "]]> & <b> \x00 \x1b \ufffe \U0001f642 \xff"
	report := &Report{Suites: []SuiteReport{{Name: evil, Cases: []CaseReport{{Name: evil, Failure: &Failure{
		At: time.Unix(0, 0), Agent: evil, Differences: []Difference{{"message", evil, evil}}, Got: Reasoning{Message: evil},
	}}}}}, Problems: []Problem{{Path: evil, Message: evil}}}
	var text strings.Builder
	if err := report.WriteJUnit(&text); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(strings.NewReader(text.String()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, &text)
		}
	}
}

// A failure to write is told.
func TestWritersFail(t *testing.T) {
	report := play(t, Options{}, "testdata/suites/passing.yaml")
	for name, write := range map[string]func(io.Writer) error{
		"text":  func(w io.Writer) error { return report.WriteText(w, TextOptions{}) },
		"junit": report.WriteJUnit,
		"json":  report.WriteJSON,
	} {
		if err := write(full{}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s = %v, want the error of the writer", name, err)
		}
	}
}

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestHint(t *testing.T) {
	known := []string{"rule-no-bulk-delete", "rule-mass-mail"}
	for word, want := range map[string]string{
		"rule-no-bulk-delet": `; did you mean "rule-no-bulk-delete"?`,
		"rule-mass-mial":     `; did you mean "rule-mass-mail"?`,
		"something-else":     "",
		"":                   "",
	} {
		if got := hint(word, known); got != want {
			t.Errorf("hint(%q) = %q, want %q", word, got, want)
		}
	}
}
