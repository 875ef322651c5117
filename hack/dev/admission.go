// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/config"
)

// Admission is in place before anything can be created that it is about: first
// the policies, then the webhooks, which refuse everything until the operator
// answers, then the operator.

// installWebhooks installs the shipped webhook configurations with the
// operator's address in place of its Service, for no proxy routes Services
// here. The operator fills in the certificate authority.
func (s shell) installWebhooks(ctx context.Context, address string) error {
	objects, err := config.Webhooks()
	if err != nil {
		return err
	}
	text, err := webhooksAt(objects, address)
	if err != nil {
		return err
	}
	file := s.folder.join("webhooks.json")
	if err := replaceFile(file, text, 0o644); err != nil {
		return err
	}
	// Server-side, so that the authority stays that the operator has filled in
	// when it ran here before.
	_, err = s.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-f", file)
	return err
}

// runWebhooks is the command webhooks, for `make run`.
func runWebhooks(out io.Writer, args []string) error {
	set := flag.NewFlagSet("webhooks", flag.ContinueOnError)
	address := set.String("address", "127.0.0.1:9443", "`HOST:PORT` at which the API server reaches the operator")
	if err := parse(set, args); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(*address); err != nil {
		return usageError{fmt.Errorf("--address: %q is no HOST:PORT: %w", *address, err)}
	}
	objects, err := config.Webhooks()
	if err != nil {
		return err
	}
	text, err := webhooksAt(objects, *address)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, text)
	return err
}

// webhooksAt is a List of the configurations that calls this address, such as
// 127.0.0.1:9443.
func webhooksAt(objects []*unstructured.Unstructured, address string) (string, error) {
	var items []any
	for _, object := range objects {
		webhooks, _, err := unstructured.NestedSlice(object.Object, "webhooks")
		if err != nil {
			return "", fmt.Errorf("%s: %w", object.GetName(), err)
		}
		for i := range webhooks {
			webhook, isObject := webhooks[i].(map[string]any)
			if !isObject {
				return "", fmt.Errorf("%s: webhooks[%d] is no object", object.GetName(), i)
			}
			path, found, err := unstructured.NestedString(webhook, "clientConfig", "service", "path")
			if err != nil {
				return "", fmt.Errorf("%s: webhooks[%d]: %w", object.GetName(), i, err)
			}
			if !found {
				return "", fmt.Errorf("%s: webhooks[%d] names no Service with a path", object.GetName(), i)
			}
			webhook["clientConfig"] = map[string]any{"url": "https://" + address + path}
		}
		if err := unstructured.SetNestedSlice(object.Object, webhooks, "webhooks"); err != nil {
			return "", err
		}
		items = append(items, object.Object)
	}
	text, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": items}, "", "  ")
	return string(text), err
}

// awaitPolicies waits until the API server enforces the admission policies.
// Where webhooks are left from an earlier run, those refuse first.
func (s shell) awaitPolicies(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, operatorTimeout,
		fmt.Errorf("the API server did not enforce the admission policies within %s", operatorTimeout))
	defer cancel()
	return s.awaitRefusal(ctx, probeAction, "'ascend-agentaction-identity'", `webhook "agentactions.`+v1alpha1.GroupVersion.Group+`"`)
}

// awaitAdmission waits until the operator answers the API server's questions.
func (s shell) awaitAdmission(ctx context.Context, o *operator) error {
	ctx, cancel := context.WithTimeoutCause(ctx, operatorTimeout,
		fmt.Errorf("the webhooks did not answer within %s; the operator's log is %s", operatorTimeout, o.log))
	defer cancel()
	for _, probe := range []struct {
		object  map[string]any
		webhook string
	}{{probeAction, "agentactions"}, {probeRule, "smartrules"}} {
		words := fmt.Sprintf("admission webhook %q denied the request", probe.webhook+"."+v1alpha1.GroupVersion.Group)
		if err := s.awaitRefusal(ctx, probe.object, words); err != nil {
			if o.ended() {
				return o.died()
			}
			return err
		}
	}
	return nil
}

// What nobody may create: an action of an agent that is not there, and a rule
// whose expression does not compile. They are tried as dry runs.
var (
	probeAction = map[string]any{"kind": "AgentAction", "spec": map[string]any{
		"agentRef": map[string]any{"name": "nobody"}, "actionType": "probe",
	}}
	probeRule = map[string]any{"kind": "SmartRule", "spec": map[string]any{
		"effect": "Deny", "conditions": []any{map[string]any{"name": "probe", "expression": "("}},
	}}
)

// awaitRefusal tries to create an object, as a dry run by the administrator,
// until it is refused with one of these words.
func (s shell) awaitRefusal(ctx context.Context, object map[string]any, words ...string) error {
	admin, err := clientcmd.BuildConfigFromFlags("", s.folder.kubeconfig())
	if err != nil {
		return err
	}
	api, err := client.New(admin, client.Options{})
	if err != nil {
		return err
	}
	var latest error
	err = poll(ctx, func() (bool, error) {
		probe := (&unstructured.Unstructured{Object: object}).DeepCopy()
		probe.SetAPIVersion(v1alpha1.GroupVersion.String())
		probe.SetNamespace(agentNamespace)
		probe.SetGenerateName("probe-")
		latest = api.Create(ctx, probe, client.DryRunAll)
		for _, word := range words {
			if latest != nil && strings.Contains(latest.Error(), word) {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil && latest != nil {
		return errors.Join(err, fmt.Errorf("the latest try to create a %s ended with: %w", object["kind"], latest))
	}
	return err
}
