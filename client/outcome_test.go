// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
)

func TestReportOutcome(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	got, err := c.Submit(t.Context(), harmless)
	if err != nil {
		t.Fatal(err)
	}
	outcome := client.Outcome{Result: v1alpha1.OutcomeFailed, Message: strings.Repeat("ä", 5000), StartedAt: time.Unix(1000, 123456789)}
	for range 2 { // the same again is no error
		if err := c.ReportOutcome(t.Context(), got.ID, outcome); err != nil {
			t.Fatal(err)
		}
	}
	stored := server.Action(got.ID).Spec.Outcome
	if stored.Result != v1alpha1.OutcomeFailed || len([]rune(stored.Message)) != 4096 || stored.StartedAt.Nanosecond() != 123456000 || stored.CompletedAt != nil {
		t.Errorf("stored %+v", stored)
	}
	outcome.Result = v1alpha1.OutcomeSucceeded
	var conflict *client.ConflictError
	if err := c.ReportOutcome(t.Context(), got.ID, outcome); !errors.As(err, &conflict) || conflict.Existing.Outcome.Result != v1alpha1.OutcomeFailed {
		t.Errorf("another one: %T: %v", err, err)
	}
	waits, err := c.Submit(t.Context(), pending)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ReportOutcome(t.Context(), waits.ID, outcome); !errors.As(err, &conflict) || !strings.Contains(err.Error(), "only of what was approved") {
		t.Errorf("too early: %T: %v", err, err)
	}
	var invalid *client.ValidationError
	if err := c.ReportOutcome(t.Context(), got.ID, client.Outcome{}); !errors.As(err, &invalid) {
		t.Errorf("no result: %v", err)
	}
	stranger := server.Options()
	stranger.Config = server.Config("mallory")
	var refused *client.AuthorizationError
	if err := newClient(t, stranger).Cancel(t.Context(), waits.ID); !errors.As(err, &refused) || refused.Verb != "patch" {
		t.Errorf("another's: %T: %v", err, err)
	}
	for range 2 {
		if err := c.Cancel(t.Context(), waits.ID); err != nil {
			t.Errorf("cancel: %v", err)
		}
	}
	if err := c.Cancel(t.Context(), got.ID); !errors.As(err, &conflict) {
		t.Errorf("cancel what is decided: %T: %v", err, err)
	}
}

func TestConfigureWebhook(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	webhook := client.Webhook{URL: "https://your-app.example.com/ascend", Secret: "your_webhook_secret",
		Events: []v1alpha1.EventType{v1alpha1.EventActionApproved, v1alpha1.EventActionDenied}}
	if err := c.ConfigureWebhook(t.Context(), webhook); err != nil {
		t.Fatal(err)
	}
	subscription := &v1alpha1.WebhookSubscription{}
	if err := json.Unmarshal(server.Applied("default", "webhooksubscriptions", "test-agent-webhook"), subscription); err != nil {
		t.Fatal(err)
	}
	spec := subscription.Spec
	if spec.URL != webhook.URL || len(spec.Events) != 2 || spec.AgentRef.Name != "test-agent" || spec.SecretRef.Name != "test-agent-webhook" || spec.SecretRef.Key != "secret" {
		t.Errorf("%+v", spec)
	}
	if text := string(server.Applied("default", "secrets", "test-agent-webhook")); !strings.Contains(text, `"data":{"secret":"eW91cl93ZWJob29rX3NlY3JldA=="}`) {
		t.Errorf("secret %s", text)
	}
	if text := fmt.Sprintf("%v %+v %#v %v", webhook, webhook, webhook, &webhook); strings.Contains(text, webhook.Secret) || strings.Contains(text, webhook.URL) {
		t.Errorf("prints its secrets: %s", text)
	}
	for field, broken := range map[string]func(*client.Webhook){
		"Webhook.URL":    func(w *client.Webhook) { w.URL = "hooks.example.com/topsecret" },
		"Webhook.Events": func(w *client.Webhook) { w.Events = nil },
		"Webhook.Secret": func(w *client.Webhook) { w.Secret = "topsecret" },
		"Webhook.Name":   func(w *client.Webhook) { w.Name = "My Hook" },
	} {
		wrong := webhook
		broken(&wrong)
		var invalid *client.ValidationError
		if err := c.ConfigureWebhook(t.Context(), wrong); !errors.As(err, &invalid) || invalid.Field != field || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: %T: %v", field, err, err)
		}
	}
}

// Where one of the two cannot be written, the other is not.
func TestConfigureWebhookThatIsRefused(t *testing.T) {
	for refused, other := range map[string]string{"webhooksubscriptions": "secrets", "secrets": "webhooksubscriptions"} {
		server := clienttest.New(t)
		options := server.Options()
		options.MaxRetries = -1
		options.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.Contains(r.URL.Path, "/"+refused+"/") {
					return nil, errors.New("refused")
				}
				return next.RoundTrip(r)
			})
		})
		err := newClient(t, options).ConfigureWebhook(t.Context(), client.Webhook{URL: "https://your-app.example.com/ascend",
			Secret: "your_webhook_secret", Events: []v1alpha1.EventType{v1alpha1.EventActionApproved}})
		if there := server.Applied("default", other, "test-agent-webhook"); err == nil || there != nil {
			t.Errorf("%s were refused: %v; there is %s", refused, err, there)
		}
	}
}
