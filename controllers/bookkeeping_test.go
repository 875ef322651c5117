// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

var _ = Describe("The operator's books", func() {
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
	})

	agent := func(ctx SpecContext) func() (v1alpha1.AgentStatus, error) {
		return func() (v1alpha1.AgentStatus, error) {
			var agent v1alpha1.Agent
			err := api.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "agent"}, &agent)
			return agent.Status, err
		}
	}

	It("count an agent's actions, and pending ones go back to none", Serial, func(ctx SpecContext) {
		w.submit(ctx, readCategories)
		w.submit(ctx, readCategories)
		waiting, denied := w.submit(ctx, updateCustomer), w.submit(ctx, updateCustomer)
		Eventually(agent(ctx)).Should(HaveField("Actions", gstruct.MatchAllFields(gstruct.Fields{
			"Approved": BeEquivalentTo(2), "Denied": BeZero(), "Pending": BeEquivalentTo(2), "TimedOut": BeZero()})))
		judge(ctx, denied, v1alpha1.VerdictDeny, "alice", "")
		Eventually(agent(ctx)).Should(HaveField("Actions", gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{
			"Denied": BeEquivalentTo(1), "Pending": BeEquivalentTo(1)})))

		By("looking again after a restart, in which the last waiting action went")
		alone()
		Expect(api.Delete(ctx, waiting)).To(Succeed())
		again := start(settings{})
		defer again.stop()
		Eventually(agent(ctx)).Should(HaveField("Actions", gstruct.MatchAllFields(gstruct.Fields{
			"Approved": BeEquivalentTo(2), "Denied": BeEquivalentTo(1), "Pending": BeZero(), "TimedOut": BeZero()})))
		Expect(agent(ctx)()).To(HaveField("LastActionTime", Not(BeNil())))
	})

	It("close when ttlAfterDecision is over, and not before", func(ctx SpecContext) {
		short := w.submit(ctx, `{actionType: database_read, ttlAfterDecision: 2s, parameters: {table: product_categories, data_classification: public}}`)
		expectDecision(ctx, short, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved) // at once, while it is there
		long := w.submit(ctx, readCategories)
		waiting := w.submit(ctx, `{actionType: database_write, ttlAfterDecision: 0s, parameters: {table: customers, data_classification: pii}}`)
		expectDecision(ctx, long, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		expectDecision(ctx, waiting, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		var gone time.Time
		Eventually(func() bool {
			_, err := status(ctx, short)()
			gone = time.Now()
			return apierrors.IsNotFound(err)
		}).Should(BeTrue())
		Expect(gone).NotTo(BeTemporally("<", short.Status.DecidedAt.Add(2*time.Second)))
		Expect(status(ctx, long)()).To(HaveField("Decision", v1alpha1.DecisionApproved))
		Expect(status(ctx, waiting)()).To(HaveField("Decision", v1alpha1.DecisionPending), "what is undecided is never collected")
	})

	It("come first: without a record nothing is decided, and nothing is lost", Serial, func(ctx SpecContext) {
		alone()
		sink := &failing{}
		other := start(settings{audit: func(to audit.Recorder) audit.Recorder { sink.to = to; return sink }})
		defer other.stop()
		sink.broken.Store(true)
		action := w.submit(ctx, readCategories)
		Eventually(sink.refused.Load).Should(BeNumerically(">=", 3), "it is tried again and again")
		Expect(status(ctx, action)()).To(HaveField("Decision", v1alpha1.DecisionNone))
		Expect(other.records(action)).To(BeEmpty())

		sink.broken.Store(false)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(conclusions(other.records(action))).To(HaveExactElements(HaveField("Event", v1alpha1.EventActionApproved)))
	})
})

// failing is an audit sink that can break.
type failing struct {
	to      audit.Recorder
	broken  atomic.Bool
	refused atomic.Int64
}

func (f *failing) Append(ctx context.Context, records ...audit.Record) error {
	if f.broken.Load() {
		f.refused.Add(1)
		return errors.New("no space left on device")
	}
	return f.to.Append(ctx, records...)
}
