// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"cmp"
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Whoever reaches the port of the webhooks can ask them in the API server's
// place, unless it has to show a certificate. So before the record is kept of
// something that is let through, the API server is asked whether it can be true.

// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

// stored reads the action that a request speaks of, which has no name where a
// collection is deleted. It fails where there is none, another one of that name,
// or another version of it.
func (h *actionHandler) stored(ctx context.Context, req *admission.Request, old *v1alpha1.AgentAction) (*v1alpha1.AgentAction, error) {
	namespace, name := req.Namespace, cmp.Or(req.Name, old.Name)
	live := &v1alpha1.AgentAction{}
	err := h.options.Live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, live)
	switch {
	case apierrors.IsNotFound(err):
		return nil, conflict(whyMoved, "there is no action %s in namespace %s any more; look: kubectl get agentactions -n %s", shown(name), namespace, namespace)
	case err != nil:
		return nil, notReady("the action cannot be read now: %v; try again", err)
	case live.UID != old.UID:
		return nil, conflict(whyMoved, "action %s is not the one that this is about: its uid is %s, not %s; look again: ascend explain %s -n %s",
			name, live.UID, shown(string(old.UID)), name, namespace)
	case live.ResourceVersion != old.ResourceVersion:
		return nil, stale(live.ResourceVersion, old.ResourceVersion)
	}
	return live, nil
}

// terminating says whether a namespace is being deleted.
func terminating(ctx context.Context, live client.Reader, name string) (bool, error) {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := live.Get(ctx, types.NamespacedName{Name: name}, namespace); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return namespace.DeletionTimestamp != nil, nil
}
