// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// table is what became of every attack in every mode.
type table struct {
	mu    sync.Mutex
	cells map[*attack]map[mode]string
}

var summary = &table{cells: map[*attack]map[mode]string{}}

func (t *table) note(a *attack, m mode, word string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cells[a] == nil {
		t.cells[a] = map[mode]string{}
	}
	t.cells[a][m] = word
}

// String is the table in Markdown, sorted by number and name.
func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := slices.SortedFunc(maps.Keys(t.cells), func(a, b *attack) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.name, b.name))
	})
	var text strings.Builder
	fmt.Fprintf(&text, "| # | attack | %s | %s | %s |\n|---:|---|---|---|---|\n", up, down, deleted)
	for _, a := range rows {
		cell := func(m mode) string { return cmp.Or(t.cells[a][m], "FAILED") }
		fmt.Fprintf(&text, "| %d | %s | %s | %s | %s |\n", a.number, a.name, cell(up), cell(down), cell(deleted))
	}
	return text.String()
}

// Where the table is written down, and between which lines.
const (
	page     = root + "/docs/reference/attacks.md"
	pageFrom = "<!-- attacks -->\n"
	pageTo   = "<!-- /attacks -->\n"
)

// The table is printed, and has to be the one in docs/reference/attacks.md; with
// ATTACKS_PAGE=write it is written there. A run of some attacks only is not
// compared.
var _ = ReportAfterSuite("what became of each attack", func(report Report) {
	fmt.Printf("\n%s\n", summary)
	if !report.SuiteSucceeded || report.PreRunStats.SpecsThatWillRun != report.PreRunStats.TotalSpecs {
		return
	}
	text, err := os.ReadFile(page)
	Expect(err).NotTo(HaveOccurred())
	before, rest, found := strings.Cut(string(text), pageFrom)
	Expect(found).To(BeTrue(), "%s has no line %s", page, pageFrom)
	written, after, found := strings.Cut(rest, pageTo)
	Expect(found).To(BeTrue(), "%s has no line %s", page, pageTo)
	if os.Getenv("ATTACKS_PAGE") == "write" {
		Expect(os.WriteFile(page, []byte(before+pageFrom+summary.String()+pageTo+after), 0o644)).To(Succeed())
		return
	}
	Expect(written).To(Equal(summary.String()), "docs/reference/attacks.md has another table; write it anew with: make attacks-docs")
})
