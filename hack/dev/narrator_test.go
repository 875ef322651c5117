// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestWrap(t *testing.T) {
	for name, c := range map[string]struct{ indent, text, want string }{
		"short":         {"  ", "one two", "  one two"},
		"blanks":        {"", "one   two\n three", "one two three"},
		"empty":         {"  ", "", "  "},
		"long":          {"> ", strings.Repeat("x", 60) + " " + strings.Repeat("y", 60), "> " + strings.Repeat("x", 60) + "\n> " + strings.Repeat("y", 60)},
		"a longer word": {"> ", "a " + strings.Repeat("y", 120), "> a\n> " + strings.Repeat("y", 120)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wrap(c.indent, c.text); got != c.want {
				t.Errorf("wrap:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestStoryFitsThePage(t *testing.T) {
	var script transcript
	n := tellTo(&script)
	for _, strict := range []bool{false, true} {
		for _, c := range chapters(strict) {
			n.title(1, c.title)
			for _, s := range c.scenes {
				n.prose("   ", s.before)
				n.typed(s.command)
			}
		}
	}
	for line := range strings.Lines(script.text()) {
		if length := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); length > width {
			t.Errorf("%d columns, want at most %d: %s", length, width, line)
		}
	}
}

func TestColorsOnlyWhereTheyAreWanted(t *testing.T) {
	for color, want := range map[bool]string{true: "\x1b[1mbold\x1b[0m", false: "bold"} {
		var out bytes.Buffer
		n := &narrator{out: &out, color: color, listen: func(string, string) {}}
		n.tell("%s", paint(bold, "bold"))
		if out.String() != want {
			t.Errorf("color %v: %q, want %q", color, out.String(), want)
		}
	}
}

func TestRiskSum(t *testing.T) {
	risk := &v1alpha1.RiskStatus{CVSSBaseScore: "8.1", Factors: []v1alpha1.RiskFactor{
		{Name: "data-classification", Value: "pii", Delta: "+1.0"},
		{Name: "environment", Value: "sandbox", Delta: "+0.0"},
		{Name: "blast-radius", Value: "affected_rows=150", Delta: "+1.6"},
		{Name: "clamp", Value: "10.0", Delta: "-0.7"},
	}}
	if got, want := riskSum(risk), "8.1 base +1.0 pii data +1.6 affected_rows=150 -0.7 limit"; got != want {
		t.Errorf("riskSum: %q, want %q", got, want)
	}
	if got := riskSum(nil); got != "" {
		t.Errorf("riskSum(nil): %q", got)
	}
}
