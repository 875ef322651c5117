// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	runtimeclient "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/crd"
)

// kinds are those that the operator knows.
var kinds = sync.OnceValue(func() *runtime.Scheme {
	known := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(known))
	return known
})

// created is an object as the API server has it once it is created. The given one
// stays as it is.
func created(given runtimeclient.Object) (runtimeclient.Object, error) {
	object, _ := given.DeepCopyObject().(runtimeclient.Object)
	if object.GetUID() == "" {
		object.SetUID(newUID())
	}
	object.SetGeneration(max(object.GetGeneration(), 1))
	_, isModel := object.(*v1alpha1.RiskModel)
	_, isNamespace := object.(*corev1.Namespace)
	if object.GetNamespace() == "" && !isModel && !isNamespace {
		object.SetNamespace(DefaultNamespace)
	}
	if err := complete(object); err != nil {
		return nil, err
	}
	return object, valid(object, nil)
}

// complete sets what an object leaves out as the API server would. What is not of
// the operator's kinds stays as it is.
func complete(object runtimeclient.Object) error {
	kind, value, err := stored(object)
	if kind == nil || err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(value, object)
}

// valid holds an object to the schema of its kind and the rules in that, as the
// API server does; old is what it changes, nil where it is new.
func valid(object, old runtimeclient.Object) error {
	kind, value, err := stored(object)
	if kind == nil || err != nil {
		return err
	}
	var before map[string]any
	if old != nil {
		if _, before, err = stored(old); err != nil {
			return err
		}
	}
	if wrong := kind.Validate(context.Background(), value, before); len(wrong) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: kind.Name}, object.GetName(), wrong)
	}
	return nil
}

// stored is an object as the API server keeps it, what it leaves out set, with
// its kind; nil where that is none of the operator's.
func stored(object runtimeclient.Object) (*crd.Kind, map[string]any, error) {
	of, _, err := kinds().ObjectKinds(object)
	switch {
	case runtime.IsNotRegisteredError(err):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	}
	kind, err := crd.Of(of[0].Kind)
	if err != nil {
		return nil, nil, err
	}
	value, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, nil, err
	}
	value["apiVersion"], value["kind"] = v1alpha1.GroupVersion.String(), kind.Name
	kind.Default(value)
	return kind, value, nil
}
