// SPDX-License-Identifier: Apache-2.0

// Package trailtest has audit records to test what reads the trail with: a day on
// which everything happens, and records whose texts mean harm.
package trailtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// Start is when the Day begins.
var Start = time.Date(2025, 12, 19, 13, 0, 0, 0, time.UTC)

// The chains of the Day: of the replica that led, and of one that only admitted.
const (
	Leader   = "6f9a1f0e-6a52-4d0b-9c3e-0b1d4e5f6a70"
	Follower = "b2c4d6e8-1357-4246-8ace-97531f0e2d4c"
)

// Chained puts records into a chain: sequence, times without one, hashes. Checkpoints
// are about the record before; nothing is signed.
func Chained(chain string, records []audit.Record) []audit.Record {
	previous := ""
	for i := range records {
		r := &records[i]
		r.SchemaVersion, r.Chain, r.Sequence, r.PreviousHash, r.Hash = audit.SchemaVersion, chain, uint64(i+1), previous, ""
		if r.Time.IsZero() {
			r.Time = Start.Add(time.Duration(i) * time.Minute)
		}
		if r.Journal != nil && r.Journal.Checkpoint != nil {
			r.Journal.Checkpoint.Head = audit.Head{Chain: chain, Sequence: uint64(i), Hash: previous}
		}
		hash, err := canonical.Digest(r)
		if err != nil {
			panic(err) // a record of a test is JSON
		}
		r.Hash, previous = hash, hash
	}
	return records
}

// Line is a record as a line of the trail, without its end.
func Line(r *audit.Record) []byte {
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // a record of a test is JSON
	}
	return line
}

// Lines are records as they are in a file.
func Lines(records []audit.Record) []byte {
	var text []byte
	for i := range records {
		text = append(append(text, Line(&records[i])...), '\n')
	}
	return text
}

// Write writes records to a file of that name in a folder of the test, and
// returns its path.
func Write(tb testing.TB, name string, records []audit.Record) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, Lines(records), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// about is a record of an action of the Day.
func about(event v1alpha1.EventType, name, actor string, change func(*audit.Record)) audit.Record {
	r := audit.Record{
		Event: event, Actor: actor, Namespace: "default", Name: name, UID: "uid-" + name, Agent: "tutorial-agent",
		Requester: "system:serviceaccount:default:tutorial-agent",
	}
	switch name {
	case "act-read":
		r.ActionType, r.Resource = "database_read", "customers"
	case "act-drop":
		r.ActionType, r.Resource = "database_delete", "prod/customers"
	case "act-pay":
		r.Namespace, r.Agent, r.ActionType, r.Resource = "payments", "refunds", "payment_refund", "order/4711"
		r.Requester = "system:serviceaccount:payments:refunds"
	case "act-night":
		r.ActionType, r.Resource = "infrastructure_change", "prod/dns"
	}
	if change != nil {
		change(&r)
	}
	return r
}

// decided is an action's record with what policy said of it.
func decided(decision v1alpha1.Decision, reason, message string, more ...func(*audit.Record)) func(*audit.Record) {
	return func(r *audit.Record) {
		r.Decision, r.Reason, r.Message = decision, reason, message
		r.PolicyRevision = "sha256:1f3b5d7a"
		r.SpecDigest = "sha256:9e107d9d372bb6826bd81d3542a419d6"
		for _, change := range more {
			change(r)
		}
	}
}

func risk(score v1alpha1.Score, level v1alpha1.RiskLevel) func(*audit.Record) {
	return func(r *audit.Record) {
		r.RiskScore, r.RiskLevel, r.CVSSVector = score, level, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"
	}
}

func ruled(rule string, controls ...string) func(*audit.Record) {
	return func(r *audit.Record) {
		r.MatchedRules, r.DecidingRule, r.Controls = []string{rule + " RequireApproval Enforce"}, rule, controls
	}
}

func asking(stage string, required, granted int32, from ...string) func(*audit.Record) {
	return func(r *audit.Record) {
		deadline := Start.Add(4 * time.Hour)
		r.Workflows, r.Stage, r.Required, r.Granted, r.PendingApprovers, r.Deadline = []string{"default/high-risk"}, stage, required, granted, from, &deadline
	}
}

func verdict(approver, as, stage string, verdict v1alpha1.Verdict, comment, uncounted string, minute int) func(*audit.Record) {
	return func(r *audit.Record) {
		at := Start.Add(time.Duration(minute) * time.Minute)
		r.Approval = &audit.Approval{Approver: approver, As: as, Stage: stage, Verdict: verdict, Comment: comment, Uncounted: uncounted, Time: &at}
	}
}

func granted(approvals ...audit.Approval) func(*audit.Record) {
	return func(r *audit.Record) { r.Approvals = approvals }
}
