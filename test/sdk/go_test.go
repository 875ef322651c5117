// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	runtimeclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/test/faultproxy"
)

// pending waits for people, by the starter policy.
var pending = client.Action{Type: "database_write", Description: "Update customer billing address",
	Parameters: map[string]any{"table": "customers", "operation": "UPDATE", "affected_rows": 1, "data_classification": "pii"}}

// goOptions are those of an agent of the test's own, through a proxy; nil: past it.
// They give time, where no test is about it.
func (s *stack) goOptions(agent string, proxy *faultproxy.Proxy) client.Options {
	config := rest.CopyConfig(s.agent)
	if proxy != nil {
		config.Host, config.CAData, config.CAFile = proxy.URL, nil, proxy.CAFile
	}
	return client.Options{Config: config, Namespace: "default", Agent: agent, Timeout: time.Minute}
}

// silence keeps controller-runtime from telling that nobody listens to it.
var silence = sync.OnceFunc(func() { log.SetLogger(logr.Discard()) })

// people talks to the API server as somebody.
func (s *stack) people(t *testing.T, as rest.ImpersonationConfig) runtimeclient.WithWatch {
	t.Helper()
	silence()
	kinds := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(kinds); err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(s.admin)
	config.Impersonate, config.QPS = as, -1
	c, err := runtimeclient.NewWithWatch(config, runtimeclient.Options{Scheme: kinds})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// register makes an Agent that the tutorial's account may ask for, without a limit.
func (s *stack) register(t *testing.T, name string) {
	t.Helper()
	unlimited := int32(1_000_000)
	agent := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: v1alpha1.AgentSpec{
		DisplayName: "Agent of a test", Environment: v1alpha1.EnvironmentSandbox, Owner: "nobody@example.com",
		Subjects:  []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Name: "tutorial-agent"}},
		RateLimit: &v1alpha1.RateLimit{PerMinute: &unlimited, PerHour: &unlimited, PerDay: &unlimited},
	}}
	if err := s.people(t, rest.ImpersonationConfig{}).Create(t.Context(), agent); err != nil {
		t.Fatal(err)
	}
}

// approveAll gives alice's approval to whatever of an agent waits, until ctx ends.
func (s *stack) approveAll(ctx context.Context, t *testing.T, agent string) {
	t.Helper()
	alice := s.people(t, rest.ImpersonationConfig{UserName: "alice", Groups: []string{"ascend-approvers", "system:authenticated"}})
	changes, err := s.people(t, rest.ImpersonationConfig{}).Watch(ctx, &v1alpha1.AgentActionList{},
		runtimeclient.InNamespace("default"), runtimeclient.MatchingFields{"spec.agentRef.name": agent})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer changes.Stop()
		for event := range changes.ResultChan() {
			action, is := event.Object.(*v1alpha1.AgentAction)
			if !is || action.Status.Decision != v1alpha1.DecisionPending || len(action.Spec.Approvals) > 0 {
				continue
			}
			patch, err := json.Marshal([]any{map[string]any{"op": "add", "path": "/spec/approvals",
				"value": []any{map[string]any{"verdict": "Approve", "stage": action.Status.Approval.Stage}}}})
			if err == nil {
				err = alice.Patch(ctx, action, runtimeclient.RawPatch(types.JSONPatchType, patch))
			}
			if err != nil && ctx.Err() == nil && !s.decided(ctx, t, action) { // what waits may be withdrawn meanwhile
				t.Errorf("approve %s: %v", action.Name, err)
			}
		}
	}()
}

// decided says whether an action is decided, or about to be: withdrawn.
func (s *stack) decided(ctx context.Context, t *testing.T, action *v1alpha1.AgentAction) bool {
	t.Helper()
	now := &v1alpha1.AgentAction{}
	err := s.people(t, rest.ImpersonationConfig{}).Get(ctx, runtimeclient.ObjectKeyFromObject(action), now)
	return err == nil && (now.Spec.Cancelled || now.Status.Decision.IsFinal())
}

// TestGoSDK is the way of an action against a real API server: each decision,
// people, an outcome, a withdrawal, a webhook.
func TestGoSDK(t *testing.T) {
	s := theStack(t)
	const agent = "go-sdk"
	s.register(t, agent)
	c, err := client.New(s.goOptions(agent, nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	waits, err := c.Submit(t.Context(), pending)
	if err != nil || waits.Decision != v1alpha1.DecisionPending || waits.Risk.Score != "7.2" || !waits.Created {
		t.Fatalf("%+v, %v", waits, err)
	}
	for range 2 {
		if err := c.Cancel(t.Context(), waits.ID); err != nil {
			t.Errorf("cancel: %v", err)
		}
	}
	if got, err := c.Wait(t.Context(), waits.ID); err != nil || got.Decision != v1alpha1.DecisionCancelled {
		t.Errorf("cancelled: %+v, %v", got, err)
	}
	s.approveAll(t.Context(), t, agent)
	runs := 0
	keyed := pending
	keyed.IdempotencyKey = "once"
	if err := c.Govern(t.Context(), keyed, func(context.Context) error { runs++; return nil }); err != nil || runs != 1 {
		t.Fatalf("%d runs, %v", runs, err)
	}
	var conflict *client.ConflictError
	if err := c.Govern(t.Context(), keyed, func(context.Context) error { runs++; return nil }); !errors.As(err, &conflict) || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
	done := conflict.Existing
	if done.Outcome == nil || done.Outcome.Result != v1alpha1.OutcomeSucceeded || done.Outcome.StartedAt == nil {
		t.Errorf("outcome %+v", done.Outcome)
	}
	again := client.Outcome{Result: done.Outcome.Result, StartedAt: done.Outcome.StartedAt.Time, CompletedAt: done.Outcome.CompletedAt.Time}
	if err := c.ReportOutcome(t.Context(), done.ID, again); err != nil {
		t.Errorf("the same outcome again: %v", err)
	}
	if err := c.ReportOutcome(t.Context(), done.ID, client.Outcome{Result: v1alpha1.OutcomeFailed}); !errors.As(err, &conflict) {
		t.Errorf("another outcome: %v", err)
	}
	webhook := client.Webhook{Name: "tutorial-agent-webhook", URL: "https://your-app.com/webhooks/ascend", Secret: "your_webhook_secret",
		Events: []v1alpha1.EventType{v1alpha1.EventActionApproved, v1alpha1.EventActionDenied}}
	for range 2 {
		if err := c.ConfigureWebhook(t.Context(), webhook); err != nil {
			t.Errorf("webhook: %v", err)
		}
	}
}

// goFaults are what goes wrong with one request, or with it and all later ones.
var goFaults = map[string]faultproxy.Fault{
	"cut before":    {Kind: faultproxy.CutBefore},
	"cut after":     {Kind: faultproxy.CutAfter},
	"cut middle":    {Kind: faultproxy.CutMiddle, After: 1},
	"cable pulled":  {Kind: faultproxy.CutAfter, Connection: true},
	"500":           {Kind: faultproxy.Status, Code: http.StatusInternalServerError},
	"token revoked": {Kind: faultproxy.Unauthorized},
	"twice":         {Kind: faultproxy.Twice},
	"stale":         {Kind: faultproxy.Stale},
	"watch gone":    {Kind: faultproxy.Gone, After: 1},
	"watch stalled": {Kind: faultproxy.Stall},
	"clock ahead":   {Skew: 2 * time.Hour},
	"clock behind":  {Skew: -2 * time.Hour},
}

// goRequests is more than the requests of one run that waits for a person.
const goRequests = 9

// TestGoSDKWhateverFails: whatever fails between the SDK and the API server, and
// from whichever request on, what is governed runs once at most, and only what
// the API server has as approved.
func TestGoSDKWhateverFails(t *testing.T) {
	s := theStack(t)
	const agent = "go-faults"
	s.register(t, agent)
	s.approveAll(t.Context(), t, agent)
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		runs = map[string]int{} // by what failed
	)
	for name, fault := range goFaults {
		proxy := faultproxy.Start(t, s.admin)
		all.Go(func() {
			for n := 1; n <= goRequests; n++ {
				for _, rule := range []faultproxy.Rule{{N: n, Fault: fault}, {From: n, Fault: fault}} {
					about := fmt.Sprintf("%s, request %d, lasting %t", name, n, rule.N == 0)
					ran := s.governThrough(t, proxy, agent, about, rule)
					mu.Lock()
					runs[about] = ran
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	s.checkRuns(t, agent, runs)
}

// governThrough governs one function through a proxy with a fault, and returns
// how often it ran.
func (s *stack) governThrough(t *testing.T, proxy *faultproxy.Proxy, agent, about string, rule faultproxy.Rule) int {
	proxy.Reset()
	proxy.Rules(rule)
	options := s.goOptions(agent, proxy)
	options.Timeout, options.PollInterval, options.MaxRetries = 2*time.Second, 100*time.Millisecond, 2
	c, err := client.New(options)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Second)
	defer stop()
	action := pending
	action.Description = about
	ran := 0
	err = c.Govern(ctx, action, func(context.Context) error { ran++; return nil })
	var report *client.ReportError
	switch {
	case ran == 0 && err == nil:
		t.Errorf("%s: did not run, and says nothing", about)
	case ran > 0 && err != nil && !errors.As(err, &report):
		t.Errorf("%s: ran, and says %v", about, err)
	case err != nil && strings.Contains(err.Error(), s.agent.BearerToken):
		t.Errorf("%s: the error holds the token", about)
	}
	return ran
}

// checkRuns holds what ran to what the API server has.
func (s *stack) checkRuns(t *testing.T, agent string, runs map[string]int) {
	t.Helper()
	list := &v1alpha1.AgentActionList{}
	if err := s.people(t, rest.ImpersonationConfig{}).List(t.Context(), list, runtimeclient.InNamespace("default"), runtimeclient.MatchingFields{"spec.agentRef.name": agent}); err != nil {
		t.Fatal(err)
	}
	made, total := map[string][]*v1alpha1.AgentAction{}, 0
	for i := range list.Items {
		action := &list.Items[i]
		made[action.Spec.Description] = append(made[action.Spec.Description], action)
	}
	for about, ran := range runs {
		total += ran
		switch actions := made[about]; {
		case ran > 1:
			t.Errorf("%s: ran %d times", about, ran)
		case len(actions) > 1:
			t.Errorf("%s: made %d actions", about, len(actions))
		case ran == 1 && len(actions) == 0:
			t.Errorf("%s: ran without an action", about)
		case ran == 1:
			digest, err := request.Digest(&actions[0].Spec)
			if err != nil || actions[0].Status.Decision != v1alpha1.DecisionApproved || actions[0].Status.SpecDigest != digest {
				t.Errorf("%s: ran, and the action is %+v", about, actions[0].Status)
			}
		}
	}
	t.Logf("%d of %d runs came through", total, len(runs))
	if total == 0 || total == len(runs) {
		t.Errorf("%d of %d ran: the faults do not bite", total, len(runs))
	}
}
