// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// The elements of JUnit's XML, as far as CI systems agree on them.
// Source: https://github.com/testmoapp/junitxml.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		File     string      `xml:"file,attr,omitempty"`
		Line     int         `xml:"line,attr,omitempty"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string       `xml:"name,attr"`
		ClassName string       `xml:"classname,attr"`
		File      string       `xml:"file,attr"`
		Line      int          `xml:"line,attr,omitempty"`
		Time      string       `xml:"time,attr"`
		Failure   *junitResult `xml:"failure"`
		Error     *junitResult `xml:"error"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
)

// WriteJUnit writes the report as JUnit's XML: a testsuite for each suite, with
// file and line of each case. A problem is a testcase with an error, so that it
// fails the build; those that belong to no suite are in a suite "problems".
func (r *Report) WriteJUnit(w io.Writer) error {
	out := junitSuites{Name: "ascend rules test", Time: junitTime(r.Seconds)}
	elsewhere := map[Problem]bool{}
	for _, s := range r.Suites {
		suite := junitSuite{Name: terminal.Safe(s.Name), Time: junitTime(s.Seconds), File: terminal.Safe(s.File), Line: s.Line}
		for _, c := range s.Cases {
			suite.Cases = append(suite.Cases, junitOf(&c, s.Name))
		}
		for _, p := range s.Problems {
			elsewhere[p] = true
			suite.Cases = append(suite.Cases, junitError(p, s.Name))
		}
		suite.Tests, suite.Failures, suite.Errors = len(suite.Cases), s.Failed, len(s.Problems)
		out.add(suite)
	}
	rest := junitSuite{Name: "problems", Time: junitTime(0)}
	for _, p := range r.Problems {
		if !elsewhere[p] {
			rest.Cases = append(rest.Cases, junitError(p, rest.Name))
		}
	}
	if rest.Tests = len(rest.Cases); rest.Tests > 0 {
		rest.Errors = rest.Tests
		out.add(rest)
	}
	var text bytes.Buffer
	text.WriteString(xml.Header)
	encoder := xml.NewEncoder(&text)
	encoder.Indent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return err
	}
	text.WriteByte('\n')
	_, err := w.Write(text.Bytes())
	return err
}

func (s *junitSuites) add(suite junitSuite) {
	s.Suites = append(s.Suites, suite)
	s.Tests += suite.Tests
	s.Failures += suite.Failures
	s.Errors += suite.Errors
}

func junitOf(c *CaseReport, suite string) junitCase {
	out := junitCase{Name: terminal.Safe(c.Name), ClassName: terminal.Safe(suite), File: terminal.Safe(c.File), Line: c.Line, Time: junitTime(c.Seconds)}
	if c.Failure == nil {
		return out
	}
	words := make([]string, len(c.Failure.Differences))
	for i, d := range c.Failure.Differences {
		words[i] = d.Field + ": want " + d.Want + ", got " + d.Got
	}
	var detail textWriter
	detail.failure(c)
	out.Failure = &junitResult{Message: terminal.Safe(strings.Join(words, "; ")), Type: "difference", Text: detail.String()}
	return out
}

func junitError(p Problem, suite string) junitCase {
	name := "can be run"
	if p.Path != "" {
		name = p.Path
	}
	return junitCase{
		Name: terminal.Safe(name), ClassName: terminal.Safe(suite), File: terminal.Safe(p.File), Line: p.Line, Time: junitTime(0),
		Error: &junitResult{Message: terminal.Safe(p.Message), Type: "problem", Text: problemLine(p)},
	}
}

// junitTime is seconds with milliseconds, which every reader takes.
func junitTime(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }
