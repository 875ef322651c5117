// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// asked is a request whose parameters are about as many bytes of JSON, with an
// agent as people write them.
func asked(bytes int) *audit.Request {
	parameters := map[string]any{"table": "customers", "operation": "SELECT", "affected_rows": 12, "data_classification": "pii"}
	for i := 0; ; i++ {
		text, _ := json.Marshal(parameters)
		if len(text) >= bytes {
			break
		}
		parameters[fmt.Sprint("column_", i)] = strings.Repeat("v", min(1000, max(8, bytes-len(text)-16)))
	}
	text, _ := json.Marshal(parameters)
	return &audit.Request{
		ActionType: "database_read", Description: "Read customer contact information for support ticket", Resource: "customers",
		Parameters: text, Context: json.RawMessage(`{"ticket_id":"TICKET-12345"}`),
		Requester: audit.Requester{
			Username: "system:serviceaccount:default:tutorial-agent", UID: "6f2c0f1e-9f0a-4a0e-8f55-6d2a9d0c7b11",
			Groups: []v1alpha1.UserName{"system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"}},
		SubmittedAt: noon.UTC(),
		Agent: &audit.Agent{Spec: v1alpha1.AgentSpec{
			DisplayName: "Tutorial Agent", Type: v1alpha1.AgentTypeAutonomous, Environment: "sandbox", Owner: "data-team@example.com",
			Subjects:           []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Name: "tutorial-agent"}},
			State:              v1alpha1.AgentActive,
			AllowedActionTypes: []v1alpha1.Glob{"database_*"}, BlockedResources: []v1alpha1.Glob{"secrets/*"}, MaxRiskScore: "8.0"}},
		Namespace: &audit.Namespace{Labels: map[string]string{"kubernetes.io/metadata.name": "default"}},
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, with := range []struct {
		name    string
		request *audit.Request
	}{{"no request", nil}, {"300 bytes", asked(300)}, {"64 KiB", asked(64 << 10)}} {
		b.Run(with.name, func(b *testing.B) {
			log := audit.NewLog(io.Discard)
			record := sample("act-1")
			record.Request = with.request
			b.ReportAllocs()
			for b.Loop() {
				if err := log.Append(b.Context(), record); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// counted counts the writes, which are the syncs of a file.
type counted struct {
	audit.Sink
	writes atomic.Int64
}

func (c *counted) Write(ctx context.Context, lines [][]byte) error {
	c.writes.Add(1)
	return c.Sink.Write(ctx, lines)
}

// BenchmarkAppendSynced writes to a file that is synced, from 16 goroutines for
// each processor, as many deciding workers do, and from one.
func BenchmarkAppendSynced(b *testing.B) {
	for _, parallel := range []int{0, 16} {
		b.Run(fmt.Sprintf("%d goroutines", max(1, parallel)), func(b *testing.B) {
			file, err := audit.OpenFile(filepath.Join(b.TempDir(), "audit.log"), audit.FileOptions{MaxSize: 100 << 20})
			if err != nil {
				b.Fatal(err)
			}
			to := &counted{Sink: file}
			log, err := audit.Open(audit.Options{Sinks: []audit.Sink{to}})
			if err != nil {
				b.Fatal(err)
			}
			record := sample("act-1")
			record.Request = asked(300)
			b.ReportAllocs()
			if parallel == 0 {
				for b.Loop() {
					if err := log.Append(b.Context(), record); err != nil {
						b.Fatal(err)
					}
				}
			} else {
				b.SetParallelism(parallel)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := log.Append(b.Context(), record); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportMetric(float64(to.writes.Load())/float64(b.N), "syncs/record")
			if err := log.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
