// SPDX-License-Identifier: Apache-2.0

package authors

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/lint"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// findings are what validate has found. Its JSON is stable: fields may be
// added, none is changed.
type findings struct {
	// Objects that were checked.
	Objects int `json:"objects"`
	// Errors, Warnings and Notes count what was found.
	Errors   int       `json:"errors"`
	Warnings int       `json:"warnings"`
	Notes    int       `json:"notes"`
	Findings []finding `json:"findings"`
}

// place is where something stands in a file; Line is 0 for the whole file.
type place struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func placeOf(p manifest.Position) place { return place{p.File, p.Line, p.Column} }

// finding is one of them.
type finding struct {
	place
	Severity lint.Severity `json:"severity"`
	Code     lint.Code     `json:"code"`
	// Object is the kind, namespace and name, where that is known.
	Object  string `json:"object,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

func (r *findings) add(f finding) {
	switch f.Severity {
	case lint.Warning:
		r.Warnings++
	case lint.Info:
		r.Notes++
	case lint.Error:
		r.Errors++
	}
	r.Findings = append(r.Findings, f)
}

// sort orders findings by file and place; those of no file come last.
func (r *findings) sort() {
	file := func(f finding) string { return cmp.Or(f.File, "\U0010FFFF") }
	slices.SortStableFunc(r.Findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(file(a), file(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

func (r *findings) dropNotes() {
	r.Findings = slices.DeleteFunc(r.Findings, func(f finding) bool { return f.Severity == lint.Info })
}

func (o *validate) print(r *findings) error {
	switch o.output {
	case formatJSON:
		if r.Findings == nil {
			r.Findings = []finding{}
		}
		encoder := json.NewEncoder(o.session.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	case formatGitHub:
		for _, f := range r.Findings {
			fmt.Fprintln(o.session.Out, f.annotation())
		}
	default:
		o.printText(r)
	}
	fmt.Fprintln(o.session.ErrOut, r.summary())
	return nil
}

func (o *validate) printText(r *findings) {
	style := o.session.Style()
	for _, f := range r.Findings {
		word, role := "error", terminal.Bad
		switch f.Severity {
		case lint.Warning:
			word, role = "warning", terminal.Waiting
		case lint.Info:
			word, role = "note", terminal.Faint
		case lint.Error:
		}
		fmt.Fprintf(o.session.Out, "%s%s: %s\n", f.where(), style.Paint(role, word), f.text())
	}
}

// where is the position as editors and terminals find it.
func (f *finding) where() string {
	if f.File == "" || f.File == manifest.FileCluster {
		return terminal.Safe(f.Object) + ": "
	}
	return terminal.Safe(manifest.Position{File: f.File, Line: f.Line, Column: f.Column}.String()) + ": "
}

// text is the finding on one line: what follows the first one draws an arrow below
// an expression.
func (f *finding) text() string {
	message, _, _ := strings.Cut(f.Message, "\n")
	text := terminal.Safe(message)
	if f.Path != "" {
		text = terminal.Safe(f.Path) + ": " + text
	}
	return text + " [" + string(f.Code) + "]"
}

// annotation is a workflow command of GitHub Actions, with which a finding is
// shown beside the line. Source: GitHub Actions, "Workflow commands".
func (f *finding) annotation() string {
	command := "error"
	switch f.Severity {
	case lint.Warning:
		command = "warning"
	case lint.Info:
		command = "notice"
	case lint.Error:
	}
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(f.text())
	if f.File == "" {
		return fmt.Sprintf("::%s title=%s::%s", command, property(terminal.Safe(f.Object)), message)
	}
	return fmt.Sprintf("::%s file=%s,line=%d,col=%d::%s", command, property(f.File), max(f.Line, 1), max(f.Column, 1), message)
}

func (r *findings) summary() string {
	return fmt.Sprintf("%s: %s, %s, %s", terminal.Count(r.Objects, "object"),
		terminal.Count(r.Errors, "error"), terminal.Count(r.Warnings, "warning"), terminal.Count(r.Notes, "note"))
}
