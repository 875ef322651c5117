// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// maxConditionMessage is shorter than the schema's limit, for people read it.
const maxConditionMessage = 4096

// readiness is what the Ready condition of an object is to say.
type readiness struct {
	status  metav1.ConditionStatus
	reason  string
	message string
}

func ready(message string) readiness {
	return readiness{metav1.ConditionTrue, v1alpha1.ReasonReady, message}
}

func notReady(reason, message string) readiness {
	return readiness{metav1.ConditionFalse, reason, message}
}

// standing is where an object keeps its conditions.
type standing struct {
	conditions         *[]metav1.Condition
	observedGeneration *int64
}

// writeReadiness sets the Ready condition of an object that may be changed,
// and writes it if that changes anything. An object that has changed meanwhile
// is looked at again. also changes what else of the status is to be written with
// it, and is not asked where nothing is written.
func writeReadiness[T client.Object](ctx context.Context, c client.Client, object T, where func(T) standing, r readiness, also ...func(T)) (ctrl.Result, error) {
	before, _ := object.DeepCopyObject().(T)
	at := where(object)
	*at.observedGeneration = object.GetGeneration()
	apimeta.SetStatusCondition(at.conditions, metav1.Condition{
		Type:               v1alpha1.ConditionReady,
		Status:             r.status,
		ObservedGeneration: object.GetGeneration(),
		Reason:             r.reason,
		Message:            shorten(r.message, maxConditionMessage),
	})
	was := where(before)
	if *was.observedGeneration == *at.observedGeneration && equality.Semantic.DeepEqual(*was.conditions, *at.conditions) {
		return ctrl.Result{}, nil
	}
	for _, change := range also {
		change(object)
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	switch err := c.Status().Patch(ctx, object, patch); {
	case err == nil, apierrors.IsNotFound(err):
		return ctrl.Result{}, nil
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: watchLag}, nil
	default:
		return ctrl.Result{}, fmt.Errorf("write the Ready condition: %w", err)
	}
}

// findWorkflow returns the workflow that a reference from that namespace means,
// nil when there is none. It asks the cache that wakes the reconcilers, not the
// compiled policy, which may hear of a new workflow a moment later.
func findWorkflow(ctx context.Context, c client.Reader, namespace, name string) (*v1alpha1.ApprovalWorkflow, error) {
	for _, ns := range []string{namespace, v1alpha1.GlobalNamespace} {
		var found v1alpha1.ApprovalWorkflow
		switch err := c.Get(ctx, types.NamespacedName{Namespace: ns, Name: name}, &found); {
		case err == nil:
			return &found, nil
		case !apierrors.IsNotFound(err):
			return nil, fmt.Errorf("look for workflow %s/%s: %w", ns, name, err)
		}
	}
	return nil, nil
}

// missingWorkflow is the readiness of what refers to a workflow that does not exist.
func missingWorkflow(field, name, namespace string) readiness {
	return notReady(v1alpha1.ReasonReferenceNotFound, fmt.Sprintf(
		"%s: there is no ApprovalWorkflow %q in namespace %s or %s; until there is, one approver with the verb approve on that name has to agree",
		field, name, namespace, v1alpha1.GlobalNamespace))
}
