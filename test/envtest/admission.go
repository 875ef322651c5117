// SPDX-License-Identifier: Apache-2.0

package envtest

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	shipped "github.com/ow-kai/ascend-operator/config"
)

const (
	// enforcementTimeout is how long the API server may take to act by what was
	// just installed. It takes about a second.
	enforcementTimeout = time.Minute
	enforcementPoll    = 50 * time.Millisecond
)

// InstallAdmissionPolicies installs the ValidatingAdmissionPolicies of
// config/admission-policy and returns when the API server enforces all of them.
// What is installed already is replaced. Install them before the webhooks.
func InstallAdmissionPolicies(t TB, config *rest.Config) {
	t.Helper()
	objects, err := shipped.AdmissionPolicies()
	if err == nil {
		err = installPolicies(config, objects)
	}
	if err != nil {
		t.Fatalf("envtest: install the admission policies: %v", err)
	}
}

// policyProbed is installed last: the API server takes policies and bindings in
// the order in which they were written, so with it all others are in force.
const policyProbed = "ascend-agentaction-identity"

func installPolicies(config *rest.Config, objects []*unstructured.Unstructured) error {
	var first, last []*unstructured.Unstructured
	for _, object := range objects {
		if object.GetName() == policyProbed {
			last = append(last, object)
		} else {
			first = append(first, object)
		}
	}
	return install(config, append(first, last...), []probe{{
		object:  map[string]any{"kind": "AgentAction", "spec": map[string]any{"agentRef": map[string]any{"name": "probe"}, "actionType": "probe"}},
		refusal: "'" + policyProbed + "'",
	}})
}

// InstallWebhooks installs the webhook configurations of config/webhook with an
// address in place of the Service: url, such as https://127.0.0.1:9443, followed
// by the path. It returns when the API server asks there, which it does whether
// or not anything answers. What is installed already is replaced.
func InstallWebhooks(t TB, config *rest.Config, url string, caBundle []byte) {
	t.Helper()
	objects, err := shipped.Webhooks()
	if err == nil {
		err = installWebhooks(config, objects, url, caBundle)
	}
	if err != nil {
		t.Fatalf("envtest: install the webhooks: %v", err)
	}
}

func installWebhooks(config *rest.Config, objects []*unstructured.Unstructured, url string, caBundle []byte) error {
	for _, object := range objects {
		if err := serveFrom(object, url, caBundle); err != nil {
			return fmt.Errorf("%s: %w", object.GetName(), err)
		}
	}
	return install(config, objects, []probe{
		{
			object:  map[string]any{"kind": "AgentAction", "spec": map[string]any{"agentRef": map[string]any{"name": "probe"}, "actionType": "probe"}},
			refusal: `webhook "agentactions.governance.ascendowkai.com"`,
		},
		{ // its expression does not compile
			object: map[string]any{"kind": "SmartRule", "spec": map[string]any{
				"effect": "Deny", "conditions": []any{map[string]any{"name": "probe", "expression": "("}},
			}},
			refusal: `webhook "smartrules.governance.ascendowkai.com"`,
		},
	})
}

// serveFrom puts an address in the place of the Service.
func serveFrom(object *unstructured.Unstructured, url string, caBundle []byte) error {
	webhooks, _, err := unstructured.NestedSlice(object.Object, "webhooks")
	if err != nil {
		return err
	}
	for i := range webhooks {
		webhook, isObject := webhooks[i].(map[string]any)
		if !isObject {
			return fmt.Errorf("webhooks[%d] is no object", i)
		}
		path, _, err := unstructured.NestedString(webhook, "clientConfig", "service", "path")
		if err != nil {
			return err
		}
		address := map[string]any{"url": strings.TrimSuffix(url, "/") + path}
		if len(caBundle) > 0 {
			address["caBundle"] = base64.StdEncoding.EncodeToString(caBundle)
		}
		webhook["clientConfig"] = address
	}
	return unstructured.SetNestedSlice(object.Object, webhooks, "webhooks")
}

var errCreated = errors.New("it was let through")

// probe is an object whose creation, as a dry run, is refused with these words
// once what was installed is in force. Nothing is ever stored of it.
type probe struct {
	object  map[string]any
	refusal string
}

// install creates or replaces the objects in order and waits for the probes.
func install(config *rest.Config, objects []*unstructured.Unstructured, probes []probe) error {
	ctx, cancel := context.WithTimeout(context.Background(), enforcementTimeout)
	defer cancel()
	api, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := replace(ctx, api, object); err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	for _, p := range probes {
		if err := p.await(ctx, api); err != nil {
			return err
		}
	}
	return nil
}

func replace(ctx context.Context, api client.Client, object *unstructured.Unstructured) error {
	err := api.Create(ctx, object)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	there := &unstructured.Unstructured{}
	there.SetGroupVersionKind(object.GroupVersionKind())
	if err := api.Get(ctx, client.ObjectKeyFromObject(object), there); err != nil {
		return err
	}
	object.SetResourceVersion(there.GetResourceVersion())
	return api.Update(ctx, object)
}

// await tries until the refusal comes.
func (p probe) await(ctx context.Context, api client.Client) error {
	var latest error
	err := wait.PollUntilContextCancel(ctx, enforcementPoll, true, func(ctx context.Context) (bool, error) {
		object := &unstructured.Unstructured{Object: p.object}
		object = object.DeepCopy()
		object.SetAPIVersion(v1alpha1.GroupVersion.String())
		object.SetNamespace("default")
		object.SetGenerateName("probe-")
		latest = api.Create(ctx, object, client.DryRunAll)
		return latest != nil && strings.Contains(latest.Error(), p.refusal), nil
	})
	if err != nil {
		return fmt.Errorf("not in force after %s: creating a %s was not refused by %s but ended with: %w",
			enforcementTimeout, p.object["kind"], p.refusal, cmp.Or(latest, errCreated))
	}
	return nil
}
