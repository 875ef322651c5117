// SPDX-License-Identifier: Apache-2.0

package auditexport

import (
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Columns of the table, in order, by the names of the fields of a record. New
// ones are only ever added at the end. What an agent asked for, request, is in
// none: it is an object of its own, see JSONL.
var Columns = []string{
	"time", "event", "actor", "kind", "namespace", "name", "uid", "agent", "requester", "actionType", "resource",
	"decision", "breakGlass", "reason", "message", "riskScore", "riskLevel", "cvssVector", "matchedRules", "decidingRule",
	"controls", "workflows", "stage", "required", "granted", "pendingApprovers", "deadline",
	"approver", "approvedAs", "approvalStage", "verdict", "comment", "approvalTime", "uncounted",
	"approvals", "changes", "journal", "resourceVersion", "specDigest", "policyRevision", "approvalRevision",
	"schemaVersion", "chain", "sequence", "previousHash", "hash",
}

// table writes CSV, RFC 4180, with a line of headings; each record is one line.
type table struct {
	to    *csv.Writer
	begun bool
}

func (w *table) Write(_ []byte, r *audit.Record) error {
	if err := w.begin(); err != nil {
		return err
	}
	cells, err := row(r)
	if err != nil {
		return err
	}
	return w.to.Write(cells)
}

func (w *table) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.to.Write(Columns)
}

// Flush writes the headings, too, where there was no record.
func (w *table) Flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.to.Flush()
	return w.to.Error()
}

// row is a record in the order of Columns. Lists are separated by "; "; what is
// more than a list is JSON.
func row(r *audit.Record) ([]string, error) {
	approval := r.Approval
	if approval == nil {
		approval = &audit.Approval{}
	}
	approvals, err := text(r.Approvals, len(r.Approvals) > 0)
	if err != nil {
		return nil, err
	}
	changes, err := text(r.Changes, len(r.Changes) > 0)
	if err != nil {
		return nil, err
	}
	journal, err := text(r.Journal, r.Journal != nil)
	if err != nil {
		return nil, err
	}
	cells := []string{
		moment(&r.Time), string(r.Event), r.Actor, kindOf(r), r.Namespace, r.Name, r.UID, r.Agent, r.Requester, r.ActionType, r.Resource,
		string(r.Decision), yes(r.BreakGlass), r.Reason, r.Message, string(r.RiskScore), string(r.RiskLevel), r.CVSSVector, list(r.MatchedRules), r.DecidingRule,
		list(r.Controls), list(r.Workflows), r.Stage, number(r.Required), number(r.Granted), list(r.PendingApprovers), moment(r.Deadline),
		approval.Approver, approval.As, approval.Stage, string(approval.Verdict), approval.Comment, moment(approval.Time), approval.Uncounted,
		approvals, changes, journal, r.ResourceVersion, r.SpecDigest, r.PolicyRevision, r.ApprovalRevision,
		r.SchemaVersion, r.Chain, strconv.FormatUint(r.Sequence, 10), r.PreviousHash, r.Hash,
	}
	for i, cell := range cells {
		cells[i] = harmless(cell)
	}
	return cells, nil
}

// harmless is a cell that neither a terminal nor a spreadsheet takes for anything
// but text: Safe, and with an apostrophe before what would be a formula, also behind
// a semicolon, at which many a spreadsheet begins another cell. Source: OWASP, "CSV
// Injection": cells that begin with = + - @ tab or carriage return, also by way of
// a separator in their text; and their full-width forms.
func harmless(cell string) string {
	if !strings.ContainsAny(cell, "\t\r\n"+formulas) {
		return terminal.Safe(cell)
	}
	var b strings.Builder
	for part := range strings.SplitAfterSeq(cell, ";") {
		begin, _ := utf8.DecodeRuneInString(strings.TrimLeft(part, " \t\r\n\u00a0\u3000\ufeff"))
		if strings.ContainsRune(formulas, begin) || part != "" && strings.ContainsRune("\t\r\n", rune(part[0])) {
			b.WriteByte('\'')
		}
		b.WriteString(terminal.Safe(part))
	}
	return b.String()
}

// formulas are the characters that formulas begin with.
const formulas = "=+-@＝＋－＠"

func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func list(of []string) string { return strings.Join(of, "; ") }

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func number(n int32) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// text is a value as JSON, where there is one.
func text(v any, has bool) (string, error) {
	if !has {
		return "", nil
	}
	out, err := json.Marshal(v)
	return string(out), err
}
