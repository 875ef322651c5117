// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"errors"
	"net/http"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// Only what goes with its namespace is recorded as going with it.
func TestGone(t *testing.T) {
	t.Parallel()
	ends := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", DeletionTimestamp: &metav1.Time{Time: noon}, Finalizers: []string{"kubernetes"}}}
	stays := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	there, another := storedAs(t, storedAction), storedAs(t, storedAction)
	another.UID = "another"
	newer := storedAs(t, storedAction)
	newer.ResourceVersion = "8"
	for name, c := range map[string]struct {
		user    string
		objects []client.Object
		want    int
	}{
		"with its namespace":        {namespaceController, []client.Object{ends, there}, 1},
		"what is not there":         {namespaceController, []client.Object{ends}, 0},
		"an older version of it":    {namespaceController, []client.Object{ends, newer}, 0},
		"another of its name":       {namespaceController, []client.Object{ends, another}, 0},
		"with a namespace that was": {namespaceController, []client.Object{there}, 0},
		"without it":                {namespaceController, []client.Object{stays, there}, 0},
		"for somebody else":         {"mallory", []client.Object{ends, there}, 0},
	} {
		w := &world{}
		req, _, _ := changedBy(t, storedAction, c.user, "", nil)
		req.Operation, req.Object.Raw = admissionv1.Delete, nil
		if got := handlerOver(t, w, c.objects...).gone(t.Context(), *req); !got.Allowed || len(w.records) != c.want {
			t.Errorf("%s: allowed %t, %d records", name, got.Allowed, len(w.records))
		}
		if c.want > 0 && (w.records[0].Event != audit.EventGone || w.records[0].UID != "uid-act") {
			t.Errorf("%s: %+v", name, w.records[0])
		}
	}
}

// What the API server asks about again is no refusal to anybody.
func TestWhatIsStaleHasNoRecord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{{stale("8", "7"), 0}, {conflict(whyMoved, "the action has changed"), 1}} {
		w := &world{}
		req, _, action := changedBy(t, storedAction, "bot", "", nil)
		got := handlerOver(t, w).refuse(t.Context(), req, action, c.err)
		if got.Allowed || got.Result.Code != http.StatusConflict || got.Result.Reason != metav1.StatusReasonConflict || len(w.records) != c.want {
			t.Errorf("%v: %+v, records %+v", c.err, got, w.records)
		}
	}
}

// A dry run is answered in the form of the real thing, with a seal that no ring
// takes for its own, not even one with that key.
func TestSealOfADryRun(t *testing.T) {
	t.Parallel()
	yes := true
	req := &admission.Request{}
	if got := stampOf(req, "v1.x.y"); got != "v1.x.y" {
		t.Errorf("the seal of a request becomes %s", got)
	}
	req.DryRun = &yes
	got := stampOf(req, "v1.x.y")
	if id, ok := seal.KeyOf(got); !ok || id != "00000000" {
		t.Fatalf("%s is not of the form of a seal", got)
	}
	for _, id := range []string{"00000001", "00000000"} {
		ring, err := seal.NewRing(id, []seal.Key{{ID: id, Secret: make([]byte, 32)}})
		if err != nil {
			t.Fatal(err)
		}
		stored := storedAs(t, storedAction)
		stored.Spec.Requester.Seal, stored.Spec.Approvals[0].Seal = got, got
		err = ring.CheckSubmission(seal.Submission{Namespace: "shop", Name: "act", Digest: "d", Requester: *stored.Spec.Requester})
		if !errors.Is(err, seal.ErrUnknownKey) && !errors.Is(err, seal.ErrForged) {
			t.Errorf("as a submission's: %v", err)
		}
		err = ring.CheckVerdict(seal.Verdict{Namespace: "shop", Name: "act", UID: "uid-act", Approval: stored.Spec.Approvals[0]})
		if !errors.Is(err, seal.ErrUnknownKey) && !errors.Is(err, seal.ErrForged) {
			t.Errorf("as a verdict's: %v", err)
		}
	}
}
