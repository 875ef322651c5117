// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"io"
	"slices"
	"strings"
)

// gap is what stands between two columns, as kubectl has it.
const gap = "   "

// Column is a column of a Table.
type Column struct {
	// Header in upper case.
	Header string
	// Min is the least width the column may shrink to where the terminal is
	// narrow: what does not fit ends with an ellipsis. 0: it never shrinks, as
	// befits a name that people copy.
	Min int
	// Drop says when the column is left out where the terminal is narrow and
	// shrinking does not help: the highest first. 0: never.
	Drop int
}

// Cell is a piece of text in a Role. It is made Safe by the table.
type Cell struct {
	Text string
	Role Role
}

// Table writes rows in columns as wide as what is in them, and within the
// width, as far as its columns can shrink or be left out; a width of 0 leaves
// everything as it is.
type Table struct {
	columns []Column
	width   int
	style   Style
	rows    [][]Cell
	widths  []int // of columns as they were written
	written bool
}

// NewTable returns a table for a terminal of that width; 0 for none.
func NewTable(width int, style Style, columns ...Column) *Table {
	return &Table{columns: columns, width: width, style: style}
}

// Row adds a row. Missing cells are empty; too many are a programming error
// and are left out.
func (t *Table) Row(cells ...Cell) {
	row := make([]Cell, len(t.columns))
	for i := range min(len(row), len(cells)) {
		row[i] = Cell{Text: Safe(cells[i].Text), Role: cells[i].Role}
	}
	t.rows = append(t.rows, row)
}

// Flush writes the rows that were added since the last time, and the headers
// the first time. A list that comes in pages is flushed after each: its columns
// keep their places as far as what comes later fits.
func (t *Table) Flush(out io.Writer) error {
	t.measure()
	var text strings.Builder
	if !t.written {
		header := make([]Cell, len(t.columns))
		for i, c := range t.columns {
			header[i] = Cell{Text: c.Header}
		}
		t.writeRow(&text, header)
		t.written = true
	}
	for _, row := range t.rows {
		t.writeRow(&text, row)
	}
	t.rows = nil
	_, err := io.WriteString(out, text.String())
	return err
}

func (t *Table) writeRow(out *strings.Builder, row []Cell) {
	var line strings.Builder
	pad := ""
	for i, cell := range row {
		if t.widths[i] == leftOut {
			continue
		}
		text := cell.Text
		if t.columns[i].Min > 0 {
			text = Cut(text, t.widths[i])
		}
		line.WriteString(pad)
		line.WriteString(t.style.Paint(cell.Role, text))
		pad = strings.Repeat(" ", max(0, t.widths[i]-Columns(text))) + gap
	}
	out.WriteString(strings.TrimRight(line.String(), " "))
	out.WriteByte('\n')
}

// leftOut is the width of a column that is not shown.
const leftOut = -1

// measure sets the widths of the columns.
func (t *Table) measure() {
	natural := make([]int, len(t.columns))
	for i, c := range t.columns {
		natural[i] = Columns(c.Header)
		for _, row := range t.rows {
			natural[i] = max(natural[i], Columns(row[i].Text))
		}
		if !t.written {
			continue
		}
		if t.widths[i] == leftOut {
			natural[i] = leftOut
		} else {
			natural[i] = max(natural[i], t.widths[i])
		}
	}
	for {
		t.widths = slices.Clone(natural)
		if t.width <= 0 || t.shrink() || t.written {
			return
		}
		last := t.leastNeeded(natural)
		if last < 0 {
			return
		}
		natural[last] = leftOut
	}
}

// leastNeeded is the column to leave out next; -1 where there is none.
func (t *Table) leastNeeded(widths []int) int {
	least := -1
	for i, c := range t.columns {
		if widths[i] != leftOut && c.Drop > 0 && (least < 0 || c.Drop > t.columns[least].Drop) {
			least = i
		}
	}
	return least
}

// shrink takes from the widest column that may shrink until all fit, and says
// whether they do.
func (t *Table) shrink() bool {
	for {
		total, widest := -len(gap), -1
		for i, w := range t.widths {
			if w == leftOut {
				continue
			}
			total += w + len(gap)
			if least := max(t.columns[i].Min, Columns(t.columns[i].Header)); t.columns[i].Min > 0 && w > least &&
				(widest < 0 || w > t.widths[widest]) {
				widest = i
			}
		}
		if total <= t.width {
			return true
		}
		if widest < 0 {
			return false
		}
		t.widths[widest]--
	}
}
