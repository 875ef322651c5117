// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// JSON writes the report for programs, indented. It fails as the writer does.
func (r *Report) JSON(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// columns of the table of flips.
var columns = []string{"namespace", "name", "submittedAt", "agent", "actionType", "resource", "direction", "causeKind", "cause", "causeField",
	"decisionBefore", "decisionAfter", "scoreBefore", "scoreAfter", "reasonBefore", "reasonAfter", "messageBefore", "messageAfter"}

// CSV writes the flips with a line of headings, RFC 4180, each on one line. Text
// of others is made safe for a terminal, and a cell that a spreadsheet would take
// for a formula begins with an apostrophe. It fails as the writer does.
func (r *Report) CSV(to io.Writer) error {
	out := csv.NewWriter(to)
	if err := out.Write(columns); err != nil {
		return err
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		for j := range g.Flips {
			if err := out.Write(g.row(&g.Flips[j])); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func (g *Group) row(f *Flip) []string {
	cells := []string{
		f.Namespace, f.Name, f.SubmittedAt.UTC().Format(time.RFC3339), f.Agent, f.ActionType, f.Resource,
		string(f.Direction), string(g.Kind), g.Name, g.Field,
		string(f.Before.Decision), string(f.After.Decision), string(f.Before.Score), string(f.After.Score),
		f.Before.Reason, f.After.Reason, f.Before.Message, f.After.Message,
	}
	for i, cell := range cells {
		cell = terminal.Safe(cell)
		if cells[i] = cell; cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
			cells[i] = "'" + cell
		}
	}
	return cells
}
