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
	"strconv"
	"strings"
	"sync"
	"time"

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
	_ = json.Unmarshal(body, &status) // what is none is no refusal of a webhook's
	namespace := ""
	if found := namespaced.FindStringSubmatch(request.URL.Path); found != nil {
		namespace = found[1]
	}
	_, message, denied := strings.Cut(status.Message, "denied the request: ")
	if denied && strings.HasPrefix(status.Message, "admission webhook ") {
		w.notes.note(refusal{namespace, cmp.Or(request.Header.Get("Impersonate-User"), w.name), message})
	}
	return response, nil
}

// burst is how many refusals of one user are recorded however fast they come;
// of more, the next record of that user tells how many were not. Source:
// webhooks/audit_bounded.go.
const burst = 60

var omitted = regexp.MustCompile(` \((\d+) more refusals of (this user|users that are not counted one by one) were not recorded\)$`)

// ledger is what there is of refusals, with how often: seen by people, or
// recorded. omitted are those that a record says are missing, by user.
type ledger struct {
	refusals map[refusal]int
	omitted  map[string]int
}

// ledger is what people have seen so far, and how many refusals each of them.
func (r *refusals) ledger() (l ledger, byActor map[string]int) {
	l, byActor = ledger{refusals: map[refusal]int{}}, map[string]int{}
	for _, seen := range r.since(0) {
		l.refusals[seen.key()]++
		byActor[seen.actor]++
	}
	return l, byActor
}

// recorded is what the audit trail has. It may be more than people have seen:
// the API server asks again where it has judged by an older object.
func (l *stack) recorded() ledger {
	GinkgoHelper()
	out := ledger{refusals: map[refusal]int{}, omitted: map[string]int{}}
	for _, record := range l.records() {
		if record.Event != audit.EventRefused || record.Reason == "" {
			continue
		}
		if found := omitted.FindStringSubmatch(record.Message); found != nil {
			n, err := strconv.Atoi(found[1])
			Expect(err).NotTo(HaveOccurred())
			out.omitted[record.Actor] += n
		}
		out.refusals[refusal{record.Namespace, record.Actor, omitted.ReplaceAllString(record.Message, "")}.key()]++
	}
	return out
}

// key is a refusal as far as a record is sure to quote it.
func (r refusal) key() refusal {
	const names, message = 200, 1900
	return refusal{start(r.namespace, names), start(r.actor, names), start(r.message, message)}
}

func start(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

// expectRecords waits until each of these refusals is in the audit trail, with
// who was refused and what they were told; of users who have been refused too
// often for that, expectAccounted knows.
func (l *stack) expectRecords(ctx context.Context, seen []refusal) {
	GinkgoHelper()
	all, byActor := l.refusals.ledger()
	Eventually(func(g Gomega) {
		recorded := l.recorded()
		for _, each := range seen {
			if byActor[each.actor] <= burst {
				g.Expect(recorded.refusals[each.key()]).To(BeNumerically(">=", all.refusals[each.key()]), "not every refusal has left a record: %+v", each)
			}
		}
	}).WithContext(ctx).Should(Succeed())
}

// expectAccounted has each user who was refused too often for a record each
// refused once more, and waits until all of it is recorded, or counted in what
// is recorded.
func (l *stack) expectAccounted(ctx context.Context) {
	GinkgoHelper()
	s := newScene(ctx, &attack{number: 0}, up)
	s.generous(ctx)
	s.pending(ctx)
	_, byActor := l.refusals.ledger()
	for actor, n := range byActor {
		if n <= burst {
			continue
		}
		Eventually(func(g Gomega) { // one more a second is recorded
			Expect(s.write(ctx, l.known(actor), named("somebody else"))).NotTo(Succeed())
			now, _ := l.refusals.ledger()
			recorded, missing := l.recorded(), 0
			for each, times := range now.refusals {
				if each.actor == actor {
					missing += max(0, times-recorded.refusals[each])
				}
			}
			g.Expect(missing).To(BeNumerically("<=", recorded.omitted[actor]), "refusals of %s are neither recorded nor counted", actor)
		}).WithContext(ctx).WithPolling(time.Second).Should(Succeed())
	}
}
