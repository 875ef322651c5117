// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The very last, for nothing of this project is left afterwards.
var uninstall = []*breakage{{
	number: 13, name: "(allowed) remove the kind, with all actions",
	try: removeKinds, word: "it goes, with all actions", other: "nothing is left for them",
	also: []row{{13, "(allowed) remove the kinds of policy, with nobody who answers for them", "they go, with all policy"}},
}}

// removeKinds removes the kinds as uninstalling does: that of actions while
// everything is in place that guards its objects, and those of policy once the
// operator is out of reach, so that none of their objects could be deleted by
// itself. It hangs on nothing.
func removeKinds(ctx context.Context, s *scene) {
	s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
	uninstalled(ctx, "agentactions")

	hooks := lab.configurations(ctx).validating
	for i := range hooks.Webhooks {
		hooks.Webhooks[i].ClientConfig.URL = at(hooks.Webhooks[i].ClientConfig.URL)
	}
	Expect(lab.admin.Update(ctx, &hooks)).To(Succeed())
	Eventually(func() error { return lab.admin.Delete(ctx, s.workflow("people"), client.DryRunAll) }).
		WithContext(ctx).Should(MatchError(ContainSubstring("failed calling webhook")))
	err := lab.admin.Delete(ctx, s.workflow("people"))
	Expect(err).To(MatchError(ContainSubstring("failed calling webhook")), "a deletion would leave no record")
	uninstalled(ctx, "smartrules", "approvalworkflows", "riskmodels", "webhooksubscriptions", "agents")
}

// uninstalled removes kinds and waits until they are gone.
func uninstalled(ctx context.Context, names ...string) {
	GinkgoHelper()
	for _, name := range names {
		kind := &unstructured.Unstructured{}
		kind.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		kind.SetName(name + "." + v1alpha1.GroupVersion.Group)
		Expect(lab.admin.Delete(ctx, kind)).To(Succeed())
		Eventually(func() error { return lab.admin.Get(ctx, client.ObjectKeyFromObject(kind), kind) }).
			WithContext(ctx).Should(MatchError(apierrors.IsNotFound, "not found"))
	}
}
