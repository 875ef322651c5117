// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

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
	try: removeKind, word: "it goes, with all actions", other: "nothing is left for them",
}}

// removeKind removes the kind as uninstalling does, while everything is in place
// that guards its objects. It hangs on nothing.
func removeKind(ctx context.Context, s *scene) {
	s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
	kind := &unstructured.Unstructured{}
	kind.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	kind.SetName("agentactions." + v1alpha1.GroupVersion.Group)
	Expect(lab.admin.Delete(ctx, kind)).To(Succeed())
	Eventually(func() error { return lab.admin.Get(ctx, client.ObjectKeyFromObject(kind), kind) }).
		WithContext(ctx).Should(MatchError(apierrors.IsNotFound, "not found"))
}
