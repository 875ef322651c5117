// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// mostObjects bounds how many actions are held at once, for a format that needs
// them all at once. An action takes up to some 200 KiB, and usually about 5.
const mostObjects = 10_000

// tooManyError is a list that does not fit into a format.
type tooManyError struct{ format string }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("-o %s takes the whole list at once, and there are more than %d actions\nNarrow it with --limit, --since, --decision or -l, or take -o json or -o yaml, which are written as they come",
		terminal.Safe(e.format), mostObjects)
}

// listObjects prints the actions as one list, the newest last.
func (o *actionsList) listObjects(ctx context.Context, cl client.Reader, where listScope) error {
	kept := &newest[v1alpha1.AgentAction]{limit: o.limit, byAge: byAge}
	err := EachPage(ctx, cl, where.options, func(page []v1alpha1.AgentAction) error {
		for i := range page {
			if o.wanted(&page[i]) {
				kept.add(page[i])
			}
		}
		if len(kept.kept) > mostObjects {
			return &tooManyError{o.output.Format()}
		}
		return nil
	}, kept.forget)
	if err != nil {
		return o.failed(err, where)
	}
	if err := o.output.Print(o.session.Out, &v1alpha1.AgentActionList{Items: nonNil(kept.sorted())}); err != nil {
		return err
	}
	o.tellDropped(kept.dropped)
	return nil
}

// nonNil is an empty list instead of none, which is null in JSON.
func nonNil(items []v1alpha1.AgentAction) []v1alpha1.AgentAction {
	if items == nil {
		return []v1alpha1.AgentAction{}
	}
	return items
}

// listStream prints all actions as they come.
func (o *actionsList) listStream(ctx context.Context, cl client.Reader, where listScope, stream listStream) error {
	begun := false
	err := EachPage(ctx, cl, where.options, func(page []v1alpha1.AgentAction) error {
		if !begun { // not before the first answer: an error leaves stdout empty
			begun = true
			if err := stream.begin(); err != nil {
				return err
			}
		}
		for i := range page {
			if !o.wanted(&page[i]) {
				continue
			}
			if err := stream.item(printable(&page[i], o.output.ManagedFields())); err != nil {
				return err
			}
		}
		return nil
	}, nil)
	switch {
	case apierrors.IsResourceExpired(err):
		return fmt.Errorf("the list %s took so long that the API server forgot its beginning; what was printed is not complete\nNarrow it with --since, --decision or -l, or run the command again", where.words)
	case err != nil:
		return o.failed(err, where)
	}
	return stream.end()
}

func (o *actionsList) failed(err error, where listScope) error {
	if tooMany, is := err.(*tooManyError); is { //nolint:errorlint // it comes from here, unwrapped
		return tooMany
	}
	return o.session.Failed(err, "list actions "+where.words)
}
