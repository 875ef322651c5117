// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// world is what the validators know beside the object they are asked about.
type world struct {
	store   *policy.Store
	refs    *references
	options Options
	records []audit.Record
	lost    error // what every attempt to keep a record ends with
}

// Append keeps a record.
func (w *world) Append(_ context.Context, records ...audit.Record) error {
	if w.lost == nil {
		w.records = append(w.records, records...)
	}
	return w.lost
}

// testScheme knows the kinds of this project.
func testScheme(tb testing.TB) *runtime.Scheme {
	tb.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		tb.Fatal(err)
	}
	return scheme
}

// newWorld has these objects in its store; those with the annotation "live"
// have only just been written, and are nowhere but in the API server.
func newWorld(tb testing.TB, objects ...client.Object) *world {
	tb.Helper()
	store, err := policy.NewStore()
	if err != nil {
		tb.Fatal(err)
	}
	live := fake.NewClientBuilder().WithScheme(testScheme(tb))
	for _, object := range objects {
		live.WithObjects(object)
		if object.GetAnnotations()["live"] != "" {
			continue
		}
		switch o := object.(type) {
		case *v1alpha1.SmartRule:
			store.SetRule(o)
		case *v1alpha1.ApprovalWorkflow:
			store.SetWorkflow(o)
		case *v1alpha1.Agent:
			store.SetAgent(o)
		}
	}
	w := &world{store: store, refs: &references{policy: store, live: live.Build(), checkURL: notify.CheckURL}}
	w.options = Options{Policy: store, Audit: w, Clock: clocktesting.NewFakePassiveClock(noon)}
	return w
}

// written reads an object in YAML; the name is "namespace/name".
func written[T any, P interface {
	*T
	client.Object
}](tb testing.TB, name, spec string) P {
	tb.Helper()
	object := P(new(T))
	if err := yaml.UnmarshalStrict([]byte("spec: "+spec), object); err != nil {
		tb.Fatalf("%s: %v", spec, err)
	}
	namespace, name, _ := strings.Cut(name, "/")
	object.SetNamespace(namespace)
	object.SetName(name)
	object.SetUID("uid-" + object.GetUID())
	object.SetGeneration(1)
	object.SetResourceVersion("7")
	return object
}

func rule(tb testing.TB, name, spec string) *v1alpha1.SmartRule {
	tb.Helper()
	return written[v1alpha1.SmartRule](tb, name, spec)
}

func workflow(tb testing.TB, name, spec string) *v1alpha1.ApprovalWorkflow {
	tb.Helper()
	return written[v1alpha1.ApprovalWorkflow](tb, name, spec)
}

// expectation is what should be said: warnings, or errors as "path: words".
// Each has to contain these words; there may be no others.
type expectation struct {
	spec     string
	warnings []string
	errs     []string
}

func (e expectation) hold(t *testing.T, said admission.Warnings, err error) {
	t.Helper()
	compare := func(what string, got, want []string) {
		t.Helper()
		same := slices.EqualFunc(got, want, strings.Contains)
		if !same {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	compare("warnings", said, e.warnings)
	var errs []string
	if err != nil {
		errs = []string{err.Error()}
	}
	compare("errors", errs, e.errs)
	for _, text := range append(slices.Clone([]string(said)), errs...) {
		if strings.Contains(text, "%!") {
			t.Errorf("badly formatted: %s", text)
		}
	}
	for _, text := range said {
		if strings.ContainsAny(text, "\n\r\x1b") {
			t.Errorf("a warning is one line: %q", text)
		}
	}
}

func TestSmartRuleChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		workflow(t, "ascend-system/managers", `{stages: [{name: s, approvers: {users: [alice]}}]}`),
		workflow(t, "shop/auto", `{autoApprove: true}`),
		func() client.Object {
			fresh := workflow(t, "shop/fresh", `{stages: [{name: s, approvers: {users: [alice]}}]}`)
			fresh.Annotations = map[string]string{"live": "yes"}
			return fresh
		}(),
		rule(t, "ascend-system/no-deletes", `{effect: Deny, match: {actionTypes: ["*_delete"]}}`),
		rule(t, "ascend-system/ask-admins", `{effect: RequireApproval, match: {actionTypes: ["admin_*"]}}`),
		rule(t, "shop/reads", `{effect: Allow, match: {actionTypes: [db_read]}}`),
		rule(t, "shop/more-reads", `{effect: Allow, match: {actionTypes: ["db_read_*"]}}`),
		rule(t, "other/reads", `{effect: Allow, match: {actionTypes: [db_read]}}`),
	)
	cases := map[string]expectation{
		"nothing to say": {spec: `{effect: RequireApproval, workflowRef: {name: managers}, match: {actionTypes: [db_write]}}`},
		"a broken expression": {spec: `{effect: Deny, conditions: [{name: a, expression: "true"}, {name: b, expression: "action.parametrs.x > 1"}]}`,
			errs: []string{`SmartRule.governance.ascendowkai.com "mine" is invalid: spec.conditions[1].expression: Invalid value: line 1, column 7: undefined field 'parametrs'; action has`}},
		"an expression of another type": {spec: `{effect: Deny, conditions: [{name: a, expression: "1 + 1"}]}`,
			errs: []string{"spec.conditions[0].expression: Invalid value: must yield a bool, but yields a int"}},
		"a reason that cannot be read": {spec: `{effect: Deny, reasonExpression: "1"}`,
			errs: []string{"spec.reasonExpression: Invalid value: must yield a string"}},
		"an expression of unlimited cost": {spec: `{effect: Deny, conditions: [{name: a, expression: "action.parameters.a.all(x, action.parameters.b.all(y, action.parameters.c.all(z, action.parameters.d.all(w, x + y + z + w != '')))) "}]}`,
			errs: []string{"units on a large request, the limit is"}},
		"an expression that builds too much": {spec: `{effect: Deny, conditions: [{name: a, expression: "action.parameters.a.map(x, action.parameters).map(y, [y, action.parameters]).size() > 1"}]}`,
			errs: []string{"larger than the limit of 8 MiB"}},
		"a regular expression that is not known": {spec: `{effect: Deny, conditions: [{name: a, expression: "action.type.matches(action.parameters.p)"}]}`,
			errs: []string{"spec.conditions[0].expression: Invalid value: "}},
		"a workflow that is missing": {spec: `{effect: RequireApproval, workflowRef: {name: nobody}, match: {actionTypes: [x]}}`,
			warnings: []string{"spec.workflowRef: there is no ApprovalWorkflow nobody in namespace shop or ascend-system; until there is, one person who holds the verb approve on that name has to agree"}},
		"a workflow written just now": {spec: `{effect: RequireApproval, workflowRef: {name: fresh}, match: {actionTypes: [x]}}`},
		"a workflow that approves by itself": {spec: `{effect: Deny, exceptionWorkflowRef: {name: auto}, match: {actionTypes: [x]}}`,
			warnings: []string{"spec.exceptionWorkflowRef: ApprovalWorkflow shop/auto approves by itself"}},
		"a rule that has ended": {spec: `{effect: Deny, notAfter: "2026-01-02T11:00:00Z"}`,
			warnings: []string{"spec.notAfter: it passed at 2026-01-02T11:00:00Z, so the rule has no effect any more"}},
		"a condition that is never true": {spec: `{effect: Deny, conditions: [{name: never, expression: "risk.score > 1.0 && false"}]}`,
			warnings: []string{"spec.conditions: condition never is never true"}},
		"types that there are not": {spec: `{effect: Deny, match: {actionTypes: ["db read", "DB_Write*", "a,b"]}}`,
			warnings: []string{`spec.match.actionTypes[0]: "db read" can never match: an action type has only lower-case letters, digits and _ . : / -; nor can 1 more`}},
		"only types that there are not": {spec: `{effect: Deny, match: {actionTypes: ["db read"]}}`,
			warnings: []string{`"db read" can never match: an action type has only lower-case letters, digits and _ . : / -; so the rule has no effect`}},
		"agents that there are not": {spec: `{effect: Deny, match: {actionTypes: [x], agents: {names: ["my_agent"]}}}`,
			warnings: []string{`spec.match.agents.names[0]: "my_agent" can never match`}},
		"a namespace that lowers": {spec: `{effect: AdjustRisk, riskAdjustment: "-1.0"}`,
			warnings: []string{"spec.riskAdjustment: -1.0 has no effect, for a rule of a namespace cannot lower a score; rules of namespace ascend-system can"}},
		"an adjustment of nothing": {spec: `{effect: AdjustRisk, riskAdjustment: "0.0"}`, warnings: []string{"changes no score"}},
		"one that is shadowed": {spec: `{effect: Allow, match: {actionTypes: [db_delete, file_delete]}}`,
			warnings: []string{"spec.match: SmartRule ascend-system/no-deletes denies all that this rule covers, so this rule never decides"}},
		"an Allow under an approval": {spec: `{effect: Allow, match: {actionTypes: ["admin_read*"]}}`,
			warnings: []string{"spec.match: SmartRule ascend-system/ask-admins requires approval for all that this rule covers, so this rule never decides"}},
		"one that shadows others": {spec: `{effect: Deny, match: {actionTypes: ["db_*"]}}`,
			warnings: []string{"spec.match: this rule denies all that SmartRule shop/more-reads and 1 more cover, so those never decide"}},
		"one that shadows another": {spec: `{effect: RequireApproval, match: {actionTypes: ["db_read"]}}`,
			warnings: []string{"spec.match: this rule requires approval for all that SmartRule shop/reads covers, so that one never decides"}},
		"one that is switched off": {spec: `{mode: Disabled, effect: Allow, workflowRef: {name: nobody}, match: {actionTypes: [db_delete, "a b"]}}`},
	}
	v := smartRules(w.options, w.refs)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := v.ValidateCreate(t.Context(), rule(t, "shop/mine", c.spec))
			c.hold(t, said, err)
		})
	}
	t.Run("a global one shadows those of every namespace", func(t *testing.T) {
		t.Parallel()
		said, err := v.ValidateCreate(t.Context(), rule(t, "ascend-system/all", `{effect: Deny, priority: 100}`))
		expectation{warnings: []string{"this rule denies all that SmartRule ascend-system/ask-admins and 4 more cover"}}.hold(t, said, err)
	})
}

// Where the API server does not answer, nobody is warned of what may be there.
func TestUnansweredReferencesWarnOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refs.live = interceptor.NewClient(fake.NewClientBuilder().WithScheme(testScheme(t)).Build(), interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return errors.New("down")
		},
	})
	said, err := smartRules(w.options, w.refs).ValidateCreate(t.Context(), rule(t, "shop/mine", `{effect: RequireApproval, workflowRef: {name: x}}`))
	expectation{}.hold(t, said, err)
	subscription := written[v1alpha1.WebhookSubscription](t, "shop/mine", `{url: "https://a.example/", agentRef: {name: bot}}`)
	said, err = validatorOf(w).ValidateCreate(writing(t.Context(), admissionv1.Create), subscription)
	expectation{}.hold(t, said, err)
}

func TestApprovalWorkflowChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		workflow(t, "shop/all", `{priority: 5, selector: {}, stages: [{name: s, approvers: {users: [alice]}}]}`),
		workflow(t, "shop/auto", `{priority: 6, selector: {riskLevels: [Low]}, autoApprove: true}`),
	)
	cases := map[string]expectation{
		"nothing to say": {spec: `{stages: [{name: a, approvers: {groups: [security], users: ["system:serviceaccount:ci:bot"]}}]}`},
		"an escalation that never happens": {spec: `{stages: [{name: a, approvers: {users: [alice]}, escalation: {approvers: {users: [bob]}}}]}`,
			errs: []string{`ApprovalWorkflow.governance.ascendowkai.com "mine" is invalid: spec.stages[0].escalation.after: Required value`}},
		"nobody at all": {spec: `{stages: [{name: a, approvers: {}}]}`, errs: []string{"spec.stages[0].approvers: Required value: name at least one"}},
		"more than there are": {spec: `{stages: [{name: a, approvers: {users: [alice]}, required: 2}]}`,
			errs: []string{"spec.stages[0].required: Invalid value: 2: is larger than the number"}},
		"stages without enough people": {spec: `{stages: [{name: a, approvers: {users: [alice]}}, {name: b, approvers: {users: [alice]}}]}`,
			warnings: []string{"spec: nobody can pass stages a, b together: 2 different people are required and 1 named; name more people, or set distinctApprovers to false"}},
		"one person under two names": {spec: `{stages: [{name: a, required: 2, approvers: {users: ["system:serviceaccount:ci:bot"], serviceAccounts: [{namespace: ci, name: bot}]}}]}`,
			warnings: []string{"spec: nobody can pass stage a: 2 different people are required and 1 named; name more people"}},
		"an override without enough people": {spec: `{stages: [{name: a, approvers: {users: [alice]}}], emergencyOverride: {required: 2, approvers: {users: ["system:serviceaccount:ci:bot"], serviceAccounts: [{namespace: ci, name: bot}]}}}`,
			warnings: []string{"spec: nobody can pass the emergencyOverride: 2 different people"}},
		"everybody": {spec: `{stages: [{name: a, approvers: {groups: ["system:authenticated"]}, timeout: 1h, escalation: {approvers: {groups: ["system:masters"]}}}], emergencyOverride: {approvers: {groups: ["system:unauthenticated"]}}}`,
			warnings: []string{
				`spec.stages[0].approvers.groups[0]: "system:authenticated" stands for everybody who can log in, agents among them, who may approve`,
				`spec.stages[0].escalation.approvers.groups[0]: "system:masters" stands for those whom no RBAC holds back`,
				`spec.emergencyOverride.approvers.groups[0]: "system:unauthenticated" stands for whoever has not logged in`,
			}},
		"no ServiceAccount": {spec: `{stages: [{name: a, approvers: {users: ["system:serviceaccount:bot"]}}]}`,
			warnings: []string{`spec.stages[0].approvers.users[0]: nobody has the name "system:serviceaccount:bot"`}},
		"oneself": {spec: `{allowSelfApproval: true, stages: [{name: a, approvers: {groups: [x]}}]}`,
			warnings: []string{"spec.allowSelfApproval: whoever submits an action, the agent itself too, may approve it"}},
		"two of one priority": {spec: `{priority: 5, selector: {riskLevels: [High]}, stages: [{name: a, approvers: {groups: [x]}}]}`,
			warnings: []string{"spec.selector: ApprovalWorkflow shop/all has the same priority and covers some of the same actions: both have to be passed"}},
		"one that would approve": {spec: `{priority: 5, selector: {riskLevels: [Low]}, autoApprove: true}`,
			warnings: []string{"covers some of the same actions: that one, which has stages, is chosen"}},
		"beside one that approves": {spec: `{priority: 6, selector: {}, stages: [{name: a, approvers: {groups: [x]}}]}`,
			warnings: []string{"ApprovalWorkflow shop/auto has the same priority and covers some of the same actions: this one, which has stages, is chosen"}},
		"a selector of nothing": {spec: `{selector: {riskLevels: [High], maxRiskScore: "5.0"}, autoApprove: true}`,
			warnings: []string{"spec.selector: it covers no action: no score between"}},
		"a useless pattern": {spec: `{selector: {actionTypes: ["a b", "c"]}, autoApprove: true}`,
			warnings: []string{`spec.selector.actionTypes[0]: "a b" can never match`}},
		"an override of global ones": {spec: `{autoApprove: true, allowNamespaceOverride: true}`,
			warnings: []string{"spec.allowNamespaceOverride: it has no effect here, only in namespace ascend-system"}},
		"times after the end": {spec: `{timeout: 1h, stages: [{name: a, timeout: 2h, approvers: {groups: [x]}}, {name: b, approvers: {groups: [x]}, escalation: {after: 60m, approvers: {groups: [y]}}}]}`,
			warnings: []string{
				"spec.stages[0].timeout: 2h0m0s is longer than the workflow's timeout of 1h0m0s",
				"spec.stages[1].escalation: it would happen after 1h0m0s, when the workflow has ended",
			}},
	}
	v := approvalWorkflows(w.options)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := v.ValidateCreate(t.Context(), workflow(t, "shop/mine", c.spec))
			c.hold(t, said, err)
		})
	}
}

func TestAgentChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const sound = `owner: data-team@example.com, subjects: [{kind: ServiceAccount, name: bot}]`
	cases := map[string]expectation{
		"nothing to say":         {spec: `{` + sound + `, allowedActionTypes: ["db_*"], allowedResources: ["users"], blockedResources: ["secrets/*"]}`},
		"a state nobody knows":   {spec: `{` + sound + `, state: Odd}`, errs: []string{`Agent.governance.ascendowkai.com "mine" is invalid: spec.state: Unsupported value: "Odd"`}},
		"a score nobody knows":   {spec: `{` + sound + `, maxRiskScore: "11"}`, errs: []string{"spec.maxRiskScore: Invalid value: score \"11\": not a number from 0.0 to 10.0"}},
		"a subject nobody knows": {spec: `{owner: a, subjects: [{kind: Robot, name: x}]}`, errs: []string{`spec.subjects[0].kind: Unsupported value: "Robot"`}},
		"no subjects":            {spec: `{owner: a}`, warnings: []string{"spec.subjects: it is empty, so nobody can submit"}},
		"no subjects, retired":   {spec: `{owner: a, state: Retired}`},
		"everybody": {spec: `{owner: a, subjects: [{kind: Group, name: "system:authenticated"}, {kind: User, name: "system:anonymous"}]}`,
			warnings: []string{`spec.subjects[0].name: "system:authenticated" stands for everybody who can log in`, `spec.subjects[1].name: "system:anonymous" stands for whoever has not logged in`}},
		"no ServiceAccount": {spec: `{owner: a, subjects: [{kind: ServiceAccount, name: "shop:bot"}, {kind: User, name: "system:serviceaccount:bot"}]}`,
			warnings: []string{`spec.subjects[0].name: no ServiceAccount has the name "shop:bot"`, `spec.subjects[1].name: nobody has the name "system:serviceaccount:bot"; use kind ServiceAccount`}},
		"no owner": {spec: `{subjects: [{kind: ServiceAccount, name: bot}]}`, warnings: []string{"spec.owner: it is empty, so nobody is kept from approving"}},
		"an owner who submits": {spec: `{owner: "Alice ", subjects: [{kind: User, name: alice}]}`,
			warnings: []string{`spec.owner: "Alice " is among the subjects as well`}},
		"a rate of nothing": {spec: `{` + sound + `, rateLimit: {perMinute: 5, perHour: 0, perDay: 0}}`,
			warnings: []string{"spec.rateLimit.perHour: it is 0, so every action is refused; to stop an agent for a while, set spec.state to Suspended"}},
		"a workflow that is missing": {spec: `{` + sound + `, workflowRef: {name: strict}}`,
			warnings: []string{"spec.workflowRef: there is no ApprovalWorkflow strict in namespace shop or ascend-system"}},
		"types that there are not": {spec: `{` + sound + `, allowedActionTypes: ["DB read"]}`,
			warnings: []string{`spec.allowedActionTypes[0]: "DB read" can never match: an action type has only lower-case letters, digits and _ . : / -; so the agent can ask for nothing`}},
		"everything blocked": {spec: `{` + sound + `, allowedResources: ["users", "orders/*"], blockedResources: ["users*", "orders*"]}`,
			warnings: []string{"spec.blockedResources: they cover all that allowedResources allow"}},
		"all resources blocked": {spec: `{` + sound + `, blockedResources: ["*"]}`, warnings: []string{"spec.blockedResources: they cover all"}},
		"something blocked": {spec: `{` + sound + `, allowedResources: ["users", "orders/*"], blockedResources: ["orders*"]}`,
			warnings: []string{`spec.allowedResources[1]: "orders/*" has no effect`}},
		"blanks": {spec: `{` + sound + `, blockedResources: [" "]}`, warnings: []string{`spec.blockedResources[0]: " " can never match: it is blank; so no resource is blocked`}},
		"a name that writes to the terminal": {spec: `{owner: a, subjects: [{kind: ServiceAccount, name: "a\x1b[2Jb"}]}`,
			warnings: []string{`"a\x1b[2Jb"`}},
	}
	v := agents(w.refs)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := v.ValidateCreate(t.Context(), written[v1alpha1.Agent](t, "shop/mine", c.spec))
			c.hold(t, said, err)
		})
	}
}

func TestRiskModelChecks(t *testing.T) {
	t.Parallel()
	const vector = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"
	cases := map[string]struct {
		name string
		expectation
	}{
		"nothing to say": {"default", expectation{spec: `{actionTypes: [{pattern: a, cvssVector: "` + vector + `"}]}`}},
		"a vector that cannot be read": {"default", expectation{spec: `{actionTypes: [{pattern: a, cvssVector: "CVSS:3.1/AV:N"}]}`,
			errs: []string{`RiskModel.governance.ascendowkai.com "default" is invalid: spec.actionTypes[0].cvssVector: Invalid value`}}},
		"a delta that cannot be read": {"default", expectation{spec: `{environments: [{name: dr, delta: lots}]}`, errs: []string{"spec.environments[0].delta: Invalid value"}}},
		"a pattern twice": {"default", expectation{spec: `{actionTypes: [{pattern: a, cvssVector: "` + vector + `"}, {pattern: A, cvssVector: "` + vector + `"}]}`,
			errs: []string{"spec.actionTypes[1].pattern: Duplicate value"}}},
		"another name": {"mine", expectation{spec: `{}`, warnings: []string{"metadata.name: only the RiskModel named default is used"}}},
		"a word nobody knows": {"default", expectation{spec: `{catalog: [{resources: [x], dataClassification: pi}]}`,
			warnings: []string{`spec.catalog[0].dataClassification: "pi" is no classification of the model`}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := riskModels().ValidateCreate(t.Context(), written[v1alpha1.RiskModel](t, "/"+c.name, c.spec))
			c.hold(t, said, err)
		})
	}
}

func TestWebhookSubscriptionChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, written[v1alpha1.Agent](t, "shop/bot", `{}`))
	cases := map[string]expectation{
		"nothing to say": {spec: `{url: "https://hooks.example.com/", agentRef: {name: bot}}`},
		"a service":      {spec: `{url: "http://hook.shop.svc:8080/"}`},
		"metadata": {spec: `{url: "https://169.254.169.254/"}`,
			errs: []string{`WebhookSubscription.governance.ascendowkai.com "mine" is invalid: spec.url: Invalid value: names a link-local address`}},
		"a service of others": {spec: `{url: "http://hook.other.svc/"}`, errs: []string{"http:// is only for a Service of the subscription's own namespace, such as http://NAME.shop.svc/"}},
		"no agent": {spec: `{url: "https://hooks.example.com/", agentRef: {name: nobody}}`,
			warnings: []string{"spec.agentRef: there is no Agent nobody in namespace shop, so nothing is sent until there is"}},
	}
	v := validatorOf(w)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := v.ValidateCreate(writing(t.Context(), admissionv1.Create), written[v1alpha1.WebhookSubscription](t, "shop/mine", c.spec))
			c.hold(t, said, err)
		})
	}
}

// What was stored while nobody looked can be labelled, and goes.
func TestUnchangedAndDyingObjectsPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := smartRules(w.options, w.refs)
	const broken, worse = `{effect: Deny, conditions: [{name: a, expression: "("}]}`, `{effect: Deny, conditions: [{name: a, expression: "(("}]}`
	old, labelled, changed := rule(t, "shop/mine", broken), rule(t, "shop/mine", broken), rule(t, "shop/mine", worse)
	labelled.Labels = map[string]string{"team": "data"}
	dying := changed.DeepCopy()
	dying.DeletionTimestamp = &metav1.Time{Time: noon}
	for what, c := range map[string]struct {
		object  *v1alpha1.SmartRule
		refused bool
	}{"labels": {labelled, false}, "deletion": {dying, false}, "the spec": {changed, true}} {
		said, err := v.ValidateUpdate(t.Context(), old, c.object)
		if (err != nil) != c.refused || len(said) > 0 {
			t.Errorf("a change of %s: %v, %v", what, said, err)
		}
	}
	if said, err := v.ValidateDelete(t.Context(), old); said != nil || err != nil {
		t.Errorf("a deletion: %v, %v", said, err)
	}
}

// What is let through leaves a record, or is refused without one; every refusal
// leaves one, but that of a dry run, and stands without.
func TestEveryAnswerIsRecorded(t *testing.T) {
	t.Parallel()
	broken := rule(t, "shop/mine", `{effect: Deny, conditions: [{name: a, expression: "("}]}`)
	sound := rule(t, "shop/mine", `{effect: Deny}`)
	yes := true
	cases := map[string]struct {
		object  any
		name    string
		dry     *bool
		lost    error
		allowed bool
		code    int32
		want    []audit.Record
	}{
		"let through": {object: sound, name: "mine", allowed: true, code: http.StatusOK, want: []audit.Record{{
			Event: audit.EventPolicyCreated, Actor: "mallory", Kind: "SmartRule", Namespace: "shop", Name: "mine", UID: "uid-",
			SpecDigest: digestOf(t, sound), Changes: []audit.Change{{Field: "spec.effect", After: `"Deny"`}}}}},
		"let through in a dry run": {object: sound, dry: &yes, lost: errors.New("disk full"), allowed: true, code: http.StatusOK},
		"no record can be kept":    {object: sound, lost: errors.New("disk full"), code: http.StatusServiceUnavailable},
		"refused": {object: broken, name: "mine", code: http.StatusUnprocessableEntity, want: []audit.Record{{
			Event: audit.EventRefused, Actor: "mallory", Kind: "SmartRule", Namespace: "shop", Name: "mine", Reason: "InvalidPolicy"}}},
		"refused, with a name of its own making": {object: broken, code: http.StatusUnprocessableEntity, want: []audit.Record{{
			Event: audit.EventRefused, Actor: "mallory", Kind: "SmartRule", Namespace: "shop", Name: "mine", Reason: "InvalidPolicy"}}},
		"a dry run":  {object: broken, dry: &yes, code: http.StatusUnprocessableEntity},
		"not stored": {object: broken, lost: errors.New("disk full"), code: http.StatusUnprocessableEntity},
		"unreadable": {object: map[string]any{"metadata": 5}, name: "x", code: http.StatusBadRequest, want: []audit.Record{{
			Event: audit.EventRefused, Actor: "mallory", Kind: "SmartRule", Namespace: "shop", Name: "x", Reason: "Unreadable"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.lost = c.lost
			raw, err := json.Marshal(c.object)
			if err != nil {
				t.Fatal(err)
			}
			next := admission.WithValidator(testScheme(t), smartRules(w.options, w.refs)).Handler
			handler := &recorded{next: next, kind: "SmartRule", audit: w, live: w.refs.live, clock: w.options.Clock}
			response := handler.Handle(t.Context(), admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
				Operation: admissionv1.Create, Namespace: "shop", Name: c.name, DryRun: c.dry,
				UserInfo: authenticationv1.UserInfo{Username: "mallory"}, Object: runtime.RawExtension{Raw: raw},
			}})
			if response.Allowed != c.allowed || response.Result.Code != c.code || (response.AuditAnnotations["refused"] == "") != c.allowed {
				t.Errorf("response: %+v", response)
			}
			for i := range w.records {
				if !c.allowed && w.records[i].Message != response.Result.Message || w.records[i].Message == "" || !w.records[i].Time.Equal(noon) {
					t.Errorf("record: %+v", w.records[i])
				}
				w.records[i].Message, w.records[i].Time = "", time.Time{}
			}
			if len(w.records) != len(c.want) || len(c.want) > 0 && !equalRecords(w.records[0], c.want[0]) {
				t.Errorf("records: %+v\nwant %+v", w.records, c.want)
			}
		})
	}
}

func digestOf(t *testing.T, rule *v1alpha1.SmartRule) string {
	t.Helper()
	digest, err := canonical.Digest(rule.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func equalRecords(a, b audit.Record) bool {
	one, errOne := json.Marshal(a)
	two, errTwo := json.Marshal(b)
	return errOne == nil && errTwo == nil && bytes.Equal(one, two)
}
