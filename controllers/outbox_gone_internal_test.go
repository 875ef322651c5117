// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
)

// A receiver that answered 410 closes the subscription as it was tried. That can
// be noted late, when the API server was away or the next write was due; what was
// repaired meanwhile, or made anew under the same name, is not closed by it.
func TestGoneIsOfWhatWasTried(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		later func(*v1alpha1.WebhookSubscription)
		want  bool
	}{
		"the same":                 {func(*v1alpha1.WebhookSubscription) {}, true},
		"with another URL":         {func(s *v1alpha1.WebhookSubscription) { s.Generation = 2 }, false},
		"another one of that name": {func(s *v1alpha1.WebhookSubscription) { s.UID = "another" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tried, now := slackSubscription("s"), slackSubscription("s")
			test.later(now)
			o, _ := newOutbox(t, &fails{}, now, deniedAction("s"))
			ctx, key := t.Context(), client.ObjectKeyFromObject(now)
			if _, err := o.Targets.Resolve(ctx, key); err != nil { // for another delivery
				t.Fatal(err)
			}
			action := deniedAction("s")
			last := notify.Result{StatusCode: 410, Err: notify.ErrGone, Gone: true, UID: string(tried.UID), Generation: tried.Generation}
			err := o.done(ctx, deliveryOf(actionKey(action), &action.Status.Notifications[0], "s"),
				notify.Outcome{Result: notify.OutcomeDead, Time: outboxNoon, Last: last, Error: notify.ErrGone.Error(), Gone: true})
			if err != nil {
				t.Fatal(err)
			}
			o.Statistics.flush(ctx)
			var got v1alpha1.WebhookSubscription
			if err := o.Live.Get(ctx, types.NamespacedName{Namespace: "shop", Name: "s"}, &got); err != nil {
				t.Fatal(err)
			}
			if subscriptions.Gone(&got) != test.want {
				t.Errorf("gone: %t, want %t: %+v", !test.want, test.want, got.Status.Conditions)
			}
		})
	}
}
