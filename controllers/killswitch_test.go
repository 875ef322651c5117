// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Suspending an agent reaches what waits (policychange_test.go), what is new
// (decisions_test.go), and, here, what was approved and is not reported yet.
var _ = Describe("The kill switch", func() {
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
	})

	approved := func(ctx SpecContext) *v1alpha1.AgentAction {
		GinkgoHelper()
		action := w.submit(ctx, readCategories)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		return action
	}

	It("withdraws approvals that were not reported as used, the record first, and no others", func(ctx SpecContext) {
		w.create(ctx, "kind: Agent\nmetadata: {name: other}\nspec: {environment: sandbox}")
		theirs := w.action(readCategories)
		theirs.Spec.AgentRef.Name = "other"
		Expect(api.Create(ctx, theirs)).To(Succeed())
		expectDecision(ctx, theirs, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		used, open := approved(ctx), approved(ctx)
		Expect(reportOutcome(ctx, used)).To(Succeed())
		approved(ctx)
		usedBefore, theirsBefore := used.Status, theirs.Status
		decidedAt, before := open.Status.DecidedAt, time.Now()

		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		By("the Ready condition says Suspended only once it is done")
		got := mustStatus(ctx, open)
		Expect(got).To(And(
			HaveField("Decision", v1alpha1.DecisionApproved),
			HaveField("Reason", v1alpha1.ReasonAgentSuspended),
			HaveField("Message", And(
				ContainSubstring("the approval was withdrawn, for agent agent was suspended"),
				ContainSubstring("submit a new action"),
				ContainSubstring("approved with reason AutoApproved"))),
			HaveField("DecidedAt", decidedAt),
			HaveField("ValidUntil.Time", And(
				BeTemporally(">=", before.Truncate(time.Microsecond)), BeTemporally("<=", time.Now()))),
			HaveField("Conditions", ConsistOf(And(
				HaveField("Type", v1alpha1.ConditionDecided),
				HaveField("Status", BeEquivalentTo("True")),
				HaveField("Reason", v1alpha1.ReasonAgentSuspended),
				HaveField("Message", ContainSubstring("withdrawn")))))))
		Expect(mustStatus(ctx, used)).To(Equal(usedBefore))
		Expect(mustStatus(ctx, theirs)).To(Equal(theirsBefore))

		Expect(conclusions(operator.records(open))).To(HaveExactElements(
			HaveField("Event", v1alpha1.EventActionApproved),
			And(HaveField("Event", audit.EventWithdrawn), HaveField("Reason", v1alpha1.ReasonAgentSuspended),
				HaveField("Decision", v1alpha1.DecisionApproved), HaveField("Agent", "agent"))))
		Eventually(eventsOn(ctx, open)).Should(ContainElement(HavePrefix("Warning AgentSuspended: the approval was withdrawn")))
		Expect(suspensions(ctx, w, operator.trail)).To(HaveExactElements(And(
			HaveField("Kind", "Agent"), HaveField("Name", "agent"), HaveField("Reason", v1alpha1.ReasonAgentSuspended),
			HaveField("Message", "the agent was suspended; approvals withdrawn: 2"))))

		By("released, what was withdrawn stays withdrawn, and a new action is approved")
		withdrawn := mustStatus(ctx, open)
		w.edit(ctx, "Agent", "agent", `spec: {state: Active}`)
		again := approved(ctx)
		Expect(mustStatus(ctx, open)).To(Equal(withdrawn))

		By("retired, the same once more, and what was withdrawn before keeps its moment")
		w.edit(ctx, "Agent", "agent", `spec: {state: Retired}`)
		Expect(mustStatus(ctx, again)).To(HaveField("Reason", v1alpha1.ReasonAgentRetired))
		Expect(mustStatus(ctx, open)).To(Equal(withdrawn))
		Expect(suspensions(ctx, w, operator.trail)).To(HaveLen(2))
	})

	It("reads history page by page", func(ctx SpecContext) {
		asked := submitMany(ctx, w, 60, func(int) string { return readCategories })
		for _, action := range asked {
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		}
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		for _, action := range asked {
			Expect(mustStatus(ctx, action)).To(HaveField("Reason", v1alpha1.ReasonAgentSuspended))
		}
		Expect(suspensions(ctx, w, operator.trail)).To(HaveExactElements(
			HaveField("Message", HaveSuffix("approvals withdrawn: 60"))))
	})

	Context("alone", Serial, func() {
		BeforeEach(alone)

		startWith := func(with settings) *running {
			GinkgoHelper()
			other := start(with)
			DeferCleanup(other.stop)
			return other
		}

		It("does its work at the start for an agent that was suspended while nobody led", func(ctx SpecContext) {
			first := startWith(settings{})
			action := approved(ctx)
			first.stop()
			suspend(ctx, w)
			other := startWith(settings{})
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended)
			Expect(other.events(action)).To(HaveExactElements(audit.EventWithdrawn))
			Eventually(readyReason).WithArguments(ctx, w).Should(Equal(v1alpha1.ReasonSuspended)) // it has noted that it is done
			other.stop()
			By("and once only")
			again := startWith(settings{})
			w.awaitReady(ctx, agentOf(w))
			Consistently(again.records).WithArguments(action).WithTimeout(time.Second).Should(BeEmpty())
			Expect(suspensions(ctx, w, again.trail)).To(BeEmpty())
		})

		It("reaches an approval whose write was on its way when the agent was suspended", func(ctx SpecContext) {
			written, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			other := startWith(settings{transport: (&onStatusWrite{do: func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
				first := false
				once.Do(func() { first = true })
				if first {
					close(written)
					<-goOn
				}
				return next.RoundTrip(request)
			}}).wrap})
			action := w.submit(ctx, readCategories)
			Eventually(written).Should(BeClosed())
			w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
			Expect(suspensions(ctx, w, other.trail)).To(HaveExactElements(
				HaveField("Message", HaveSuffix("approvals withdrawn: 0"))), "the look at what is approved is over")
			close(goOn)
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended)
			Expect(eventsOf(conclusions(other.records(action)))).To(HaveExactElements(v1alpha1.EventActionApproved, audit.EventWithdrawn))
		})

		It("reaches an approval that somebody else wrote, such as a leader that was paused", func(ctx SpecContext) {
			// The other leader's worker has decided, and is held before its write.
			var held atomic.Pointer[http.Request]
			goOn := make(chan struct{})
			paused := start(settings{transport: (&onStatusWrite{do: func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
				held.Store(request)
				<-goOn
				return next.RoundTrip(request)
			}}).wrap})
			DeferCleanup(paused.stop)
			action := w.submit(ctx, readCategories)
			Eventually(held.Load).ShouldNot(BeNil())

			// The new leader never gets to write its denial before the old approval.
			denials := make(chan struct{})
			startWith(settings{transport: (&onStatusWrite{do: func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
				select {
				case <-denials:
				case <-request.Context().Done():
				}
				return next.RoundTrip(request)
			}}).wrap})
			suspend(ctx, w)
			w.awaitReady(ctx, agentOf(w))
			close(goOn)
			Eventually(status(ctx, action)).Should(HaveField("Decision", v1alpha1.DecisionApproved))
			close(denials)
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended)
		})

		It("leaves alone what is reported in the same moment, and takes its record back", func(ctx SpecContext) {
			var armed atomic.Bool
			var action *v1alpha1.AgentAction
			other := startWith(settings{transport: (&onStatusWrite{do: func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
				if armed.CompareAndSwap(true, false) { // the requester is faster
					if err := reportOutcome(ctx, action.DeepCopy()); err != nil {
						return nil, err
					}
				}
				return next.RoundTrip(request)
			}}).wrap})
			action = approved(ctx)
			before := action.Status
			armed.Store(true)
			w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
			Expect(mustStatus(ctx, action)).To(Equal(before))
			Expect(eventsOf(conclusions(other.records(action)))).To(HaveExactElements(
				v1alpha1.EventActionApproved, audit.EventWithdrawn, audit.EventNotApplied))
			Expect(suspensions(ctx, w, other.trail)).To(HaveExactElements(
				HaveField("Message", HaveSuffix("approvals withdrawn: 0"))))
		})

		It("tries again after a fault, with one record for all tries, also when only the answer was lost", func(ctx SpecContext) {
			var faults, losses atomic.Int64
			other := startWith(settings{transport: (&onStatusWrite{do: func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
				if faults.Add(-1) >= 0 {
					return nil, errLost
				}
				response, err := next.RoundTrip(request)
				if err == nil && losses.Add(-1) >= 0 {
					_ = response.Body.Close()
					return nil, errLost
				}
				return response, err
			}}).wrap})
			action := approved(ctx)
			faults.Store(3)
			losses.Store(1)
			w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
			Eventually(suspensions).WithArguments(ctx, w, other.trail).Should(HaveExactElements(
				HaveField("Message", HaveSuffix("approvals withdrawn: 1"))))
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended)
			Expect(eventsOf(conclusions(other.records(action)))).To(HaveExactElements(v1alpha1.EventActionApproved, audit.EventWithdrawn))
		})

		It("withdraws nothing without its record, says so, and goes on once records can be kept", func(ctx SpecContext) {
			var full atomic.Bool
			startWith(settings{audit: func(next audit.Recorder) audit.Recorder {
				return recorderFunc(func(ctx context.Context, r audit.Record) error {
					if full.Load() {
						return errors.New("no space left on device")
					}
					return next.Append(ctx, r)
				})
			}})
			action := approved(ctx)
			before := action.Status
			full.Store(true)
			w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
			Eventually(readyReason).WithArguments(ctx, w).Should(Equal(v1alpha1.ReasonWithdrawing))
			Expect(mustStatus(ctx, action)).To(Equal(before))
			full.Store(false)
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended)
			Eventually(readyReason).WithArguments(ctx, w).Should(Equal(v1alpha1.ReasonSuspended))
		})
	})
})

// recorderFunc is an audit.Recorder.
type recorderFunc func(context.Context, audit.Record) error

func (f recorderFunc) Append(ctx context.Context, records ...audit.Record) error {
	for _, r := range records {
		if err := f(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// agentOf is the agent "agent", by its name.
func agentOf(w world) *unstructured.Unstructured {
	agent := parse("kind: Agent\nmetadata: {name: agent}")
	agent.SetNamespace(w.namespace)
	return agent
}

// suspend sets the state without waiting for the operator.
func suspend(ctx context.Context, w world) {
	GinkgoHelper()
	Expect(api.Patch(ctx, agentOf(w), client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"state": "Suspended"}}`)))).To(Succeed())
}

func reportOutcome(ctx context.Context, action *v1alpha1.AgentAction) error {
	return api.Patch(ctx, action, client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"outcome": {"result": "Succeeded"}}}`)))
}

func mustStatus(ctx context.Context, action *v1alpha1.AgentAction) v1alpha1.AgentActionStatus {
	GinkgoHelper()
	got, err := status(ctx, action)()
	Expect(err).NotTo(HaveOccurred())
	return got
}

// readyReason is that of the agent "agent".
func readyReason(ctx context.Context, w world) (string, error) {
	var agent v1alpha1.Agent
	if err := api.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "agent"}, &agent); err != nil {
		return "", err
	}
	for _, c := range agent.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c.Reason, nil
		}
	}
	return "", fmt.Errorf("agent %s/%s has no Ready condition", agent.Namespace, agent.Name)
}

// suspensions are the records of the agent "agent" being stopped.
func suspensions(ctx context.Context, w world, trail *trail) ([]audit.Record, error) {
	var agent v1alpha1.Agent
	if err := api.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "agent"}, &agent); err != nil {
		return nil, err
	}
	var found []audit.Record
	for _, r := range trail.all()[string(agent.UID)] {
		if r.Event == v1alpha1.EventAgentSuspended {
			found = append(found, r)
		}
	}
	return found, nil
}
