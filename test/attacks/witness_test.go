// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// refusal is what a webhook has answered somebody; of an object without a
// namespace the namespace is empty.
type refusal struct{ namespace, actor, message string }

// refusals are all that people have seen.
type refusals struct {
	mu  sync.Mutex
	all []refusal
}

func (r *refusals) note(seen refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, seen)
}

// since are those after the first n.
func (r *refusals) since(n int) []refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all[n:])
}

// witness reads the answers that one person gets.
type witness struct {
	next  http.RoundTripper
	name  string
	notes *refusals
}

var namespaced = regexp.MustCompile(`/namespaces/([^/]+)/`)

// RoundTrip notes what a webhook has refused. A dry run leaves no record.
func (w *witness) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := w.next.RoundTrip(request)
	if err != nil || response.StatusCode < http.StatusBadRequest || request.URL.Query().Has("dryRun") {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	var status metav1.Status
	if json.Unmarshal(body, &status) != nil || !strings.HasPrefix(status.Message, "admission webhook ") {
		return response, nil
	}
	namespace := ""
	if found := namespaced.FindStringSubmatch(request.URL.Path); found != nil {
		namespace = found[1]
	}
	if _, message, denied := strings.Cut(status.Message, "denied the request: "); denied {
		w.notes.note(refusal{namespace, cmp.Or(request.Header.Get("Impersonate-User"), w.name), message})
	}
	return response, nil
}

// expectRecords waits until each of these refusals is in the audit trail, with
// who was refused and what they were told.
func (l *stack) expectRecords(ctx context.Context, seen []refusal) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		recorded := map[refusal]bool{}
		for _, record := range l.records() {
			if record.Event == audit.EventRefused && record.Reason != "" {
				recorded[refusal{record.Namespace, record.Actor, record.Message}] = true
			}
		}
		for _, each := range seen {
			g.Expect(recorded).To(HaveKey(each), "a refusal has left no record")
		}
	}).WithContext(ctx).Should(Succeed())
}
