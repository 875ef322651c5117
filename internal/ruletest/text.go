// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// TextOptions say how much WriteText writes.
type TextOptions struct {
	// Verbose lists the cases that passed, too.
	Verbose bool
	// Coverage adds what of the policy is covered.
	Coverage bool
}

// WriteText writes the report for people: problems, what failed and why, a line a
// suite, and last "N passed, N failed". Text that comes from files is safe for
// a terminal. It fails as w does.
func (r *Report) WriteText(w io.Writer, o TextOptions) error {
	var t textWriter
	for _, p := range r.Problems {
		t.line("%s", problemLine(p))
	}
	for _, s := range r.Suites {
		t.suite(s, o.Verbose)
	}
	if o.Coverage {
		t.coverage(&r.Coverage)
	}
	if n := len(r.Problems); n > 0 {
		t.line("%s: %s", terminal.Count(n, "problem"), "not everything could be tested")
	}
	t.line("%d passed, %d failed (%s)", r.Passed, r.Failed, seconds(r.Seconds))
	_, err := w.Write(t.Bytes())
	return err
}

func problemLine(p Problem) string {
	out := terminal.Safe(p.String()) + ": "
	if p.Path != "" {
		out += terminal.Safe(p.Path) + ": "
	}
	return out + terminal.Safe(p.Message)
}

// textWriter gathers lines.
type textWriter struct{ bytes.Buffer }

// line writes a line; what comes from files must have been made safe.
func (t *textWriter) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *textWriter) suite(s SuiteReport, verbose bool) {
	word := "ok  "
	switch {
	case len(s.Problems) > 0:
		word = "NOT RUN"
	case s.Failed > 0:
		word = "FAIL"
	}
	for _, c := range s.Cases {
		switch {
		case !c.Passed:
			t.failure(&c)
		case verbose:
			t.line("ok    %s: %s (%s)", terminal.Safe(c.String()), terminal.Safe(c.Name), seconds(c.Seconds))
		}
	}
	counts := terminal.Count(s.Passed+s.Failed, "case")
	switch {
	case len(s.Problems) > 0:
		counts = terminal.Count(len(s.Problems), "problem")
	case s.Failed > 0:
		counts = fmt.Sprintf("%d of %s failed", s.Failed, counts)
	}
	t.line("%s  %s  %s: %s (%s)", word, terminal.Safe(s.Name), terminal.Safe(s.File), counts, seconds(s.Seconds))
}

// failure shows what was expected, what came, and why.
func (t *textWriter) failure(c *CaseReport) {
	f := c.Failure
	t.line("FAIL  %s: %s", terminal.Safe(c.String()), terminal.Safe(c.Name))
	for _, d := range f.Differences {
		t.line("      %-16s want %s", d.Field, terminal.Safe(d.Want))
		t.line("      %-16s got  %s", "", terminal.Safe(d.Got))
	}
	got := &f.Got
	t.line("      why: %s, %s: %s", got.Decision, got.Reason, terminal.Safe(got.Message))
	t.line("      score: %s", scoreSum(got.Risk))
	t.rules(got)
	t.approval(got)
	t.line("      agent %s, namespace %s, submitted %s", terminal.Safe(f.Agent), terminal.Safe(f.Namespace), f.At.Format("Mon "+time.RFC3339))
	if others := c.FailedMoments - 1; others > 0 {
		t.line("      so it is at %d of %d times; this is the first", c.FailedMoments, c.Moments)
	}
}

// scoreSum is the score as a sum: the base score, and what each factor added.
func scoreSum(risk *v1alpha1.RiskStatus) string {
	if risk == nil {
		return "none, the action was not scored"
	}
	parts := []string{string(risk.CVSSBaseScore) + " " + risk.CVSSVector}
	for _, f := range risk.Factors {
		part := fmt.Sprintf("%s %s", f.Delta, f.Name)
		if f.Value != "" {
			part += " " + f.Value
		}
		part += " (" + string(f.Source) + ")"
		if f.Note != "" {
			part += " [" + f.Note + "]"
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("%s %s = %s", risk.Score, risk.Level, terminal.Safe(strings.Join(parts, ", ")))
}

func (t *textWriter) rules(got *Reasoning) {
	if len(got.MatchedRules) == 0 {
		t.line("      matched: none")
	}
	for _, m := range got.MatchedRules {
		audit := ""
		if m.Mode != v1alpha1.RuleEnforce {
			audit = " (" + string(m.Mode) + ", without effect)"
		}
		note := ""
		if m.Note != "" {
			note = ": " + m.Note
		}
		t.line("      matched: %s %s%s%s", terminal.Safe(keyOf(m.RuleReference).String()), m.Effect, audit, terminal.Safe(note))
	}
	for _, n := range got.NearRules {
		t.line("      nearly:  %s %s, condition %s is false", terminal.Safe(keyOf(n.RuleReference).String()), n.Effect, terminal.Safe(n.Condition))
	}
}

func (t *textWriter) approval(got *Reasoning) {
	if len(got.Workflows) > 0 {
		t.line("      workflows: %s", terminal.Safe(strings.Join(got.Workflows, ", ")))
	}
	if a := got.Approval; a != nil {
		t.line("      waits for: stage %s (%d of %d), %d of %s", terminal.Safe(a.Stage), a.StageIndex+1, a.StageCount, a.Required, terminal.Safe(strings.Join(a.PendingApprovers, ", ")))
	}
}

func (t *textWriter) coverage(c *Coverage) {
	t.line("")
	t.line("coverage: %d of %s, %.1f%%", c.Covered, terminal.Count(c.Total, "rule"), c.Percent)
	t.line("%5s %6s %5s %5s  %s", "FIRED", "NEARLY", "NAMED", "QUIET", "RULE")
	for _, r := range c.Rules {
		remark := ""
		switch {
		case r.Mode == v1alpha1.RuleDisabled:
			remark = ", Disabled, not counted"
		case !r.Covered && r.Fired > 0:
			remark = ", NOT COVERED: fires, and no case that passes names it under rule or matched"
		case !r.Covered:
			remark = ", NOT COVERED"
		}
		t.line("%5d %6d %5d %5d  %s, %s%s", r.Fired, r.Nearly, r.Named, r.Quiet, terminal.Safe(r.Rule), r.Effect, remark)
		if len(r.NeverFalse) > 0 && r.Mode != v1alpha1.RuleDisabled {
			t.line("%26sno case finds false: %s", "", terminal.Safe(strings.Join(r.NeverFalse, ", ")))
		}
	}
	if len(c.Workflows) > 0 {
		t.line("%5s %6s %5s %5s  %s", "FIRED", "", "NAMED", "", "WORKFLOW")
	}
	for _, w := range c.Workflows {
		remark := ""
		if !w.Covered {
			remark = ", NOT COVERED"
		}
		t.line("%5d %6s %5d %5s  %s%s", w.Fired, "", w.Named, "", terminal.Safe(w.Workflow), remark)
	}
	t.line("")
}

// seconds is a duration as people read it.
func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Truncate(time.Millisecond).String()
}
