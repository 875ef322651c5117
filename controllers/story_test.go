// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// The whole story of an action, each event once, in the order in which it happened.
var _ = Describe("The audit trail", func() {
	const (
		submitted, evaluated, recorded = v1alpha1.EventActionSubmitted, audit.EventEvaluated, audit.EventApprovalRecorded
		bot                            = "system:serviceaccount:shop:agent"
		pending, approved, denied      = v1alpha1.EventActionPending, v1alpha1.EventActionApproved, v1alpha1.EventActionDenied
	)
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox)
	})

	// tells expects that the trail tells exactly this of an action.
	tells := func(action *v1alpha1.AgentAction, story ...v1alpha1.EventType) []audit.Record {
		GinkgoHelper()
		records := held(operator.records(action))
		Expect(eventsOf(records)).To(HaveExactElements(story))
		return records
	}

	It("tells of what is approved by policy", func(ctx SpecContext) {
		w.apply(ctx, autoApproveToMedium, `
kind: SmartRule
metadata: {name: reads}
spec: {effect: Allow, match: {actionTypes: [database_read]}, controls: ["SOC2:CC6.1", "NIST-800-53:AC-6"]}
`)
		action := w.action(readCategories)
		action.Spec.Requester = &v1alpha1.Requester{Username: bot}
		Expect(api.Create(ctx, action)).To(Succeed())
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonRuleAllowed)
		records := tells(action, submitted, evaluated, approved)
		Expect(records[0]).To(And(HaveField("Actor", bot), HaveField("Requester", bot), HaveField("Request", BeNil()),
			HaveField("Message", HavePrefix("stored at ")), HaveField("SpecDigest", HavePrefix("sha256:"))))
		Expect(records[1]).To(And(HaveField("Actor", ""), HaveField("RiskScore", BeEquivalentTo("2.1")), HaveField("CVSSVector", HavePrefix("CVSS:3.1/")),
			HaveField("Controls", HaveExactElements("NIST-800-53:AC-6", "SOC2:CC6.1")), HaveField("Request", BeNil())))
		Expect(records[2]).To(And(HaveField("Controls", HaveLen(2)), HaveField("Request", Not(BeNil())), HaveField("Stage", "")))
	})

	It("tells of what a rule denies", func(ctx SpecContext) {
		w.apply(ctx, "kind: SmartRule\nmetadata: {name: never}\nspec: {effect: Deny, reason: never}")
		action := w.submit(ctx, readCategories)
		expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)
		records := tells(action, submitted, evaluated, denied)
		Expect(records[2].DecidingRule).To(Equal(w.namespace + "/never"))
	})

	It("tells of two stages, and of what was said in them", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: two}
spec: {selector: {}, stages: [{name: review, approvers: {users: [alice]}}, {name: board, approvers: {users: [bob]}}]}
`)
		action := w.submit(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		judge(ctx, action, v1alpha1.VerdictApprove, "alice", "looks right")
		Eventually(status(ctx, action)).Should(HaveField("Approval.StageIndex", BeEquivalentTo(1)))
		approve(ctx, action, "bob")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
		Expect(action.Status.RecordedApprovals).To(BeEquivalentTo(2))

		records := tells(action, submitted, evaluated, pending, recorded, pending, recorded, approved)
		Expect(records[2]).To(And(HaveField("Stage", "review"), HaveField("Required", BeEquivalentTo(1)),
			HaveField("PendingApprovers", ConsistOf("user:alice")), HaveField("Deadline", Not(BeNil()))))
		Expect(records[3]).To(And(HaveField("Actor", "alice"), HaveField("Approval.Comment", "looks right"),
			HaveField("Approval.Stage", "review"), HaveField("Approval.Time", Not(BeNil())), HaveField("Approval.Uncounted", "")))
		Expect(records[4]).To(And(HaveField("Stage", "board"), HaveField("PendingApprovers", ConsistOf("user:bob"))))
		Expect(records[5]).To(HaveField("Actor", "bob"))
		Expect(records[6]).To(And(HaveField("Actor", ""), HaveField("Approvals", HaveLen(2)), HaveField("Stage", "")))
		Eventually(asked(ctx, action)).Should(ConsistOf("RequestApproval status.approval{review}", "RequestApproval status.approval{board}", "Approved "))
	})

	It("tells of verdicts that do not count, and why", func(ctx SpecContext) {
		w.apply(ctx, twoOfThree)
		action := w.submit(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		approve(ctx, action, "stranger")
		Eventually(status(ctx, action)).Should(HaveField("Approval.Uncounted", HaveLen(1)))
		records := tells(action, submitted, evaluated, pending, recorded)
		Expect(records[3].Approval.Uncounted).To(Equal(action.Status.Approval.Uncounted[0].Reason))
	})

	It("tells of an emergency override", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: strict}
spec:
  selector: {}
  stages: [{name: review, approvers: {users: [alice]}}]
  emergencyOverride: {approvers: {users: [oncall-1, oncall-2]}, required: 2}
`)
		action := w.submit(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		for _, person := range []string{"oncall-1", "oncall-2"} {
			judge(ctx, action, v1alpha1.VerdictOverride, person, "the site is down")
			Eventually(status(ctx, action)).Should(HaveField("RecordedApprovals", BeEquivalentTo(len(action.Spec.Approvals))))
		}
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonEmergencyOverride)
		records := tells(action, submitted, evaluated, pending, recorded, recorded, audit.EventOverridden, approved)
		Expect(records[5:]).To(HaveEach(HaveField("BreakGlass", true)))
		Expect(records[:5]).To(HaveEach(HaveField("BreakGlass", false)))
	})

	It("tells of what escalates and times out", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: quick}
spec: {selector: {}, timeout: 9s, stages: [{name: review, approvers: {users: [alice]}, escalation: {after: 1s, approvers: {users: [boss]}}}]}
`)
		action := w.submit(ctx, updateCustomer)
		Eventually(status(ctx, action)).Should(HaveField("Approval", HaveField("Escalated", BeTrue())))
		expectDecision(ctx, action, v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout)
		tells(action, submitted, evaluated, pending, v1alpha1.EventActionEscalated, v1alpha1.EventActionTimeout)
	})

	It("tells of what its requester withdraws", func(ctx SpecContext) {
		w.apply(ctx, twoOfThree)
		action := w.submit(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		Expect(withdraw(ctx, action)).To(Succeed())
		expectDecision(ctx, action, v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester)
		tells(action, submitted, evaluated, pending, v1alpha1.EventActionCancelled)
	})

	It("tells of policy that changes under what waits", func(ctx SpecContext) {
		w.apply(ctx, twoOfThree)
		action := w.submit(ctx, updateCustomer)
		before := expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		By("asking the same people, for another reason")
		w.apply(ctx, "kind: SmartRule\nmetadata: {name: ask}\nspec: {effect: RequireApproval, workflowRef: {name: people}, reason: ask the people}")
		Eventually(status(ctx, action)).Should(HaveField("PolicyRevision", Not(Equal(before.PolicyRevision))))
		records := tells(action, submitted, evaluated, pending, evaluated)
		Expect(records[3]).To(And(HaveField("Decision", v1alpha1.DecisionPending), HaveField("Message", "ask the people"),
			HaveField("MatchedRules", HaveLen(1)), HaveField("PolicyRevision", action.Status.PolicyRevision)))
		By("asking others")
		w.edit(ctx, "ApprovalWorkflow", "people", `spec: {stages: [{name: review, approvers: {users: [dave]}}]}`)
		Eventually(status(ctx, action)).Should(HaveField("Approval.PendingApprovers", ConsistOf("user:dave")))
		tells(action, submitted, evaluated, pending, evaluated, evaluated, pending)
		By("asking nobody")
		w.apply(ctx, "kind: SmartRule\nmetadata: {name: freeze}\nspec: {effect: Deny, reason: change freeze}")
		expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)
		records = tells(action, submitted, evaluated, pending, evaluated, evaluated, pending, evaluated, denied)
		Expect(records[6]).To(And(HaveField("Decision", v1alpha1.DecisionPending), HaveField("Message", "")))
		Eventually(asked(ctx, action)).Should(ConsistOf("RequestApproval status.approval{review}", "Evaluate status.approval{review}", "Denied "))
	})

	It("tells of what is collected, with who had asked for what", func(ctx SpecContext) {
		w.apply(ctx, autoApproveToMedium)
		action := w.action(`{actionType: database_read, ttlAfterDecision: 0s, parameters: {table: product_categories, data_classification: public}}`)
		action.Spec.Requester = &v1alpha1.Requester{Username: bot}
		Expect(api.Create(ctx, action)).To(Succeed())
		Eventually(func() error {
			return api.Get(ctx, client.ObjectKeyFromObject(action), &v1alpha1.AgentAction{})
		}).Should(MatchError(apierrors.IsNotFound, "not found"))
		records := tells(action, submitted, evaluated, approved, audit.EventCollected)
		Expect(records[3]).To(And(HaveField("Requester", bot), HaveField("Decision", v1alpha1.DecisionApproved),
			HaveField("SpecDigest", records[2].SpecDigest), HaveField("Actor", "")))
	})
})

// asked are the Events on an action, as "ACTION FIELD".
func asked(ctx context.Context, action *v1alpha1.AgentAction) func() ([]string, error) {
	return func() ([]string, error) {
		var list eventsv1.EventList
		if err := api.List(ctx, &list, client.InNamespace(action.Namespace)); err != nil {
			return nil, err
		}
		var found []string
		for _, e := range list.Items {
			if e.Regarding.UID == action.UID {
				Expect(e.Related).To(HaveField("Name", "agent"))
				found = append(found, e.Action+" "+e.Regarding.FieldPath)
			}
		}
		return found, nil
	}
}

var _ = Describe("Events", Serial, func() {
	It("that the API server does not take hold up no decision", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, "kind: SmartRule\nmetadata: {name: never}\nspec: {effect: Deny, match: {actionTypes: [database_write]}}")
		alone()
		hangs := &hangingEvents{over: make(chan struct{})}
		other := start(settings{transport: hangs.wrap})
		DeferCleanup(other.stop)
		DeferCleanup(func() { close(hangs.over) })
		begin := time.Now()
		for _, action := range submitMany(ctx, w, 200, func(i int) string { return []string{readCategories, updateCustomer}[i%2] }) {
			Eventually(status(ctx, action)).Should(HaveField("Decision", BeElementOf(v1alpha1.DecisionApproved, v1alpha1.DecisionDenied)))
		}
		Expect(hangs.held.Load()).To(BeNumerically(">", 0), "no Event was on its way")
		AddReportEntry("200 decisions while no Event is taken", time.Since(begin).String())
	})
})

// hangingEvents answers no request about Events.
type hangingEvents struct {
	next http.RoundTripper
	over chan struct{}
	held atomic.Int64
}

func (h *hangingEvents) wrap(next http.RoundTripper) http.RoundTripper {
	h.next = next
	return h
}

func (h *hangingEvents) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasPrefix(request.URL.Path, "/apis/events.k8s.io/") {
		h.held.Add(1)
		select {
		case <-h.over:
		case <-request.Context().Done():
		}
		return nil, errLost
	}
	return h.next.RoundTrip(request)
}
