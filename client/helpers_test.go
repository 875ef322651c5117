// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/client"
)

func newClient(t *testing.T, options client.Options) *client.Client {
	t.Helper()
	c, err := client.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name}
}

// onceMade runs something once an action was made, before it is looked at again.
func onceMade(do func()) func(http.RoundTripper) http.RoundTripper {
	var (
		made atomic.Bool
		once sync.Once
	)
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			// The watch may look before the action is made.
			if r.Method == http.MethodGet && made.Load() && strings.Contains(r.URL.Path, "/agentactions/act-") {
				once.Do(do)
			}
			response, err := next.RoundTrip(r)
			if r.Method == http.MethodPost && err == nil {
				made.Store(true)
			}
			return response, err
		})
	}
}

// patiently tries with ever more time until that was enough: a machine that is
// busy may need all of a short one to ask at all.
func patiently(t *testing.T, try func(context.Context) bool) {
	t.Helper()
	for patience := 150 * time.Millisecond; patience < time.Minute; patience *= 2 {
		ctx, stop := context.WithTimeout(t.Context(), patience)
		done := try(ctx)
		stop()
		if done {
			return
		}
	}
	t.Error("no time was enough")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
