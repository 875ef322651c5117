// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	shipped "github.com/ow-kai/ascend-operator/config"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// The webhook concerns a kind that does not exist, so it hinders no other spec.
const guardedWebhooks = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guarded}
webhooks:
- name: guarded.example.com
  clientConfig: {url: "https://127.0.0.1:1/"}
  rules: [{apiGroups: [nothing.example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings], scope: "*"}]
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
`

var _ = Describe("The guard of admission", Serial, func() {
	var (
		w    world
		done *running
	)

	// watch starts an operator with this guard.
	watch := func(ctx SpecContext, guard *controllers.AdmissionGuard) {
		GinkgoHelper()
		w = newWorld(ctx)
		alone()
		guard.Interval = 50 * time.Millisecond
		done = start(settings{guard: guard})
		DeferCleanup(done.stop)
		w.apply(ctx, agentInSandbox)
	}

	It("raises the alarm when a webhook configuration is deleted or weakened, and ends it when it is repaired", func(ctx SpecContext) {
		configuration := decode(guardedWebhooks)
		install(ctx, configuration)
		watch(ctx, controllers.NewAdmissionGuard(configuration))
		Expect(readyReason(ctx, w)).To(Equal(v1alpha1.ReasonReady))
		Expect(enforced("ValidatingWebhookConfiguration/guarded")).To(BeEquivalentTo(1))
		Expect(done.alarms()).To(BeEmpty(), "all is well")

		By("deleted")
		Expect(api.Delete(ctx, decode(guardedWebhooks))).To(Succeed())
		Eventually(readyReason).WithArguments(ctx, w).Should(Equal(v1alpha1.ReasonAdmissionNotEnforced))
		Expect(enforced("ValidatingWebhookConfiguration/guarded")).To(BeZero())
		Expect(done.alarms()).To(HaveExactElements(And(
			HaveField("Event", audit.EventNotEnforced),
			HaveField("Reason", v1alpha1.ReasonAdmissionNotEnforced),
			HaveField("Message", And(
				ContainSubstring("ValidatingWebhookConfiguration/guarded: it is missing"),
				ContainSubstring("kubectl apply --server-side --force-conflicts -k config/default"))))))
		By("an agent that comes now is not ready either, and one that is suspended says that first")
		w.apply(ctx, "kind: Agent\nmetadata: {name: late}\nspec: {environment: sandbox}")
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		Expect(readyReason(ctx, w)).To(Equal(v1alpha1.ReasonSuspended))
		w.edit(ctx, "Agent", "agent", `spec: {state: Active}`)
		Expect(readyReason(ctx, w)).To(Equal(v1alpha1.ReasonAdmissionNotEnforced))

		By("repaired")
		install(ctx, configuration)
		Eventually(readyReason).WithArguments(ctx, w).Should(Equal(v1alpha1.ReasonReady))
		Expect(enforced("ValidatingWebhookConfiguration/guarded")).To(BeEquivalentTo(1))
		Expect(done.alarms()).To(HaveExactElements(
			HaveField("Event", audit.EventNotEnforced), HaveField("Event", audit.EventEnforced)))

		By("a namespace exempted")
		Expect(api.Patch(ctx, decode(guardedWebhooks), client.RawPatch("application/json-patch+json",
			[]byte(`[{"op": "add", "path": "/webhooks/0/namespaceSelector", "value": {"matchLabels": {"a": "b"}}}]`)))).To(Succeed())
		Eventually(done.alarms).Should(HaveLen(3))
		Expect(done.alarms()[2].Message).To(ContainSubstring("webhook guarded.example.com: namespaceSelector leaves out namespaces: a=b"))
	})

	It("finds what is shipped, as the API server keeps it, to be as it was shipped, and misses each object of it", func(ctx SpecContext) {
		webhooks, err := shipped.Webhooks()
		Expect(err).NotTo(HaveOccurred())
		policies, err := shipped.AdmissionPolicies()
		Expect(err).NotTo(HaveOccurred())
		all := slices.Concat(webhooks, policies)
		cluster := &dryRun{Reader: api, objects: all}
		guard := controllers.NewAdmissionGuard(all...)
		guard.Live = cluster
		watch(ctx, guard)

		By("webhooks without caBundle refuse everything, which weakens nothing; the metric tells")
		Expect(readyReason(ctx, w)).To(Equal(v1alpha1.ReasonReady))
		Expect(done.alarms()).To(BeEmpty())
		for _, object := range all {
			want := 1.0
			if slices.Contains(webhooks, object) {
				want = 0
			}
			Expect(enforced(object.GetKind()+"/"+object.GetName())).To(Equal(want), object.GetName())
		}
		By("each of them gone")
		for n, object := range all {
			cluster.remove(n)
			Eventually(done.alarms).Should(HaveLen(n + 1))
			Expect(done.alarms()[n].Message).To(ContainSubstring(object.GetKind() + "/" + object.GetName() + ": it is missing"))
			Expect(enforced(object.GetKind() + "/" + object.GetName())).To(BeZero())
		}
	})

	It("keeps the alarm as it is while it cannot look, and counts what it may not read as not enforced", func(ctx SpecContext) {
		configuration := decode(guardedWebhooks)
		cluster := &dryRun{Reader: api, objects: []*unstructured.Unstructured{configuration}}
		guard := controllers.NewAdmissionGuard(configuration)
		guard.Live = cluster
		watch(ctx, guard)
		cluster.fail(errLost)
		Consistently(done.alarms).WithTimeout(300 * time.Millisecond).Should(BeEmpty())
		cluster.fail(apierrors.NewForbidden(schema.GroupResource{Resource: "validatingwebhookconfigurations"}, "guarded", nil))
		Eventually(done.alarms).Should(HaveExactElements(HaveField("Message", ContainSubstring("may not read it"))))
		cluster.fail(errLost)
		Consistently(done.alarms).WithTimeout(300 * time.Millisecond).Should(HaveLen(1))
		cluster.fail(nil)
		Eventually(done.alarms).Should(HaveLen(2))
	})
})

// dryRun reads objects as the API server would keep them, if they were created,
// for in it they would hinder other specs.
type dryRun struct {
	client.Reader
	mu      sync.Mutex
	objects []*unstructured.Unstructured
	err     error
	missing int // so many of the first
}

func (d *dryRun) remove(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.missing = n + 1
}

func (d *dryRun) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *dryRun) Get(ctx context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	for _, object := range d.objects[d.missing:] {
		live, isUnstructured := into.(*unstructured.Unstructured)
		if isUnstructured && object.GetName() == key.Name && object.GroupVersionKind() == live.GroupVersionKind() {
			object.DeepCopyInto(live)
			err := api.Create(ctx, live, client.DryRunAll)
			live.SetUID("dry-run") // a new one each, as if it was created again and again
			return err
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

func decode(text string) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(text), &object.Object)).To(Succeed())
	return object
}

// install creates an object of the cluster for the time of the spec.
func install(ctx context.Context, object *unstructured.Unstructured) {
	GinkgoHelper()
	Expect(api.Create(ctx, object.DeepCopy())).To(Succeed())
	DeferCleanup(func() {
		Expect(client.IgnoreNotFound(api.Delete(context.WithoutCancel(ctx), object.DeepCopy()))).To(Succeed())
	})
}

// alarms are the records about the enforcement of admission, oldest first.
func (t *trail) alarms() []audit.Record {
	var found []audit.Record
	for _, r := range t.all()[""] {
		if r.Event == audit.EventNotEnforced || r.Event == audit.EventEnforced {
			found = append(found, r)
		}
	}
	return found
}

// enforced reads the metric.
func enforced(configuration string) float64 {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "ascend_admission_enforced" && metric.GetLabel()[0].GetValue() == configuration {
				return metric.GetGauge().GetValue()
			}
		}
	}
	Fail("ascend_admission_enforced does not speak of " + configuration)
	return 0
}
