// SPDX-License-Identifier: Apache-2.0

package clienttest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
)

// refund is what an agent has to be tested for: it asks before it pays.
func refund(ctx context.Context, c *client.Client, amount float64, pay func()) error {
	return c.Govern(ctx, client.Action{
		Type: "payment_refund", Parameters: map[string]any{"amount": amount, "currency": "EUR"},
	}, func(context.Context) error { pay(); return nil })
}

// This is how an agent is tested: with policy of its own, and a person's answer.
func TestAgentAsksBeforeItPays(t *testing.T) {
	server := clienttest.New(t, &v1alpha1.ApprovalWorkflow{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: "treasury"},
		Spec: v1alpha1.ApprovalWorkflowSpec{
			Selector: &v1alpha1.WorkflowSelector{RiskLevels: []v1alpha1.RiskLevel{"Low", "Medium", "High", "Critical"}},
			Stages: []v1alpha1.Stage{{
				Name: "treasurer", Required: 1, Approvers: v1alpha1.ApproverSet{Users: []v1alpha1.UserName{"tina"}},
			}},
		},
	})
	c, paid := server.Client(t), 0
	go func() {
		id := server.AwaitPending(t)
		if err := server.Approve(id, "mallory"); err == nil {
			t.Error("whoever is not named approved it")
		}
		if err := server.Approve(id, "tina"); err != nil {
			t.Error(err)
		}
	}()
	if err := refund(t.Context(), c, 12.5, func() { paid++ }); err != nil || paid != 1 {
		t.Errorf("paid %d times, %v", paid, err)
	}
	go func() {
		if err := server.Deny(server.AwaitPending(t), "tina"); err != nil {
			t.Error(err)
		}
	}()
	var denied *client.DeniedError
	if err := refund(t.Context(), c, 10000, func() { paid++ }); !errors.As(err, &denied) || paid != 1 {
		t.Errorf("paid %d times, %v", paid, err)
	}
}

// What New is given stays as it is, so that tests can share it.
func TestNewChangesNothing(t *testing.T) {
	rule := &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Name: "no-reads"}, Spec: v1alpha1.SmartRuleSpec{Effect: v1alpha1.EffectDeny, Reason: "no"}}
	clienttest.New(t, rule)
	if rule.UID != "" || rule.Namespace != "" || rule.Generation != 0 {
		t.Errorf("%+v", rule.ObjectMeta)
	}
}

// What an object leaves out is as in a cluster: a stage asks one person.
func TestDefaults(t *testing.T) {
	server := clienttest.New(t, &v1alpha1.ApprovalWorkflow{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: "treasury"},
		Spec: v1alpha1.ApprovalWorkflowSpec{
			Selector: &v1alpha1.WorkflowSelector{RiskLevels: []v1alpha1.RiskLevel{"Low", "Medium", "High", "Critical"}},
			Stages:   []v1alpha1.Stage{{Name: "treasurer", Approvers: v1alpha1.ApproverSet{Users: []v1alpha1.UserName{"tina"}}}},
		},
	})
	got, err := server.Client(t).Submit(t.Context(), client.Action{Type: "database_read"})
	if err != nil || got.Decision != v1alpha1.DecisionPending {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := server.Approve(got.ID, "tina"); err != nil || server.Action(got.ID).Status.Decision != v1alpha1.DecisionApproved {
		t.Errorf("%+v, %v", server.Action(got.ID).Status, err)
	}
}

// What a cluster would not take, New does not, and says which field it is.
func TestInvalid(t *testing.T) {
	inner := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		clienttest.New(inner, &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Name: "no-effect"}, Spec: v1alpha1.SmartRuleSpec{Reason: "no"}})
	}()
	<-done
	if !strings.Contains(inner.said, `SmartRule.governance.ascendowkai.com "no-effect" is invalid: spec.effect: Required value`) {
		t.Errorf("says %q", inner.said)
	}
}

// What the CRDs refuse of an action is refused, also of one that no client of ours makes.
func TestInvalidAction(t *testing.T) {
	options := clienttest.New(t).Options()
	speaker, err := rest.HTTPClientFor(options.Config)
	if err != nil {
		t.Fatal(err)
	}
	url := options.Config.Host + "/apis/governance.ascendowkai.com/v1alpha1/namespaces/default/agentactions"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(
		`{"metadata": {"name": "act-1"}, "spec": {"agentRef": {"name": "test-agent"}, "actionType": "database_read", "ttlAfterDecision": "9000h"}}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := speaker.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(said), "spec.ttlAfterDecision: Invalid value") {
		t.Errorf("%d %s, %v", response.StatusCode, said, err)
	}
}

// failing is a test that fails without failing this one.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// The server holds what the operator holds.
func TestRules(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	write := client.Action{Type: "database_write", Parameters: map[string]any{"table": "customers", "affected_rows": 1, "data_classification": "pii"}}
	got, err := c.Submit(t.Context(), write)
	if err != nil || got.Decision != v1alpha1.DecisionPending {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := server.Approve(got.ID, "bob"); err == nil {
		t.Error("one who is in no group of approvers approved it")
	}
	if err := server.Approve(got.ID, "alice", "ascend-approvers"); err != nil {
		t.Fatal(err)
	}
	if err := server.Approve(got.ID, "carol", "ascend-approvers"); err == nil {
		t.Error("approved after it was decided")
	}
	if err := server.Approve("act-none", "alice", "ascend-approvers"); err == nil {
		t.Error("approved what is not there")
	}
	server.Suspend(clienttest.DefaultAgent)
	now := server.Action(got.ID)
	if now.Status.Reason != v1alpha1.ReasonAgentSuspended || now.Status.ValidUntil.After(server.Now()) {
		t.Errorf("the approval was not withdrawn: %+v", now.Status)
	}
	server.Resume(clienttest.DefaultAgent)
	if _, err := c.Submit(t.Context(), write); err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
	server.Advance(365 * 24 * time.Hour)
	if waits := server.Await(t, func(a *v1alpha1.AgentAction) bool { return a.Name != got.ID }); waits.Status.Decision != v1alpha1.DecisionTimedOut {
		t.Errorf("after a year: %s", waits.Status.Decision)
	}
}
