// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// urgent is how near a deadline is told in another colour.
const urgent = 15 * time.Minute

// table has a row for each letter. Where the terminal is narrow, what can be
// found out by ascend review goes first.
func (o *inbox) table(letters []*letter, now time.Time, width int) *terminal.Table {
	if o.output.IsWide() {
		width = 0
	}
	var columns []terminal.Column
	for _, c := range o.columns(width < roomy) {
		columns = append(columns, c.Column)
	}
	table := terminal.NewTable(width, o.session.Style(), columns...)
	for _, l := range letters {
		var row []terminal.Cell
		for _, c := range o.columns(false) {
			text, role := c.cell(l, now)
			row = append(row, terminal.Cell{Text: text, Role: role})
		}
		table.Row(row...)
	}
	return table
}

// column is a column with what is in it.
type column struct {
	terminal.Column
	cell func(l *letter, now time.Time) (string, terminal.Role)
}

// roomy is the width from which on names need not be cut short.
const roomy = 80

// columns are those of the flags; in a narrow window names may be cut shorter.
func (o *inbox) columns(narrow bool) []column {
	plain := func(header string, least, drop int, text func(*letter) string) column {
		return column{terminal.Column{Header: header, Min: least, Drop: drop}, func(l *letter, _ time.Time) (string, terminal.Role) {
			text := text(l)
			return text, roleOfText(text)
		}}
	}
	least := 12
	if narrow {
		least = 8
	}
	var out []column
	if o.choice.allNamespaces {
		out = append(out, plain("NAMESPACE", 10, 0, func(l *letter) string { return l.namespace }))
	}
	out = append(out, column{terminal.Column{Header: "ID"}, func(l *letter, _ time.Time) (string, terminal.Role) { return l.name, terminal.Strong }})
	if o.choice.agent == "" {
		out = append(out, plain("AGENT", least, 4, func(l *letter) string { return l.agent }))
	}
	out = append(out,
		plain("TYPE", least, 1, func(l *letter) string { return l.kind }),
		plain("RESOURCE", least, 0, func(l *letter) string { return l.resource }),
		column{terminal.Column{Header: "RISK"}, func(l *letter, _ time.Time) (string, terminal.Role) { return l.risk, roleOfLevel(l.level) }},
		plain("STAGE", 8, 5, func(l *letter) string { return l.stage }),
		plain("GIVEN", 0, 2, func(l *letter) string { return l.given }),
		column{terminal.Column{Header: "WAITS", Drop: 3}, func(l *letter, now time.Time) (string, terminal.Role) {
			return terminal.Span(now.Sub(l.asked)), terminal.Plain
		}},
		column{terminal.Column{Header: "TIME LEFT"}, func(l *letter, now time.Time) (string, terminal.Role) { return leftWord(now, l.deadline) }})
	if o.choice.all {
		out = append(out, column{terminal.Column{Header: "FOR", Min: 18}, cellOfOthers})
	}
	if o.output.IsWide() {
		out = append(out,
			plain("REQUESTER", 0, 0, func(l *letter) string { return l.requester }),
			plain("WHY", 0, 0, func(l *letter) string { return l.why }))
	}
	return out
}

func cellOfOthers(l *letter, _ time.Time) (string, terminal.Role) {
	if l.place.mine {
		return "you", terminal.Strong
	}
	return l.place.others, terminal.Faint
}

func leftWord(now, deadline time.Time) (string, terminal.Role) {
	switch left := deadline.Sub(now); {
	case deadline.IsZero():
		return "-", terminal.Plain
	case left <= 0:
		return "none", terminal.Bad
	case left < urgent:
		return terminal.Span(left), terminal.Bad
	default:
		return terminal.Span(left), terminal.Plain
	}
}

// roleOfText paints what has marks in it.
func roleOfText(text string) terminal.Role {
	if strings.Contains(text, "[") && marks.MatchString(text) {
		return terminal.Marked
	}
	return terminal.Plain
}

func roleOfLevel(level v1alpha1.RiskLevel) terminal.Role {
	switch level {
	case v1alpha1.RiskLevelCritical, v1alpha1.RiskLevelHigh:
		return terminal.Bad
	case v1alpha1.RiskLevelMedium:
		return terminal.Waiting
	case v1alpha1.RiskLevelLow:
		return terminal.Plain
	default:
		return terminal.Plain
	}
}
