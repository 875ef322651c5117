// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// onStatusWrite lets a test come between the operator and its status writes.
type onStatusWrite struct {
	next http.RoundTripper
	// do takes the place of the request.
	do func(request *http.Request, next http.RoundTripper) (*http.Response, error)
}

func (o *onStatusWrite) wrap(next http.RoundTripper) http.RoundTripper {
	o.next = next
	return o
}

func (o *onStatusWrite) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodPut && strings.HasSuffix(request.URL.Path, "/status") && strings.Contains(request.URL.Path, "/agentactions/") {
		return o.do(request, o.next)
	}
	return o.next.RoundTrip(request)
}

var errLost = errors.New("connection reset by peer")

var _ = Describe("A status write", Serial, func() {
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
		alone()
	})

	between := func(do func(*http.Request, http.RoundTripper) (*http.Response, error)) *running {
		GinkgoHelper()
		other := start(settings{transport: (&onStatusWrite{do: do}).wrap})
		DeferCleanup(other.stop)
		return other
	}

	It("that comes too late is taken back in the audit trail, and what has changed decides", func(ctx SpecContext) {
		action := w.action(readCategories)
		action.Name, action.GenerateName = "act-1", ""
		same := action.DeepCopy()
		var once atomic.Bool
		other := between(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			if once.CompareAndSwap(false, true) { // the requester is faster
				if err := withdraw(ctx, same); err != nil {
					return nil, err
				}
			}
			return next.RoundTrip(request)
		})
		Expect(api.Create(ctx, action)).To(Succeed())

		expectDecision(ctx, action, v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester)
		Expect(conclusions(other.records(action))).To(HaveExactElements(
			HaveField("Event", v1alpha1.EventActionApproved),
			And(HaveField("Event", audit.EventNotApplied), HaveField("Message", ContainSubstring("the object has been modified"))),
			HaveField("Event", v1alpha1.EventActionCancelled),
		))
		Expect(eventsOf(held(other.records(action)))).To(HaveExactElements(v1alpha1.EventActionSubmitted, v1alpha1.EventActionCancelled))
	})

	It("whose answer is lost is not made twice, nor is its record", func(ctx SpecContext) {
		var writes atomic.Int64
		other := between(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			writes.Add(1)
			if response, err := next.RoundTrip(request); err == nil {
				defer response.Body.Close()
			}
			return nil, errLost
		})
		action := w.submit(ctx, readCategories)
		decided := expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		again := w.submit(ctx, readCategories) // and what comes after is decided, too
		expectDecision(ctx, again, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(conclusions(held(other.records(action)))).To(HaveExactElements(HaveField("Event", v1alpha1.EventActionApproved)))
		Expect(status(ctx, action)()).To(HaveField("DecidedAt", decided.DecidedAt))
	})

	It("that fails is tried again, with one record for all tries", func(ctx SpecContext) {
		var tries atomic.Int64
		other := between(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			if tries.Add(1) <= 4 {
				return nil, errLost
			}
			return next.RoundTrip(request)
		})
		action := w.submit(ctx, readCategories)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(tries.Load()).To(BeNumerically(">", 4))
		Expect(other.events(action)).To(HaveExactElements(v1alpha1.EventActionSubmitted, audit.EventEvaluated, v1alpha1.EventActionApproved))
	})
})

// withdraw cancels an action.
func withdraw(ctx context.Context, action *v1alpha1.AgentAction) error {
	return api.Patch(ctx, action, client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"cancelled": true}}`)))
}
