// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

var _ = Describe("An action that is submitted", func() {
	It("is stamped with who asks, sealed, and named", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.ask()
		action.Spec.Requester = &v1alpha1.Requester{Username: "somebody-else"}
		Expect(d.bot.Create(ctx, action)).To(Succeed())
		Expect(action.Name).To(MatchRegexp(`^act-[a-z0-9]{10}$`))
		Expect(action.Spec.Requester.Username).To(Equal("bot"))
		Expect(action.Spec.Requester.UID).To(Equal("uid-bot"))
		Expect(action.Spec.Requester.Groups).To(ConsistOf(v1alpha1.UserName("system:authenticated")))
		Expect(d.bot.warnings()).To(ContainElement(ContainSubstring("spec.requester is written by the operator: you are bot")))
		vouched, err := voucher.Sealed{Ring: func() *seal.Ring { return ring }}.Vouch(action)
		Expect(err).NotTo(HaveOccurred())
		Expect(vouched.Refusal).To(BeEmpty())
	})

	It("is of an agent that was created a moment before", func(ctx SpecContext) {
		d := newDesk(ctx)
		for range 10 { // the watch cannot be faster every time
			agent := document("Agent", d.namespace, "", deskAgent)
			agent.SetGenerateName("new-")
			Expect(api.Create(ctx, agent)).To(Succeed())
			action := d.ask()
			action.Spec.AgentRef.Name = v1alpha1.ObjectName(agent.GetName())
			Expect(d.bot.Create(ctx, action)).To(Succeed())
		}
	})

	It("costs one call of a webhook, and its decision none", Serial, func(ctx SpecContext) {
		d := newDesk(ctx)
		before := webhookCalls(ctx)
		action := d.pending(ctx) // created by the agent, its status written by the operator
		Expect(webhookCalls(ctx) - before).To(Equal(1))
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Expect(webhookCalls(ctx) - before).To(Equal(2))
	})

	DescribeTable("is refused, with the reason, what to do, and a record", func(ctx SpecContext, by string, change func(*v1alpha1.AgentAction), code int, reason string, says ...string) {
		d := newDesk(ctx)
		grant(ctx, d.namespace, "zoe", []string{"create"}, "agentactions")
		action := d.ask()
		change(action)
		err := as(by).Create(ctx, action)
		Expect(err).To(HaveOccurred())
		for _, words := range says {
			Expect(err.Error()).To(ContainSubstring(words))
		}
		status := (*apierrors.StatusError)(nil)
		Expect(errors.As(err, &status)).To(BeTrue())
		Expect(int(status.Status().Code)).To(Equal(code))
		Expect(apierrors.HasStatusCause(err, metav1.CauseType(reason))).To(BeTrue(), "%v", status.Status().Details)
		Expect(d.refusedFor(by, reason)).To(HaveLen(1))
		var list v1alpha1.AgentActionList
		Expect(api.List(ctx, &list, client.InNamespace(d.namespace))).To(Succeed())
		Expect(list.Items).To(BeEmpty())
	},
		Entry("by somebody who is no subject", "zoe", func(*v1alpha1.AgentAction) {}, 403, "NotASubject", "zoe may not submit actions in the name of agent agent", "spec.subjects", "kubectl edit agent agent"),
		Entry("for an agent that is not there", "bot", func(a *v1alpha1.AgentAction) { a.Spec.AgentRef.Name = "nobody" }, 422, "AgentNotFound", `there is no agent "nobody"`, "kubectl get agents"),
		Entry("for a type the agent may not ask for", "bot", func(a *v1alpha1.AgentAction) { a.Spec.ActionType = "shell" }, 403, "ActionTypeNotAllowed", "spec.allowedActionTypes"),
		Entry("with parameters over the limit", "bot", func(a *v1alpha1.AgentAction) {
			a.Spec.Parameters.Raw = []byte(`{"x":"` + strings.Repeat("a", 70_000) + `"}`)
		}, 422, "InvalidRequest", "spec.parameters", "the limit is 65536 (64 KiB)", "submit a reference"),
		Entry("nested too deep", "bot", func(a *v1alpha1.AgentAction) {
			a.Spec.Context = &runtime.RawExtension{Raw: []byte(strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33))}
		}, 422, "InvalidRequest", "spec.context is nested 33 levels deep, the limit is 32"),
		Entry("with approvals", "bot", func(a *v1alpha1.AgentAction) {
			a.Spec.Approvals = []v1alpha1.Approval{{Verdict: v1alpha1.VerdictApprove, Approver: "alice", Stage: "review"}}
		}, 422, "InvalidRequest", "cannot be submitted with approvals", "kubectl approve"),
		Entry("owned by something", "bot", func(a *v1alpha1.AgentAction) {
			a.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "1"}}
		}, 422, "InvalidRequest", "metadata.ownerReferences"),
		Entry("with a finalizer", "bot", func(a *v1alpha1.AgentAction) { a.Finalizers = []string{"example.com/mine"} }, 422, "InvalidRequest", "metadata.finalizers"),
	)

	It("is refused when the agent is suspended, as soon as it is", func(ctx SpecContext) {
		d := newDesk(ctx)
		agent := document("Agent", d.namespace, "agent", "{}")
		Expect(api.Patch(ctx, agent, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"state":"Suspended"}}`)))).To(Succeed())
		Eventually(func() v1alpha1.AgentState {
			return store.Snapshot().Agent(d.namespace, "agent").Object().Spec.State
		}).Should(Equal(v1alpha1.AgentSuspended))
		Expect(d.bot.Create(ctx, d.ask())).To(MatchError(ContainSubstring("agent agent is suspended")))
		Expect(d.refusedFor("bot", v1alpha1.ReasonAgentSuspended)).To(HaveLen(1))
	})

	It("is refused beyond the rate limit, with 429 and when to come again; a dry run counts for nothing", func(ctx SpecContext) {
		d := newDesk(ctx)
		d.add(ctx, "Agent", "slow", `{environment: sandbox, subjects: [{kind: User, name: bot}], rateLimit: {perDay: 3}}`)
		submit := func(options ...client.CreateOption) error {
			action := d.ask()
			action.Spec.AgentRef.Name = "slow"
			return d.bot.Create(ctx, action, options...)
		}
		for range 5 {
			Expect(submit(client.DryRunAll)).To(Succeed())
		}
		for range 3 {
			Expect(submit()).To(Succeed())
		}
		status, header := post(ctx, d, "slow")
		Expect(status).To(Equal(http.StatusTooManyRequests))
		Expect(header.Get("Retry-After")).To(MatchRegexp(`^[1-9][0-9]*$`))
		Expect(d.refusedFor("bot", "RateLimited")).To(HaveLen(1))
		Expect(submit(client.DryRunAll)).To(Succeed(), "a dry run submits nothing")
	})

	It("is sealed as a dry run so that the answer is worth nothing", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.ask()
		Expect(d.bot.Create(ctx, action, client.DryRunAll)).To(Succeed())
		Expect(action.Spec.Requester.Seal).To(HavePrefix("v1.00000000."))
		vouched, err := voucher.Sealed{Ring: func() *seal.Ring { return ring }}.Vouch(action)
		Expect(err).NotTo(HaveOccurred())
		Expect(vouched.Refusal).To(ContainSubstring("its seal is by a key that is not known: 00000000"))
	})
})

// post creates an action without client-go's own patience, and returns the
// answer's code and header.
func post(ctx context.Context, d *desk, agent string) (int, http.Header) {
	GinkgoHelper()
	own := configOf("bot", "system:authenticated")
	transport, err := rest.TransportFor(own)
	Expect(err).NotTo(HaveOccurred())
	body := strings.NewReader(`{"apiVersion":"governance.ascendowkai.com/v1alpha1","kind":"AgentAction","metadata":{"generateName":"act-"},"spec":{"agentRef":{"name":"` + agent + `"},"actionType":"database_read"}}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(own.Host, "/")+"/apis/governance.ascendowkai.com/v1alpha1/namespaces/"+d.namespace+"/agentactions", body)
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Content-Type", "application/json")
	answer, err := transport.RoundTrip(req)
	Expect(err).NotTo(HaveOccurred())
	Expect(answer.Body.Close()).To(Succeed())
	return answer.StatusCode, answer.Header
}

// webhookCalls is how many calls the API server has made to webhooks, by its own
// count.
func webhookCalls(ctx context.Context) int {
	GinkgoHelper()
	plain, err := rest.UnversionedRESTClientFor(withoutCodec(config))
	Expect(err).NotTo(HaveOccurred())
	text, err := plain.Get().AbsPath("/metrics").DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	total := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "apiserver_admission_webhook_request_total{") {
			continue
		}
		count, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
		Expect(err).NotTo(HaveOccurred())
		total += int(count)
	}
	return total
}

func withoutCodec(from *rest.Config) *rest.Config {
	own := rest.CopyConfig(from)
	own.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return own
}
