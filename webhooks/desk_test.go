// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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

// replaceWorkflow changes the workflow, and waits until the webhooks know.
func (d *desk) replaceWorkflow(ctx context.Context, spec string) {
	GinkgoHelper()
	before := store.Snapshot().Namespace(d.namespace).Workflows.Get("people")
	workflow := document("ApprovalWorkflow", d.namespace, "people", "{}")
	Expect(api.Patch(ctx, workflow, client.RawPatch(types.MergePatchType, []byte(`{"spec":`+spec+`}`)))).To(Succeed())
	Eventually(func() any { return store.Snapshot().Namespace(d.namespace).Workflows.Get("people") }).ShouldNot(Equal(before))
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
