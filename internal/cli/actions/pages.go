// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// pageSize is how many actions are asked of the API server at once.
const pageSize = 500

// EachPage lists actions page by page, in the order of the API server, which is
// that of namespace and name. When a list takes so long that its pages expire,
// it goes on behind the last of them, as the API server offers it: what comes
// then is as it is then, and nothing comes twice. A server that does not offer
// it is asked for the whole list once more, after restart was called; a nil
// restart refuses that.
func EachPage(ctx context.Context, cl client.Reader, options []client.ListOption, each func([]v1alpha1.AgentAction) error, restart func()) error {
	size, next := int64(pageSize), ""
	for {
		page := &v1alpha1.AgentActionList{}
		err := cl.List(ctx, page, append(slices.Clone(options), client.Limit(size), client.Continue(next))...)
		switch {
		case apierrors.IsResourceExpired(err) && next != "" && goesOn(err) != "":
			next = goesOn(err)
			continue
		case apierrors.IsResourceExpired(err) && next != "" && restart != nil:
			restart()
			size, next = 0, ""
			continue
		case err != nil:
			return err
		}
		if err := each(page.Items); err != nil {
			return err
		}
		if next = page.Continue; next == "" {
			return nil
		}
	}
}

// goesOn is where the API server offers to go on with a list that has expired;
// empty where it does not.
func goesOn(err error) string {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return ""
	}
	return status.Status().Continue
}
