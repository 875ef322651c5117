// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// TextOptions say how a report is written for people.
type TextOptions struct {
	// PerCause is how many flips of one cause are listed; all when zero.
	PerCause int
	// Width of the terminal in characters; 80 when zero, and never less than 60.
	Width int
}

// Text writes the report for people: numbers, a plot, and the flips by
// what makes the difference. Text of others is made safe for a terminal. It
// fails as the writer does.
func (r *Report) Text(to io.Writer, options TextOptions) error {
	p := &printer{report: r, perCause: options.PerCause, bar: max(cmp.Or(options.Width, 80), 60) - 30}
	p.summary()
	if r.Actions > 0 {
		p.decisions()
	}
	if len(r.Groups) > 0 {
		p.causes()
	}
	for i := range r.Groups {
		p.group(&r.Groups[i])
	}
	p.counts("Not replayed", r.NotReplayed)
	p.counts("Passed over", r.PassedOver)
	_, err := to.Write(p.out.Bytes())
	return err
}

type printer struct {
	report   *Report
	perCause int
	bar      int // the longest bar
	out      bytes.Buffer
}

// printf writes lines, none of which ends in a space.
func (p *printer) printf(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		text, end := strings.CutSuffix(line, "\n")
		p.out.WriteString(strings.TrimRight(text, " "))
		if end {
			p.out.WriteByte('\n')
		}
	}
}

func (p *printer) summary() {
	r := p.report
	if r.Actions == 0 {
		p.printf("No past action could be replayed.\n")
		return
	}
	p.printf("%s replayed, submitted %s to %s.\n", terminal.Count(r.Actions, "past action"), moment(r.First), moment(r.Last))
	flips := r.Loosened + r.Tightened
	if flips == 0 {
		p.printf("No decision flips.\n")
	} else {
		p.printf("%s: %d tightened, %d loosened.\n", share(flips, r.Actions), r.Tightened, r.Loosened)
	}
	if r.OtherApprovers > 0 {
		p.printf("Pending before and after, but who has to agree changes: %d.\n", r.OtherApprovers)
	}
	if r.OtherScore > 0 {
		p.printf("With another score, but the same decision: %d.\n", r.OtherScore)
	}
}

// decisions plots how often each decision is made, before and after.
func (p *printer) decisions() {
	p.printf("\nDecisions\n")
	for _, decision := range decisions {
		before, after := p.report.Total(decision)
		p.printf("  %-9s before %8d  %s\n", decision, before, p.barOf(before, p.report.Actions))
		p.printf("  %-9s after  %8d  %s\n", "", after, p.barOf(after, p.report.Actions))
	}
	p.printf("\nBefore -> after\n")
	for _, t := range p.report.Matrix {
		p.printf("  %-8s -> %-8s %8d\n", t.Before, t.After, t.Count)
	}
}

// causes plots how many decisions flip by each cause.
func (p *printer) causes() {
	most := 1
	for i := range p.report.Groups {
		g := &p.report.Groups[i]
		most = max(most, g.Tightened, g.Loosened, g.OtherApprovers)
	}
	p.printf("\nWhat makes the difference\n")
	for i := range p.report.Groups {
		g := &p.report.Groups[i]
		p.printf("  %s\n", terminal.Safe(g.Cause.String()))
		for _, row := range g.rows() {
			p.printf("    %-15s %6d  %s\n", row.direction, row.count, p.barOf(row.count, most))
		}
	}
}

type row struct {
	direction Direction
	count     int
}

// rows are the directions that occur.
func (g *Group) rows() []row {
	var rows []row
	for _, r := range []row{{Tightened, g.Tightened}, {Loosened, g.Loosened}, {OtherApprovers, g.OtherApprovers}} {
		if r.count > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

func (p *printer) group(g *Group) {
	p.printf("\n%s\n", terminal.Safe(g.Cause.String()))
	shown := g.Flips
	if p.perCause > 0 && len(shown) > p.perCause {
		shown = shown[:p.perCause]
	}
	for i := range shown {
		p.flip(&shown[i])
	}
	if hidden := len(g.Flips) - len(shown); hidden > 0 {
		p.printf("  and %d more\n", hidden)
	}
}

func (p *printer) flip(f *Flip) {
	p.printf("  %s  %s/%s  %s -> %s", moment(f.SubmittedAt), terminal.Safe(f.Namespace), terminal.Safe(f.Name), f.Before.Decision, f.After.Decision)
	switch before, after := f.Before.Score, f.After.Score; {
	case before == "" && after == "":
	case before == after:
		p.printf(", score %s", after)
	default:
		p.printf(", score %s -> %s", cmp.Or(before, "none"), cmp.Or(after, "none"))
	}
	p.printf("\n    agent %s, %s", terminal.Safe(f.Agent), terminal.Safe(f.ActionType))
	if f.Resource != "" {
		p.printf(" %s", terminal.Safe(f.Resource))
	}
	p.printf("\n    before: %s: %s\n", terminal.Safe(f.Before.Reason), terminal.Safe(f.Before.Message))
	p.printf("    after:  %s: %s\n", terminal.Safe(f.After.Reason), terminal.Safe(f.After.Message))
	if f.Direction == OtherApprovers {
		p.printf("    workflows: %s -> %s\n", workflows(f.Before.Workflows), workflows(f.After.Workflows))
	}
}

func workflows(names []string) string { return terminal.Safe(strings.Join(names, ", ")) }

func (p *printer) counts(title string, all []Count) {
	if len(all) == 0 {
		return
	}
	p.printf("\n%s\n", title)
	for _, c := range all {
		p.printf("  %8d  %s\n", c.Count, terminal.Safe(c.Why))
		if len(c.Examples) > 0 {
			more := ""
			if c.Count > len(c.Examples) {
				more = ", ..."
			}
			p.printf("            %s%s\n", terminal.Safe(strings.Join(c.Examples, ", ")), more)
		}
	}
}

// barOf draws n of whole; something is never nothing.
func (p *printer) barOf(n, whole int) string {
	if n == 0 {
		return ""
	}
	return strings.Repeat("█", max(1, (n*p.bar+whole/2)/whole))
}

func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05Z") }

// share is how many decisions flip, and what part of all that is.
func share(n, of int) string {
	percent := fmt.Sprintf("%.1f", 100*float64(n)/float64(of))
	switch {
	case percent == "0.0":
		percent = "less than 0.1"
	case percent == "100.0" && n < of:
		percent = "more than 99.9"
	}
	if n == 1 {
		return fmt.Sprintf("1 decision flips (%s %%)", percent)
	}
	return fmt.Sprintf("%d decisions flip (%s %%)", n, percent)
}
