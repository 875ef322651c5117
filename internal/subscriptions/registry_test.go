// SPDX-License-Identifier: Apache-2.0

package subscriptions

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func subscriptionTo(namespace, name, agent string, events ...v1alpha1.EventType) *v1alpha1.WebhookSubscription {
	s := &v1alpha1.WebhookSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 1}}
	s.Spec.Events = events
	if agent != "" {
		s.Spec.AgentRef = &v1alpha1.LocalReference{Name: v1alpha1.ObjectName(agent)}
	}
	return s
}

func TestMatching(t *testing.T) {
	r := &Registry{}
	denied, approved := v1alpha1.EventActionDenied, v1alpha1.EventActionApproved
	if got := r.Matching("shop", "bot", denied); got != nil {
		t.Errorf("an empty registry finds %v", got)
	}
	r.Set(subscriptionTo("shop", "b", "", denied))
	r.Set(subscriptionTo("shop", "a", "bot", denied, approved))
	r.Set(subscriptionTo("bank", "c", "", denied))
	for _, c := range []struct {
		namespace, agent string
		event            v1alpha1.EventType
		want             []v1alpha1.ObjectName
	}{
		{"shop", "bot", denied, []v1alpha1.ObjectName{"a", "b"}},
		{"shop", "other", denied, []v1alpha1.ObjectName{"b"}},
		{"shop", "bot", approved, []v1alpha1.ObjectName{"a"}},
		{"shop", "other", approved, nil},
		{"bank", "bot", denied, []v1alpha1.ObjectName{"c"}},
		{"bank", "bot", "audit.started", nil},
		{"elsewhere", "bot", denied, nil},
	} {
		if got := r.Matching(c.namespace, c.agent, c.event); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v", c, got)
		}
		if got := r.Any(c.namespace, c.agent, c.event); got != (len(c.want) > 0) {
			t.Errorf("%+v: any is %v", c, got)
		}
	}

	r.Set(subscriptionTo("shop", "a", "other", denied))
	if got := r.Matching("shop", "other", denied); !slices.Equal(got, []v1alpha1.ObjectName{"a", "b"}) {
		t.Errorf("a changed subscription: got %v", got)
	}
	r.Remove(subscriptionTo("shop", "a", ""))
	r.Remove(subscriptionTo("shop", "unknown", ""))
	if got := r.Matching("shop", "other", denied); !slices.Equal(got, []v1alpha1.ObjectName{"b"}) || r.Count("shop") != 1 {
		t.Errorf("after a removal: got %v of %d", got, r.Count("shop"))
	}
}

// One whose receiver is gone hears of nothing until its spec changes.
func TestMatchingWithoutReceiver(t *testing.T) {
	r := &Registry{}
	s := subscriptionTo("shop", "a", "", v1alpha1.EventActionDenied)
	s.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonReceiverGone, ObservedGeneration: 1}}
	r.Set(s)
	if got := r.Matching("shop", "bot", v1alpha1.EventActionDenied); got != nil {
		t.Errorf("a receiver that is gone hears of an event: %v", got)
	}
	s = s.DeepCopy()
	s.Generation = 2
	r.Set(s)
	if got := r.Matching("shop", "bot", v1alpha1.EventActionDenied); len(got) != 1 {
		t.Errorf("after its spec was changed: %v", got)
	}
}

func TestMatchingHasABound(t *testing.T) {
	r := &Registry{}
	for i := range v1alpha1.MaxSubscriptions + 3 {
		r.Set(subscriptionTo("shop", fmt.Sprintf("s%03d", i), "", v1alpha1.EventActionDenied))
	}
	got := r.Matching("shop", "bot", v1alpha1.EventActionDenied)
	if len(got) != v1alpha1.MaxSubscriptions || got[0] != "s000" || got[63] != "s063" {
		t.Errorf("got %d, from %s to %s", len(got), got[0], got[len(got)-1])
	}
}

func TestLookingAllocatesNothing(t *testing.T) {
	r := &Registry{}
	r.Set(subscriptionTo("shop", "a", "bot", v1alpha1.EventActionDenied))
	n := testing.AllocsPerRun(100, func() {
		_ = r.Matching("shop", "bot", v1alpha1.EventActionApproved)
		_ = r.Matching("elsewhere", "bot", v1alpha1.EventActionDenied)
		_ = r.Any("shop", "bot", v1alpha1.EventActionDenied)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWritersAndReaders(t *testing.T) {
	r := &Registry{}
	var group sync.WaitGroup
	for writer := range 4 {
		group.Go(func() {
			for i := range 200 {
				r.Set(subscriptionTo("shop", fmt.Sprintf("s%d-%d", writer, i%8), "", v1alpha1.EventActionDenied))
				_ = r.Matching("shop", "bot", v1alpha1.EventActionDenied)
			}
		})
	}
	group.Wait()
	if got := r.Count("shop"); got != 32 {
		t.Errorf("got %d subscriptions", got)
	}
}
