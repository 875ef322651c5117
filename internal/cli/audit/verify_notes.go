// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// stamp is a time in a table.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// notes are what people should know and what is no fault.
func (o *verify) notes(report *trail.Report) []string {
	notes := slices.Clone(report.Notes)
	add := func(n int64, one, several string) {
		switch {
		case n == 1:
			notes = append(notes, "1 "+one)
		case n > 1:
			notes = append(notes, fmt.Sprintf("%d %s", n, several))
		}
	}
	add(report.Unfinished, "unfinished line that a crash has left, as the record after it tells", "unfinished lines that crashes have left, as the records after them tell")
	add(report.Others, "line was passed over that is no audit record", "lines were passed over that are no audit records")
	add(report.Repeated, "record came again", "records came again")
	unproven, unknown := 0, map[string]bool{}
	for _, chain := range report.Chains {
		if chain.Lost > 0 {
			notes = append(notes, fmt.Sprintf("chain %s tells of %s that could not be kept, although what they would have told of went on (--audit-on-failure=continue)", chain.ID, terminal.Count(int(chain.Lost), "record"))) //nolint:gosec // for people
		}
		if chain.Unconfirmed > 0 {
			notes = append(notes, fmt.Sprintf("chain %s has %s whose writing was reported as failed: what they tell of did not happen, or has another record", chain.ID, terminal.Count(int(chain.Unconfirmed), "record"))) //nolint:gosec // for people
		}
		for _, key := range chain.UnknownKeys {
			unknown[key] = true
		}
		if chain.End == trail.EndUnproven {
			unproven++
		}
	}
	if len(unknown) > 0 {
		notes = append(notes, fmt.Sprintf("checkpoints are signed with keys that are not known, so their signatures were not checked: %s. Give the public keys with --public-key, or --against-cluster",
			strings.Join(slices.Sorted(maps.Keys(unknown)), ", ")))
	}
	if unproven > 0 && !o.options.RequireProof {
		notes = append(notes, unprovenNote(report, unproven))
	}
	return notes
}

// unprovenNote says what is not known of ends.
func unprovenNote(report *trail.Report, unproven int) string {
	for _, chain := range report.Chains {
		if chain.End != trail.EndUnproven {
			continue
		}
		if unproven > 1 {
			return fmt.Sprintf("nothing proves where %d chains end, such as %s after record %d: the last records may have been cut off. --against-cluster or --anchors tells", unproven, chain.ID, chain.Last)
		}
		if chain.Anchored > 0 {
			return fmt.Sprintf("chain %s is anchored up to record %d; nothing proves that it ends with record %d. An operator that runs anchors the newest ones soon", chain.ID, chain.Anchored, chain.Last)
		}
		return fmt.Sprintf("nothing proves that chain %s ends with record %d: the last records may have been cut off. --against-cluster or --anchors tells", chain.ID, chain.Last)
	}
	return ""
}

// printVerdict ends the report.
func (o *verify) printVerdict(report *trail.Report) {
	style := o.session.Style()
	count := fmt.Sprintf("%s in %s", terminal.Count(int(report.Records), "record"), terminal.Count(len(report.Chains), "chain"))
	if d := report.Decisions; d != nil {
		count += fmt.Sprintf(", %s of the cluster", terminal.Count(d.Actions, "decided action"))
	}
	if report.Sound() {
		fmt.Fprintf(o.session.Out, "%s: %s\n", style.Paint(terminal.Good, "sound"), count)
		return
	}
	place := ""
	if first := report.First(); first.File != "" {
		place = fmt.Sprintf(", the first one at %s:%d", terminal.Safe(first.File), first.Line)
	}
	fmt.Fprintf(o.session.Out, "%s: %s; %s%s\n", style.Paint(terminal.Bad, "NOT SOUND"), count, terminal.Count(report.FaultsTotal, "fault"), place)
}
