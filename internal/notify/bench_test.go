// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

func BenchmarkRender(b *testing.B) {
	for _, format := range formats {
		b.Run(string(format), func(b *testing.B) {
			event := sample()
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := notify.Render(format, event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSend is one delivery over TLS on this machine, connections kept.
func BenchmarkSend(b *testing.B) {
	_, to := receive(b, func(http.ResponseWriter, *http.Request) {})
	s, event := sender(b), sample()
	b.ReportAllocs()
	for b.Loop() {
		if result := s.Send(b.Context(), to, event); result.Err != nil {
			b.Fatal(result.Err)
		}
	}
}

// What senders start ends with them.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	server, to := receive(t, func(http.ResponseWriter, *http.Request) {})
	s := sender(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { s.Send(t.Context(), to, sample()) })
	}
	all.Wait()
	for _, url := range []string{"https://127.0.0.1:1/", "https://receiver.invalid/", "canary"} {
		s.Send(t.Context(), target(url), sample())
	}
	s.Close()
	server.Close()
	eventually(t, func() bool { return runtime.NumGoroutine() <= before }, "goroutines are left")
}
