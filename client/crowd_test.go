// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
	"github.com/ow-kai/ascend-operator/test/faultproxy"
)

// crowd is how many wait at once.
const crowd = 1000

// A thousand who wait share one watch, and few connections, by HTTP/2 and by HTTP/1.1.
func TestAThousandWait(t *testing.T) {
	for protocol, offered := range map[string][]string{"HTTP/2": nil, "HTTP/1.1": {"http/1.1"}} {
		t.Run(protocol, func(t *testing.T) {
			unlimited := int32(1_000_000)
			server := clienttest.New(t, &v1alpha1.Agent{ObjectMeta: meta(clienttest.DefaultAgent), Spec: v1alpha1.AgentSpec{
				Environment: "sandbox", RateLimit: &v1alpha1.RateLimit{PerMinute: &unlimited, PerHour: &unlimited, PerDay: &unlimited}}})
			proxy := faultproxy.Start(t, server.Options().Config)
			options := behind(proxy, server.Options())
			options.Config.NextProtos = offered
			options.Timeout = 30 * time.Second
			c := newClient(t, options)
			began := time.Now()
			ids := submitAll(t, c)
			submitted := time.Since(began)
			var all sync.WaitGroup
			for _, id := range ids {
				all.Go(func() {
					if got, err := c.Wait(t.Context(), id); err != nil || !got.Approved() {
						t.Errorf("%s: %+v, %v", id, got, err)
					}
				})
			}
			for _, id := range ids {
				if err := server.Approve(id, approver, approvers); err != nil {
					t.Fatal(err)
				}
			}
			all.Wait()
			had := proxy.Connections()
			t.Logf("%d waits by %s: %d connections at once, %d in all; submitted within %s", crowd, protocol, had.Peak, had.Total, submitted.Round(time.Millisecond))
			if had.Peak > client.MaxConnections {
				t.Errorf("%d connections", had.Peak)
			}
			watches := 0
			for _, entry := range proxy.Log() {
				if entry.Verb == "watch" {
					watches++
				}
				if want := map[string]string{"HTTP/2": "HTTP/2.0", "HTTP/1.1": "HTTP/1.1"}[protocol]; entry.Protocol != want {
					t.Fatalf("spoke %s", entry.Protocol)
				}
			}
			if watches != 1 {
				t.Errorf("%d watches", watches)
			}
		})
	}
}

// submitAll submits a crowd of actions that wait for people, all at once.
func submitAll(t *testing.T, c *client.Client) []string {
	t.Helper()
	ids := make([]string, crowd)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			action := pending
			action.Description = strconv.Itoa(i)
			got, err := c.Submit(t.Context(), action)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = got.ID
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ids
}

func BenchmarkSubmit(b *testing.B) {
	unlimited := int32(1_000_000)
	server := clienttest.New(b, &v1alpha1.Agent{ObjectMeta: meta(clienttest.DefaultAgent), Spec: v1alpha1.AgentSpec{
		Environment: "sandbox", RateLimit: &v1alpha1.RateLimit{PerMinute: &unlimited, PerHour: &unlimited, PerDay: &unlimited}}})
	c := server.Client(b)
	for b.Loop() {
		if got, err := c.Submit(b.Context(), harmless); err != nil || !got.Approved() {
			b.Fatalf("%+v, %v", got, err)
		}
	}
}
