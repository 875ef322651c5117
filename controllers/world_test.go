// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Policy that many specs begin with.
const (
	// agentInSandbox may ask for anything.
	agentInSandbox = `
kind: Agent
metadata: {name: agent}
spec: {environment: sandbox, subjects: [{kind: ServiceAccount, namespace: shop, name: agent}]}
`
	autoApproveToMedium = `
kind: ApprovalWorkflow
metadata: {name: auto}
spec: {selector: {riskLevels: [Low, Medium]}, autoApprove: true}
`
	twoOfThree = `
kind: ApprovalWorkflow
metadata: {name: people}
spec:
  selector: {riskLevels: [High, Critical]}
  stages:
  - name: review
    approvers: {users: [alice, bob, carol]}
    required: 2
`
)

// What agents ask for. In a sandbox the first scores 2.1, Low, and the second
// 7.2, High.
const (
	readCategories = `{actionType: database_read, parameters: {table: product_categories, data_classification: public}}`
	updateCustomer = `{actionType: database_write, parameters: {table: customers, operation: UPDATE, data_classification: pii, affected_rows: 1}}`
)

// world is a namespace of its own.
type world struct{ namespace string }

func newWorld(ctx context.Context) world {
	GinkgoHelper()
	return world{createNamespace(ctx, "")}
}

// createNamespace creates one of that name, or of a new one.
func createNamespace(ctx context.Context, name string) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if name == "" {
		namespace.GenerateName = "spec-"
	}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	return namespace.Name
}

// apply creates the objects and waits until the operator says whether each is
// Ready, for then it decides by them.
func (w world) apply(ctx context.Context, documents ...string) {
	GinkgoHelper()
	for _, object := range w.create(ctx, documents...) {
		w.awaitReady(ctx, object)
	}
}

// create creates the objects.
func (w world) create(ctx context.Context, documents ...string) []*unstructured.Unstructured {
	GinkgoHelper()
	var created []*unstructured.Unstructured
	for document := range strings.SplitSeq(strings.Join(documents, "\n---\n"), "\n---\n") {
		object := parse(document)
		if object.GetNamespace() == "" && object.GetKind() != "RiskModel" {
			object.SetNamespace(w.namespace)
		}
		Expect(api.Create(ctx, object, client.FieldValidation(metav1.FieldValidationStrict))).To(Succeed())
		if object.GetNamespace() != w.namespace {
			DeferCleanup(func() {
				Expect(client.IgnoreNotFound(api.Delete(context.WithoutCancel(ctx), object))).To(Succeed())
			})
		}
		created = append(created, object)
	}
	return created
}

func parse(document string) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed(), document)
	object.SetAPIVersion(v1alpha1.GroupVersion.String())
	return object
}

// awaitReady waits until the Ready condition speaks of the object's generation.
func (w world) awaitReady(ctx context.Context, object *unstructured.Unstructured) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(api.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
		g.Expect(observed).To(Equal(object.GetGeneration()), "%s %s", object.GetKind(), object.GetName())
	}).WithContext(ctx).Should(Succeed())
}

// edit changes the spec of an object and waits until the operator has seen it.
func (w world) edit(ctx context.Context, kind, name, patch string) {
	GinkgoHelper()
	object := parse("kind: " + kind)
	object.SetNamespace(w.namespace)
	object.SetName(name)
	merge, err := yaml.YAMLToJSON([]byte(patch))
	Expect(err).NotTo(HaveOccurred())
	Expect(api.Patch(ctx, object, client.RawPatch("application/merge-patch+json", merge))).To(Succeed())
	w.awaitReady(ctx, object)
}

// remove deletes an object.
func (w world) remove(ctx context.Context, kind, name string) {
	GinkgoHelper()
	object := parse("kind: " + kind)
	object.SetNamespace(w.namespace)
	object.SetName(name)
	Expect(api.Delete(ctx, object)).To(Succeed())
}

// action is an AgentAction by the agent "agent", whose spec is that of the
// document.
func (w world) action(document string) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, GenerateName: "act-"}}
	action.Spec.AgentRef.Name = "agent"
	Expect(yaml.UnmarshalStrict([]byte(document), &action.Spec)).To(Succeed(), document)
	for _, object := range []*runtime.RawExtension{action.Spec.Parameters, action.Spec.Context} {
		if object != nil {
			Expect(object.Raw).NotTo(BeEmpty())
		}
	}
	return action
}

// submit asks for an action.
func (w world) submit(ctx context.Context, document string) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := w.action(document)
	Expect(api.Create(ctx, action)).To(Succeed())
	return action
}

// status reads the action anew, for Eventually and Expect.
func status(ctx context.Context, action *v1alpha1.AgentAction) func() (v1alpha1.AgentActionStatus, error) {
	return func() (v1alpha1.AgentActionStatus, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(action), action)
		return action.Status, err
	}
}

// expectDecision waits for a decision and returns the status that has it.
func expectDecision(ctx context.Context, action *v1alpha1.AgentAction, decision v1alpha1.Decision, reason string) v1alpha1.AgentActionStatus {
	GinkgoHelper()
	Eventually(status(ctx, action)).WithContext(ctx).Should(And(HaveField("Decision", decision), HaveField("Reason", reason)))
	return action.Status
}

// judge adds a verdict to the waiting stage, with the stamps that admission
// gives it.
func judge(ctx context.Context, action *v1alpha1.AgentAction, verdict v1alpha1.Verdict, approver, comment string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
		g.Expect(action.Status.Approval).NotTo(BeNil())
		now := metav1.NewMicroTime(time.Now().UTC())
		entry := v1alpha1.Approval{
			Verdict: verdict, Approver: approver, Comment: comment,
			Stage: action.Status.Approval.Stage, Time: &now,
			SpecDigest: action.Status.SpecDigest, WorkflowRevision: action.Status.Approval.Revision,
		}
		if verdict == v1alpha1.VerdictOverride {
			entry.Stage = v1alpha1.OverrideStage
		}
		action.Spec.Approvals = append(action.Spec.Approvals, entry)
		g.Expect(api.Update(ctx, action)).To(Succeed())
	}).WithContext(ctx).Should(Succeed())
}

func approve(ctx context.Context, action *v1alpha1.AgentAction, approver string) {
	GinkgoHelper()
	judge(ctx, action, v1alpha1.VerdictApprove, approver, "")
}

// eventsOn are the Events about an object, as "Type Reason: note".
func eventsOn(ctx context.Context, object client.Object) func() ([]string, error) {
	return func() ([]string, error) {
		var list eventsv1.EventList
		if err := api.List(ctx, &list, client.InNamespace(object.GetNamespace())); err != nil {
			return nil, err
		}
		var found []string
		for _, e := range list.Items {
			if e.Regarding.UID == object.GetUID() {
				found = append(found, fmt.Sprintf("%s %s: %s", e.Type, e.Reason, e.Note))
			}
		}
		return found, nil
	}
}
