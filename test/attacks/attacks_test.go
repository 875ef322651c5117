// SPDX-License-Identifier: Apache-2.0

// Package attacks plays the enemy. Each attack is tried by an unprivileged
// person with a client certificate or token of their own, against the stack
// that `make dev` starts: a real control plane with its controllers, and the
// operator as a process of its own, under its own ServiceAccount, with the
// shipped configuration.
//
// Each attack is tried three times: with everything in place ("up"), with the
// webhook out of reach ("down"), and with the webhook configurations deleted
// ("deleted"). It has to be refused, with words that help, and nothing may have
// changed; or, where the API server alone cannot know better, what was written
// has to be without effect. A table at the end says what became of each.
package attacks_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// patience is how long to wait for what must happen; it costs nothing where
// things go well.
const patience = 90 * time.Second

// lab is the stack under attack.
var lab *stack

func TestAttacks(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	suite, reporter := GinkgoConfiguration()
	if deadline, limited := t.Deadline(); limited { // so that the stack is taken down before the process is
		suite.Timeout = min(suite.Timeout, time.Until(deadline)-30*time.Second)
	}
	RunSpecs(t, "Attacks", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.WriteTo(GinkgoWriter)))
	lab = startStack(ctx)
}, NodeTimeout(20*time.Minute)) // on a machine that has built nothing yet

// In each mode every attack is prepared while all is well, then tried.
var _ = Describe("The attacks", Ordered, ContinueOnFailure, func() {
	scenes := map[string]*scene{} // by the name of the attack
	for _, m := range modes {
		Context("with the webhook "+m.String(), func() {
			BeforeAll(func(ctx SpecContext) {
				setAll(ctx, m, scenes)
				lab.enter(ctx, m)
				DeferCleanup(func(ctx SpecContext) { lab.restore(ctx) }, NodeTimeout(2*patience))
			}, NodeTimeout(15*time.Minute)) // hundreds are prepared
			for _, a := range attacks {
				It(a.String(), func(ctx SpecContext) { a.try(ctx, m, scenes[a.name]) }, SpecTimeout(3*time.Minute))
			}
			if m == up {
				It("leave no refusal out of the audit trail", func(ctx SpecContext) { lab.expectAccounted(ctx) }, SpecTimeout(3*time.Minute))
			}
		})
	}
	Context("on the stack itself", func() {
		for _, b := range breakages {
			It(fmt.Sprintf("%2d %s", b.number, b.name), func(ctx SpecContext) { b.run(ctx) }, SpecTimeout(3*time.Minute))
		}
	})
})

// atOnce is how many attacks are prepared at a time.
const atOnce = 8

// setAll prepares every attack that can be tried in the mode. Where it was
// refused in the mode before, and so has changed nothing, and has to be refused
// again, all is prepared already. (Where it passes, it is tried on what nothing
// is void of, which it is after a mode in which admission was not enforced.)
func setAll(ctx context.Context, m mode, scenes map[string]*scene) {
	var mu sync.Mutex
	var group sync.WaitGroup
	gate := make(chan struct{}, atOnce)
	for _, a := range attacks {
		if a.in(m).skipped != "" {
			continue
		}
		mu.Lock()
		s := scenes[a.name]
		mu.Unlock()
		if s != nil && s.intact && a.in(m).harmless == nil {
			s.mode = m
			continue
		}
		group.Go(func() {
			defer GinkgoRecover()
			gate <- struct{}{}
			defer func() { <-gate }()
			s := a.set(ctx, m)
			mu.Lock()
			defer mu.Unlock()
			scenes[a.name] = s
		})
	}
	group.Wait()
}
