// SPDX-License-Identifier: Apache-2.0

package story

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Sound says whether nothing is wrong with the records of a story, as far as they
// and their neighbours show it.
func (s *Story) Sound() bool {
	for _, entry := range s.Entries {
		if entry.Changed || entry.Apart {
			return false
		}
	}
	return true
}

// last is the last record that the story's field says something in.
func (s *Story) last(has func(*audit.Record) bool) *audit.Record {
	for _, entry := range slices.Backward(s.Entries) {
		if has(entry.Record) {
			return entry.Record
		}
	}
	return nil
}

// ruling is the decision that holds.
func (s *Story) ruling() Ruling {
	var standing Standing
	for _, entry := range s.Entries {
		standing.Learn(entry.Record)
	}
	return standing.Ruling()
}

// Write writes the story as a tree, for a terminal of that width; 0 breaks no line.
// Characters that do not show what they are, are marked.
func (s *Story) Write(out io.Writer, style terminal.Style, width int) error {
	decided := s.ruling()
	word, role := "NOT DECIDED", terminal.Faint
	if decided.Decision != v1alpha1.DecisionNone {
		word, role = terminal.Safe(DecisionWord(decided.Decision)), Role(&audit.Record{Event: decided.Event, BreakGlass: decided.BreakGlass})
	}
	root := terminal.NewNode(terminal.MarkBranch(s.Namespace+"/"+s.Name) + ": " + word)
	if decided.Reason != "" {
		root.Append(", " + terminal.MarkBranch(decided.Reason))
	}
	s.addRequest(root)
	for _, entry := range s.Entries {
		entry.add(root)
	}
	s.addTrail(root)
	var drawn bytes.Buffer
	root.WriteWithin(&drawn, width)
	first, rest, _ := strings.Cut(drawn.String(), "\n")
	if name, after, found := strings.Cut(first, ": "+word); found {
		first = name + ": " + style.Paint(role, word) + after
	}
	_, err := fmt.Fprintf(out, "%s\n%s", first, rest)
	return err
}

func (s *Story) addRequest(root *terminal.Node) {
	about := s.last(func(r *audit.Record) bool { return r.ActionType != "" })
	if about == nil {
		about = s.Entries[0].Record
	}
	request := root.Add("request: %s", terminal.MarkBranch(asked(about)))
	if about.Agent != "" {
		request.Add("agent %s of namespace %s", terminal.MarkBranch(about.Agent), terminal.MarkBranch(s.Namespace))
	}
	if by := s.last(func(r *audit.Record) bool { return r.Requester != "" }); by != nil {
		request.Add("asked by %s", terminal.MarkBranch(by.Requester))
	}
	if s.UID == "" {
		request.Add("refused before there was an action, so it has no uid")
	} else {
		request.Add("uid %s", terminal.MarkBranch(s.UID))
	}
	full := s.last(func(r *audit.Record) bool { return r.Request != nil })
	if full == nil {
		return
	}
	if text := full.Request.Description; text != "" {
		request.Add("%s", terminal.MarkBranch(text))
	}
	if text := full.Request.Parameters; len(text) > 0 {
		request.Add("parameters %s", terminal.MarkBranch(string(text)))
	}
	if text := full.Request.Context; len(text) > 0 {
		request.Add("context %s", terminal.MarkBranch(string(text)))
	}
}

func (e *Entry) add(root *terminal.Node) {
	n := root.Add("%s  #%d %s: %s", e.Time.UTC().Format("2006-01-02 15:04:05.000Z"), e.Sequence,
		terminal.MarkBranch(string(e.Event)), terminal.MarkBranch(Sentence(e.Record)))
	for _, detail := range Details(e.Record) {
		n.Add("%s", terminal.MarkBranch(detail))
	}
	if e.Changed {
		n.Add("CHANGED: its hash is not that of this record, %s:%d", terminal.MarkBranch(e.File), e.Number)
	}
	if e.Apart {
		n.Add("APART: a record beside it in its chain is missing or another, %s:%d", terminal.MarkBranch(e.File), e.Number)
	}
}

// Details are what a record tells beyond its Sentence, a line each.
func Details(r *audit.Record) []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if r.Event == audit.EventEvaluated {
		lines = judged(r)
	} else if r.Event != audit.EventApprovalRecorded {
		for i := range r.Approvals {
			add("%s %s", r.Approvals[i].Approver, Verdict(&r.Approvals[i]))
		}
	}
	for _, change := range r.Changes {
		add("%s: %s → %s", change.Field, orSome(change.Before, "nothing"), orSome(change.After, "nothing"))
	}
	return lines
}

// judged is what an evaluation came to.
func judged(r *audit.Record) []string {
	var lines []string
	if r.CVSSVector != "" {
		lines = append(lines, r.CVSSVector)
	}
	for _, rule := range r.MatchedRules {
		mark := ""
		if name, _, _ := strings.Cut(rule, " "); name == r.DecidingRule {
			mark = ", decides"
		}
		lines = append(lines, "rule "+rule+mark)
	}
	if len(r.Controls) > 0 {
		lines = append(lines, "controls "+strings.Join(r.Controls, ", "))
	}
	return lines
}

// addTrail says where the records stand, and whether they can be relied on.
func (s *Story) addTrail(root *terminal.Node) {
	faults, chains, of := 0, []string{}, map[string][]uint64{}
	for _, entry := range s.Entries {
		if entry.Changed || entry.Apart {
			faults++
		}
		if of[entry.Chain] == nil {
			chains = append(chains, entry.Chain)
		}
		of[entry.Chain] = append(of[entry.Chain], entry.Sequence)
	}
	verdict := "each has the hash that was chained, and its neighbours are there"
	if faults > 0 {
		verdict = terminal.Count(faults, "record") + " CHANGED or APART; ascend audit verify says what happened"
	}
	trail := root.Add("trail: %s, %s", terminal.Count(len(s.Entries), "record"), verdict)
	for _, chain := range chains {
		trail.Add("chain %s: %s", terminal.MarkBranch(chain), ranges(of[chain]))
	}
	if last := s.last(func(r *audit.Record) bool { return r.SpecDigest != "" }); last != nil {
		trail.Add("request %s", terminal.MarkBranch(last.SpecDigest))
	}
	if last := s.last(func(r *audit.Record) bool { return r.PolicyRevision != "" }); last != nil {
		trail.Add("policy %s", terminal.MarkBranch(last.PolicyRevision))
	}
}

// ranges writes numbers as "3–5, 9".
func ranges(numbers []uint64) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, strconv.FormatUint(numbers[i], 10))
		} else {
			parts = append(parts, fmt.Sprintf("%d–%d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
