// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/config"
)

// The configuration as it is shipped, in the shape that matters here.
const (
	shippedWebhooks = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: guarded}
webhooks:
- name: actions.example.com
  clientConfig: {service: {name: s, namespace: ns, path: /mutate}, caBundle: Y2E=}
  rules:
  - apiGroups: [governance.ascendowkai.com]
    apiVersions: [v1alpha1]
    operations: [CREATE, UPDATE, DELETE]
    resources: [agentactions, agentactions/*]
    scope: Namespaced
  matchConditions:
  - {name: not-by-the-operator, expression: request.userInfo.username != "operator"}
  failurePolicy: Fail
  matchPolicy: Equivalent
  sideEffects: NoneOnDryRun
  admissionReviewVersions: [v1]
- name: gone.actions.example.com
  clientConfig: {service: {name: s, namespace: ns, path: /gone}, caBundle: Y2E=}
  rules: [{apiGroups: [governance.ascendowkai.com], apiVersions: [v1alpha1], operations: [DELETE], resources: [agentactions]}]
  failurePolicy: Ignore
  sideEffects: None
  admissionReviewVersions: [v1]
`
	shippedPolicy = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: guarded}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [governance.ascendowkai.com], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: ["*/status"]}]
  variables: [{name: me, expression: request.userInfo.username}]
  validations: [{expression: variables.me == "operator", message: refused}]
`
	shippedBinding = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: guarded}
spec: {policyName: guarded, validationActions: [Deny]}
`
)

func decodeYAML(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return object
}

// weakenings are edits, as text, and what the guard says of each; empty: nothing.
type weakenings map[string]struct{ old, new, want string }

func (w weakenings) run(t *testing.T, shipped string) {
	t.Helper()
	for name, test := range w {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(shipped, test.old) {
				t.Fatalf("%q is not in what is shipped", test.old)
			}
			live := decodeYAML(t, strings.Replace(shipped, test.old, test.new, 1))
			found, err := compare(&unstructured.Unstructured{Object: decodeYAML(t, shipped)}, &unstructured.Unstructured{Object: live}, []string{"localhost", "::1"})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(found.weak, "; "); got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
			if len(found.shut) > 0 {
				t.Errorf("found shut: %q", found.shut)
			}
		})
	}
}

func TestEachWayToWeakenAWebhookIsFound(t *testing.T) {
	t.Parallel()
	const first = "webhook actions.example.com: "
	const service = "{service: {name: s, namespace: ns, path: /mutate}, caBundle: Y2E=}"
	weakenings{
		"as shipped":              {"", "", ""},
		"failurePolicy Ignore":    {"failurePolicy: Fail", "failurePolicy: Ignore", first + "failurePolicy is Ignore, not Fail"},
		"failurePolicy unset":     {"failurePolicy: Fail", "timeoutSeconds: 1", ""},
		"the lesser one as Fail":  {"failurePolicy: Ignore", "failurePolicy: Fail", ""},
		"matchPolicy Exact":       {"matchPolicy: Equivalent", "matchPolicy: Exact", first + "matchPolicy is Exact, not Equivalent"},
		"namespace exempted":      {"matchPolicy: Equivalent", "namespaceSelector: {matchLabels: {a: b}}", first + "namespaceSelector leaves out namespaces: a=b"},
		"namespace by expression": {"matchPolicy: Equivalent", "namespaceSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}", first + "namespaceSelector leaves out namespaces: !a"},
		"objects exempted":        {"matchPolicy: Equivalent", "objectSelector: {matchLabels: {a: b}}", first + "objectSelector leaves out objects: a=b"},
		"empty selectors":         {"matchPolicy: Equivalent", "namespaceSelector: {}\n  objectSelector: {}", ""},
		"an operation missing":    {"[CREATE, UPDATE, DELETE]", "[CREATE, UPDATE]", first + "rules do not cover DELETE agentactions, DELETE agentactions/*"},
		"subresources missing":    {"[agentactions, agentactions/*]", "[agentactions]", first + "rules do not cover CREATE agentactions/*, UPDATE agentactions/*, DELETE agentactions/*"},
		"all but subresources":    {"[agentactions, agentactions/*]", `["*"]`, first + "rules do not cover CREATE agentactions/*, UPDATE agentactions/*, DELETE agentactions/*"},
		"all resources":           {"[agentactions, agentactions/*]", `["*/*"]`, ""},
		"all operations":          {"[CREATE, UPDATE, DELETE]", `["*"]`, ""},
		"another version":         {"apiVersions: [v1alpha1]\n    operations: [CREATE, UPDATE, DELETE]\n    resources: [agentactions, agentactions/*]", "apiVersions: [v1]\n    operations: [CREATE]\n    resources: [agentactions]", first + "rules do not cover CREATE agentactions, CREATE agentactions/*, UPDATE agentactions, UPDATE agentactions/*, DELETE agentactions, DELETE agentactions/*"},
		"wrong scope":             {"scope: Namespaced", "scope: Cluster", first + "rules do not cover CREATE agentactions, CREATE agentactions/*, UPDATE agentactions, UPDATE agentactions/*, DELETE agentactions, DELETE agentactions/*"},
		"any scope":               {"scope: Namespaced", `scope: "*"`, ""},
		"a rule more":             {"  rules:\n", "  rules:\n  - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}\n", ""},
		"a condition changed":     {`!= "operator"`, `!= "mallory"`, first + "matchConditions leave out requests: not-by-the-operator is not as shipped"},
		"a condition added":       {"  matchConditions:\n", "  matchConditions:\n  - {name: x, expression: request.userInfo.username != 'mallory'}\n", first + "matchConditions leave out requests: x is not as shipped"},
		"a condition less":        {"  matchConditions:\n  - {name: not-by-the-operator, expression: request.userInfo.username != \"operator\"}\n", "", ""},
		"renamed":                 {"- name: actions.example.com", "- name: other.example.com", "webhook actions.example.com is missing"},
		"by URL":                  {service, "{url: 'https://localhost:9443/mutate'}", ""},
		"by IPv6":                 {service, "{url: 'https://[::1]:9443/mutate'}", ""},
		"at another host":         {service, "{url: 'https://evil.example.com/mutate'}", first + `somebody else is asked in place of the operator: clientConfig.url is "https://evil.example.com/mutate", and has to be https, path /mutate, at one of --webhook-hosts, localhost, ::1`},
		"at another path":         {service, "{url: 'https://localhost/agentaction-gone'}", first + `somebody else is asked in place of the operator: clientConfig.url is "https://localhost/agentaction-gone", and has to be https, path /mutate, at one of --webhook-hosts, localhost, ::1`},
		"without TLS":             {service, "{url: 'http://localhost/mutate'}", first + `somebody else is asked in place of the operator: clientConfig.url is "http://localhost/mutate", and has to be https, path /mutate, at one of --webhook-hosts, localhost, ::1`},
		"no URL":                  {service, "{url: 'https://%zz/mutate'}", first + `somebody else is asked in place of the operator: clientConfig.url is "https://%zz/mutate", and has to be https, path /mutate, at one of --webhook-hosts, localhost, ::1`},
		"another Service":         {"name: s, namespace: ns, path: /mutate", "name: evil, namespace: ns, path: /mutate", first + "somebody else is asked in place of the operator: clientConfig.service is ns/evil:443/mutate, not ns/s:443/mutate"},
		"another namespace":       {"name: s, namespace: ns, path: /mutate", "name: s, namespace: evil, path: /mutate", first + "somebody else is asked in place of the operator: clientConfig.service is evil/s:443/mutate, not ns/s:443/mutate"},
		"another port":            {"name: s, namespace: ns, path: /mutate", "name: s, namespace: ns, port: 8443, path: /mutate", first + "somebody else is asked in place of the operator: clientConfig.service is ns/s:8443/mutate, not ns/s:443/mutate"},
		"another webhook's path":  {"name: s, namespace: ns, path: /mutate", "name: s, namespace: ns, path: /gone", first + "somebody else is asked in place of the operator: clientConfig.service is ns/s:443/gone, not ns/s:443/mutate"},
		"the port spelled out":    {"name: s, namespace: ns, path: /mutate", "name: s, namespace: ns, port: 443, path: /mutate", ""},
		"nowhere":                 {service, "{}", first + "somebody else is asked in place of the operator: clientConfig has neither service nor url"},
		"a webhook more": {"webhooks:\n", "webhooks:\n- {name: x.example.com, clientConfig: {url: https://localhost/}, failurePolicy: Ignore, sideEffects: None, admissionReviewVersions: [v1]}\n",
			""},
	}.run(t, shippedWebhooks)
	weakenings{
		"failurePolicy Ignore": {"failurePolicy: Fail", "failurePolicy: Ignore", first + "failurePolicy is Ignore, not Fail"},
	}.run(t, strings.Replace(shippedWebhooks, "Mutating", "Validating", 1))
}

func TestEachWayToWeakenAPolicyIsFound(t *testing.T) {
	t.Parallel()
	const defaults = "failurePolicy: Fail\n  matchConstraints:\n    matchPolicy: Equivalent\n    namespaceSelector: {}\n    objectSelector: {}"
	weakenings{
		"as shipped":           {"", "", ""},
		"with defaults":        {"matchConstraints:", defaults, ""},
		"default scope":        {`resources: ["*/status"]`, `resources: ["*/status"], scope: "*"`, ""},
		"failurePolicy Ignore": {"matchConstraints:", "failurePolicy: Ignore\n  matchConstraints:", "spec.failurePolicy is Ignore, not Fail"},
		"namespace exempted":   {"matchConstraints:", "matchConstraints:\n    namespaceSelector: {matchLabels: {a: b}}", "spec.matchConstraints is not as shipped"},
		"excluded":             {"matchConstraints:", "matchConstraints:\n    excludeResourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}]", "spec.matchConstraints is not as shipped"},
		"an operation missing": {"[CREATE, UPDATE]", "[CREATE]", "spec.matchConstraints is not as shipped"},
		"condition added":      {"  variables:", "  matchConditions: [{name: x, expression: 'false'}]\n  variables:", "spec.matchConditions is not as shipped"},
		"variable changed":     {"expression: request.userInfo.username", "expression: \"'operator'\"", "spec.variables is not as shipped"},
		"expression changed":   {`variables.me == "operator"`, "'true'", "spec.validations is not as shipped"},
		"parameters":           {"  variables:", "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  variables:", "spec.paramKind is not as shipped"},
	}.run(t, shippedPolicy)
	weakenings{
		"as shipped":         {"", "", ""},
		"empty match":        {"validationActions", "matchResources: {matchPolicy: Equivalent, namespaceSelector: {}, objectSelector: {}}, validationActions", ""},
		"an action more":     {"[Deny]", "[Deny, Audit]", ""},
		"only audited":       {"[Deny]", "[Audit]", "spec.validationActions is [Audit], without Deny"},
		"only warned of":     {"[Deny]", "[Warn]", "spec.validationActions is [Warn], without Deny"},
		"namespace exempted": {"validationActions", "matchResources: {namespaceSelector: {matchLabels: {a: b}}}, validationActions", "spec.matchResources leaves out requests"},
		"excluded":           {"validationActions", "matchResources: {excludeResourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}]}, validationActions", "spec.matchResources leaves out requests"},
		"narrowed":           {"validationActions", "matchResources: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods]}]}, validationActions", "spec.matchResources leaves out requests"},
		"another policy":     {"policyName: guarded", "policyName: other", "spec.policyName is other, not guarded"},
		"parameters":         {"validationActions", "paramRef: {name: p}, validationActions", "spec.paramRef is not as shipped"},
	}.run(t, shippedBinding)
}

func TestWhatIsMissingOrNotServedIsFound(t *testing.T) {
	t.Parallel()
	for _, text := range []string{shippedWebhooks, shippedPolicy, shippedBinding} {
		found, err := compare(&unstructured.Unstructured{Object: decodeYAML(t, text)}, nil, nil)
		if err != nil || !slices.Equal(found.weak, []string{"it is missing"}) {
			t.Errorf("missing: %v, %v", found, err)
		}
	}
	shipped := &unstructured.Unstructured{Object: decodeYAML(t, shippedWebhooks)}
	found, err := compare(shipped, &unstructured.Unstructured{Object: decodeYAML(t, strings.Replace(shippedWebhooks, ", caBundle: Y2E=", "", 1))}, nil)
	if err != nil || len(found.weak) > 0 ||
		!slices.Equal(found.shut, []string{"webhook actions.example.com: clientConfig.caBundle is empty, so nobody can reach it"}) {
		t.Errorf("without caBundle: %v, %v", found, err)
	}
}

func TestWhatCannotBeComparedIsAnError(t *testing.T) {
	t.Parallel()
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret"}}
	if _, err := compare(secret, secret, nil); err == nil || !strings.Contains(err.Error(), "nobody knows how to compare") {
		t.Errorf("a Secret: %v", err)
	}
	odd := &unstructured.Unstructured{Object: decodeYAML(t, "{kind: ValidatingAdmissionPolicy, metadata: {name: x}, spec: 7}")}
	if _, err := compare(odd, odd, nil); err == nil {
		t.Error("a spec that is a number can be read")
	}
}

func TestAWebhookThatIsShippedWithAURLIsHeldToIt(t *testing.T) {
	t.Parallel()
	shipped := strings.Replace(shippedWebhooks, "{service: {name: s, namespace: ns, path: /mutate}, caBundle: Y2E=}", "{url: 'https://localhost/mutate'}", 1)
	const moved = "webhook actions.example.com: somebody else is asked in place of the operator: clientConfig.url is not as shipped"
	weakenings{
		"as shipped":     {"", "", ""},
		"elsewhere":      {"https://localhost/mutate", "https://localhost:9443/mutate", moved},
		"with a Service": {"{url: 'https://localhost/mutate'}", "{service: {name: s, namespace: ns}, caBundle: Y2E=}", moved},
	}.run(t, shipped)
}

// TestTheGuardMayReadWhatIsShipped: the role names each object, so a new one
// has to be added to the markers.
func TestTheGuardMayReadWhatIsShipped(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("admission_guard.go")
	if err != nil {
		t.Fatal(err)
	}
	webhooks, err := config.Webhooks()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := config.AdmissionPolicies()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range slices.Concat(webhooks, policies) {
		granted := false
		for line := range strings.Lines(string(source)) {
			names, isMarker := strings.CutPrefix(line, "// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=")
			granted = granted || isMarker && strings.Contains(names, strings.ToLower(object.GetKind())) &&
				strings.Contains(strings.NewReplacer("=", ";", ",", ";").Replace(names), ";"+object.GetName()+";")
		}
		if !granted {
			t.Errorf("no RBAC marker grants get on %s %s", object.GetKind(), object.GetName())
		}
	}
}
