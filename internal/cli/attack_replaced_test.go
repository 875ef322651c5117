// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// Another action of the same name is not what was submitted, and its approval
// is no approval.
func TestSubmitIsNotReplaced(t *testing.T) {
	w := &workshop{}
	dial := w.dial(t)
	replace := func(config *rest.Config) (client.WithWatch, error) {
		inner, err := dial(config)
		return interceptor.NewClient(inner, interceptor.Funcs{Create: func(ctx context.Context, cl client.WithWatch, object client.Object, options ...client.CreateOption) error {
			if err := cl.Create(ctx, object, options...); err != nil {
				return err
			}
			if err := w.store.Delete(ctx, object); err != nil {
				return err
			}
			other := newAction(object.GetName(), "database_read", 0)
			other.UID = "uid-of-another"
			asApproved(other)
			status := other.Status
			if err := w.store.Create(ctx, other); err != nil {
				return err
			}
			other.Status = status
			return w.store.Status().Update(ctx, other)
		}}), err
	}
	for _, flags := range [][]string{{"--wait"}, {}} {
		w.store = nil
		r := play(t, testServer, func(c *rest.Config) (client.WithWatch, error) {
			dial = w.dial(t)
			return replace(c)
		}, append([]string{"ascend", "submit", "--agent-id", "tutorial-agent", "--type", "database_delete"}, flags...)...)
		if r.code != session.ExitError || !strings.Contains(r.errOut, "was deleted") {
			t.Errorf("%q: %+v", flags, r)
		}
	}
}

// An action that was deleted while the connection was lost is not waited for.
func TestWaitNoticesDeletion(t *testing.T) {
	w := &workshop{objects: everyWord()}
	dial := w.dial(t)
	watches := 0
	r := play(t, testServer, func(config *rest.Config) (client.WithWatch, error) {
		inner, err := dial(config)
		return interceptor.NewClient(inner, interceptor.Funcs{Watch: func(ctx context.Context, cl client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
			watches++
			if watches > 1 {
				return cl.Watch(ctx, list, options...)
			}
			if err := w.store.Delete(ctx, pending()); err != nil {
				return nil, err
			}
			return nil, apierrors.NewResourceExpired("too old")
		}}), err
	}, "ascend", "wait", "act-ghi789", "--timeout", "20s")
	if r.code != session.ExitError || !strings.Contains(r.errOut, "was deleted") {
		t.Errorf("got %+v", r)
	}
}

// What is withdrawn or reported of is the action that was looked at.
func TestPatchesNameTheUID(t *testing.T) {
	approved := pending()
	asApproved(approved)
	for _, tc := range []struct {
		action *v1alpha1.AgentAction
		argv   []string
	}{
		{pending(), []string{"ascend", "actions", "cancel", "act-ghi789", "--yes"}},
		{approved, []string{"ascend", "actions", "report", "act-ghi789", "--succeeded"}},
	} {
		w, seen := &workshop{objects: []client.Object{tc.action}}, ""
		dial := w.dial(t)
		play(t, testServer, func(config *rest.Config) (client.WithWatch, error) {
			inner, err := dial(config)
			return interceptor.NewClient(inner, interceptor.Funcs{Patch: func(_ context.Context, _ client.WithWatch, object client.Object, patch client.Patch, _ ...client.PatchOption) error {
				data, err := patch.Data(object)
				seen = string(data)
				return errors.Join(err, errors.New("enough"))
			}}), err
		}, tc.argv...)
		if !strings.Contains(seen, `"metadata":{"uid":"uid-act-ghi789"}`) {
			t.Errorf("%q sends %s", tc.argv, seen)
		}
	}
}
