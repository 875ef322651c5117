// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The world of the crashes: a namespace whose agent's actions are approved at
// once, denied by a rule, or wait for alice, and a receiver that hears of it all.
const (
	crashNamespace = "crash"
	crashApprover  = "alice"
	typeApproved   = "database_read"
	typeDenied     = "database_drop"
	typeAsked      = "database_write"
)

// receiver takes deliveries, over TLS on the loopback interface.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	taken map[heard]int
}

// heard is what is read of a delivery: an event about an action, by its name.
type heard struct {
	Type    v1alpha1.EventType
	Subject string
}

func newReceiver() *receiver {
	r := &receiver{taken: map[heard]int{}}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err == nil {
			r.take(body)
		}
	}))
	DeferCleanup(r.Close)
	return r
}

func (r *receiver) authorities() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}))
}

// furnish creates the world. The deliveries go to the receiver.
func furnish(ctx context.Context, to *receiver) {
	GinkgoHelper()
	in := metav1.ObjectMeta{Namespace: crashNamespace, Name: "crash"}
	create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: crashNamespace}})
	create(ctx, &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: crashNamespace, Name: "agent"}, Spec: v1alpha1.AgentSpec{
		Environment: v1alpha1.EnvironmentSandbox,
		Subjects:    []v1alpha1.Subject{{Kind: v1alpha1.SubjectUser, Name: myself(ctx)}},
		RateLimit:   &v1alpha1.RateLimit{PerMinute: ptr.To[int32](1_000_000), PerHour: ptr.To[int32](1_000_000), PerDay: ptr.To[int32](1_000_000)},
	}})
	workflow := func(name, actionType string, spec v1alpha1.ApprovalWorkflowSpec) {
		spec.Selector = &v1alpha1.WorkflowSelector{ActionTypes: []v1alpha1.Glob{v1alpha1.Glob(actionType)}}
		create(ctx, &v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: crashNamespace, Name: name}, Spec: spec})
	}
	workflow("at-once", typeApproved, v1alpha1.ApprovalWorkflowSpec{AutoApprove: true})
	workflow("ask", typeAsked, v1alpha1.ApprovalWorkflowSpec{Stages: []v1alpha1.Stage{{
		Name: "review", Required: 1, Approvers: v1alpha1.ApproverSet{Users: []v1alpha1.UserName{crashApprover}},
	}}})
	create(ctx, &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Namespace: crashNamespace, Name: "no-drop"}, Spec: v1alpha1.SmartRuleSpec{
		DisplayName: "No drop", Mode: v1alpha1.RuleEnforce, Effect: v1alpha1.EffectDeny, Reason: "nothing is dropped",
		Match: v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{typeDenied}},
	}})
	create(ctx, &rbacv1.Role{ObjectMeta: in, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"agentactions"}, Verbs: []string{"get", "list", "patch"}},
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"approvalworkflows"}, Verbs: []string{"approve"}},
	}})
	create(ctx, &rbacv1.RoleBinding{ObjectMeta: in,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "crash"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: crashApprover}}})
	subscribe(ctx, to)
}

// subscribe makes the receiver hear of everything, as the namespace's
// administrator does it.
func subscribe(ctx context.Context, to *receiver) {
	GinkgoHelper()
	create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: crashNamespace, Name: "hook"},
		StringData: map[string]string{"secret": "a secret of thirty-two characters"}})
	mayRead := metav1.ObjectMeta{Namespace: crashNamespace, Name: "hook"}
	create(ctx, &rbacv1.Role{ObjectMeta: mayRead, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"hook"}, Verbs: []string{"get"}}}})
	create(ctx, &rbacv1.RoleBinding{ObjectMeta: mayRead,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "hook"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}}})
	create(ctx, &v1alpha1.WebhookSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: crashNamespace, Name: "all"}, Spec: v1alpha1.WebhookSubscriptionSpec{
		URL: to.URL + "/hook", CABundle: to.authorities(),
		SecretRef: &v1alpha1.SecretKeyReference{Name: "hook", Key: "secret"},
		Events: []v1alpha1.EventType{
			v1alpha1.EventActionSubmitted, v1alpha1.EventActionPending, v1alpha1.EventActionApproved,
			v1alpha1.EventActionDenied, v1alpha1.EventActionExecuted,
		},
	}})
}

// as is a client of somebody.
func as(user string) client.Client {
	GinkgoHelper()
	config := rest.CopyConfig(server)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: api.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// approve gives alice's verdict, if she is asked.
func approve(ctx context.Context, alice client.Client, action *v1alpha1.AgentAction) error {
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"approvals":[{"verdict":"Approve","comment":"fine"}]}}`))
	return alice.Patch(ctx, action, patch)
}

func actionOf(actionType string, n int) *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{}
	action.Namespace, action.Name = crashNamespace, fmt.Sprintf("%s-%d", map[string]string{
		typeApproved: "read", typeDenied: "drop", typeAsked: "write",
	}[actionType], n)
	action.Spec.AgentRef.Name, action.Spec.ActionType = "agent", actionType
	return action
}
