// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// deaf stands before a receiver as a load balancer does. Told to, it forgets the
// connections that it has, without a word to either end; new ones it passes on.
type deaf struct {
	backend string
	age     atomic.Int64 // connections of an earlier age are forgotten
}

func (d *deaf) serve(front net.Conn) {
	back, err := net.Dial("tcp", d.backend)
	if err != nil {
		return
	}
	defer back.Close()
	born := d.age.Load()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{front, back}, {back, front}} {
		both.Go(func() {
			defer way[1].Close()
			_, _ = io.Copy(passOn(func(p []byte) (int, error) {
				if d.age.Load() > born {
					return len(p), nil
				}
				return way[1].Write(p)
			}), way[0])
		})
	}
	both.Wait()
}

type passOn func(p []byte) (int, error)

func (f passOn) Write(p []byte) (int, error) { return f(p) }

// A connection that died without a word costs the try that finds it out, and no
// other: the next one dials. That a try ran out of time ends no connection of
// HTTP/2.
func TestDeadConnectionsAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	server, to := receive(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
	})
	before := &deaf{backend: server.Listener.Addr().String()}
	to.URL = "https://" + hostOf(t, listen(t, before.serve)) + "/"
	s := sender(t)
	if result := s.Send(t.Context(), to, sample()); result.Err != nil {
		t.Fatal(result.Err)
	}
	before.age.Add(1)
	began := time.Now()
	if result := s.Send(t.Context(), to, sample()); result.Err == nil {
		return // it was found out in time, and sent on another
	}
	if took := time.Since(began); took > notify.SendTimeout+5*time.Second {
		t.Errorf("a dead connection cost %s", took)
	}
	if result := s.Send(t.Context(), to, sample()); result.Err != nil {
		t.Errorf("the try after that: %v", result.Err)
	}
}

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	parsed, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host
}
