// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, onceAttacks...) }

// One person counts once.
var onceAttacks = []*attack{
	{
		number: 4, name: "approve 50 times at once, by patches, applies and updates",
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			to := s.fresh(ctx)
			return s.together(50, func(i int) error {
				entry := s.entry(ctx, s.racer())
				entry.Comment = fmt.Sprintf("number %d", i)
				return ways[i%len(ways)].add(ctx, s.racer(), to, entry)
			})
		},
		up: countsOnce(1), deleted: onceUncounted,
	},
	{
		number: 4, name: "approve 50 times at once, by as many field managers",
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			return s.together(50, func(i int) error {
				entry := s.entry(ctx, s.racer())
				entry.Comment = fmt.Sprintf("number %d", i)
				return applyPatch(ctx, s.racer(), fmt.Sprintf("manager-%d", i), s.action, toJSON(withApprovals(entry)))
			})
		},
		up: countsOnce(1), deleted: onceUncounted,
	},
	{
		number: 4, name: "approve 50 times at once, under both names of the stage",
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			return s.together(50, func(i int) error {
				return s.write(ctx, s.racer(), func(a *v1alpha1.Approval) {
					if i%2 == 1 {
						a.Stage += s.round()
					}
				})
			})
		},
		up: countsOnce(1), deleted: uncounted(),
	},
	{
		number: 4, name: "approve as 4 spellings of one name at once",
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			return s.together(20, func(i int) error {
				name := s.racer().name
				return s.write(ctx, lab.user([]string{name, strings.ToUpper(name), "R" + name[1:], " " + name + " "}[i%4], "security"))
			})
		},
		// Two that arrive in the same moment may both be stored; the second is
		// then listed as one that does not count.
		up: countsOnce(4), deleted: uncounted(),
	},
	again("approve again", func(s *scene) person { return s.alice }, nil,
		refusedBy("webhook", "alice has already given the verdict Approve in stage review", "it counts once", "Another approver can deny the action: kubectl deny"),
		refusedBy("schema", "Duplicate value")),
	again("approve again, under the other name of the stage", func(s *scene) person { return s.alice },
		func(s *scene, a *v1alpha1.Approval) { a.Stage += s.round() },
		refusedBy("webhook", "alice has already given the verdict Approve in stage review", "it counts once"), uncounted()),
	again("approve again, under another spelling of the name", func(*scene) person { return lab.user("Alice", "security") }, nil,
		refusedBy("webhook", "it would not count: the same person has approved this stage already", "nothing was written", "ascend explain"), uncounted()),
	again("deny after having approved, to change one's mind", func(s *scene) person { return s.alice },
		func(s *scene, a *v1alpha1.Approval) { deny(a) },
		refusedBy("webhook", "alice has already given the verdict Approve in stage review", "cannot be changed", "Another approver can deny the action: kubectl deny"),
		refusedBy("schema", "Duplicate value")),
}

// again is another verdict of one who has approved, or of one who is the same.
func again(name string, who func(*scene) person, change func(*scene, *v1alpha1.Approval), up, deleted outcome) *attack {
	return &attack{
		number: 4, name: name, prepare: halfway,
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, who(s), func(a *v1alpha1.Approval) {
				if change != nil {
					change(s, a)
				}
			})
		},
		up: up, deleted: deleted,
	}
}

// racer is one more approver, of this scene alone: of who is refused too often
// not every refusal is recorded.
func (s *scene) racer() person { return lab.user("racer-of-"+s.namespace, "security") }

// round is what makes the other name of a stage that waits.
func (s *scene) round() string {
	return s.action.Status.Approval.RequestedAt.UTC().Format("@2006-01-02T15:04:05.000000Z")
}

// together tries n times at once. It fails where none passes, and where one
// fails for a reason that has nothing to do with the attack.
func (s *scene) together(n int, try func(int) error) error {
	GinkgoHelper()
	errs := make([]error, n)
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		group.Go(func() {
			defer GinkgoRecover()
			<-start
			errs[i] = try(i)
		})
	}
	close(start)
	group.Wait()
	passed := 0
	for _, err := range errs {
		if err == nil {
			passed++
		} else {
			Expect(expectedWhenRacing(err)).To(BeTrue(), err.Error())
		}
	}
	if passed == 0 {
		return errs[0]
	}
	return nil
}

// expectedWhenRacing says whether somebody who came too late was told so.
func expectedWhenRacing(err error) bool {
	for _, words := range []string{
		"has already given the verdict",            // the webhook, who comes second
		"the same person has approved this stage",  // the webhook, under another spelling
		"cannot be changed, removed or put into",   // the webhook, with an older list
		"an approval cannot be",                    // the schema, with an older list
		"verdicts are added at the end",            // the policy, with an older list
		"Duplicate value",                          // the schema
		"the object has been modified",             // an update of what is no longer so
		"Operation cannot be fulfilled",            // a patch that has met too many others
		"the server rejected our request",          // a patch onto a list that is not there yet
		"already decided",                          // the webhook and the schema
		"the action was cancelled",                 // the webhook
		"somebody has denied it already",           // the webhook
		"every stage has been passed already",      // the webhook
		"nobody is asked any more",                 // the webhook, before the operator
		"it is too late",                           // the webhook, before the operator
		"the deadline of stage",                    // the webhook
		"the server is currently unable to handle", // the operator has no time
		"failed calling webhook",                   // in mode down
	} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// countsOnce is that of at most so many entries exactly one counts.
func countsOnce(most int) outcome {
	return without("counts once", func(ctx context.Context, s *scene) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			now := s.fresh(ctx)
			g.Expect(len(now.Spec.Approvals)).To(And(BeNumerically(">=", 1), BeNumerically("<=", most)))
			g.Expect(now.Status.Approval.Granted).To(BeEquivalentTo(1))
			g.Expect(now.Status.Approval.Uncounted).To(HaveLen(len(now.Spec.Approvals) - 1))
			g.Expect(now.Status.Decision).To(Equal(v1alpha1.DecisionPending))
		}).WithContext(ctx).Should(Succeed())
	})
}

// onceUncounted is that one entry is stored, and does not count.
var onceUncounted = without("stored once, not counted", func(ctx context.Context, s *scene) {
	GinkgoHelper()
	Expect(s.fresh(ctx).Spec.Approvals).To(HaveLen(1))
	s.expectUncounted(ctx)
})
