// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
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

// before runs something once, before the first request of that method to a path
// that contains the text.
func before(method, path string, do func()) func(http.RoundTripper) http.RoundTripper {
	var once sync.Once
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == method && strings.Contains(r.URL.Path, path) {
				once.Do(do)
			}
			return next.RoundTrip(r)
		})
	}
}

// withPatience does something that has too little time, and returns its error. On a
// machine so slow that the time is over before anything is known, it does it again
// with more.
func withPatience(t *testing.T, do func(context.Context) error, known func(error) bool) error {
	t.Helper()
	for patience := 100 * time.Millisecond; ; patience *= 2 {
		ctx, stop := context.WithTimeout(t.Context(), patience)
		err := do(ctx)
		stop()
		if known(err) || patience > 10*time.Second {
			return err
		}
		t.Logf("within %s: %v", patience, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
