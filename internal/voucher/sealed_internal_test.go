// SPDX-License-Identifier: Apache-2.0

package voucher

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// submittedAt is when every action of these tests was stored.
var submittedAt = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// ringOf seals with the first of the keys.
func ringOf(t *testing.T, ids ...string) *seal.Ring {
	t.Helper()
	var keys []seal.Key
	for _, id := range ids {
		keys = append(keys, seal.Key{ID: id, Secret: bytes.Repeat([]byte(id), 4)})
	}
	ring, err := seal.NewRing(ids[0], keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// admitted is an action as admission leaves it, with one approval.
func admitted(t *testing.T, ring *seal.Ring) *v1alpha1.AgentAction {
	t.Helper()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "act-7", UID: "6c1d", CreationTimestamp: metav1.NewTime(submittedAt)}}
	action.Spec.AgentRef.Name, action.Spec.ActionType = "agent", "database_read"
	action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(`{"table":"customers"}`)}
	digest, err := request.Digest(&action.Spec)
	if err != nil {
		t.Fatal(err)
	}
	at := metav1.NewMicroTime(submittedAt)
	requester := v1alpha1.Requester{Username: "system:serviceaccount:shop:agent", AdmittedAt: &at}
	requester.Seal, err = ring.SealSubmission(seal.Submission{Namespace: "shop", Name: "act-7", Digest: digest, Requester: requester})
	if err != nil {
		t.Fatal(err)
	}
	action.Spec.Requester = &requester
	given := v1alpha1.Approval{Verdict: v1alpha1.VerdictApprove, Approver: "alice", Stage: "review", Time: &at, SpecDigest: digest, WorkflowRevision: "sha256:00"}
	if given.Seal, err = ring.SealVerdict(verdictOn(action, given)); err != nil {
		t.Fatal(err)
	}
	action.Spec.Approvals = []v1alpha1.Approval{given}
	return action
}

func TestSealedBelievesNothingElse(t *testing.T) {
	t.Parallel()
	ring := ringOf(t, "00000001")
	voucher := Sealed{Ring: func() *seal.Ring { return ring }}
	for name, test := range map[string]struct {
		change func(*v1alpha1.AgentAction)
		// refused and forged are part of what is said; both empty: believed.
		refused, forged string
	}{
		"as admitted":    {func(*v1alpha1.AgentAction) {}, "", ""},
		"no requester":   {func(a *v1alpha1.AgentAction) { a.Spec.Requester = nil }, "did not write spec.requester.", ""},
		"no seal":        {func(a *v1alpha1.AgentAction) { a.Spec.Requester.Seal = "" }, "carries no seal", ""},
		"no time":        {func(a *v1alpha1.AgentAction) { a.Spec.Requester.AdmittedAt = nil }, "admittedAt is empty", ""},
		"another name":   {func(a *v1alpha1.AgentAction) { a.Name = "act-8" }, "was not made for it", ""},
		"another user":   {func(a *v1alpha1.AgentAction) { a.Spec.Requester.Username = "admin" }, "was not made for it", ""},
		"more groups":    {func(a *v1alpha1.AgentAction) { a.Spec.Requester.Groups = []v1alpha1.UserName{"system:masters"} }, "was not made for it", ""},
		"other request":  {func(a *v1alpha1.AgentAction) { a.Spec.Parameters.Raw = []byte(`{"table":"secrets"}`) }, "was not made for it", ""},
		"no such digest": {func(a *v1alpha1.AgentAction) { a.Spec.Parameters.Raw = []byte(`{`) }, "canonical JSON", ""},
		"recreated":      {func(a *v1alpha1.AgentAction) { a.CreationTimestamp.Time = submittedAt.Add(5*time.Minute + time.Second) }, "5m1s apart, and may be 5m0s at most", ""},
		"created before": {func(a *v1alpha1.AgentAction) {
			a.CreationTimestamp.Time = submittedAt.Add(-5*time.Minute - time.Second)
		}, "5m1s apart", ""},
		"just in time": {func(a *v1alpha1.AgentAction) { a.CreationTimestamp.Time = submittedAt.Add(5 * time.Minute) }, "", ""},
		"unknown key":  {func(a *v1alpha1.AgentAction) { a.Spec.Requester.Seal = "v1.00000009" + a.Spec.Requester.Seal[11:] }, "key that is not known: 00000009", ""},

		"approval unsealed":           {func(a *v1alpha1.AgentAction) { a.Spec.Approvals[0].Seal = "" }, "", "carries no seal"},
		"approval in another's name":  {func(a *v1alpha1.AgentAction) { a.Spec.Approvals[0].Approver = "bob" }, "", "was not made for it"},
		"approval of an older action": {func(a *v1alpha1.AgentAction) { a.UID = "6c1e" }, "", "was not made for it"},
		"approval of another stage":   {func(a *v1alpha1.AgentAction) { a.Spec.Approvals[0].Stage = "board" }, "", "was not made for it"},
		"approval by unknown key": {func(a *v1alpha1.AgentAction) {
			a.Spec.Approvals[0].Seal = "v1.00000009" + a.Spec.Approvals[0].Seal[11:]
		}, "", "key that is not known"},
		"approval sealed as a requester": {func(a *v1alpha1.AgentAction) { a.Spec.Approvals[0].Seal = a.Spec.Requester.Seal }, "", "was not made for it"},
		"requester sealed as approval":   {func(a *v1alpha1.AgentAction) { a.Spec.Requester.Seal = a.Spec.Approvals[0].Seal }, "was not made for it", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			action := admitted(t, ring)
			test.change(action)
			got, err := voucher.Vouch(action)
			if err != nil {
				t.Fatal(err)
			}
			if test.refused != "" {
				if !strings.Contains(got.Refusal, test.refused) || !strings.Contains(got.Refusal, "submit it again") {
					t.Errorf("says %q", got.Refusal)
				}
				if got.Requester.Username != "" || got.Approvals != nil || got.Forged != nil {
					t.Errorf("refused, and yet vouches for %+v", got)
				}
				return
			}
			if got.Refusal != "" || got.Requester.Username != "system:serviceaccount:shop:agent" {
				t.Fatalf("%+v", got)
			}
			if test.forged == "" {
				if len(got.Approvals) != 1 || len(got.Forged) != 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got.Approvals) != 0 || len(got.Forged) != 1 || !strings.Contains(got.Forged[0].Reason, test.forged) || got.Forged[0].Approver != action.Spec.Approvals[0].Approver {
				t.Errorf("%+v", got)
			}
		})
	}
}

// What was sealed while the API server did not ask admission may have been
// sealed for anybody. Who submitted the action is not in doubt by that.
func TestSealedVoidsVerdictsGivenBeforeAMoment(t *testing.T) {
	t.Parallel()
	ring := ringOf(t, "00000001")
	untimed := func(a *v1alpha1.AgentAction) {
		given := a.Spec.Approvals[0]
		given.Time = nil
		given.Seal, _ = ring.SealVerdict(verdictOn(a, given))
		a.Spec.Approvals[0] = given
	}
	const void, forged = "it was given before admission was enforced again at 2026-01-02T12:00:0", "did not let it in as it stands"
	for name, test := range map[string]struct {
		since  time.Time
		change func(*v1alpha1.AgentAction)
		want   string // part of the reason; empty: it counts
	}{
		"nothing is void":     {time.Time{}, nil, ""},
		"given before":        {submittedAt.Add(time.Microsecond), nil, void},
		"given then":          {submittedAt, nil, ""},
		"given after":         {submittedAt.Add(-time.Second), nil, ""},
		"given at no time":    {submittedAt.Add(-time.Hour), untimed, "admission"},
		"forged besides":      {submittedAt.Add(time.Second), func(a *v1alpha1.AgentAction) { a.Spec.Approvals[0].Approver = "bob" }, forged},
		"a denial, no less":   {submittedAt.Add(time.Second), func(a *v1alpha1.AgentAction) { reseal(t, ring, a, v1alpha1.VerdictDeny) }, void},
		"an override, either": {submittedAt.Add(time.Second), func(a *v1alpha1.AgentAction) { reseal(t, ring, a, v1alpha1.VerdictOverride) }, void},
	} {
		action := admitted(t, ring)
		if test.change != nil {
			test.change(action)
		}
		got, err := Sealed{Ring: func() *seal.Ring { return ring }, VoidBefore: func() time.Time { return test.since }}.Vouch(action)
		if err != nil || got.Refusal != "" || got.Requester.Username == "" {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		if counts := len(got.Approvals) == 1 && len(got.Forged) == 0; counts != (test.want == "") {
			t.Errorf("%s: %+v", name, got)
		} else if !counts && (!strings.Contains(got.Forged[0].Reason, test.want) || !strings.Contains(got.Forged[0].Reason, "kubectl approve")) {
			t.Errorf("%s: %s", name, got.Forged[0].Reason)
		}
	}
}

func reseal(t *testing.T, ring *seal.Ring, action *v1alpha1.AgentAction, verdict v1alpha1.Verdict) {
	t.Helper()
	given := &action.Spec.Approvals[0]
	given.Verdict = verdict
	var err error
	if given.Seal, err = ring.SealVerdict(verdictOn(action, *given)); err != nil {
		t.Fatal(err)
	}
}

// A key that is not known may be newer than the ring: nothing is judged before
// somebody has looked.
func TestSealedLooksForAKeyItDoesNotKnow(t *testing.T) {
	t.Parallel()
	action := admitted(t, ringOf(t, "00000002"))
	rotated := ringOf(t, "00000002", "00000001")
	away := errors.New("connection refused")
	for name, test := range map[string]struct {
		before, after *seal.Ring
		fails         error
		vouched       bool
	}{
		"it has come since":     {ringOf(t, "00000001"), rotated, nil, true},
		"there is none":         {ringOf(t, "00000001"), ringOf(t, "00000001"), nil, false},
		"nobody can look":       {ringOf(t, "00000001"), nil, away, false},
		"nothing was loaded":    {nil, rotated, nil, true},
		"nothing can be loaded": {nil, nil, away, false},
		"there are no keys":     {nil, nil, nil, false},
	} {
		ring := test.before
		voucher := Sealed{Ring: func() *seal.Ring { return ring }, Reload: func() error { ring = test.after; return test.fails }}
		got, err := voucher.Vouch(action)
		if test.fails != nil || test.after == nil {
			if err == nil || test.fails != nil && !errors.Is(err, test.fails) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		if err != nil || (got.Refusal == "") != test.vouched {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	known := Sealed{Ring: func() *seal.Ring { return rotated }, Reload: func() error { t.Error("looks, though it knows all keys"); return nil }}
	if got, err := known.Vouch(action); err != nil || got.Refusal != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := (Sealed{Ring: func() *seal.Ring { return nil }}).Vouch(action); !errors.Is(err, errNoKeys) {
		t.Errorf("without a ring: %v", err)
	}
}

func TestKeysInUse(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	one, two := admitted(t, ringOf(t, "00000001")), admitted(t, ringOf(t, "00000002"))
	one.Spec.Approvals[0].Seal = admitted(t, ringOf(t, "00000003")).Spec.Approvals[0].Seal
	two.Name, two.Spec.Approvals[0].Seal = "act-8", "no seal"
	unsealed := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "act-9"}}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(one, two, unsealed).Build()
	got, err := KeysInUse(t.Context(), reader)
	if err != nil || len(got) != 3 || !got["00000001"] || !got["00000002"] || !got["00000003"] {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := KeysInUse(t.Context(), fake.NewClientBuilder().WithScheme(runtime.NewScheme()).Build()); err == nil {
		t.Error("what cannot be listed is not in use")
	}
}
