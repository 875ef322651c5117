// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"strings"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The very last, for nothing of this project is left afterwards.
var uninstall = []*breakage{{
	number: 13, name: "(allowed) remove the kinds, with all actions",
	try: removeKinds, word: "they go", other: "nothing is left for them",
}}

// removeKinds removes the kinds while everything is in place that guards their
// objects. It hangs on nothing.
func removeKinds(ctx context.Context, s *scene) {
	s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
	for _, kind := range kinds {
		Expect(lab.admin.Delete(ctx, definition(kind))).To(Succeed(), kind)
	}
	for _, kind := range kinds {
		Eventually(func() error {
			gone := definition(kind)
			return lab.admin.Get(ctx, client.ObjectKeyFromObject(gone), gone)
		}).WithContext(ctx).Should(MatchError(apierrors.IsNotFound, "not found"), kind)
	}
}

func definition(kind string) *unstructured.Unstructured {
	out := &unstructured.Unstructured{}
	out.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	out.SetName(strings.ToLower(kind) + "s." + v1alpha1.GroupVersion.Group)
	return out
}
