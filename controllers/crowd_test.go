// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// submitMany submits n actions, many at a time.
func submitMany(ctx context.Context, w world, n int, document func(int) string, admit ...func(*v1alpha1.AgentAction)) []*v1alpha1.AgentAction {
	GinkgoHelper()
	actions := make([]*v1alpha1.AgentAction, n)
	for i := range actions {
		actions[i] = w.action(document(i))
		for _, stamp := range admit {
			stamp(actions[i])
		}
	}
	const atOnce = 20
	var wait sync.WaitGroup
	failed := make(chan error, n)
	for k := range atOnce {
		wait.Go(func() {
			for i := k; i < n; i += atOnce {
				if err := api.Create(ctx, actions[i]); err != nil {
					failed <- err
				}
			}
		})
	}
	wait.Wait()
	Expect(failed).NotTo(Receive())
	return actions
}

// history is every decision each action of a namespace has had, in order.
type history struct {
	mu   sync.Mutex
	seen map[types.UID][]v1alpha1.Decision
	lost error
}

// watchFrom records the history of a namespace from now on.
func watchFrom(ctx context.Context, namespace string) *history {
	GinkgoHelper()
	var now v1alpha1.AgentActionList
	Expect(api.List(ctx, &now, client.InNamespace(namespace))).To(Succeed())
	h := &history{seen: map[types.UID][]v1alpha1.Decision{}}
	following, stop := context.WithCancel(context.WithoutCancel(ctx)) // it ends with the spec's cleanup
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.follow(following, namespace, now.ResourceVersion)
	}()
	DeferCleanup(func() {
		stop()
		<-done
	})
	return h
}

// follow watches until ctx ends. The API server closes the watch of who is
// slow, and then it goes on from where it was.
func (h *history) follow(ctx context.Context, namespace, version string) {
	for ctx.Err() == nil {
		watching, err := api.Watch(ctx, &v1alpha1.AgentActionList{}, client.InNamespace(namespace),
			&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version}})
		if err != nil {
			h.fail(err)
			return
		}
		for event := range watching.ResultChan() {
			action, ok := event.Object.(*v1alpha1.AgentAction)
			if !ok {
				h.fail(fmt.Errorf("the watch failed: %v", event.Object))
				return
			}
			h.note(action)
			version = action.ResourceVersion
		}
		watching.Stop()
	}
}

func (h *history) note(action *v1alpha1.AgentAction) {
	h.mu.Lock()
	defer h.mu.Unlock()
	decisions := h.seen[action.UID]
	if len(decisions) == 0 || decisions[len(decisions)-1] != action.Status.Decision {
		h.seen[action.UID] = append(decisions, action.Status.Decision)
	}
}

func (h *history) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost = err
}

// decided is how many actions have a final decision.
func (h *history) decided() (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, decisions := range h.seen {
		if decisions[len(decisions)-1].IsFinal() {
			n++
		}
	}
	return n, h.lost
}

// expectOneFinalDecisionEach fails unless every action has exactly one final
// decision, which came last.
func (h *history) expectOneFinalDecisionEach(n int) {
	GinkgoHelper()
	h.mu.Lock()
	defer h.mu.Unlock()
	Expect(h.lost).NotTo(HaveOccurred())
	Expect(h.seen).To(HaveLen(n))
	for uid, decisions := range h.seen {
		last := len(decisions) - 1
		Expect(decisions[last].IsFinal()).To(BeTrue(), "%s: %v", uid, decisions)
		Expect(decisions[:last]).NotTo(ContainElement(Satisfy(v1alpha1.Decision.IsFinal)), "%s: %v", uid, decisions)
	}
}

// everyFourthDenied is a crowd of which a quarter is denied by rule.
func everyFourthDenied(ctx context.Context, w world) func(int) string {
	GinkgoHelper()
	w.apply(ctx, agentInSandbox, autoApproveToMedium, `
kind: SmartRule
metadata: {name: every-fourth}
spec:
  match: {actionTypes: [database_read]}
  conditions: [{name: fourth, expression: "int(action.parameters.number) % 4 == 0"}]
  effect: Deny
`)
	return func(i int) string {
		return fmt.Sprintf(`{actionType: database_read, parameters: {number: %d, table: product_categories, data_classification: public}}`, i)
	}
}

const crowd = 1000

var _ = Describe("A crowd", func() {
	It("of a thousand actions at once is decided, each exactly once", func(ctx SpecContext) {
		w := newWorld(ctx)
		document := everyFourthDenied(ctx, w)
		history := watchFrom(ctx, w.namespace)
		begin := time.Now()
		actions := submitMany(ctx, w, crowd, document)
		created := time.Since(begin)
		Eventually(history.decided).WithTimeout(2 * patience).Should(Equal(crowd))
		AddReportEntry("1,000 actions", fmt.Sprintf("created in %s, decided in %s", created, time.Since(begin)))

		history.expectOneFinalDecisionEach(crowd)
		records := operator.all()
		for i, action := range actions {
			want := v1alpha1.DecisionApproved
			if i%4 == 0 {
				want = v1alpha1.DecisionDenied
			}
			Expect(conclusions(records[string(action.UID)])).To(HaveExactElements(HaveField("Decision", want)))
		}
	})
})
