// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

func init() { attacks = append(attacks, configurationAttacks...) }

// Who does not administer the cluster cannot touch admission; who does is seen.
var configurationAttacks = []*attack{
	noRight("delete the webhook configuration", func(s *scene) person { return s.mallory }, func(ctx context.Context, p person) error {
		return p.Delete(ctx, &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: mutating}})
	}),
	noRight("point the webhook elsewhere", func(s *scene) person { return s.as("adam") }, func(ctx context.Context, p person) error {
		return mergePatch(ctx, p, &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: validating}}, `webhooks: []`)
	}),
	noRight("delete an admission policy's binding", func(s *scene) person { return s.as("adam") }, func(ctx context.Context, p person) error {
		return p.Delete(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: identityBinding}})
	}),
	noRight("label the namespace", func(s *scene) person { return s.as("adam") }, func(ctx context.Context, p person) error {
		return mergePatch(ctx, p, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ascend-system"}}, `metadata: {labels: {exempt: "true"}}`)
	}),
}

// alarmAttack is what the mode deleted is itself.
var alarmAttack = &attack{
	number: 19, name: "(by who administers the cluster) delete the webhook configurations",
	attempt: func(context.Context, *scene) error { return nil },
	up:      not("it is the third mode"), down: not("it is the third mode"),
	deleted: without("the alarm is raised", func(ctx context.Context, s *scene) {
		alarm(ctx, s, "MutatingWebhookConfiguration/"+mutating+": it is missing", "ValidatingWebhookConfiguration/"+validating+": it is missing")
		Expect(enforced(ctx, "MutatingWebhookConfiguration", mutating)).To(Equal("0"))
		Expect(enforced(ctx, "ValidatingWebhookConfiguration", validating)).To(Equal("0"))
	}),
}

const identityBinding = "ascend-agentaction-identity"

func noRight(name string, who func(*scene) person, attempt func(context.Context, person) error) *attack {
	refused := refusedBy("RBAC", "forbidden", "cannot ")
	return &attack{
		number: 19, name: name,
		prepare: func(ctx context.Context, s *scene) { s.state["adam"] = s.with(ctx, "adam", "ascend-admin") },
		attempt: func(ctx context.Context, s *scene) error { return attempt(ctx, who(s)) },
		up:      refused, down: refused, deleted: refused,
	}
}

// enforced is the metric of one object of the configuration.
func enforced(ctx context.Context, kind, name string) string {
	GinkgoHelper()
	return lab.metric(ctx, fmt.Sprintf("ascend_admission_enforced{configuration=%q}", kind+"/"+name))
}

// alarm waits until the agents' condition says all of the words, and finds them
// in the audit trail and the log. It returns when the record was made.
func alarm(ctx context.Context, s *scene, words ...string) time.Time {
	GinkgoHelper()
	var last audit.Record
	Eventually(func(g Gomega) {
		ready := readyOf(s.agentObject(ctx).Status.Conditions)
		g.Expect(ready.Status).To(Equal(metav1.ConditionFalse))
		g.Expect(ready.Reason).To(Equal(v1alpha1.ReasonAdmissionNotEnforced))
		for _, word := range words {
			g.Expect(ready.Message).To(ContainSubstring(word))
		}
		g.Expect(ready.Message).To(ContainSubstring("Repair it with: kubectl apply"))
		for _, r := range slices.Backward(lab.records()) {
			if r.Event == audit.EventNotEnforced || r.Event == audit.EventEnforced {
				last = r
				break
			}
		}
		g.Expect(last.Event).To(Equal(audit.EventNotEnforced))
		for _, word := range words {
			g.Expect(last.Message).To(ContainSubstring(word))
			g.Expect(lab.logged("Admission is not enforced", strings.Trim(toJSON(word), `"`))).To(BeTrue(), "the log does not say %s", word)
		}
	}).WithContext(ctx).Should(Succeed())
	return last.Time
}

// inTime: the guard looks every 10 s, and may just have looked.
func inTime(changed, alarmed time.Time) {
	GinkgoHelper()
	Expect(alarmed).To(BeTemporally("<", changed.Add(2*controllers.GuardInterval)))
}

// calm waits until nothing is wrong any more.
func calm(ctx context.Context, s *scene) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(readyOf(s.agentObject(ctx).Status.Conditions).Status).To(Equal(metav1.ConditionTrue))
	}).WithContext(ctx).Should(Succeed())
	records := slices.DeleteFunc(lab.records(), func(r audit.Record) bool {
		return r.Event != audit.EventNotEnforced && r.Event != audit.EventEnforced
	})
	Expect(records).NotTo(BeEmpty())
	Expect(records[len(records)-1].Event).To(Equal(audit.EventEnforced))
}

func readyOf(conditions []metav1.Condition) metav1.Condition {
	for _, c := range conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c
		}
	}
	return metav1.Condition{}
}

const elsewhere = "it begins with all in place"

func bindingOf(ctx context.Context) *admissionregistrationv1.ValidatingAdmissionPolicyBinding {
	GinkgoHelper()
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{}
	Expect(lab.admin.Get(ctx, client.ObjectKey{Name: identityBinding}, binding)).To(Succeed())
	return binding
}

func restoreBinding(ctx context.Context, binding *admissionregistrationv1.ValidatingAdmissionPolicyBinding) {
	GinkgoHelper()
	again := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: binding.Name}, Spec: binding.Spec}
	Expect(client.IgnoreNotFound(lab.admin.Delete(ctx, again.DeepCopy()))).To(Succeed())
	Expect(lab.admin.Create(ctx, again)).To(Succeed())
}

// weakenOnce has admission hold less in three ways at once, and makes use of it.
func weakenOnce(ctx context.Context, s *scene) {
	Expect(mergePatch(ctx, lab.administrator(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, `metadata: {labels: {exempt: "true"}}`)).To(Succeed())
	c := lab.configurations(ctx)
	c.mutating.Webhooks, c.validating.Webhooks = lab.whole.mutating.DeepCopy().Webhooks, lab.whole.validating.DeepCopy().Webhooks
	for i := range c.mutating.Webhooks {
		c.mutating.Webhooks[i].NamespaceSelector = &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "exempt", Operator: metav1.LabelSelectorOpDoesNotExist}},
		}
	}
	ignore := admissionregistrationv1.Ignore
	c.validating.Webhooks[0].FailurePolicy = &ignore
	Expect(lab.admin.Update(ctx, &c.mutating)).To(Succeed())
	Expect(lab.admin.Update(ctx, &c.validating)).To(Succeed())
	Expect(lab.admin.Delete(ctx, bindingOf(ctx))).To(Succeed())

	changed := time.Now()

	forge(ctx, s)
	alarmed := alarm(ctx, s,
		"MutatingWebhookConfiguration/"+mutating+": webhook agentactions.governance.ascendowkai.com: namespaceSelector leaves out namespaces",
		"ValidatingWebhookConfiguration/"+validating+": webhook smartrules.governance.ascendowkai.com: failurePolicy is Ignore, not Fail",
		"ValidatingAdmissionPolicyBinding/"+identityBinding+": it is missing")
	inTime(changed, alarmed)
	Expect(enforced(ctx, "MutatingWebhookConfiguration", mutating)).To(Equal("0"))
	Expect(enforced(ctx, "ValidatingWebhookConfiguration", validating)).To(Equal("0"))
	Expect(enforced(ctx, "ValidatingAdmissionPolicyBinding", identityBinding)).To(Equal("0"))
	Expect(enforced(ctx, "ValidatingAdmissionPolicyBinding", "ascend-status")).To(Equal("1"))
}

// forge writes what nobody refuses any more, in the names of others, as soon as
// the API server acts by the configuration. None of it counts.
func forge(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.allow(ctx, s.mallory, "agentactions", "create")
	forged := s.ask(readOrders)
	forged.Spec.Requester = stampOf(ctx, s.agent)
	Eventually(func() error { return s.mallory.Create(ctx, forged) }).WithContext(ctx).Should(Succeed())
	s.awaitDecision(ctx, forged, v1alpha1.DecisionDenied)
	Expect(forged.Status.Reason).To(Equal(v1alpha1.ReasonNotAdmitted))
	Expect(forged.Status.Message).To(ContainSubstring("submit it again"))

	for _, name := range []string{"alice", "bob"} {
		entry := map[string]any{
			"verdict": "Approve", "approver": name, "as": "group:security", "stage": "review", "time": "2026-01-02T03:04:05.000006Z",
			"specDigest": s.action.Status.SpecDigest, "workflowRevision": s.action.Status.Approval.Revision,
			"seal": "v1.00000000." + strings.Repeat("A", 43),
		}
		Eventually(func() error {
			now := s.fresh(ctx)
			return jsonPatch(ctx, s.mallory, now, fmt.Sprintf(`[{"op":"add","path":"/spec/approvals%s","value":%s}]`, end(now), list(now, toJSON(entry))))
		}).WithContext(ctx).Should(Succeed())
	}
	Eventually(func(g Gomega) {
		now := s.fresh(ctx)
		g.Expect(now.Status.Approval.Uncounted).To(ConsistOf(HaveField("Approver", "alice"), HaveField("Approver", "bob")))
		g.Expect(now.Status.Approval.Uncounted).To(HaveEach(HaveField("Reason", ContainSubstring("kubectl approve"))))
		g.Expect(now.Status.Decision).To(Equal(v1alpha1.DecisionPending))
		g.Expect(now.Status.Approval.Granted).To(BeZero())
	}).WithContext(ctx).Should(Succeed())
}

// weakenTwice goes on from there, in other ways.
func weakenTwice(ctx context.Context, s *scene, binding *admissionregistrationv1.ValidatingAdmissionPolicyBinding) {
	c := lab.configurations(ctx)
	c.mutating.Webhooks = lab.whole.mutating.DeepCopy().Webhooks
	c.mutating.Webhooks[0].MatchConditions = append(c.mutating.Webhooks[0].MatchConditions,
		admissionregistrationv1.MatchCondition{Name: "not-mallory", Expression: `request.userInfo.username != "mallory"`})
	Expect(lab.admin.Update(ctx, &c.mutating)).To(Succeed())
	Expect(lab.admin.Delete(ctx, &c.validating)).To(Succeed())
	audits := binding.DeepCopy()
	audits.Spec.ValidationActions = []admissionregistrationv1.ValidationAction{admissionregistrationv1.Audit}
	restoreBinding(ctx, audits)
	inTime(time.Now(), alarm(ctx, s,
		"matchConditions leave out requests: not-mallory is not as shipped",
		"ValidatingWebhookConfiguration/"+validating+": it is missing",
		"ValidatingAdmissionPolicyBinding/"+identityBinding+": spec.validationActions is [Audit], without Deny"))
}
