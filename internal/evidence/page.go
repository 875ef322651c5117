// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

//go:embed page.html
var pageText string

// page is index.html. What others wrote is made terminal.Safe before it is escaped:
// text that turns around or hides what stands beside it misleads in a browser, too.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"safe":   terminal.Safe,
	"moment": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"day":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
	"count":  terminal.Count,
	"n":      grouped,
	"anchor": func(control *Control) string { return strings.ReplaceAll(control.Folder, "/", "-") },
	"short":  shortHash,
	"said":   Totals.String,
	"table":  func(caption string, events rows[event]) captioned { return captioned{caption, events} },
}).Parse(pageText))

// captioned is a table of events.
type captioned struct {
	Caption string
	Rows    rows[event]
}

// writePage writes the summary for a browser or a printer.
func writePage(to io.Writer, s *Summary) error {
	if err := page.Execute(to, s); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// grouped writes a number with a thin gap between thousands; nothing is a dot, so
// that what there is stands out.
func grouped(n int) string {
	if n == 0 {
		return "·"
	}
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "\u202f" + text[at:]
	}
	return text
}

func shortHash(hash string) string {
	hash = strings.TrimPrefix(terminal.Safe(hash), "sha256:")
	if len(hash) <= 16 {
		return hash
	}
	return hash[:16] + "…"
}

// String says how the actions ended: "2 approved, 1 of them by emergency override, 3 denied".
func (t Totals) String() string {
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{
		{t.Approved, "approved"}, {t.Denied, "denied"}, {t.TimedOut, "timed out"}, {t.Cancelled, "cancelled"},
		{t.Pending, "pending"}, {t.Undecided, "without a decision in the period"},
	} {
		if part.n == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d %s", part.n, part.word))
		if part.word == "approved" && t.BreakGlass > 0 {
			parts = append(parts, fmt.Sprintf("%d of them by emergency override", t.BreakGlass))
		}
	}
	if len(parts) == 0 {
		return "none has a decision"
	}
	return strings.Join(parts, ", ")
}
