// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// receiver is a receiver of notifications on this machine, by HTTPS.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(n int, w http.ResponseWriter) // to the n-th delivery; nil takes it
	got    []delivered
}

// delivered is what arrived.
type delivered struct {
	Event  string
	ID     string
	Body   map[string]any
	Raw    []byte
	Header http.Header
}

func (d *delivered) data(field string) any {
	data, _ := d.Body["data"].(map[string]any)
	return data[field]
}

func newReceiver() *receiver {
	GinkgoHelper()
	r := &receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(r.take))
	DeferCleanup(r.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	raw, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	one := delivered{Event: request.Header.Get("X-ASCEND-Event-Type"), ID: request.Header.Get("webhook-id"), Raw: raw, Header: request.Header}
	if err := json.Unmarshal(raw, &one.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.got = append(r.got, one)
	answer, n := r.answer, len(r.got)
	r.mu.Unlock()
	if answer != nil {
		answer(n, w)
	}
}

// answers says how it answers from now on; nil takes everything.
func (r *receiver) answers(how func(n int, w http.ResponseWriter)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = how
}

func always(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { w.WriteHeader(code) }
}

// all is what arrived so far.
func (r *receiver) all() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// events are the types of what arrived, sorted, each id once.
func (r *receiver) events() []string {
	seen := map[string]bool{}
	var events []string
	for _, one := range r.all() {
		if !seen[one.ID] {
			seen[one.ID] = true
			events = append(events, one.Event)
		}
	}
	slices.Sort(events)
	return events
}

// authority is its certificate in PEM, for caBundle.
func (r *receiver) authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}))
}

// signedBy says whether the delivery is signed by the secret, as Standard
// Webhooks has it.
func (d *delivered) signedBy(secret string) bool {
	hook, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	return err == nil && hook.Verify(d.Raw, d.Header) == nil
}

// The signing secrets of specs.
const (
	oneSecret     = "the-first-secret-of-a-spec"
	anotherSecret = "the-second-secret-of-a-spec"
)

// secret creates a Secret with one key, "key".
func (w world) secret(ctx context.Context, name, value string) {
	GinkgoHelper()
	Expect(api.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Data: map[string][]byte{"key": []byte(value)},
	})).To(Succeed())
}

// subscribe creates a subscription of that receiver to events, and waits until
// the operator has said something about it. more are further lines of its spec.
func (w world) subscribe(ctx context.Context, name string, to *receiver, events string, more ...string) {
	GinkgoHelper()
	bundle := strings.ReplaceAll(strings.TrimSpace(to.authority()), "\n", "\n    ")
	w.apply(ctx, fmt.Sprintf("kind: WebhookSubscription\nmetadata: {name: %s}\nspec:\n  url: %s/hook\n  events: [%s]\n  secretRef: {name: hook, key: key}\n  caBundle: |\n    %s\n%s",
		name, to.URL, events, bundle, strings.Join(more, "\n")))
}

// subscription reads one anew.
func (w world) subscription(ctx context.Context, name string) func() (*v1alpha1.WebhookSubscription, error) {
	return func() (*v1alpha1.WebhookSubscription, error) {
		found := &v1alpha1.WebhookSubscription{}
		return found, api.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: name}, found)
	}
}

// readyOf is the reason and the message of a subscription's Ready condition.
func (w world) readyOf(ctx context.Context, name string) func() (string, error) {
	return func() (string, error) {
		found, err := w.subscription(ctx, name)()
		if err != nil {
			return "", err
		}
		for _, c := range found.Status.Conditions {
			if c.Type == v1alpha1.ConditionReady && c.ObservedGeneration == found.Generation {
				return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message), nil
			}
		}
		return "", nil
	}
}

// expectTold waits until nothing is left to be told about an action.
func expectTold(ctx context.Context, action *v1alpha1.AgentAction, as v1alpha1.NotificationState) {
	GinkgoHelper()
	Eventually(status(ctx, action)).WithContext(ctx).Should(And(HaveField("Notification", as), HaveField("Notifications", BeEmpty())))
}

// report reports an outcome, and notes it as admission does.
func report(ctx context.Context, action *v1alpha1.AgentAction, result v1alpha1.OutcomeResult) {
	GinkgoHelper()
	Expect(api.Patch(ctx, action, client.RawPatch(types.MergePatchType, fmt.Appendf(nil,
		`{"metadata":{"labels":{%q:"pending"}},"spec":{"outcome":{"result":%q,"message":"as asked"}}}`, v1alpha1.OutcomeNotificationLabel, result)))).To(Succeed())
}

// soon is shorter than patience, for what must not happen.
const soon = time.Second

// agent reads the agent "agent" anew.
func (w world) agent(ctx context.Context) func() (*v1alpha1.Agent, error) {
	return func() (*v1alpha1.Agent, error) {
		found := &v1alpha1.Agent{}
		return found, api.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: "agent"}, found)
	}
}
