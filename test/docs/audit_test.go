// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/ocsf"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

const auditPage = "docs/audit.md"

var ocsfRow = regexp.MustCompile("^\\| `([a-z.-]+)` \\| (\\d+ [^|]+) \\| ")

// Every event has its row in the table of OCSF, and each row is what the code makes
// of the event.
func TestAuditOCSF(t *testing.T) {
	rows := map[string]string{}
	for _, line := range readPage(t, auditPage).lines {
		if found := ocsfRow.FindStringSubmatch(line); found != nil {
			rows[found[1]] = line
		}
	}
	for event, row := range rows {
		e, err := ocsf.FromRecord(&audit.Record{Event: v1alpha1.EventType(event)})
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("| %#q | %d %s | %s | %s | %s | %s |", event, e.ActivityID, e.ActivityName, e.Status, e.Severity, e.Action, e.Disposition)
		if row != want {
			t.Errorf("%s has\n%s\nwant\n%s", auditPage, row, want)
		}
	}
	for _, record := range trailtest.Day() {
		if rows[string(record.Event)] == "" {
			t.Errorf("%s has no row for %s", auditPage, record.Event)
		}
	}
}

// The columns of the table are those on the page, in their order.
func TestAuditColumns(t *testing.T) {
	_, text, _ := strings.Cut(strings.Join(readPage(t, auditPage).lines, "\n"), "<!-- columns -->")
	text, _, _ = strings.Cut(text, "<!-- end -->")
	var columns []string
	for _, found := range inlineCode.FindAllString(text, -1) {
		columns = append(columns, strings.Trim(found, "`"))
	}
	if !slices.Equal(columns, auditexport.Columns) {
		t.Errorf("%s has the columns\n%v\nwant\n%v", auditPage, columns, auditexport.Columns)
	}
}
