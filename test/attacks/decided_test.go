// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, decidedAttacks()...) }

func denied(ctx context.Context, s *scene) {
	GinkgoHelper()
	halfway(ctx, s)
	Expect(s.write(ctx, s.bob, deny)).To(Succeed())
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionDenied)
}

func cancelled(ctx context.Context, s *scene) {
	GinkgoHelper()
	halfway(ctx, s)
	Expect(mergePatch(ctx, s.agent, s.action, `spec: {cancelled: true}`)).To(Succeed())
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionCancelled)
}

// madeAnew has somebody else be "bot", after the requester is gone.
func madeAnew(ctx context.Context, s *scene) {
	GinkgoHelper()
	halfway(ctx, s)
	Expect(lab.admin.Delete(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "bot"}})).To(Succeed())
	s.state["anew"] = lab.serviceAccount(ctx, s.namespace, "bot")
}

// tooLate is asked for with a timeout of two seconds, which pass.
func tooLate(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.asking(ctx, quick)
	s.generous(ctx)
	s.action = s.submit(ctx, readOrders, v1alpha1.DecisionTimedOut)
	s.guard(s.action)
}

const quick = `
kind: ApprovalWorkflow
spec:
  selector: {riskLevels: [Low, Medium, High, Critical]}
  stages:
  - {name: review, required: 1, approvers: {groups: [security]}}
  timeout: 2s
  emergencyOverride: {approvers: {groups: [emergency]}, required: 1}
`

func succeeded(ctx context.Context, s *scene) {
	GinkgoHelper()
	allApproved(ctx, s)
	Expect(mergePatch(ctx, s.agent, s.action, success)).To(Succeed())
}

const success = `spec: {outcome: {result: Succeeded}}`

// What is decided stays decided.
func decidedAttacks() []*attack {
	bot := func(s *scene) person { return s.agent }
	bob := func(s *scene) person { return s.bob }
	third := func(*scene) person { return carol() }
	sam := func(*scene) person { return lab.user("sam") }
	closed := func(as string) inEach {
		return inEach{
			up:      refusedBy("webhook", "the action is already decided: it was "+as+" at ", "a decision never changes", "The requester can submit a new action: kubectl create -f FILE"),
			deleted: refusedBy("schema", "spec.approvals", "the action is already decided; no approval can be added"),
		}
	}
	mayNotCancel := inEach{
		up:      refusedBy("webhook", "may not cancel this action: only its requester, system:serviceaccount:", "An approver can deny it", "kubectl deny"),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "only its requester, system:serviceaccount:", "withdraws this action, and you are", "An approver says no with: kubectl deny"),
	}
	mayNotReport := inEach{
		up:      refusedBy("webhook", "may not report the outcome of this action: only its requester, system:serviceaccount:", "With its credentials:", "kubectl patch agentaction"),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "only its requester, system:serviceaccount:", "reports the outcome of this action, and you are", "With the requester's credentials: kubectl patch agentaction"),
	}
	// tooLateFor is refused by whoever is asked first, in the same words, each with
	// advice of its own.
	tooLateFor := func(says, advice, bySchema string) inEach {
		return inEach{up: refusedBy("webhook", says, advice), deleted: refusedBy("schema", says, bySchema)}
	}
	noCancel := tooLateFor("the action is already decided and can no longer be cancelled", "status.validUntil: kubectl get agentaction", "kubectl get agentaction")
	noReturn := tooLateFor("a cancelled action stays cancelled", "The requester can submit a new action: kubectl create -f FILE", "submit a new one: kubectl create -f FILE")
	noReport := tooLateFor("an outcome can be reported only after the action was approved", "ascend explain", "kubectl get agentactions")
	noSecond := tooLateFor("an outcome is reported once and cannot be changed", "kubectl create -f FILE", "kubectl create -f FILE")
	return []*attack{
		late("approve what is approved", allApproved, third, verdict(), closed("Approved")),
		late("deny what is approved", allApproved, third, verdict(deny), closed("Approved")),
		late("approve what is denied", denied, third, verdict(), closed("Denied")),
		late("override what is denied", denied, func(*scene) person { return lab.user("eric", "emergency") }, verdict(override), closed("Denied")),
		late("approve what was not decided in time", tooLate, third, verdict(), closed("TimedOut")),
		late("override what was not decided in time", tooLate, func(*scene) person { return lab.user("eric", "emergency") }, verdict(override), closed("TimedOut")),
		late("approve what is cancelled", cancelled, bob, verdict(), closed("Cancelled")),
		late("approve what was not decided in time, as of before the deadline", tooLate, third, verdict(func(a *v1alpha1.Approval) {
			a.Time = &metav1.MicroTime{Time: a.Time.Add(-time.Minute)}
		}), closed("TimedOut")),

		late("cancel as an approver, by merge patch", halfway, bob, byMerge(`spec: {cancelled: true}`), mayNotCancel),
		late("cancel as an approver, by JSON patch", halfway, bob, byJSON(`[{"op":"add","path":"/spec/cancelled","value":true}]`), mayNotCancel),
		late("cancel as an approver, by server-side apply", halfway, bob, byApply(`spec: {cancelled: true}`), mayNotCancel),
		late("cancel as an approver, by update", halfway, bob, rewriteSpec(func(spec *v1alpha1.AgentActionSpec) { spec.Cancelled = true }), mayNotCancel),
		late("cancel as the owner", halfway, func(*scene) person { return lab.user("olga") }, byMerge(`spec: {cancelled: true}`), mayNotCancel),
		late("cancel as another subject of the agent", halfway, sam, byMerge(`spec: {cancelled: true}`), mayNotCancel),
		late("cancel as the requester in capitals", halfway, func(s *scene) person { return lab.user("system:serviceaccount:" + s.namespace + ":BOT") }, byMerge(`spec: {cancelled: true}`), mayNotCancel),
		late("cancel and approve in one request, as the requester", halfway, bot, func(ctx context.Context, s *scene, by person) error {
			return jsonPatch(ctx, by, s.action, `[{"op":"add","path":"/spec/cancelled","value":true},{"op":"add","path":"/spec/approvals/-","value":`+toJSON(s.entry(ctx, by))+`}]`)
		}, inEach{
			up:      refusedBy("webhook", "submitted this action", "does not allow self-approval", "somebody else has to decide", "ascend explain"),
			deleted: refusedBy("policy", "ascend-agentaction-identity", "`as` names a user, group or ServiceAccount"),
		}),
		late("cancel as an account of the requester's name made anew", madeAnew, func(s *scene) person { return s.as("anew") }, byMerge(`spec: {cancelled: true}`), inEach{
			up:      refusedBy("webhook", "may not cancel this action: only its requester", "(uid ", "kubectl deny"),
			deleted: refusedBy("policy", "ascend-agentaction-identity", "only its requester", "you are another account of that name: your uid is not spec.requester.uid", "kubectl deny"),
		}),
		late("cancel what is approved", allApproved, bot, byMerge(`spec: {cancelled: true}`), noCancel),
		late("cancel what is denied", denied, bot, byMerge(`spec: {cancelled: true}`), noCancel),
		late("take a cancellation back", cancelled, bot, byMerge(`spec: {cancelled: false}`), noReturn),
		late("take a cancellation back, by removing it", cancelled, bot, byJSON(`[{"op":"remove","path":"/spec/cancelled"}]`), noReturn),

		late("report the outcome as an approver, by merge patch", allApproved, bob, byMerge(success), mayNotReport),
		late("report the outcome as an approver, by server-side apply", allApproved, bob, byApply(success), mayNotReport),
		late("report the outcome as an approver, by update", allApproved, bob, rewriteSpec(func(spec *v1alpha1.AgentActionSpec) { spec.Outcome = &v1alpha1.Outcome{Result: v1alpha1.OutcomeFailed} }), mayNotReport),
		late("report the outcome as another subject of the agent", allApproved, sam, byMerge(success), mayNotReport),
		late("report an outcome before the approval", halfway, bot, byMerge(success), noReport),
		late("report an outcome of what is denied", denied, bot, byMerge(success), noReport),
		late("report another outcome", succeeded, bot, byMerge(`spec: {outcome: {result: Failed}}`), noSecond),
		late("report another outcome, by server-side apply", succeeded, bot, byApply(`spec: {outcome: {result: Failed}}`), noSecond),
		late("add to an outcome", succeeded, bot, byMerge(`spec: {outcome: {message: but not quite}}`), noSecond),
		late("take an outcome back", succeeded, bot, byMerge(`spec: {outcome: null}`), noSecond),
		late("replace another's outcome", succeeded, bob, byMerge(`spec: {outcome: {result: Failed}}`), noSecond),
	}
}

// late is what comes after the decision, or is not the author's to say.
func late(name string, prepare func(context.Context, *scene), who func(*scene) person, do change, want inEach) *attack {
	return &attack{
		number: 9, name: name, prepare: prepare,
		attempt: func(ctx context.Context, s *scene) error { return do(ctx, s, who(s)) },
		up:      want.up, down: want.down, deleted: want.deleted,
	}
}

func verdict(changes ...func(*v1alpha1.Approval)) change {
	return func(ctx context.Context, s *scene, by person) error { return s.write(ctx, by, changes...) }
}
