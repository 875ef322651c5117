// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
)

// harmless is approved by nobody but the policy, pending waits for people, and
// forbidden is denied, by the starter policy.
var (
	harmless = client.Action{Type: "database_read", Description: "Read list of public product categories",
		Parameters: map[string]any{"table": "product_categories", "operation": "SELECT", "data_classification": "public"}}
	pending = client.Action{Type: "database_write", Description: "Update customer billing address",
		Parameters: map[string]any{"table": "customers", "operation": "UPDATE", "affected_rows": 1, "data_classification": "pii"}}
	forbidden = client.Action{Type: "database_delete", Description: "Delete inactive user accounts",
		Parameters: map[string]any{"table": "users", "operation": "DELETE", "affected_rows": 150}}
)

// approver may approve what the starter policy lets people decide.
const approver, approvers = "alice", "ascend-approvers"

func TestSubmit(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	for name, test := range map[string]struct {
		action client.Action
		want   v1alpha1.Decision
		score  v1alpha1.Score
	}{
		"approved": {harmless, v1alpha1.DecisionApproved, "2.1"},
		"pending":  {pending, v1alpha1.DecisionPending, "7.2"},
		"denied":   {forbidden, v1alpha1.DecisionDenied, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.Submit(t.Context(), test.action)
			if err != nil {
				t.Fatal(err)
			}
			if got.Decision != test.want || !got.Created || got.Approved() != (test.want == v1alpha1.DecisionApproved) || got.Final() == (test.want == v1alpha1.DecisionPending) {
				t.Errorf("%+v", got)
			}
			if test.score != "" && got.Risk.Score != test.score {
				t.Errorf("risk %+v, want %s", got.Risk, test.score)
			}
			if !regexp.MustCompile(`^act-[a-z0-9]{26}$`).MatchString(got.ID) {
				t.Errorf("id %s", got.ID)
			}
			if now, err := c.Status(t.Context(), got.ID); err != nil || now.Decision != test.want || now.UID != got.UID {
				t.Errorf("status %+v, %v", now, err)
			}
			if test.want == v1alpha1.DecisionPending && len(got.PendingApprovers) == 0 {
				t.Error("nobody can approve")
			}
			if test.want == v1alpha1.DecisionDenied && (got.Rule == nil || got.Rule.Name != "rule-no-bulk-delete") {
				t.Errorf("rule %+v", got.Rule)
			}
		})
	}
}

// One key is one action, and it cannot stand for two requests.
func TestSubmitWithAKey(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	action := harmless
	action.IdempotencyKey = "report-2026-11"
	first, err := c.Submit(t.Context(), action)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Submit(t.Context(), action)
	if err != nil || second.ID != first.ID || second.UID != first.UID || second.Created || !second.Approved() {
		t.Errorf("again: %+v, %v", second, err)
	}
	action.Parameters = map[string]any{"table": "customers"}
	var conflict *client.ConflictError
	if _, err := c.Submit(t.Context(), action); !errors.As(err, &conflict) || conflict.Existing.ID != first.ID || !strings.Contains(err.Error(), "IdempotencyKey") {
		t.Errorf("another request: %v", err)
	}
	if n := len(server.Actions()); n != 1 {
		t.Errorf("there are %d actions", n)
	}
	action.IdempotencyKey = ""
	for range 2 {
		if got, err := c.Submit(t.Context(), action); err != nil || !got.Created {
			t.Errorf("without a key: %+v, %v", got, err)
		}
	}
	if n := len(server.Actions()); n != 3 {
		t.Errorf("there are %d actions", n)
	}
}

func TestSubmitWithoutAnOperator(t *testing.T) {
	server := clienttest.New(t)
	server.StopOperator()
	options := server.Options()
	options.Timeout = 5 * time.Second // so that what is not about the operator is done in it
	c := newClient(t, options)
	_, err := c.Submit(t.Context(), harmless)
	var absent *client.OperatorAbsentError
	var timeout *client.WaitTimeoutError
	if !errors.As(err, &absent) || !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%T: %v", err, err)
	}
	id := server.Actions()[0].Name
	if absent.Last.ID != id || !strings.Contains(err.Error(), id) || !strings.Contains(err.Error(), "kubectl get pods -n ascend-system") {
		t.Errorf("says %v, of %+v", err, absent.Last)
	}
	// It was there all the time, and is back now.
	server.StartOperator()
	if got, err := c.Wait(t.Context(), id); err != nil || !got.Approved() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSubmitOfNoAgent(t *testing.T) {
	server := clienttest.New(t)
	_, err := newClient(t, server.OptionsFor("default", "stock-agent")).Submit(t.Context(), harmless)
	var missing *client.AgentNotRegisteredError
	var notFound *client.NotFoundError
	if !errors.As(err, &missing) || !errors.As(err, &notFound) || !strings.Contains(err.Error(), "ascend agents register stock-agent -n default") {
		t.Errorf("%T: %v", err, err)
	}
	stranger := server.Options()
	stranger.Config = server.Config("mallory")
	_, err = newClient(t, stranger).Submit(t.Context(), harmless)
	var refused *client.AuthorizationError
	if !errors.As(err, &refused) || refused.Verb != "create" || refused.Namespace != "default" || !strings.Contains(err.Error(), `spec.subjects: {kind: User, name: "mallory"}`) {
		t.Errorf("%T: %v", err, err)
	}
	server.Suspend(clienttest.DefaultAgent)
	_, err = server.Client(t).Submit(t.Context(), harmless)
	var suspended *client.SuspendedError
	if !errors.As(err, &suspended) || !strings.Contains(err.Error(), "spec.state") {
		t.Errorf("%T: %v", err, err)
	}
}

func TestSubmitBeyondTheRate(t *testing.T) {
	one := int32(1)
	server := clienttest.New(t, &v1alpha1.Agent{
		ObjectMeta: meta("test-agent"),
		Spec:       v1alpha1.AgentSpec{Environment: "sandbox", RateLimit: &v1alpha1.RateLimit{PerMinute: &one, PerHour: &one, PerDay: &one}},
	})
	c := server.Client(t)
	if _, err := c.Submit(t.Context(), harmless); err != nil {
		t.Fatal(err)
	}
	_, err := c.Submit(t.Context(), harmless)
	var limited *client.RateLimitError
	if !errors.As(err, &limited) || limited.RetryAfter <= 0 || !strings.Contains(err.Error(), "rateLimit") {
		t.Errorf("%T: %v", err, err)
	}
}

func TestWhatCannotBeSubmitted(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	for field, action := range map[string]client.Action{
		"Action.Type":             {Type: "Database Read"},
		"Action.Description":      {Type: "t", Description: strings.Repeat("x", 4097)},
		"Action.Resource":         {Type: "t", Resource: "a\xff"},
		"Action.Parameters":       {Type: "t", Parameters: []int{1}},
		"Action.Context":          {Type: "t", Context: make(chan int)},
		"spec.parameters":         {Type: "t", Parameters: map[string]any{"x": strings.Repeat("x", 65536)}},
		"spec.context":            {Type: "t", Context: map[string]any{"x": uint64(1<<53 + 1)}},
		"Action.TTLAfterDecision": {Type: "t", TTLAfterDecision: -1},
		"Action.Exception":        {Type: "t", Exception: &v1alpha1.ExceptionRequest{RuleName: "r"}},
	} {
		_, err := c.Submit(t.Context(), action)
		var invalid *client.ValidationError
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %T: %v", field, err, err)
		}
	}
	options := server.Options()
	options.Agent = ""
	_, err := newClient(t, options).Submit(t.Context(), harmless)
	var invalid *client.ValidationError
	if !errors.As(err, &invalid) || invalid.Field != "Options.Agent" {
		t.Errorf("%v", err)
	}
	if n := server.Requests(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// A rule that a test gives without a namespace is one of the agent's.
func TestSubmitByARuleWithoutANamespace(t *testing.T) {
	rule := &v1alpha1.SmartRule{Spec: v1alpha1.SmartRuleSpec{Effect: v1alpha1.EffectDeny, Match: v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"database_read"}}}}
	rule.Name = "no-reads"
	got, err := clienttest.New(t, rule).Client(t).Submit(t.Context(), harmless)
	if err != nil || got.Decision != v1alpha1.DecisionDenied || got.Rule == nil || got.Rule.Name != "no-reads" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Who may not watch is told all the same that an action is decided.
func TestSubmitWithoutAWatch(t *testing.T) {
	server := clienttest.New(t)
	options := server.Options()
	options.Timeout, options.PollInterval = time.Second, time.Hour
	options.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/agentactions") {
				return next.RoundTrip(r)
			}
			body := failure(http.StatusForbidden, "Forbidden", "no")
			return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
	})
	c := newClient(t, options)
	for range 2 {
		if got, err := c.Submit(t.Context(), harmless); err != nil || !got.Approved() {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
