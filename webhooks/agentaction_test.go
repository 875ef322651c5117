// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// desk is a namespace with an agent, its requester, and a workflow that two of
// the group security have to pass.
type desk struct {
	namespace string
	bot       *person
	alice     *person
}

const deskAgent = `{environment: sandbox, owner: olga, subjects: [{kind: User, name: bot}], allowedActionTypes: ["database_*"]}`

func newDesk(ctx context.Context) *desk {
	GinkgoHelper()
	d := &desk{namespace: newNamespace(ctx), bot: as("bot"), alice: as("alice", "security")}
	grant(ctx, d.namespace, "bot", []string{"create", "get", "patch", "update", "delete", "deletecollection"}, "agentactions")
	for _, name := range []string{"alice", "bob", "zoe"} {
		grant(ctx, d.namespace, name, []string{"get", "patch", "update"}, "agentactions")
	}
	for _, name := range []string{"alice", "bob"} {
		grant(ctx, d.namespace, name, []string{"approve", "override"}, "approvalworkflows")
	}
	d.add(ctx, "Agent", "agent", deskAgent)
	d.add(ctx, "ApprovalWorkflow", "people", `{selector: {riskLevels: [Low, Medium, High, Critical]}, requireComment: false,
  stages: [{name: review, required: 2, approvers: {groups: [security]}}], emergencyOverride: {approvers: {groups: [security]}, required: 2}}`)
	Eventually(func() bool {
		namespace := store.Snapshot().Namespace(d.namespace)
		return namespace.Agents["agent"] != nil && namespace.Workflows.Get("people") != nil && namespace.Object != nil
	}).Should(BeTrue())
	return d
}

func (d *desk) add(ctx context.Context, kind, name, spec string) {
	GinkgoHelper()
	Expect(api.Create(ctx, document(kind, d.namespace, name, spec))).To(Succeed())
}

// ask is what the agent asks, not yet submitted.
func (d *desk) ask() *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, GenerateName: "act-"}}
	action.Spec.AgentRef.Name = "agent"
	action.Spec.ActionType = "database_read"
	action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(`{"table":"orders"}`)}
	return action
}

// pending is an action that waits for people, as the operator leaves it.
func (d *desk) pending(ctx context.Context) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := d.ask()
	Expect(d.bot.Create(ctx, action)).To(Succeed())
	d.evaluate(ctx, action)
	Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
	return action
}

// evaluate writes the status that the operator would write now.
func (d *desk) evaluate(ctx context.Context, action *v1alpha1.AgentAction) {
	GinkgoHelper()
	Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
	vouched, err := voucher.Sealed{Ring: func() *seal.Ring { return ring }}.Vouch(action)
	Expect(err).NotTo(HaveOccurred())
	Expect(vouched.Refusal).To(BeEmpty())
	Expect(vouched.Forged).To(BeEmpty())
	asked, err := request.Read(action, vouched.Requester, vouched.Approvals)
	Expect(err).NotTo(HaveOccurred())
	outcome, err := decision.Decide(ctx, store.Snapshot(), asked, &action.Status, time.Now())
	Expect(err).NotTo(HaveOccurred())
	action.Status.Decision, action.Status.Reason, action.Status.Message = outcome.Decision, outcome.Reason, outcome.Message
	action.Status.Approval, action.Status.SpecDigest = outcome.Approval, outcome.SpecDigest
	operator := as(operatorName, "system:masters")
	Expect(operator.Status().Update(ctx, action)).To(Succeed())
}

// judge is what a person writes: a verdict, and whatever else the JSON has.
func judge(ctx context.Context, by *person, action *v1alpha1.AgentAction, entry string, options ...client.PatchOption) error {
	GinkgoHelper()
	current := &v1alpha1.AgentAction{}
	Expect(api.Get(ctx, client.ObjectKeyFromObject(action), current)).To(Succeed())
	patch := `[{"op":"add","path":"/spec/approvals","value":[` + entry + `]}]`
	if len(current.Spec.Approvals) > 0 {
		patch = `[{"op":"add","path":"/spec/approvals/-","value":` + entry + `}]`
	}
	err := by.Patch(ctx, current, client.RawPatch(types.JSONPatchType, []byte(patch)), options...)
	if err == nil {
		*action = *current
	}
	return err
}

const yes = `{"verdict":"Approve"}`

// refusedFor finds the record of a refusal.
func (d *desk) refusedFor(actor, reason string) []audit.Record {
	GinkgoHelper()
	var found []audit.Record
	for _, r := range records.of(d.namespace) {
		if r.Event == audit.EventRefused && r.Actor == actor && r.Reason == reason {
			found = append(found, r)
		}
	}
	return found
}

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

var _ = Describe("A verdict", func() {
	It("is stamped, sealed, and counts; all that a person writes is the word", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		merge := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"approvals":[{"verdict":"Approve","comment":"fine"}]}}`))
		Expect(d.alice.Patch(ctx, action, merge)).To(Succeed())
		Expect(judge(ctx, as("bob", "security"), action, yes)).To(Succeed())
		Expect(action.Spec.Approvals).To(HaveLen(2))
		first := action.Spec.Approvals[0]
		Expect(first.Approver).To(Equal("alice"))
		Expect(first.UID).To(Equal("uid-alice"))
		Expect(first.As).To(Equal("group:security"))
		Expect(first.Stage).To(Equal("review"))
		Expect(first.Comment).To(Equal("fine"))
		Expect(first.SpecDigest).To(Equal(action.Status.SpecDigest))
		Expect(first.WorkflowRevision).To(Equal(action.Status.Approval.Revision))
		d.evaluate(ctx, action)
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionApproved), action.Status.Message)
	})

	It("may say what was seen, and is refused when that is not what is asked", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		for field, value := range map[string]string{"specDigest": "sha256:other", "workflowRevision": "sha256:other", "stage": "other"} {
			err := judge(ctx, d.alice, action, `{"verdict":"Approve","`+field+`":"`+value+`"}`)
			Expect(err).To(MatchError(And(ContainSubstring("other"), ContainSubstring("ascend explain"))), field)
		}
		Expect(judge(ctx, d.alice, action, `{"verdict":"Approve","stage":"review","specDigest":"`+action.Status.SpecDigest+`","workflowRevision":"`+action.Status.Approval.Revision+`"}`)).To(Succeed())
	})

	It("is not given on what has not been evaluated, or under workflows that have just changed", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.ask()
		Expect(d.bot.Create(ctx, action)).To(Succeed())
		err := judge(ctx, d.alice, action, yes)
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring("has not been evaluated yet")))

		d.evaluate(ctx, action)
		before := store.Snapshot().Namespace(d.namespace).Workflows.Get("people")
		workflow := document("ApprovalWorkflow", d.namespace, "people", "{}")
		Expect(api.Patch(ctx, workflow, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"timeout":"3h"}}`)))).To(Succeed())
		Eventually(func() any { return store.Snapshot().Namespace(d.namespace).Workflows.Get("people") }).ShouldNot(Equal(before))
		err = judge(ctx, d.alice, action, yes)
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring("have just changed")))
		d.evaluate(ctx, action)
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
	})

	It("leaves no trace as a dry run", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		tried := action.DeepCopy()
		Expect(judge(ctx, d.alice, tried, yes, client.DryRunAll)).To(Succeed())
		Expect(tried.Spec.Approvals).To(ConsistOf(HaveField("Seal", HavePrefix("v1.00000000."))))
		Expect(judge(ctx, as("zoe"), action.DeepCopy(), yes, client.DryRunAll)).NotTo(Succeed())
		Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
		Expect(action.Spec.Approvals).To(BeEmpty())
		Expect(records.of(d.namespace)).To(BeEmpty())
	})

	It("takes the place that a forged entry had taken", Serial, func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		now := metav1.NewMicroTime(time.Now().UTC().Truncate(time.Microsecond))
		unasked(ctx, func() {
			// The identity policy holds the name alone, and it is their own.
			entry := v1alpha1.Approval{
				Verdict: v1alpha1.VerdictApprove, Approver: "alice", UID: "uid-alice", As: "group:security", Stage: "review", Time: &now,
				SpecDigest: action.Status.SpecDigest, WorkflowRevision: action.Status.Approval.Revision, Seal: "v1.00000001." + strings.Repeat("A", 43),
			}
			forged := action.DeepCopy()
			forged.Spec.Approvals = []v1alpha1.Approval{entry}
			Expect(d.alice.Update(ctx, forged)).To(Succeed())
		})
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Expect(action.Spec.Approvals).To(HaveLen(2))
		Expect(action.Spec.Approvals[1].Stage).To(HavePrefix("review@"))
	})
})

// unasked does something while the API server asks no webhook about actions.
// Specs that use it are Serial.
func unasked(ctx context.Context, do func()) {
	GinkgoHelper()
	hooks := mutatingConfiguration(ctx)
	without := hooks.DeepCopy()
	without.Webhooks = nil
	Expect(api.Update(ctx, without)).To(Succeed())
	asked := func() string {
		return apiError(api.Create(ctx, document("AgentAction", v1alpha1.GlobalNamespace, "probe", `{agentRef: {name: nobody}, actionType: probe}`), client.DryRunAll))
	}
	Eventually(asked).ShouldNot(ContainSubstring("there is no agent"))
	defer func() {
		hooks.ResourceVersion = without.ResourceVersion
		Expect(api.Update(ctx, hooks)).To(Succeed())
		Eventually(asked).Should(ContainSubstring("there is no agent"))
	}()
	do()
}

var _ = Describe("Deletion", func() {
	It("takes the verb purge, one by one and all at once, and leaves a record", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		for _, err := range []error{
			d.bot.Delete(ctx, action.DeepCopy()),
			d.bot.DeleteAllOf(ctx, &v1alpha1.AgentAction{}, client.InNamespace(d.namespace)),
		} {
			Expect(err).To(MatchError(And(ContainSubstring("bot may not delete actions"), ContainSubstring("--verb=purge"))))
		}
		Expect(d.refusedFor("bot", "DeletionRefused")).To(HaveLen(2))
		Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())

		grant(ctx, d.namespace, "bot", []string{"purge"}, "agentactions")
		Expect(d.bot.Delete(ctx, action)).To(Succeed())
		purged := func(name string) gomegatypes.GomegaMatcher {
			return And(HaveField("Event", audit.EventPurged), HaveField("Actor", "bot"), HaveField("Name", name), HaveField("UID", Not(BeEmpty())))
		}
		Expect(records.of(d.namespace)).To(ContainElement(purged(action.Name)))
		two := []*v1alpha1.AgentAction{d.pending(ctx), d.pending(ctx)}
		before := len(records.of(d.namespace))
		Expect(d.bot.DeleteAllOf(ctx, &v1alpha1.AgentAction{}, client.InNamespace(d.namespace))).To(Succeed())
		Expect(records.of(d.namespace)[before:]).To(ConsistOf(purged(two[0].Name), purged(two[1].Name)), "one record each, and no other")
	})

	It("of what is not stored leaves no record, whoever asks the webhook for it", func(ctx SpecContext) {
		d := newDesk(ctx)
		grant(ctx, d.namespace, "bot", []string{"purge"}, "agentactions")
		action := d.pending(ctx)
		action.UID = "made-up"
		Expect(ask(ctx, d, "/mutate-agentaction", action, "bot").Allowed).To(BeFalse())
		action.Name = "made-up"
		Expect(ask(ctx, d, "/mutate-agentaction", action, "bot").Allowed).To(BeFalse())
		Expect(ask(ctx, d, "/agentaction-gone", action, "system:serviceaccount:kube-system:namespace-controller").Allowed).To(BeTrue())
		Expect(records.of(d.namespace)).NotTo(ContainElement(HaveField("Event", BeElementOf(audit.EventPurged, audit.EventGone))))
	})
})

// ask sends a review of a deletion to the webhooks themselves, past the API
// server, as whoever reaches their port can who is asked for no certificate.
func ask(ctx context.Context, d *desk, path string, action *v1alpha1.AgentAction, user string) *admissionv1.AdmissionResponse {
	GinkgoHelper()
	raw, err := json.Marshal(action)
	Expect(err).NotTo(HaveOccurred())
	review := &admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "1", Operation: admissionv1.Delete, Namespace: d.namespace, Name: action.Name,
			UserInfo: authenticationv1.UserInfo{Username: user}, OldObject: runtime.RawExtension{Raw: raw},
		},
	}
	body, err := json.Marshal(review)
	Expect(err).NotTo(HaveOccurred())
	hook := mutatingConfiguration(ctx).Webhooks[0].ClientConfig
	base, _, _ := strings.Cut(*hook.URL, "/mutate-agentaction")
	transport, err := rest.TransportFor(&rest.Config{TLSClientConfig: rest.TLSClientConfig{CAData: hook.CABundle}})
	Expect(err).NotTo(HaveOccurred())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Content-Type", "application/json")
	answer, err := transport.RoundTrip(req)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(answer.Body.Close()).To(Succeed()) }()
	Expect(json.NewDecoder(answer.Body).Decode(review)).To(Succeed())
	return review.Response
}

func mutatingConfiguration(ctx context.Context) *admissionregistrationv1.MutatingWebhookConfiguration {
	GinkgoHelper()
	hooks := &admissionregistrationv1.MutatingWebhookConfiguration{}
	Expect(api.Get(ctx, client.ObjectKey{Name: "ascend-mutating-webhook-configuration"}, hooks)).To(Succeed())
	return hooks
}

func apiError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
