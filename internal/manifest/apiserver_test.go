// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// keyTwice is the case that kubectl would hide from the API server: it would
// send the second alone.
const keyTwice = "a key twice"

// judged are objects in a line each, as resource, metadata and the rest.
// Whether they are good is what the API server says.
var judged = []struct{ title, resource, metadata, rest string }{
	{"a small rule", "smartrules", "{name: a}", "spec: {effect: Deny}"},
	{"a rule with everything", "smartrules", "{name: a, labels: {a.b/c: d}, annotations: {x: y}}", `spec:
  displayName: All
  mode: Audit
  priority: 0
  match: {actionTypes: [x], agents: {names: [b], selector: {matchLabels: {a.b/c: d}}}, minRiskScore: "7.5"}
  conditions: [{name: bulk, expression: "true"}]
  effect: Deny
  exceptionWorkflowRef: {name: managers}
  reason: no
  controls: ["NIST-800-53:AC-6"]`},
	{"the same, with the reason in quotes", "smartrules", "{name: a}", `spec: {effect: Deny, reason: "no", notBefore: 2026-01-01T00:00:00Z}`},
	{"nulls", "smartrules", "{name: a, labels: null}", "spec: {effect: Deny, mode: null, priority: null, match: null, conditions: null, reason: null}"},
	{"a null in a list", "smartrules", "{name: a}", "spec: {effect: Deny, match: {actionTypes: [null]}}"},
	{"no spec", "smartrules", "{name: a}", ""},
	{"an unknown field", "smartrules", "{name: a}", "spec: {effect: Deny, colour: red}"},
	{"an unknown field deep down", "smartrules", "{name: a}", "spec: {effect: Deny, conditions: [{name: a, expression: b, c: d}]}"},
	{"an unknown field at the top", "smartrules", "{name: a}", "spec: {effect: Deny}\nspecs: {}"},
	{"an unknown field of the metadata", "smartrules", "{name: a, label: {}}", "spec: {effect: Deny}"},
	{"an unknown field of the status", "smartrules", "{name: a}", "spec: {effect: Deny}\nstatus: {colour: red}"},
	{"a wrong value in the status", "smartrules", "{name: a}", "spec: {effect: Deny}\nstatus: {observedGeneration: many}"},
	{keyTwice, "smartrules", "{name: a}", "spec: {effect: Deny, effect: Deny}"},
	{"a wrong value of an enum", "smartrules", "{name: a}", "spec: {effect: deny}"},
	{"a number in quotes", "smartrules", "{name: a}", `spec: {effect: Deny, priority: "5"}`},
	{"a fraction", "smartrules", "{name: a}", "spec: {effect: Deny, priority: 5.5}"},
	{"a whole number with a point", "smartrules", "{name: a}", "spec: {effect: Deny, priority: 5.0}"},
	{"too large", "smartrules", "{name: a}", "spec: {effect: Deny, priority: 101}"},
	{"too many conditions", "smartrules", "{name: a}", "spec: {effect: Deny, conditions: [" + conditions(17) + "]}"},
	{"as many conditions as there may be", "smartrules", "{name: a}", "spec: {effect: Deny, conditions: [" + conditions(16) + "]}"},
	{"too long", "smartrules", "{name: a}", "spec: {effect: Deny, displayName: " + strings.Repeat("é", 129) + "}"},
	{"as long as may be", "smartrules", "{name: a}", "spec: {effect: Deny, displayName: " + strings.Repeat("é", 128) + "}"},
	{"twice in a set", "smartrules", "{name: a}", "spec: {effect: Deny, match: {resources: [a, a]}}"},
	{"twice in a list map", "smartrules", "{name: a}", "spec: {effect: Deny, conditions: [{name: a, expression: b}, {name: a, expression: c}]}"},
	{"an expression of the CRD", "smartrules", "{name: a}", `spec: {effect: Deny, riskAdjustment: "+1.0"}`},
	{"an impossible day", "smartrules", "{name: a}", `spec: {effect: Deny, notAfter: "2026-02-31T00:00:00Z"}`},
	{"anchors and a merge", "smartrules", "&m {name: a}", "spec:\n  <<: &s {effect: Allow, priority: 1}\n  effect: Deny\n  match: {actionTypes: &t [x], resources: *t}"},
	{"no metadata", "smartrules", "", "spec: {effect: Deny}"},
	{"a generated name", "agentactions", "{generateName: act-}", "spec: {agentRef: {name: a}, actionType: read, parameters: {a: [1, {b: c}]}}"},
	{"a name in capitals", "smartrules", "{name: Rule}", "spec: {effect: Deny}"},
	{"a long name", "smartrules", "{name: " + strings.Repeat("a", 254) + "}", "spec: {effect: Deny}"},
	{"a name that is a number", "smartrules", "{name: 7}", "spec: {effect: Deny}"},
	{"a label that is a boolean", "smartrules", "{name: a, labels: {b: true}}", "spec: {effect: Deny}"},
	{"a label with spaces", "smartrules", "{name: a, labels: {b: c d}}", "spec: {effect: Deny}"},
	{"an owner without uid", "smartrules", "{name: a, ownerReferences: [{apiVersion: v1, kind: Pod, name: p}]}", "spec: {effect: Deny}"},
	{"another version", "smartrules governance.ascendowkai.com/v1", "{name: a}", "spec: {effect: Deny}"},
	{"a risk model in a namespace", "riskmodels", "{name: default, namespace: default}", `spec: {dataClassifications: [{name: pii, delta: "+1.0"}]}`},
	{"a risk model", "riskmodels", "{name: default}", `spec: {actionTypes: [{pattern: a, cvssVector: "CVSS:3.1/AV:N"}]}`},
	{"a workflow", "approvalworkflows", "{name: a}", "spec: {stages: [{name: s, approvers: {groups: [g]}, timeout: 30m}]}"},
	{"a workflow with nobody in it", "approvalworkflows", "{name: a}", "spec: {stages: [{name: s, approvers: {groups: []}}]}"},
	{"a subscription", "webhooksubscriptions", "{name: a}", "spec: {url: 'https://example.com/x', events: [action.approved], secretRef: {name: s}}"},
	{"a subscription to no address", "webhooksubscriptions", "{name: a}", "spec: {url: 'ftp://example.com', events: [action.approved], secretRef: {name: s}}"},
	{"an agent", "agents", "{name: a}", "spec: {type: Supervised, subjects: [{kind: ServiceAccount, name: s}]}"},
	{"an agent of no type", "agents", "{name: a}", "spec: {type: Robot}"},
	{"a namespace", "namespaces", "{name: team, labels: {a: b}}", ""},
	{"a namespace with a point", "namespaces", "{name: team.a}", ""},
	{"a namespace with an unknown field", "namespaces", "{name: team}", "spec: {colour: red}"},
}

func conditions(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("{name: c%d, expression: x}", i))
	}
	return strings.Join(all, ", ")
}

var kinds = map[string]string{
	"smartrules": manifest.KindSmartRule, "agentactions": manifest.KindAgentAction, "riskmodels": manifest.KindRiskModel, "agents": manifest.KindAgent,
	"approvalworkflows": manifest.KindApprovalWorkflow, "webhooksubscriptions": manifest.KindWebhookSubscription, "namespaces": manifest.KindNamespace,
}

var scheme = runtime.NewScheme()

// Load refuses what the API server refuses, takes what it takes, and sets the
// same defaults.
func TestLoadJudgesAsTheAPIServer(t *testing.T) {
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	config, stop := envtest.Start(t)
	defer stop()
	config.QPS = -1
	config.GroupVersion = &schema.GroupVersion{}
	config.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme())
	server, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range judged {
		t.Run(c.title, func(t *testing.T) {
			resource, apiVersion, _ := strings.Cut(c.resource, " ")
			path := "/apis/governance.ascendowkai.com/v1alpha1/namespaces/default/" + resource
			switch resource {
			case "riskmodels":
				path = "/apis/governance.ascendowkai.com/v1alpha1/riskmodels"
			case "namespaces":
				path, apiVersion = "/api/v1/namespaces", "v1"
			}
			if apiVersion == "" {
				apiVersion = "governance.ascendowkai.com/v1alpha1"
			}
			body := fmt.Sprintf("apiVersion: %s\nkind: %s\n%s\n", apiVersion, kinds[resource], c.rest)
			if c.metadata != "" {
				body += "metadata: " + c.metadata + "\n"
			}
			sent, err := sigsyaml.YAMLToJSON([]byte(body)) // as kubectl does
			contentType := "application/json"
			if err != nil {
				t.Fatal(err)
			}
			if c.title == keyTwice {
				sent, contentType = []byte(body), "application/yaml"
			}
			answer, refusal := server.Post().AbsPath(path).Param("dryRun", "All").Param("fieldValidation", "Strict").
				SetHeader("Content-Type", contentType).SetHeader("Accept", "application/json").Body(sent).Do(t.Context()).Raw()
			if refusal != nil {
				refusal = fmt.Errorf("%w: %s", refusal, answer)
			}
			set, problems := text(t, body)
			if (refusal == nil) != (len(problems) == 0) {
				t.Fatalf("the API server says %v\nLoad says %q of\n%s", refusal, problems, body)
			}
			if refusal == nil && resource != "namespaces" {
				if diff := cmp.Diff(spec(t, stored(t, answer, set.Objects[0].Object)), spec(t, set.Objects[0].Object)); diff != "" {
					t.Errorf("- the API server, + Load:\n%s", diff)
				}
			}
		})
	}
}

// stored is what the API server answered with, as an object of the same type.
func stored(t *testing.T, answer []byte, like runtime.Object) runtime.Object {
	t.Helper()
	object, err := scheme.New(like.GetObjectKind().GroupVersionKind())
	if err == nil {
		err = json.Unmarshal(answer, object)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// spec of an object as JSON has it.
func spec(t *testing.T, object runtime.Object) any {
	t.Helper()
	encoded, err := json.Marshal(object)
	var whole map[string]any
	if err == nil {
		err = json.Unmarshal(encoded, &whole)
	}
	if err != nil {
		t.Fatal(err)
	}
	return whole["spec"]
}
