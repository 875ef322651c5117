// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// Webhook says who is to hear of an agent's actions.
type Webhook struct {
	// Name of the WebhookSubscription and of the Secret. Empty: the agent's, and "-webhook".
	Name string
	// URL that receives the events: https, or http to a Service of the namespace. Required.
	URL string
	// Events to send, such as v1alpha1.EventActionApproved. Required.
	Events []v1alpha1.EventType
	// Secret that signs the deliveries: at least 16 bytes, or whsec_ and base64. Required.
	Secret string
}

// String has neither the secret nor the URL, which may be one.
func (w Webhook) String() string { return fmt.Sprintf("webhook %q of events %v", w.Name, w.Events) }

// GoString is String.
func (w Webhook) GoString() string { return "client.Webhook(" + w.String() + ")" }

const (
	// webhookSecretKey is the key in the Secret.
	webhookSecretKey = "secret"
	// fieldManager is who has written what ConfigureWebhook writes.
	fieldManager = "ascend-sdk"
	// contentApply is a server-side apply; JSON is YAML.
	contentApply = "application/apply-patch+yaml"
)

// ConfigureWebhook makes a WebhookSubscription for the agent's actions, and the
// Secret with which its deliveries are signed, or changes those that are there,
// by server-side apply. It takes the verb patch on both, and create on the
// subscription where that is not there; have somebody else make the Secret, empty.
// Fields that somebody else has written meanwhile are a *ConflictError. It fails
// with a *ValidationError for what the operator would not take, and as every
// request does.
func (c *Client) ConfigureWebhook(ctx context.Context, webhook Webhook) error {
	if webhook.Name == "" {
		webhook.Name = c.options.Agent + "-webhook"
	}
	if err := webhook.check(c.options.Agent); err != nil {
		return err
	}
	meta := metav1.ObjectMeta{Name: webhook.Name, Namespace: c.options.Namespace}
	secret := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: meta,
		Data: map[string][]byte{webhookSecretKey: []byte(webhook.Secret)},
	}
	subscription := &v1alpha1.WebhookSubscription{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "WebhookSubscription"}, ObjectMeta: meta,
		Spec: v1alpha1.WebhookSubscriptionSpec{
			AgentRef: &v1alpha1.LocalReference{Name: v1alpha1.ObjectName(c.options.Agent)},
			URL:      webhook.URL, Events: webhook.Events,
			SecretRef: &v1alpha1.SecretKeyReference{Name: v1alpha1.ObjectName(webhook.Name), Key: webhookSecretKey},
		},
	}
	group := "/apis/" + v1alpha1.GroupVersion.String()
	// Tried first, so that no secret is changed for a subscription that cannot be.
	if err := c.apply(ctx, group, "webhooksubscriptions", webhook.Name, subscription, metav1.DryRunAll); err != nil {
		return err
	}
	if err := c.apply(ctx, "/api/v1", "secrets", webhook.Name, secret); err != nil {
		return err
	}
	return c.apply(ctx, group, "webhooksubscriptions", webhook.Name, subscription)
}

// check holds a webhook to what can be told without the operator.
func (w *Webhook) check(agent string) error {
	address, err := url.Parse(w.URL)
	switch {
	case agent == "":
		return invalidf("Options.Agent", "Name the Agent whose events are to be sent, in Options.Agent or ASCEND_AGENT_ID.", "is empty")
	case len(validation.IsDNS1123Subdomain(w.Name)) > 0:
		return invalidf("Webhook.Name", "Lower-case letters, digits, '-' and '.'.", "%q is no name of an object", w.Name)
	case err != nil || address.Host == "" || (address.Scheme != "https" && address.Scheme != "http"): // never shown: it may be a secret
		return invalidf("Webhook.URL", "Such as https://hooks.example.com/ascend.", "is no absolute URL")
	case len(w.Events) == 0:
		return invalidf("Webhook.Events", "Such as v1alpha1.EventActionApproved.", "is empty")
	}
	sorted := slices.Sorted(slices.Values(w.Events))
	if len(slices.Compact(sorted)) != len(w.Events) {
		return invalidf("Webhook.Events", "Name each once.", "has an event twice")
	}
	if _, err := notify.ParseSecret([]byte(w.Secret)); err != nil {
		return invalidf("Webhook.Secret", "", "%v", err)
	}
	return nil
}

// apply makes an object what it should be, or tries whether it could.
func (c *Client) apply(ctx context.Context, group, resource, name string, object any, dryRun ...string) error {
	body, err := json.Marshal(object)
	if err != nil {
		return invalidf("Webhook", "", "%v", err)
	}
	err = c.do(ctx, &call{
		verb: "patch", resource: resource, name: name, method: http.MethodPatch,
		path:        strings.Join([]string{group, "namespaces", url.PathEscape(c.options.Namespace), resource, url.PathEscape(name)}, "/"),
		query:       url.Values{"fieldManager": {fieldManager}, "dryRun": dryRun},
		contentType: contentApply, body: body,
	})
	return err
}
