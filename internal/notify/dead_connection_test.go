// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// deaf stands before a receiver as a load balancer does. Told to, it forgets the
// connections that it has, without a word to either end; new ones it passes on.
type deaf struct {
	backend string
	age     atomic.Int64 // connections of an earlier age are forgotten
}

func (d *deaf) serve(front net.Conn) {
	back, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", d.backend)
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

// A receiver that takes a connection and at once wants another one does not make
// the operator dial for as long as a try may take.
func TestConnectionsOfATryAreBounded(t *testing.T) {
	t.Parallel()
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	var dialled atomic.Int32
	raw := listen(t, func(c net.Conn) {
		dialled.Add(1)
		connection := tls.Server(c, &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}})
		if _, err := io.ReadFull(connection, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		framer := http2.NewFramer(connection, connection)
		if framer.WriteSettings() != nil || framer.WriteGoAway(0, http2.ErrCodeNo, nil) != nil {
			return
		}
		_, _ = io.Copy(io.Discard, connection)
	})
	to := target("https://" + hostOf(t, raw) + "/")
	to.Authorities = authorities(certified)
	result := sender(t).Send(t.Context(), to, sample())
	failed(t, result, 0, "takes no request on any connection")
	if n := dialled.Load(); n > 8 {
		t.Errorf("%d connections", n)
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
