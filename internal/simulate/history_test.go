// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/simulate"
)

// newAction is an action of shop/bot.
func newAction(number int, actionType, parameters string) *v1alpha1.AgentAction {
	return &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: fmt.Sprintf("act-%03d", number), UID: types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", number)),
			CreationTimestamp: metav1.NewTime(submitted.Add(time.Duration(number) * time.Second)),
		},
		Spec: v1alpha1.AgentActionSpec{
			AgentRef: v1alpha1.LocalReference{Name: "bot"}, ActionType: actionType,
			Parameters: &runtime.RawExtension{Raw: []byte(parameters)},
			Requester:  &v1alpha1.Requester{Username: "system:serviceaccount:shop:bot", Groups: []v1alpha1.UserName{"system:authenticated"}},
		},
	}
}

// decide is what policy says about an action when it is submitted.
func decide(tb testing.TB, policy *decision.Snapshot, action *v1alpha1.AgentAction) *decision.Outcome {
	tb.Helper()
	asked, err := request.Read(action, *action.Spec.Requester, nil)
	if err != nil {
		tb.Fatal(err)
	}
	outcome, err := decision.Decide(context.Background(), policy, asked, nil, asked.SubmittedAt)
	if err != nil {
		tb.Fatal(err)
	}
	return outcome
}

// settle writes an outcome into the status of the action, as the operator does.
func settle(action *v1alpha1.AgentAction, outcome *decision.Outcome) {
	action.Status = v1alpha1.AgentActionStatus{
		Decision: outcome.Decision, Reason: outcome.Reason, Message: outcome.Message,
		Risk: outcome.Risk, MatchedRules: outcome.MatchedRules, DecidingRule: outcome.DecidingRule, Approval: outcome.Approval,
	}
}

// recordOf is the first record of the action, as the operator makes it.
func recordOf(policy *decision.Snapshot, action *v1alpha1.AgentAction) audit.Record {
	status := &action.Status
	r := laterRecord(action, status.Decision, status.Reason, time.Second)
	r.Message = status.Message
	r.Request = audit.NewRequest(action, *action.Spec.Requester)
	if agent := policy.Agent(action.Namespace, string(action.Spec.AgentRef.Name)); agent != nil {
		r.Request.Agent = audit.NewAgent(agent.Object())
	}
	if own := policy.Namespace(action.Namespace).Object; own != nil {
		r.Request.Namespace = audit.NewNamespace(own.Labels, own.Annotations)
	}
	if status.Risk != nil {
		r.RiskScore, r.RiskLevel = status.Risk.Score, status.Risk.Level
	}
	for _, m := range status.MatchedRules {
		r.MatchedRules = append(r.MatchedRules, fmt.Sprintf("%s/%s %s %s", m.Namespace, m.Name, m.Effect, m.Mode))
	}
	if a := status.Approval; a != nil {
		r.ApprovalRevision = a.Revision
		for _, w := range a.Workflows {
			r.Workflows = append(r.Workflows, fmt.Sprintf("%s/%s", w.Namespace, w.Name))
		}
	}
	return r
}

// laterRecord is a record without a request, some time after the submission.
func laterRecord(action *v1alpha1.AgentAction, became v1alpha1.Decision, reason string, after time.Duration) audit.Record {
	event := map[v1alpha1.Decision]v1alpha1.EventType{
		v1alpha1.DecisionApproved: v1alpha1.EventActionApproved, v1alpha1.DecisionPending: v1alpha1.EventActionPending,
		v1alpha1.DecisionDenied: v1alpha1.EventActionDenied, v1alpha1.DecisionTimedOut: v1alpha1.EventActionTimeout,
		v1alpha1.DecisionCancelled: v1alpha1.EventActionCancelled,
	}[became]
	return audit.Record{
		Time: action.CreationTimestamp.Add(after), Event: event, Namespace: action.Namespace, Name: action.Name, UID: string(action.UID),
		Agent: string(action.Spec.AgentRef.Name), ActionType: action.Spec.ActionType, Resource: action.Spec.Resource, Decision: became, Reason: reason,
	}
}

// history decides about actions under a policy, and is the log of it.
func history(tb testing.TB, policy *decision.Snapshot, actions ...*v1alpha1.AgentAction) []audit.Record {
	tb.Helper()
	var records []audit.Record
	for _, action := range actions {
		settle(action, decide(tb, policy, action))
		records = append(records, recordOf(policy, action))
	}
	return records
}

// written is a log of records as the operator writes it.
func written(tb testing.TB, records ...audit.Record) []byte {
	tb.Helper()
	var out bytes.Buffer
	log := audit.NewLog(&out)
	for _, r := range records {
		if err := log.Append(context.Background(), r); err != nil {
			tb.Fatal(err)
		}
	}
	return out.Bytes()
}

// fromLog is a source that reads a log from a file.
func fromLog(tb testing.TB, log []byte) simulate.Source {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "audit.log")
	if err := os.WriteFile(path, log, 0o600); err != nil {
		tb.Fatal(err)
	}
	return simulate.FromFiles([]string{path}, nil)
}

func run(tb testing.TB, source simulate.Source, options simulate.Options) *simulate.Report {
	tb.Helper()
	report, err := simulate.Run(context.Background(), source, options)
	if err != nil {
		tb.Fatal(err)
	}
	return report
}
