// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// program is the operator as a process of its own.
type program struct {
	path, kubeconfig, log, webhooks string
}

func buildProgram(ctx context.Context) program {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	p := program{filepath.Join(folder, "manager"), kubeconfigFile(), filepath.Join(folder, "audit.log"), envtest.FreeAddress(ctx, GinkgoT())}
	build := exec.CommandContext(ctx, "go", "build", "-o", p.path, "github.com/ow-kai/ascend-operator/cmd/manager")
	out, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	return p
}

func (p program) start() *gexec.Session {
	GinkgoHelper()
	session, err := gexec.Start(exec.Command(p.path,
		"--kubeconfig="+p.kubeconfig, "--audit-log="+p.log,
		"--webhook-bind-address="+p.webhooks, "--webhook-hosts=127.0.0.1",
		"--metrics-bind-address=0", "--health-probe-bind-address=0"), GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { session.Kill().Wait(patience) })
	return session
}

var _ = Describe("An operator that is killed", Serial, func() {
	It("in the middle of a thousand actions, twice, decides each exactly once, on record", func(ctx SpecContext) {
		w := newWorld(ctx)
		document := everyFourthDenied(ctx, w)
		alone()
		n := &notary{} // the program believes in seals alone
		n.share(ctx, "00000001")
		manager := buildProgram(ctx)
		history := watchFrom(ctx, w.namespace)
		submitted := make(chan struct{})
		begin := time.Now()
		session := manager.start()
		go func() {
			defer GinkgoRecover()
			defer close(submitted)
			submitMany(ctx, w, crowd, document, func(action *v1alpha1.AgentAction) { n.admit(action, time.Now()) })
		}()
		for _, kill := range []int{crowd / 5, crowd / 2} {
			Eventually(history.decided).WithTimeout(2 * patience).Should(BeNumerically(">=", kill))
			session.Kill().Wait(patience)
			session = manager.start()
		}
		Eventually(history.decided).WithTimeout(2 * patience).Should(Equal(crowd))
		AddReportEntry("1,000 actions, killed twice", time.Since(begin).String())
		session.Terminate()
		Eventually(session).Should(gexec.Exit(0))

		history.expectOneFinalDecisionEach(crowd)
		log, err := os.ReadFile(manager.log)
		Expect(err).NotTo(HaveOccurred())
		records := recordsByUID(log)
		Eventually(submitted).Should(BeClosed())
		var actions v1alpha1.AgentActionList
		Expect(api.List(ctx, &actions, client.InNamespace(w.namespace))).To(Succeed())
		Expect(actions.Items).To(HaveLen(crowd))
		for i := range actions.Items {
			action := &actions.Items[i]
			Expect(action.Status.Reason).To(BeElementOf(v1alpha1.ReasonAutoApproved, v1alpha1.ReasonRuleDenied))
			Expect(conclusions(held(records[string(action.UID)]))).To(HaveExactElements(And(
				HaveField("Decision", action.Status.Decision),
				HaveField("Reason", action.Status.Reason),
				HaveField("SpecDigest", action.Status.SpecDigest),
			)))
		}
	})
})

var _ = Describe("An operator that starts", Serial, func() {
	It("decides nothing before it has read all policy", func(ctx SpecContext) {
		const rules, starts = 100, 3
		w := newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
		alone()
		var documents []string
		for i := range rules {
			effect := "Allow"
			if i == rules-1 {
				effect = "Deny"
			}
			documents = append(documents, fmt.Sprintf(`
kind: SmartRule
metadata: {name: rule-%03d}
spec: {effect: %s, match: {actionTypes: [database_read]}, conditions: [{name: table, expression: "action.parameters.table != 'x%d'"}]}`, i, effect, i))
		}
		w.create(ctx, documents...)
		for range starts {
			actions := submitMany(ctx, w, 10, func(int) string { return readCategories })
			again := start(settings{})
			for _, action := range actions {
				expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)
			}
			again.stop()
		}
	})

	It("waits with its workers until policy has been read", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
		alone()
		action := w.submit(ctx, readCategories)
		gate := &gate{open: make(chan struct{})}
		ready := make(chan struct{})
		var slow *running
		go func() {
			defer GinkgoRecover()
			defer close(ready)
			slow = start(settings{transport: gate.wrap})
		}()
		// The one thing it cannot read is the list of rules. A second is long
		// beside the milliseconds in which it would decide.
		Eventually(gate.held).Should(BeTrue())
		Consistently(status(ctx, action), time.Second).Should(HaveField("Decision", v1alpha1.DecisionNone))
		close(gate.open)
		Eventually(ready).Should(BeClosed())
		defer slow.stop()
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
	})
})
