// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

func init() { attacks = append(attacks, momentAttacks()...) }

// Whatever arrives at the same moment, one final decision is made, once.
func momentAttacks() []*attack {
	say := func(who func(*scene) person, changes ...func(*v1alpha1.Approval)) change {
		return func(ctx context.Context, s *scene, _ person) error {
			by := who(s)
			return applyPatch(ctx, by, by.name, s.action, toJSON(withApprovals(s.entry(ctx, by, changes...))))
		}
	}
	alice, bob := func(s *scene) person { return s.alice }, func(s *scene) person { return s.bob }
	third := func(*scene) person { return carol() }
	cancel := func(ctx context.Context, s *scene, _ person) error {
		return mergePatch(ctx, s.agent, s.action, `spec: {cancelled: true}`)
	}
	return []*attack{
		moment("approve and deny", 1, say(alice), say(bob, deny)),
		moment("approve, approve and deny", 2, say(alice), say(bob), say(third, deny)),
		moment("deny and deny", 1, say(alice, deny), say(bob, deny)),
		moment("approve and cancel", 1, say(alice), cancel),
		moment("deny and cancel", 1, say(alice, deny), cancel),
		atTheDeadline(),
	}
}

// tries is how often a race is run.
const tries = 4

// moment runs all of it at once, on several actions one after the other.
func moment(name string, required int, all ...change) *attack {
	return &attack{
		number: 12, name: name + " at the same moment",
		prepare: func(ctx context.Context, s *scene) {
			s.asking(ctx, fmt.Sprintf(`
kind: ApprovalWorkflow
spec:
  selector: {riskLevels: [Low, Medium, High, Critical]}
  stages: [{name: review, required: %d, approvers: {groups: [security]}}]
`, required))
			s.generous(ctx)
		},
		attempt: func(ctx context.Context, s *scene) error {
			for range tries {
				s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
				var group sync.WaitGroup
				start := make(chan struct{})
				for _, do := range all {
					group.Go(func() {
						defer GinkgoRecover()
						<-start
						if err := do(ctx, s, person{}); err != nil {
							Expect(expectedWhenRacing(err)).To(BeTrue(), err.Error())
						}
					})
				}
				close(start)
				group.Wait()
				s.expectOneDecision(ctx)
			}
			return nil
		},
		up:   without("one decision, once", func(context.Context, *scene) {}),
		down: not("without the webhook nothing is submitted"), deleted: not("without the webhook nothing counts"),
	}
}

// atTheDeadline approves as the deadline passes.
func atTheDeadline() *attack {
	return &attack{
		number: 12, name: "approve at the moment of the deadline",
		prepare: func(ctx context.Context, s *scene) {
			s.asking(ctx, quick)
			s.generous(ctx)
		},
		attempt: func(ctx context.Context, s *scene) error {
			action := s.ask(readOrders)
			Expect(s.agent.Create(ctx, action)).To(Succeed())
			s.action = action
			s.awaitDecided(ctx)
			if !s.action.Status.Decision.IsFinal() {
				time.Sleep(s.action.Status.Approval.Deadline.Sub(clock.RealClock{}.Now()) - 10*time.Millisecond)
				if err := s.write(ctx, s.alice); err != nil {
					Expect(expectedWhenRacing(err)).To(BeTrue(), err.Error())
				}
			}
			s.expectOneDecision(ctx)
			return nil
		},
		up:   without("one decision, once", func(context.Context, *scene) {}),
		down: not("without the webhook nothing is submitted"), deleted: not("without the webhook nothing counts"),
	}
}

// expectOneDecision waits for the final decision, and for its one record.
func (s *scene) expectOneDecision(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		s.action = s.fresh(ctx)
		g.Expect(s.action.Status.Decision.IsFinal()).To(BeTrue())
		var made []v1alpha1.EventType
		for _, record := range lab.records() {
			switch {
			case record.UID != string(s.action.UID):
			case record.Event == audit.EventNotApplied && len(made) > 0:
				made = made[:len(made)-1]
			case record.Decision.IsFinal() && finalEvents[record.Event] == record.Decision:
				made = append(made, record.Event)
			}
		}
		g.Expect(made).To(HaveLen(1))
		g.Expect(finalEvents[made[0]]).To(Equal(s.action.Status.Decision))
	}).WithContext(ctx).Should(Succeed())
}

// finalEvents are those that tell of a final decision.
var finalEvents = map[v1alpha1.EventType]v1alpha1.Decision{
	v1alpha1.EventActionApproved:  v1alpha1.DecisionApproved,
	v1alpha1.EventActionDenied:    v1alpha1.DecisionDenied,
	v1alpha1.EventActionTimeout:   v1alpha1.DecisionTimedOut,
	v1alpha1.EventActionCancelled: v1alpha1.DecisionCancelled,
}
