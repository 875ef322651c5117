// SPDX-License-Identifier: Apache-2.0

package envtest

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// listener is a webhook server that lets everything through, but for dry runs,
// and notes what it was asked.
type listener struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // path, operation, resource, and the name in oldObject
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	l.Server = httptest.NewTLSServer(http.HandlerFunc(l.answer))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) answer(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := review.Request
	probing := request.DryRun != nil && *request.DryRun
	review.Request, review.Response = nil, &admissionv1.AdmissionResponse{UID: request.UID, Allowed: !probing}
	if !probing {
		var old struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		if len(request.OldObject.Raw) > 0 {
			if err := json.Unmarshal(request.OldObject.Raw, &old); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		l.mu.Lock()
		resource := strings.TrimSuffix(request.Resource.Resource+"/"+request.SubResource, "/")
		l.asked = append(l.asked, strings.TrimSpace(strings.Join([]string{r.URL.Path, string(request.Operation), resource, old.Metadata.Name}, " ")))
		l.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review)
}

// since returns what was asked since the last call, sorted.
func (l *listener) since() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := slices.Sorted(slices.Values(l.asked))
	l.asked = nil
	return asked
}

// as acts as a user with every right.
func as(t *testing.T, config *rest.Config, user string) client.Client {
	t.Helper()
	own := rest.CopyConfig(config)
	own.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	api, err := client.New(own, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func action(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "AgentAction",
		"metadata": map[string]any{"namespace": "default", "name": name},
		"spec":     map[string]any{"agentRef": map[string]any{"name": "a"}, "actionType": "read"},
	}}
}

// The API server asks as config/webhook says: one call a request, about every
// subresource, about each object of a deleted collection; not about the
// operator's own writes; and about the end of a namespace only for the record.
func TestTheAPIServerAsksTheWebhooks(t *testing.T) {
	config, stop := Start(t)
	defer stop()
	l := newListener(t)
	InstallWebhooks(t, config, l.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate().Raw}))
	l.since()

	const action1, action2 = "/mutate-agentaction DELETE agentactions one", "/mutate-agentaction DELETE agentactions two"
	someone := as(t, config, "someone")
	operator := as(t, config, "system:serviceaccount:ascend-system:ascend-controller-manager")
	cleaner := as(t, config, "system:serviceaccount:kube-system:namespace-controller")
	ctx := t.Context()
	collection := func(c client.Client) error { return c.DeleteAllOf(ctx, action(""), client.InNamespace("default")) }
	create := func() error {
		if err := someone.Create(ctx, action("one")); err != nil {
			return err
		}
		return someone.Create(ctx, action("two"))
	}
	patch := func(c client.Client, subresource bool) error {
		merge := client.RawPatch("application/merge-patch+json", []byte(`{"status":{"decision":"Pending"},"spec":{"cancelled":true}}`))
		if subresource {
			return c.Status().Patch(ctx, action("one"), merge)
		}
		return c.Patch(ctx, action("one"), merge)
	}
	rule := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "SmartRule",
		"metadata": map[string]any{"namespace": "default", "name": "r"}, "spec": map[string]any{"effect": "Deny"},
	}}
	another := rule.DeepCopy()
	another.SetName("another")
	for _, c := range []struct {
		title string
		do    func() error
		want  []string
	}{
		{"two submissions", create, []string{"/mutate-agentaction CREATE agentactions", "/mutate-agentaction CREATE agentactions"}},
		{"a status", func() error { return patch(someone, true) }, []string{"/mutate-agentaction UPDATE agentactions/status one"}},
		{"the operator's status", func() error { return patch(operator, true) }, nil},
		{"a change", func() error { return patch(someone, false) }, []string{"/mutate-agentaction UPDATE agentactions one"}},
		{"a deleted collection", func() error { return collection(someone) }, []string{action1, action2}},
		{"again two submissions", create, []string{"/mutate-agentaction CREATE agentactions", "/mutate-agentaction CREATE agentactions"}},
		{"the end of a namespace", func() error { return collection(cleaner) }, []string{"/agentaction-gone DELETE agentactions one", "/agentaction-gone DELETE agentactions two"}},
		{"another two submissions", create, []string{"/mutate-agentaction CREATE agentactions", "/mutate-agentaction CREATE agentactions"}},
		{"the operator's removal", func() error { return operator.Delete(ctx, action("one")) }, nil},
		{"a single deletion", func() error { return someone.Delete(ctx, action("two")) }, []string{action2}},
		{"a rule", func() error { return someone.Create(ctx, rule) }, []string{"/validate-smartrule CREATE smartrules"}},
		{"its deletion", func() error { return someone.Delete(ctx, rule) }, []string{"/validate-smartrule DELETE smartrules r"}},
		{"another rule", func() error { return someone.Create(ctx, another) }, []string{"/validate-smartrule CREATE smartrules"}},
		{"its end with the namespace", func() error { return cleaner.Delete(ctx, another) }, []string{"/policy-gone DELETE smartrules another"}},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.title, err)
		}
		if got := l.since(); !slices.Equal(got, c.want) {
			t.Errorf("%s: the API server asked\n  %s\nwant\n  %s", c.title, strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
		}
	}

	// Down, nothing is let through but the end of a namespace.
	if err := create(); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := someone.Create(ctx, action("three")); err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("while the operator is down, a submission ends with: %v", err)
	}
	if err := collection(someone); err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("while the operator is down, a deletion ends with: %v", err)
	}
	if err := collection(cleaner); err != nil {
		t.Errorf("while the operator is down, a namespace does not go: %v", err)
	}
}

// Installing again replaces, and returns when it is in force.
func TestInstallAdmissionPoliciesTwice(t *testing.T) {
	config, stop := Start(t)
	defer stop()
	for range 2 {
		InstallAdmissionPolicies(t, config)
		err := as(t, config, "someone").Create(t.Context(), action("one"))
		if err == nil || !strings.Contains(err.Error(), policyProbed) {
			t.Errorf("what no webhook has stamped ends with: %v", err)
		}
	}
}
