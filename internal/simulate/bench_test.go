// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/simulate"
)

var actionTypes = []string{"database_read", "database_write", "database_delete", "database_schema_change", "file_read", "file_write", "api_call",
	"email_send", "financial.transfer", "user_create", "permission_grant", "service_restart", "what_is_this"}

// bigLog writes a log of that many actions with 300 to 2,000 bytes of
// parameters each, and returns its path.
func bigLog(tb testing.TB, actions int, policy *decision.Snapshot) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "audit.log")
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	out := bufio.NewWriter(file)
	log := audit.NewLog(out)
	random := rand.New(rand.NewPCG(1, 2)) // the same log every time
	for i := range actions {
		record := randomRecord(tb, random, i, policy)
		if err := log.Append(context.Background(), record); err != nil {
			tb.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := file.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

func randomRecord(tb testing.TB, random *rand.Rand, i int, policy *decision.Snapshot) audit.Record {
	tb.Helper()
	tables := []string{"customers", "orders", "product_categories", "users", "payments", "logs"}
	parameters := map[string]any{
		"table": tables[random.IntN(len(tables))], "operation": "SELECT", "affected_rows": random.IntN(300), "amount": random.IntN(20000),
		"data_classification": []string{"public", "internal", "pii", "confidential"}[random.IntN(4)],
	}
	for size := 300 + random.IntN(1700); size > 150; size -= 60 {
		parameters[fmt.Sprint("field_", size)] = strings.Repeat("v", 40)
	}
	text, err := json.Marshal(parameters)
	if err != nil {
		tb.Fatal(err)
	}
	action := newAction(i, actionTypes[random.IntN(len(actionTypes))], string(text))
	action.Name, action.UID = fmt.Sprintf("act-%06d", i), types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012d", random.Uint32(), i))
	action.Spec.Description = "Read customer contact information for support ticket"
	settle(action, decide(tb, policy, action))
	return recordOf(policy, action)
}

const stricter = `
---
kind: SmartRule
metadata: {namespace: ascend-system, name: no-confidential-writes}
spec:
  effect: Deny
  match: {actionTypes: ["*_write"], dataClassifications: [confidential]}
  reason: Confidential data is written by people only
`

// BenchmarkReplay replays logs against the starter policy with one rule more.
// The log of 100,000 takes a while to be made: -bench Replay/100000 -benchtime 1x.
func BenchmarkReplay(b *testing.B) {
	texts := append(starterPolicy(b), bot)
	changed := compile(b, append(texts, stricter)...)
	for _, actions := range []int{10_000, 100_000} {
		b.Run(strconv.Itoa(actions), func(b *testing.B) {
			path := bigLog(b, actions, compile(b, texts...))
			b.ReportAllocs()
			for b.Loop() {
				report, err := simulate.Run(b.Context(), simulate.FromFiles([]string{path}, nil), simulate.Options{Policy: changed})
				if err != nil || report.Actions != actions || report.Flips() == 0 {
					b.Fatalf("error %v, report %+v", err, report)
				}
			}
			b.ReportMetric(float64(actions*b.N)/b.Elapsed().Seconds(), "actions/s")
		})
	}
}

// TestMemoryStaysBounded: of 100,000 actions less than 768 bytes each are kept, though
// all of them flip, and nothing of their 800 bytes of parameters.
func TestMemoryStaysBounded(t *testing.T) {
	const actions = 100_000
	record := recordFor(t)
	from, to := io.Pipe()
	go func() {
		for i := range actions {
			if _, err := io.WriteString(to, record(i)); err != nil {
				return // the reader says why
			}
		}
		to.Close()
	}()
	source := simulate.FromFiles([]string{"-"}, from)
	deny := compile(t, bot, base, `
kind: SmartRule
metadata: {namespace: ascend-system, name: nothing}
spec: {effect: Deny}
`)
	before := heap()
	report := run(t, source, simulate.Options{Policy: deny})
	used := heap() - before
	if report.Flips() != actions || report.Tightened != actions {
		t.Fatalf("%d flips, %d tightened", report.Flips(), report.Tightened)
	}
	t.Logf("%d bytes for each of %d flips", used/actions, actions)
	if used > actions*768 {
		t.Errorf("%d MiB are in use for %d flips", used>>20, actions)
	}
	runtime.KeepAlive(report)
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// recordFor makes lines of a log with 800 bytes of parameters, cheaply.
func recordFor(t *testing.T) func(i int) string {
	t.Helper()
	const name, uid = "act-NUMBER", "UID"
	policy := compile(t, bot, base)
	action := newAction(0, "database_read", `{"table":"product_categories","data_classification":"public","filler":"`+strings.Repeat("x", 800)+`"}`)
	settle(action, decide(t, policy, action))
	action.Name, action.UID = name, uid
	line := string(written(t, recordOf(policy, action)))
	return func(i int) string {
		return strings.NewReplacer(name, fmt.Sprintf("act-%06d", i), uid+`"`, fmt.Sprintf(`%08x-0000-4000-8000-%012d"`, i, i),
			`"filler":"`, fmt.Sprintf(`"filler":"%d`, i)).Replace(line)
	}
}
