// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
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

// auditTable is the trail for a reader, a line a record, without those that every
// action has alike and those that every trail has.
func auditTable(records []audit.Record) string {
	rows := [][]string{{"EVENT", "OF", "RISK", "REASON", "BY"}}
	for i := range records {
		r := &records[i]
		if !remarkable(r) {
			continue
		}
		rows = append(rows, []string{string(r.Event), r.Name, string(r.RiskScore), reason(r), by(r)})
	}
	return table(rows)
}

// remarkable says whether a record belongs to the story: it is neither of a
// submission nor of an evaluation, which every action has, nor of the policy that
// was there before, nor of the trail itself.
func remarkable(r *audit.Record) bool {
	common := []v1alpha1.EventType{v1alpha1.EventActionSubmitted, audit.EventEvaluated, audit.EventPolicyCreated}
	return !slices.Contains(common, r.Event) && !strings.HasPrefix(string(r.Event), "audit.")
}

// reason is why something happened; of a verdict what it says, and of policy the
// fields that changed.
func reason(r *audit.Record) string {
	switch {
	case r.Approval != nil:
		return string(r.Approval.Verdict)
	case len(r.Changes) > 0:
		return r.Changes[0].Field
	default:
		return r.Reason
	}
}

// by is who did it, or the rule that did.
func by(r *audit.Record) string {
	switch {
	case r.Approval != nil:
		return strings.TrimSuffix(r.Approval.Approver+" of "+strings.TrimPrefix(r.Approval.As, "group:"), " of ")
	case r.Actor != "":
		return r.Actor[strings.LastIndexByte(r.Actor, ':')+1:] // an account by its name
	default:
		return strings.TrimPrefix(r.DecidingRule, operatorNamespace+"/")
	}
}

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
