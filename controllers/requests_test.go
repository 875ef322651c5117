// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"maps"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// An action that no human has to see costs two writes: its creation and its status.
var _ = Describe("The cost of a decision", Serial, func() {
	It("is one request: the status write", func(ctx SpecContext) {
		const actions = 200
		alone()
		w := newWorld(ctx)
		count := &requests{}
		counted := start(settings{transport: count.wrap, collectInterval: time.Hour, flushInterval: time.Hour})
		defer counted.stop()
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
		expectDecision(ctx, w.submit(ctx, readCategories), v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		By("waiting until what other specs have left behind is in order")
		Eventually(count.take).WithPolling(500 * time.Millisecond).Should(BeEmpty())

		asked := submitMany(ctx, w, actions, func(int) string { return readCategories })
		for _, action := range asked {
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		}
		seen := count.take()
		AddReportEntry("requests for 200 actions", seen)

		events := 0
		maps.DeleteFunc(seen, func(request string, n int) bool {
			isEvent := strings.Contains(request, " events")
			if isEvent {
				events += n
			}
			return isEvent
		})
		Expect(seen).To(Equal(map[string]int{"PUT agentactions/NAME/status": actions}))
		Expect(events).To(BeNumerically("<=", 5), "one series for all of them")
	})
})
