// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// readAudit reads an audit log.
func readAudit(path string) ([]audit.Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	var records []audit.Record
	for line := range bytes.Lines(text) {
		var record audit.Record
		if err := json.Unmarshal(line, &record); err != nil {
			return nil, fmt.Errorf("%s, record %d: %w", path, len(records)+1, err)
		}
		records = append(records, record)
	}
	return records, nil
}

// checkChain says what is wrong with a chain of records, nil when nothing is:
// each has the hash of the one before, and the hash of its own content.
func checkChain(records []audit.Record) error {
	previous := ""
	for i, record := range records {
		if record.PreviousHash != previous {
			return fmt.Errorf("audit record %d does not have the hash of the one before", i+1)
		}
		bare := record
		bare.Hash = ""
		hash, err := canonical.Digest(bare)
		if err != nil || hash != record.Hash {
			return fmt.Errorf("the hash of audit record %d is not that of its content", i+1)
		}
		previous = record.Hash
	}
	return nil
}

// auditTable is the trail for a reader, a line a record. What the trail says of
// itself is left out: how much that is depends on the time things take.
func auditTable(records []audit.Record) string {
	rows := [][]string{{"#", "EVENT", "ACTION", "RISK", "REASON", "BY"}}
	for i := range records {
		r := &records[i]
		if ofTheTrail(r) {
			continue
		}
		var people []string
		for _, a := range r.Approvals {
			people = append(people, strings.TrimSuffix(a.Approver+" of "+strings.TrimPrefix(a.As, "group:"), " of "))
		}
		if r.Actor != "" {
			people = []string{r.Actor[strings.LastIndexByte(r.Actor, ':')+1:]} // an account by its name
		}
		if len(people) == 0 && len(r.MatchedRules) > 0 {
			rule, _, _ := strings.Cut(r.MatchedRules[0], " ")
			people = []string{strings.TrimPrefix(rule, operatorNamespace+"/")}
		}
		rows = append(rows, []string{
			strconv.Itoa(len(rows)), string(r.Event), r.Name, string(r.RiskScore), r.Reason, strings.Join(people, ", "),
		})
	}
	return table(rows)
}

// ofTheTrail says whether a record tells of the trail itself.
func ofTheTrail(r *audit.Record) bool { return strings.HasPrefix(string(r.Event), "audit.") }

// table aligns columns, two blanks apart.
func table(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cell + strings.Repeat(" ", widths[i]-len(cell))
		}
		out.WriteString(strings.TrimRight(strings.Join(cells, "  "), " ") + "\n")
	}
	return out.String()
}
