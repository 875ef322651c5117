// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/lint"
)

// policyObject is one of the kinds that people write.
type policyObject interface{ client.Object }

// validator validates one kind. An object whose spec does not change, or that
// is being deleted, is let through whatever stands in it, so that labels,
// status and finalizers of what was stored while nobody looked can be written.
type validator[T policyObject] struct {
	kind string
	// spec is a pointer to the object's spec.
	spec func(T) any
	// check returns what is wrong with an object, with exact paths, and
	// otherwise what will surprise whoever wrote it.
	check func(ctx context.Context, object T) ([]lint.Finding, field.ErrorList)
}

var _ admission.Validator[*v1alpha1.SmartRule] = (*validator[*v1alpha1.SmartRule])(nil)

// ValidateCreate refuses an object that could not work.
func (v *validator[T]) ValidateCreate(ctx context.Context, object T) (admission.Warnings, error) {
	found, errs := v.check(ctx, object)
	if len(errs) > 0 {
		return nil, apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind(v.kind).GroupKind(), object.GetName(), errs)
	}
	var warnings admission.Warnings
	for _, finding := range found {
		warnings = append(warnings, finding.String())
	}
	return warnings, nil
}

// ValidateUpdate refuses a change to what could not work.
func (v *validator[T]) ValidateUpdate(ctx context.Context, old, object T) (admission.Warnings, error) {
	if object.GetDeletionTimestamp() != nil || equality.Semantic.DeepEqual(v.spec(old), v.spec(object)) {
		return nil, nil
	}
	return v.ValidateCreate(ctx, object)
}

// ValidateDelete lets everything through: whoever may delete policy may. It is
// recorded before anybody asks here.
func (v *validator[T]) ValidateDelete(context.Context, T) (admission.Warnings, error) {
	return nil, nil
}
