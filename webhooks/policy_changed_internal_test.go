// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"context"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// about is a request of carol's about policy; nil is no object.
func about(t *testing.T, operation admissionv1.Operation, kind string, old, object client.Object) admission.Request {
	t.Helper()
	raw := func(o client.Object) runtime.RawExtension {
		if o == nil {
			return runtime.RawExtension{}
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return runtime.RawExtension{Raw: text}
	}
	req := admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Operation: operation, Namespace: "shop", Name: "mine", Kind: metav1.GroupVersionKind{Kind: kind},
		UserInfo: authenticationv1.UserInfo{Username: "carol"}, OldObject: raw(old), Object: raw(object),
	}}
	return req
}

// marked is an Agent with labels and annotations.
func marked(t *testing.T, spec string, labels, annotations map[string]string) *v1alpha1.Agent {
	t.Helper()
	agent := written[v1alpha1.Agent](t, "shop/mine", spec)
	agent.Labels, agent.Annotations = labels, annotations
	return agent
}

func TestChangesOfPolicyAreRecorded(t *testing.T) {
	t.Parallel()
	deny, allow := rule(t, "shop/mine", `{effect: Deny, mode: Enforce}`), rule(t, "shop/mine", `{effect: Allow, mode: Enforce, priority: 7}`)
	labelled := rule(t, "shop/mine", `{effect: Deny, mode: Enforce}`)
	labelled.Labels, labelled.Finalizers, labelled.Status.ObservedGeneration = map[string]string{"a": "b"}, []string{"example.com/wait"}, 3
	other := rule(t, "shop/mine", `{effect: Deny, mode: Enforce}`)
	other.UID = "another"
	newer := rule(t, "shop/mine", `{effect: Deny, mode: Enforce}`)
	newer.ResourceVersion = "8"
	secret := func(name string) *v1alpha1.WebhookSubscription {
		return written[v1alpha1.WebhookSubscription](t, "shop/mine", `{url: "https://hooks.example.com/T0/`+name+`?k=v", secretRef: {name: `+name+`, key: k}}`)
	}
	for name, c := range map[string]struct {
		operation   admissionv1.Operation
		kind        string
		old, object client.Object
		stored      client.Object // what the API server has; old when nil
		event       v1alpha1.EventType
		message     string
		changes     []audit.Change
		refused     string
		stale       bool // the API server is to ask again, and there is no record
	}{
		"created": {operation: admissionv1.Create, kind: "SmartRule", object: deny, stored: other, event: audit.EventPolicyCreated, message: "created",
			changes: []audit.Change{{Field: "spec.effect", After: `"Deny"`}, {Field: "spec.mode", After: `"Enforce"`}}},
		"changed": {operation: admissionv1.Update, kind: "SmartRule", old: deny, object: allow, event: audit.EventPolicyUpdated,
			message: "changed: spec.effect, spec.priority",
			changes: []audit.Change{{Field: "spec.effect", Before: `"Deny"`, After: `"Allow"`}, {Field: "spec.priority", After: "7"}}},
		"deleted": {operation: admissionv1.Delete, kind: "SmartRule", old: deny, event: audit.EventPolicyDeleted, message: "deleted",
			changes: []audit.Change{{Field: "spec.effect", Before: `"Deny"`}, {Field: "spec.mode", Before: `"Enforce"`}}},
		"what decides nothing": {operation: admissionv1.Update, kind: "SmartRule", old: deny, object: labelled},
		"the same":             {operation: admissionv1.Update, kind: "SmartRule", old: deny, object: deny},
		"another of the name":  {operation: admissionv1.Update, kind: "SmartRule", old: deny, object: allow, stored: other, refused: "another one has its name"},
		"one that is gone":     {operation: admissionv1.Delete, kind: "Agent", old: marked(t, "{}", nil, nil), stored: deny, refused: "is not there any more"},
		"an older version":     {operation: admissionv1.Update, kind: "SmartRule", old: deny, object: allow, stored: newer, stale: true},
		"a deletion of one":    {operation: admissionv1.Delete, kind: "SmartRule", old: deny, stored: newer, stale: true},
		"a collection begins":  {operation: admissionv1.Delete, kind: "SmartRule", stored: deny},
		"labels of an agent": {operation: admissionv1.Update, kind: "Agent", event: audit.EventPolicyUpdated,
			old:     marked(t, "{}", map[string]string{"team": "a"}, nil),
			object:  marked(t, "{}", map[string]string{"team": "b"}, map[string]string{"example.com/token": "t0ps3cret", lastApplied: "{}"}),
			message: `changed: metadata.annotations["example.com/token"], metadata.labels.team`,
			changes: []audit.Change{{Field: `metadata.annotations["example.com/token"]`, After: `"[redacted]"`}, {Field: "metadata.labels.team", Before: `"a"`, After: `"b"`}}},
		"the copy of kubectl": {operation: admissionv1.Update, kind: "Agent", old: marked(t, "{}", nil, nil), object: marked(t, "{}", nil, map[string]string{lastApplied: "{}"})},
		"where to send": {operation: admissionv1.Update, kind: "WebhookSubscription", old: secret("one"), object: secret("two"), event: audit.EventPolicyUpdated,
			message: "changed: spec.secretRef.name, spec.url",
			changes: []audit.Change{{Field: "spec.secretRef.name", Before: `"one"`, After: `"two"`},
				{Field: "spec.url", Before: `"https://hooks.example.com/[redacted]"`, After: `"https://hooks.example.com/[redacted]"`}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored := c.stored
			if stored == nil {
				stored = c.old
			}
			w := newWorld(t, stored)
			passes := admission.HandlerFunc(func(context.Context, admission.Request) admission.Response {
				return admission.Allowed("").WithWarnings("mind")
			})
			handler := &recorded{next: passes, kind: c.kind, audit: w, live: w.refs.live, clock: w.options.Clock}
			req := about(t, c.operation, c.kind, c.old, c.object)
			if c.old == nil && c.object == nil {
				req.Name = ""
			}
			response := handler.Handle(t.Context(), req)
			if c.stale {
				if response.Allowed || response.Result.Code != http.StatusConflict || len(w.records) > 0 {
					t.Errorf("response %+v, records %+v", response, w.records)
				}
				return
			}
			if response.Allowed != (c.refused == "") {
				t.Fatalf("response %+v", response)
			}
			if c.refused != "" {
				if len(w.records) != 1 || w.records[0].Event != audit.EventRefused || !strings.Contains(response.Result.Message, c.refused) || w.records[0].Reason != whyMoved {
					t.Errorf("response %+v, records %+v", response.Result, w.records)
				}
				return
			}
			if c.event == "" {
				if len(w.records) > 0 {
					t.Errorf("records %+v", w.records)
				}
				return
			}
			if len(w.records) != 1 {
				t.Fatalf("records %+v", w.records)
			}
			r := w.records[0]
			if r.Event != c.event || r.Actor != "carol" || r.Kind != c.kind || r.Name != "mine" || r.Namespace != "shop" || r.UID != "uid-" ||
				r.Message != c.message || !slices.Equal(r.Changes, c.changes) || !r.Time.Equal(noon) || c.kind != "Agent" && !strings.HasPrefix(r.SpecDigest, "sha256:") {
				t.Errorf("record %+v", r)
			}
			if (r.Agent == "mine") != (c.kind == "Agent") {
				t.Errorf("the record is about agent %q", r.Agent)
			}
			if c.operation != admissionv1.Delete && len(response.Warnings) != 1 {
				t.Errorf("warnings %q", response.Warnings)
			}
		})
	}
}

// Without its record nothing changes, and nothing is deleted.
func TestNoPolicyChangesWithoutItsRecord(t *testing.T) {
	t.Parallel()
	old, object := rule(t, "shop/mine", `{effect: Deny}`), rule(t, "shop/mine", `{effect: Allow}`)
	away := interceptor.NewClient(fake.NewClientBuilder().WithScheme(testScheme(t)).Build(), interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return errors.New("connection refused")
		},
	})
	unseen := about(t, admissionv1.Delete, "SmartRule", nil, nil)
	passes := admission.HandlerFunc(func(context.Context, admission.Request) admission.Response { return admission.Allowed("") })
	for name, c := range map[string]struct {
		req  admission.Request
		lost error
		away bool
		code int32
	}{
		"a change, no disk":            {about(t, admissionv1.Update, "SmartRule", old, object), errors.New("disk full"), false, http.StatusServiceUnavailable},
		"a deletion, no disk":          {about(t, admissionv1.Delete, "SmartRule", old, nil), errors.New("disk full"), false, http.StatusServiceUnavailable},
		"a deletion, no API server":    {about(t, admissionv1.Delete, "SmartRule", old, nil), nil, true, http.StatusServiceUnavailable},
		"a deletion that is not shown": {unseen, nil, false, http.StatusForbidden},
		"what cannot be read": {func() admission.Request {
			r := about(t, admissionv1.Delete, "SmartRule", old, nil)
			r.OldObject.Raw = []byte("{")
			return r
		}(), nil, false, http.StatusUnprocessableEntity},
	} {
		w := newWorld(t, old)
		w.lost = c.lost
		handler := &recorded{next: passes, kind: "SmartRule", audit: w, live: w.refs.live, clock: w.options.Clock}
		if c.away {
			handler.live = away
		}
		if response := handler.Handle(t.Context(), c.req); response.Allowed || response.Result.Code != c.code || response.AuditAnnotations["refused"] == "" {
			t.Errorf("%s: %+v", name, response)
		}
		for _, r := range w.records {
			if r.Event != audit.EventRefused {
				t.Errorf("%s: record %+v", name, r)
			}
		}
	}
}

// What goes with its namespace is recorded, nobody waits for it, and nobody else
// can have that recorded.
func TestPolicyThatGoesWithItsNamespace(t *testing.T) {
	t.Parallel()
	old := rule(t, "shop/mine", `{effect: Deny}`)
	dying := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", DeletionTimestamp: &metav1.Time{Time: noon}, Finalizers: []string{"x"}}}
	scheme := testScheme(t)
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	yes := true
	for name, c := range map[string]struct {
		change    func(*admission.Request)
		namespace *corev1.Namespace
		lost      error
		want      int
	}{
		"it does":               {namespace: dying, want: 1},
		"no record can be kept": {namespace: dying, lost: errors.New("disk full")},
		"the namespace stays":   {namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}},
		"somebody says so":      {change: func(r *admission.Request) { r.UserInfo.Username = "mallory" }, namespace: dying},
		"a dry run":             {change: func(r *admission.Request) { r.DryRun = &yes }, namespace: dying},
		"an update":             {change: func(r *admission.Request) { r.Operation = admissionv1.Update }, namespace: dying},
		"a kind of another":     {change: func(r *admission.Request) { r.Kind.Kind = "AgentAction" }, namespace: dying},
		"not shown":             {change: func(r *admission.Request) { r.OldObject.Raw = nil }, namespace: dying},
		"not readable":          {change: func(r *admission.Request) { r.OldObject.Raw = []byte("{") }, namespace: dying},
		"not there":             {change: func(r *admission.Request) { r.Kind.Kind = "Agent" }, namespace: dying},
	} {
		w := newWorld(t)
		w.lost = c.lost
		w.options.Live = fake.NewClientBuilder().WithScheme(scheme).WithObjects(old.DeepCopy(), c.namespace).Build()
		req := about(t, admissionv1.Delete, "SmartRule", old, nil)
		req.UserInfo.Username = namespaceController
		if c.change != nil {
			c.change(&req)
		}
		if response := (&policyGone{options: w.options}).Handle(t.Context(), req); !response.Allowed {
			t.Errorf("%s: %+v", name, response)
		}
		if len(w.records) != c.want || c.want > 0 && (w.records[0].Event != audit.EventPolicyDeleted || w.records[0].Message != "it goes with its namespace" ||
			w.records[0].Kind != "SmartRule" || w.records[0].Actor != namespaceController) {
			t.Errorf("%s: records %+v", name, w.records)
		}
	}
}
