// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

// replica is a limiter with a cache of its own, as each replica of the operator
// has them. It does what admission does with the limiter.
type replica struct {
	*ratelimit.Limiter
	clock clock.PassiveClock
	agent types.NamespacedName
	world world
}

// replicas start with the actions of a world's agent, whose status they know.
func (w world) replicas(count int, passive clock.PassiveClock) []*replica {
	GinkgoHelper()
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	DeferCleanup(func() { stop(); group.Wait() })
	var all []*replica
	for range count {
		options := controllers.CacheOptions()
		options.Scheme = scheme
		of, err := cache.New(config, options)
		Expect(err).NotTo(HaveOccurred())
		r := &replica{ratelimit.New(), passive, types.NamespacedName{Namespace: w.namespace, Name: "agent"}, w}
		Expect(controllers.WatchSubmissions(ctx, of, r.Limiter, passive)).To(Succeed())
		group.Go(func() {
			defer GinkgoRecover()
			Expect(of.Start(ctx)).To(Succeed())
		})
		Expect(of.WaitForCacheSync(ctx)).To(BeTrue())
		all = append(all, r)
	}
	return all
}

// submit submits through the replica and says whether it was let in.
func (r *replica) submit(ctx context.Context, limit *v1alpha1.RateLimit) bool {
	GinkgoHelper()
	action := r.world.action(readCategories)
	action.GenerateName, action.Name = "", fmt.Sprintf("act-%d", sequence.Add(1))
	if _, ok := r.Admit(r.agent, action.Name, limit, r.clock.Now()); !ok {
		return false
	}
	action.Spec.Requester = &v1alpha1.Requester{Username: "agent", Seal: "v1.test.seal"}
	Expect(api.Create(ctx, action)).To(Succeed())
	return true
}

// sequence makes names of actions.
var sequence atomic.Int64

// today is how many submissions of the day and the day before count.
func (r *replica) today() int {
	day := r.Submissions(r.agent, r.clock.Now()).Day
	return int(day.Current + day.Previous)
}

var _ = Describe("A rate limit over two replicas", func() {
	const limit = 20
	var (
		w      world
		all    []*replica
		perDay = &v1alpha1.RateLimit{PerDay: new(int32(limit))}
	)

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox)
		// Not at the turn of a day, and not in the minutes that pass meanwhile.
		all = w.replicas(2, clocktesting.NewFakePassiveClock(time.Now()))
		// From here on an action that one brings is one that both know to count.
		Eventually(func(g Gomega) {
			for _, r := range all {
				r.Observe(r.agent, "first", r.clock.Now())
				g.Expect(r.today()).To(Equal(1))
			}
		}).WithContext(ctx).Should(Succeed())
	})

	It("holds exactly for what comes one after the other", func(ctx SpecContext) {
		admitted := 1
		for i := range 2 * limit {
			if all[i%2].submit(ctx, perDay) {
				admitted++
			}
			for _, r := range all {
				Eventually(r.today).WithContext(ctx).Should(Equal(admitted))
			}
		}
		Expect(admitted).To(Equal(limit))
	})

	It("is exceeded at most once a further replica by a burst, and then closed on both", func(ctx SpecContext) {
		var admitted atomic.Int64
		var group sync.WaitGroup
		for _, r := range all {
			for range 8 {
				group.Go(func() {
					defer GinkgoRecover()
					for range limit {
						if r.submit(ctx, perDay) {
							admitted.Add(1)
						}
					}
				})
			}
		}
		group.Wait()
		total := 1 + int(admitted.Load())
		AddReportEntry("let in by a burst", fmt.Sprintf("%d of a limit of %d on 2 replicas", total, limit))
		Expect(total).To(And(BeNumerically(">=", limit), BeNumerically("<=", 2*limit-1)))
		for _, r := range all {
			Eventually(r.today).WithContext(ctx).Should(Equal(total))
			Expect(r.submit(ctx, perDay)).To(BeFalse())
		}
	})
})

var _ = Describe("A rate limit", Serial, func() {
	It("holds over a restart of the operator, and is forgotten with the agent", func(ctx SpecContext) {
		const limit = 10
		perDay := &v1alpha1.RateLimit{PerDay: new(int32(limit))}
		w := newWorld(ctx)
		w.apply(ctx, agentInSandbox)
		alone()
		agent := types.NamespacedName{Namespace: w.namespace, Name: "agent"}
		written := func() (int, error) {
			var object v1alpha1.Agent
			err := api.Get(ctx, agent, &object)
			s := object.Status.Submissions
			return int(min(s.Hour.Current+s.Hour.Previous, s.Day.Current+s.Day.Previous)), err
		}

		limiter := ratelimit.New()
		first := start(settings{limiter: limiter})
		submits := &replica{limiter, clock.RealClock{}, agent, w}
		for range 2 * limit {
			submits.submit(ctx, perDay)
		}
		Eventually(written).WithContext(ctx).Should(Equal(limit))
		first.stop()

		By("starting again, as another process would")
		limiter = ratelimit.New()
		second := start(settings{limiter: limiter})
		defer second.stop()
		submits = &replica{limiter, clock.RealClock{}, agent, w}
		Eventually(submits.today).WithContext(ctx).Should(Equal(limit))
		Expect(submits.submit(ctx, perDay)).To(BeFalse())

		By("removing the agent")
		w.remove(ctx, "Agent", "agent")
		Eventually(submits.today).WithContext(ctx).Should(BeZero())
	})
})
