// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
	"github.com/ow-kai/ascend-operator/internal/trail/schema/schematest"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// settings of an operator under test; the zero value is that of the suite's.
type settings struct {
	// collectInterval is half a second when zero.
	collectInterval time.Duration
	// flushInterval is a fifth of a second when zero.
	flushInterval time.Duration
	// transport wraps the operator's way to the API server.
	transport func(http.RoundTripper) http.RoundTripper
	// voucher is AsWritten when nil.
	voucher voucher.Voucher
	// guard watches admission; nobody does when nil.
	guard *controllers.AdmissionGuard
	// limiter learns of submissions, when there is one.
	limiter *ratelimit.Limiter
	// audit takes the place of the operator's trail.
	audit func(audit.Recorder) audit.Recorder
	// user that the operator is to the API server; an administrator when empty.
	user string
	// sender takes the place of the one that posts.
	sender notify.Poster
}

// running is an operator in this process.
type running struct {
	*trail
	cancel context.CancelFunc
	ended  chan error
	once   sync.Once
}

// start starts an operator and returns when it decides.
func start(with settings) *running {
	GinkgoHelper()
	own := rest.CopyConfig(config)
	own.UserAgent = "ascend-operator"
	own.Impersonate.UserName = with.user
	if with.transport != nil {
		own.Wrap(with.transport)
	}
	again := true // the suite starts several operators in one process
	mgr, err := ctrl.NewManager(own, ctrl.Options{
		Scheme:     scheme,
		Cache:      controllers.CacheOptions(),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: ctrlconfig.Controller{SkipNameValidation: &again},
	})
	Expect(err).NotTo(HaveOccurred())

	ctx, cancel := context.WithCancel(context.Background())
	r := &running{trail: &trail{}, cancel: cancel, ended: make(chan error, 1)}
	var recorder audit.Recorder = audit.NewLog(r.trail)
	if with.audit != nil {
		recorder = with.audit(recorder)
	}
	var believes voucher.Voucher = AsWritten{}
	if with.voucher != nil {
		believes = with.voucher
	}
	built, err := controllers.Setup(ctx, mgr, controllers.Options{
		Audit:           recorder,
		Guard:           with.guard,
		Voucher:         believes,
		ApprovalURL:     "https://ascend.example.com/{namespace}/{name}",
		Workers:         16,
		CollectInterval: cmp.Or(with.collectInterval, 500*time.Millisecond),
		KeepAtLeast:     time.Nanosecond,
		FlushInterval:   cmp.Or(with.flushInterval, 200*time.Millisecond),
		Limiter:         with.limiter,
		Notifications: controllers.NotificationOptions{
			AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // receivers of specs
			Version:         "test",
			Interval:        100 * time.Millisecond,
			Sender:          with.sender,
		},
	})
	Expect(err).NotTo(HaveOccurred())
	go func() { r.ended <- mgr.Start(ctx) }()
	Eventually(built.Feed.Synced).Should(BeTrue())
	Eventually(mgr.Elected()).Should(BeClosed())
	return r
}

// stop ends the operator and waits until it has ended.
func (r *running) stop() {
	GinkgoHelper()
	r.once.Do(func() {
		r.cancel()
		Eventually(r.ended).Should(Receive(Succeed()))
		r.trail.validate()
	})
}

// trail is an audit log in memory.
type trail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *trail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// validate holds every record against the schema.
func (t *trail) validate() {
	GinkgoHelper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(t.text.Bytes()) {
		Expect(schematest.Validate(line)).To(Succeed(), string(line))
	}
}

// all records by the uid of their action, oldest first.
func (t *trail) all() map[string][]audit.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return recordsByUID(t.text.Bytes())
}

// records of one action, oldest first.
func (t *trail) records(action *v1alpha1.AgentAction) []audit.Record {
	return t.all()[string(action.UID)]
}

// events are those of records(action).
func (t *trail) events(action *v1alpha1.AgentAction) []v1alpha1.EventType {
	return eventsOf(t.records(action))
}

// recordsByUID reads an audit log, whole lines only.
func recordsByUID(log []byte) map[string][]audit.Record {
	byUID := map[string][]audit.Record{}
	for line := range bytes.Lines(log) {
		var r audit.Record
		if json.Unmarshal(line, &r) == nil {
			byUID[r.UID] = append(byUID[r.UID], r)
		}
	}
	return byUID
}

// held are the records that hold: without those taken back, and of several of
// the same content, which attempts that were cut off leave behind, only one.
func held(records []audit.Record) []audit.Record {
	var out []audit.Record
	for _, r := range records {
		same := func(other audit.Record) bool { return reflect.DeepEqual(content(other), content(r)) }
		switch {
		case r.Event == audit.EventNotApplied:
			out = slices.DeleteFunc(out, func(other audit.Record) bool { return other.ResourceVersion == r.ResourceVersion })
		case !slices.ContainsFunc(out, same):
			out = append(out, r)
		}
	}
	return out
}

// content is a record without its place in a chain and the times of when it was made.
func content(r audit.Record) audit.Record {
	r.Time, r.Chain, r.Sequence, r.PreviousHash, r.Hash, r.Deadline = time.Time{}, "", 0, "", "", nil
	return r
}

// conclusions are the records of what became of an action: neither of how it was
// submitted nor of what it was evaluated to.
func conclusions(records []audit.Record) []audit.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r audit.Record) bool {
		return r.Event == v1alpha1.EventActionSubmitted || r.Event == audit.EventEvaluated
	})
}

// eventsOf are the events of some records.
func eventsOf(records []audit.Record) []v1alpha1.EventType {
	var events []v1alpha1.EventType
	for _, r := range records {
		events = append(events, r.Event)
	}
	return events
}

// requests counts what an operator asks of the API server, as
// "VERB resource[/subresource]".
type requests struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen map[string]int
}

func (c *requests) wrap(next http.RoundTripper) http.RoundTripper {
	c.next, c.seen = next, map[string]int{}
	return c
}

func (c *requests) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Query().Get("watch") == "" { // a watch is renewed now and then
		c.mu.Lock()
		c.seen[describe(request)]++
		c.mu.Unlock()
	}
	return c.next.RoundTrip(request)
}

// take returns the counts since the last call.
func (c *requests) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = map[string]int{}
	return seen
}

// describe drops what names one object or one namespace.
func describe(request *http.Request) string {
	verb := request.Method
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	if len(parts) > 3 && parts[0] == "apis" {
		parts = parts[3:]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	if len(parts) > 1 {
		parts[1] = "NAME"
	} else if verb == http.MethodGet {
		verb = "LIST"
	}
	return verb + " " + strings.Join(parts, "/")
}
