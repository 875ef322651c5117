// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
	"github.com/ow-kai/ascend-operator/test/faultproxy"
)

// waiting submits an action that waits for people, and waits for it elsewhere.
func waiting(t *testing.T, c *client.Client) (id string, decided <-chan answered) {
	t.Helper()
	got, err := c.Submit(t.Context(), pending)
	if err != nil || got.Decision != v1alpha1.DecisionPending {
		t.Fatalf("%+v, %v", got, err)
	}
	done := make(chan answered, 1)
	go func() {
		result, err := c.Wait(t.Context(), got.ID)
		done <- answered{result, err}
	}()
	return got.ID, done
}

type answered struct {
	*client.Result
	err error
}

func TestWait(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	for name, test := range map[string]struct {
		decide func(id string) error
		want   v1alpha1.Decision
	}{
		"approved":  {func(id string) error { return server.Approve(id, approver, approvers) }, v1alpha1.DecisionApproved},
		"denied":    {func(id string) error { return server.Deny(id, approver, approvers) }, v1alpha1.DecisionDenied},
		"withdrawn": {func(id string) error { return c.Cancel(t.Context(), id) }, v1alpha1.DecisionCancelled},
		"timed out": {func(string) error { server.Advance(24 * time.Hour); return nil }, v1alpha1.DecisionTimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			id, decided := waiting(t, c)
			if err := test.decide(id); err != nil {
				t.Fatal(err)
			}
			if got := <-decided; got.err != nil || got.Decision != test.want || !got.Final() {
				t.Errorf("%+v, %v", got.Result, got.err)
			}
		})
	}
}

// Whatever cuts the watch, nothing is missed.
func TestWaitOutlivesItsWatch(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	for name, cut := range map[string]func(){"dropped": server.DropWatches, "compacted": server.Compact} {
		t.Run(name, func(t *testing.T) {
			id, decided := waiting(t, c)
			for range 3 {
				cut()
			}
			if err := server.Approve(id, approver, approvers); err != nil {
				t.Fatal(err)
			}
			cut()
			if got := <-decided; got.err != nil || !got.Approved() {
				t.Errorf("%+v, %v", got.Result, got.err)
			}
		})
	}
}

// What the watch has passed already is read until that goes, also while the
// watch is there.
func TestWaitReadsUntilItGoes(t *testing.T) {
	cut := errors.New("cut")
	for name, fail := range map[string]func(*clienttest.Server, *http.Request) error{
		"the read fails": func(*clienttest.Server, *http.Request) error { return cut },
		"the watch drops meanwhile": func(server *clienttest.Server, r *http.Request) error {
			server.DropWatches()
			<-r.Context().Done()
			return r.Context().Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := clienttest.New(t)
			decided, err := server.Client(t).Submit(t.Context(), harmless)
			if err != nil {
				t.Fatal(err)
			}
			options := server.Options()
			options.PollInterval = 200 * time.Millisecond // later than the watch
			var tried atomic.Bool
			options.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					if strings.Contains(r.URL.Path, "/act-") && !tried.Swap(true) {
						return nil, fail(server, r)
					}
					return next.RoundTrip(r)
				})
			})
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			if got, err := newClient(t, options).Wait(ctx, decided.ID); err != nil || !got.Approved() {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestWaitForAMoment(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	got, err := c.Submit(t.Context(), pending)
	if err != nil {
		t.Fatal(err)
	}
	var timeout *client.WaitTimeoutError
	err = withPatience(t, func(ctx context.Context) error {
		_, err := c.Wait(ctx, got.ID)
		return err
	}, func(err error) bool { return errors.As(err, &timeout) && timeout.Last != nil })
	if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || timeout.Last == nil || timeout.Last.Decision != v1alpha1.DecisionPending {
		t.Fatalf("%T: %v", err, err)
	}
	if !strings.Contains(err.Error(), "waits for "+timeout.Last.PendingApprovers[0]) {
		t.Errorf("says %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Wait(ctx, got.ID); !errors.Is(err, context.Canceled) || errors.As(err, &timeout) {
		t.Errorf("%T: %v", err, err)
	}
}

func TestWaitForWhatIsNotThere(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	var missing *client.NotFoundError
	if _, err := c.Wait(t.Context(), "act-none"); !errors.As(err, &missing) {
		t.Errorf("%T: %v", err, err)
	}
	id, decided := waiting(t, c)
	server.Await(t, func(a *v1alpha1.AgentAction) bool { return a.Name == id })
	if err := server.Delete(id); err != nil {
		t.Fatal(err)
	}
	if got := <-decided; !errors.As(got.err, &missing) {
		t.Errorf("%+v, %v", got.Result, got.err)
	}
}

func TestWaitWithARevokedToken(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	id, decided := waiting(t, c)
	server.Revoke("system:serviceaccount:default:test-agent")
	server.DropWatches()
	var unknown *client.AuthenticationError
	if got := <-decided; !errors.As(got.err, &unknown) || !strings.Contains(got.err.Error(), "ascend agents token test-agent") {
		t.Errorf("%s: %+v, %v", id, got.Result, got.err)
	}
}

// An action of another agent is waited for, too.
func TestWaitForAnotherAgent(t *testing.T) {
	server := clienttest.New(t)
	id, _ := waiting(t, server.Client(t))
	options := server.Options()
	options.Agent, options.PollInterval = "other-agent", 10*time.Millisecond
	c := newClient(t, options)
	done := make(chan answered, 1)
	go func() {
		result, err := c.Wait(t.Context(), id)
		done <- answered{result, err}
	}()
	if err := server.Approve(id, approver, approvers); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.err != nil || !got.Approved() {
		t.Errorf("%+v, %v", got.Result, got.err)
	}
}

func TestCloseEndsWaiting(t *testing.T) {
	server := clienttest.New(t)
	c := newClient(t, server.Options())
	_, decided := waiting(t, c)
	c.Close()
	if got := <-decided; !errors.Is(got.err, client.ErrClosed) {
		t.Errorf("%+v", got.Result)
	}
	if _, err := c.Wait(t.Context(), "act-1"); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after it: %v", err)
	}
	if _, err := c.Submit(t.Context(), harmless); !errors.Is(err, client.ErrClosed) || len(server.Actions()) != 1 {
		t.Errorf("submit after it: %v, and there are %d actions", err, len(server.Actions()))
	}
}

func TestCloseEndsConnections(t *testing.T) {
	server := clienttest.New(t)
	proxy := faultproxy.Start(t, server.Options().Config)
	options := behind(proxy, server.Options())
	options.Config.NextProtos = []string{"http/1.1"} // each request that is going on has one
	c := newClient(t, options)
	if _, err := c.Submit(t.Context(), pending); err != nil {
		t.Fatal(err)
	}
	c.Close()
	over := time.After(20 * time.Second) // much less than connections are kept for
	for proxy.Connections().Open > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-over:
			t.Fatalf("%d connections are left", proxy.Connections().Open)
		}
	}
}
