// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"errors"

	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// fieldErrors takes apart what a compiler says. An error that names no field
// is of the whole spec.
func fieldErrors(err error) field.ErrorList {
	if err == nil {
		return nil
	}
	all := []error{err}
	if aggregate := kerrors.Aggregate(nil); errors.As(err, &aggregate) {
		all = aggregate.Errors()
	}
	var out field.ErrorList
	for _, e := range all {
		named := (*field.Error)(nil)
		if !errors.As(e, &named) {
			named = field.Invalid(field.NewPath("spec"), field.OmitValueType{}, e.Error())
		}
		out = append(out, named)
	}
	return out
}
