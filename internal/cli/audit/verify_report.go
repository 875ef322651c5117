// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

const (
	// shownFaults and shownChains are as many as people are shown at most.
	shownFaults = 10
	shownChains = 50
)

func (o *verify) print(report *trail.Report) error {
	if o.output == formatJSON {
		encoder := json.NewEncoder(o.session.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			Sound bool `json:"sound"`
			*trail.Report
		}{report.Sound(), report})
	}
	o.printFaults(report)
	o.printChains(report)
	for _, note := range o.notes(report) {
		o.say("note: "+note, "  ")
	}
	o.printVerdict(report)
	return nil
}

// say prints a paragraph.
func (o *verify) say(text, indent string) {
	for _, line := range terminal.Wrap(text, o.session.Screen.Width, indent) {
		fmt.Fprintln(o.session.Out, line)
	}
}

func (o *verify) printFaults(report *trail.Report) {
	style := o.session.Style()
	for i, fault := range report.Faults {
		if i == shownFaults {
			fmt.Fprintf(o.session.Out, "and %s; -o %s lists the first %d\n", terminal.Count(report.FaultsTotal-shownFaults, "more fault"), formatJSON, trail.MaxFaults)
			break
		}
		text := fault.What
		if fault.Sequence > 0 && fault.File != "" {
			text = fmt.Sprintf("record %d: %s", fault.Sequence, text)
		}
		lines := terminal.Wrap(where(&fault)+text, o.session.Screen.Width, "  ")
		lines[0] = style.Paint(terminal.Bad, lines[0])
		fmt.Fprintln(o.session.Out, strings.Join(lines, "\n"))
		o.say("  "+fault.Advice, "  ")
	}
	if report.FaultsTotal > 0 {
		fmt.Fprintln(o.session.Out)
	}
}

// where is the position as editors and terminals find it, or empty.
func where(fault *trail.Fault) string {
	if fault.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", fault.File, fault.Line)
}

func (o *verify) printChains(report *trail.Report) {
	if len(report.Chains) == 0 {
		return
	}
	table := o.session.Table(terminal.Column{Header: "CHAIN"}, terminal.Column{Header: "REPLICA", Min: 10, Drop: 2}, terminal.Column{Header: "RECORDS"},
		terminal.Column{Header: "BEGINS", Drop: 3}, terminal.Column{Header: "ENDS", Drop: 4}, terminal.Column{Header: "END"}, terminal.Column{Header: "SIGNED", Drop: 1})
	hidden := max(0, len(report.Chains)-shownChains)
	for _, chain := range report.Chains[hidden:] {
		table.Row(terminal.Cell{Text: chain.ID}, terminal.Cell{Text: chain.Replica}, terminal.Cell{Text: fmt.Sprintf("%d–%d", chain.First, chain.Last)},
			terminal.Cell{Text: stamp(chain.Begin)}, terminal.Cell{Text: stamp(chain.Until)},
			terminal.Cell{Text: string(chain.End), Role: endRole(chain.End)}, terminal.Cell{Text: signedUpTo(chain)})
	}
	_ = table.Flush(o.session.Out) // the session remembers what could not be written
	if hidden > 0 {
		fmt.Fprintf(o.session.Out, "and %s before these; -o %s lists all\n", terminal.Count(hidden, "chain"), formatJSON)
	}
	fmt.Fprintln(o.session.Out)
}

func endRole(end trail.End) terminal.Role {
	if end == trail.EndUnproven {
		return terminal.Waiting
	}
	return terminal.Good
}

// signedUpTo is how much of a chain is signed by a key that is known.
func signedUpTo(chain *trail.Chain) string {
	switch {
	case chain.Signed > 0:
		return fmt.Sprintf("to %d", chain.Signed)
	case len(chain.UnknownKeys) > 0:
		return "unknown key"
	default:
		return "no"
	}
}
