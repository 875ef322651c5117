// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// TestALostAnswerTakesNoRecordBack: the API server stores the decision and its
// answer is lost; the next try, of a cache that is behind, meets a conflict with
// the operator's own write. The record has come true and is not taken back.
func TestALostAnswerTakesNoRecordBack(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	agent := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "bot", UID: "a", Generation: 1}}
	agent.Spec.State = v1alpha1.AgentSuspended
	stored := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-1", UID: "u", Generation: 1}}
	stored.Spec.AgentRef.Name, stored.Spec.ActionType = "bot", "database_read"

	live := fake.NewClientBuilder().WithScheme(scheme).WithObjects(stored).WithStatusSubresource(stored).Build()
	var cached v1alpha1.AgentAction
	if err := live.Get(t.Context(), client.ObjectKeyFromObject(stored), &cached); err != nil {
		t.Fatal(err)
	}
	writes := 0
	lagging := interceptor.NewClient(live, interceptor.Funcs{
		Get: func(_ context.Context, _ client.WithWatch, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
			action, ok := into.(*v1alpha1.AgentAction)
			if !ok {
				return fmt.Errorf("%T is not read in this test", into)
			}
			cached.DeepCopyInto(action)
			return nil
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			writes++
			if err := c.SubResource(sub).Update(ctx, o, opts...); err != nil || writes > 1 {
				return err
			}
			return apierrors.NewTimeoutError("etcdserver: request timed out", 1)
		},
	})
	store, err := policy.NewStore()
	if err != nil {
		t.Fatal(err)
	}
	store.SetAgent(agent)
	store.SetNamespace(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	records := &book{}
	r := &AgentActionReconciler{
		Client: lagging, Live: live, Policy: store, Voucher: credulous{}, Audit: records, Events: events.NewFakeRecorder(9),
		Tally: &AgentTally{}, Clock: testclock.NewFakePassiveClock(time.Now()), ledger: newLedger(records),
	}
	request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(stored)}
	if _, err := r.Reconcile(t.Context(), request); !apierrors.IsTimeout(err) {
		t.Fatalf("the lost answer is no error to try again after: %v", err)
	}
	if _, err := r.Reconcile(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if len(records.records) != 3 || records.records[2].Event != v1alpha1.EventActionDenied {
		t.Errorf("the trail says %v", told(records.records))
	}
	if got := r.Tally.take()[agentKey(stored)]; got.decided.Denied != 1 {
		t.Errorf("the decision was counted %d times", got.decided.Denied)
	}
	if result, err := r.Reconcile(t.Context(), request); err != nil || result.RequeueAfter != watchLag || writes != 2 {
		t.Errorf("with the cache still behind: %v, %v, %d writes", result, err, writes)
	}
}

// credulous vouches for an action by whoever it may be.
type credulous struct{}

func (credulous) Vouch(*v1alpha1.AgentAction) (voucher.Vouched, error) { return voucher.Vouched{}, nil }

func told(records []audit.Record) (story []string) {
	for _, r := range records {
		story = append(story, string(r.Event)+": "+r.Message)
	}
	return story
}
