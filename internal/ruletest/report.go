// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"encoding/json"
	"io"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// ReportKind is the kind of a Report.
const ReportKind = "RuleTestReport"

// Report is what came of a run. Its JSON is stable within an apiVersion: fields
// may be added, none is changed. Texts in it are as they were written, and go to
// a terminal only through terminal.Safe, as WriteText does.
type Report struct {
	// APIVersion is APIVersion.
	APIVersion string `json:"apiVersion"`
	// Kind is ReportKind.
	Kind string `json:"kind"`
	// Passed and Failed count cases. Those of a suite that could not be run are
	// in neither.
	Passed int `json:"passed"`
	Failed int `json:"failed"`
	// Problems say what kept tests from being read or run: with any, the run has
	// failed. Each place is there once.
	Problems []Problem `json:"problems"`
	// Suites in the order of the files.
	Suites []SuiteReport `json:"suites"`
	// Coverage of the policy by the cases that passed.
	Coverage Coverage `json:"coverage"`
	// Seconds the run took.
	Seconds float64 `json:"seconds"`
}

// OK says whether there is a case, every case passed, and nothing was in the way.
func (r *Report) OK() bool { return r.Failed == 0 && len(r.Problems) == 0 && r.Passed > 0 }

// Place is where something stands in a file.
type Place struct {
	File string `json:"file"`
	// Line and Column count from 1; 0 is the file as a whole.
	Line   int `json:"line"`
	Column int `json:"column"`
}

func placeOf(p manifest.Position) Place { return Place{p.File, p.Line, p.Column} }

// String is file:line:column, or the file alone where Line is 0.
func (p Place) String() string { return manifest.Position(p).String() }

// Problem is what keeps a test from being read or run.
type Problem struct {
	Place
	// Path of the field, such as cases[3].expect.rule; may be empty.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// SuiteReport is what came of a document of kind RuleTest.
type SuiteReport struct {
	Place
	// Name is metadata.name.
	Name string `json:"name"`
	// Problems kept the suite from being run; it has then no cases.
	Problems []Problem    `json:"problems,omitempty"`
	Passed   int          `json:"passed"`
	Failed   int          `json:"failed"`
	Cases    []CaseReport `json:"cases"`
	// Seconds its cases took together.
	Seconds float64 `json:"seconds"`
}

// CaseReport is what came of a case.
type CaseReport struct {
	Place
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Moments is at how many times the case was decided, FailedMoments at how
	// many of them it came out otherwise than expected.
	Moments       int `json:"moments"`
	FailedMoments int `json:"failedMoments"`
	// Failure is the first of those; nil where the case passed.
	Failure *Failure `json:"failure,omitempty"`
	Seconds float64  `json:"seconds"`
}

// Failure is how a case came out otherwise than expected.
type Failure struct {
	// At is when the action was submitted.
	At time.Time `json:"at"`
	// Agent and namespace of the action.
	Agent     string `json:"agent"`
	Namespace string `json:"namespace"`
	// Differences in the order of the fields of expect; there is one at least.
	Differences []Difference `json:"differences"`
	// Got is what came, and why.
	Got Reasoning `json:"got"`
}

// Reasoning is a decision and why it was made, in the words of the API.
type Reasoning struct {
	Decision     v1alpha1.Decision        `json:"decision"`
	Reason       string                   `json:"reason"`
	Message      string                   `json:"message"`
	DecidingRule string                   `json:"decidingRule,omitempty"`
	Risk         *v1alpha1.RiskStatus     `json:"risk,omitempty"`
	MatchedRules []v1alpha1.MatchedRule   `json:"matchedRules,omitempty"`
	NearRules    []v1alpha1.NearRule      `json:"nearRules,omitempty"`
	Workflows    []string                 `json:"workflows,omitempty"`
	Approval     *v1alpha1.ApprovalStatus `json:"approval,omitempty"`
}

func reasoning(got *decision.Outcome, workflows []key) Reasoning {
	return Reasoning{
		Decision: got.Decision, Reason: got.Reason, Message: got.Message, DecidingRule: deciding(got),
		Risk: got.Risk, MatchedRules: got.MatchedRules, NearRules: got.NearRules,
		Workflows: stringsOf(workflows), Approval: got.Approval,
	}
}

// AddProblems adds what Load has found wrong, so that the report tells it too.
func (r *Report) AddProblems(problems []manifest.Problem) {
	r.addProblems(problemsOf(problems))
}

func (r *Report) addProblems(problems []Problem) {
	known := map[Problem]bool{}
	for _, p := range r.Problems {
		known[p] = true
	}
	for _, p := range problems {
		if !known[p] {
			known[p] = true
			r.Problems = append(r.Problems, p)
		}
	}
}

func problemsOf(problems []manifest.Problem) []Problem {
	out := make([]Problem, len(problems))
	for i, p := range problems {
		out[i] = Problem{placeOf(p.Position), p.Path, p.Message}
	}
	return out
}

// assemble makes the report out of what came of each case.
func assemble(all []*prepared, results [][]played) *Report {
	r := &Report{APIVersion: APIVersion, Kind: ReportKind, Problems: []Problem{}, Suites: []SuiteReport{}}
	cover := newCovering()
	for i, p := range all {
		s := SuiteReport{Place: placeOf(p.suite.Position), Name: p.suite.Name, Problems: problemsOf(p.problems), Cases: []CaseReport{}}
		r.addProblems(s.Problems)
		if p.world != nil {
			cover.policy(p.world.base)
			for j, c := range p.cases {
				report := p.judge(c, results[i][j], cover)
				s.Cases = append(s.Cases, report)
				s.Seconds += report.Seconds
				if report.Passed {
					s.Passed++
				} else {
					s.Failed++
				}
			}
		}
		r.Passed, r.Failed = r.Passed+s.Passed, r.Failed+s.Failed
		r.Suites = append(r.Suites, s)
	}
	r.Coverage = cover.report()
	return r
}

// judge compares what came of a case with what is expected of it.
func (p *prepared) judge(c *ready, got played, cover *covering) CaseReport {
	report := CaseReport{Place: placeOf(c.at), Name: c.name, Moments: len(c.moments), Seconds: got.seconds}
	seen := newSightings()
	for i, answer := range got.answers {
		outcome, workflows := answer.Outcome, workflowsOf(answer)
		seen.add(outcome, workflows)
		differences := c.want.differences(outcome, workflows)
		if len(differences) == 0 {
			continue
		}
		report.FailedMoments++
		if report.Failure == nil {
			report.Failure = &Failure{
				At: c.moments[i], Agent: c.agent.Name, Namespace: c.request.Namespace,
				Differences: differences, Got: reasoning(outcome, workflows),
			}
		}
	}
	report.Passed = report.FailedMoments == 0
	cover.count(p.world, &c.want, seen, report.Passed)
	return report
}

// WriteJSON writes the report as one JSON object, indented, with a line end.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
