// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"io"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// BenchmarkAutoApproved is what the trail costs of an action that no human has
// to see, without the disk: deciding, its records, and their chain.
func BenchmarkAutoApproved(b *testing.B) {
	store, err := policy.NewStore()
	if err != nil {
		b.Fatal(err)
	}
	agent := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "bot", UID: "a", Generation: 1}}
	agent.Spec.State, agent.Spec.Environment = v1alpha1.AgentActive, "sandbox"
	agent.Spec.Subjects = []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Namespace: "default", Name: "bot"}}
	store.SetAgent(agent)
	auto := &v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: "auto", UID: "w", Generation: 1}}
	auto.Spec.AutoApprove = true
	auto.Spec.Selector = &v1alpha1.WorkflowSelector{RiskLevels: []v1alpha1.RiskLevel{v1alpha1.RiskLevelLow, v1alpha1.RiskLevelMedium}}
	store.SetWorkflow(auto)
	store.SetNamespace(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "act-1", UID: "0b7b5c2e-6e52-4b2f-8a3c-0d9a5f1f2f10", ResourceVersion: "1", CreationTimestamp: metav1.NewTime(submittedAt),
	}}
	action.Spec.AgentRef.Name, action.Spec.ActionType = "bot", "database_read"
	action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(`{"table": "customers", "operation": "SELECT", "data_classification": "pii"}`)}
	who := v1alpha1.Requester{Username: "system:serviceaccount:default:bot", Groups: []v1alpha1.UserName{"system:serviceaccounts", "system:authenticated"}}
	r := &AgentActionReconciler{Policy: store, ledger: newLedger(audit.NewLog(io.Discard))}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		action.Name, action.UID = fmt.Sprint("act-", i), types.UID(fmt.Sprint("0b7b5c2e-6e52-4b2f-8a3c-", i))
		asked, err := request.Read(action, who, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.benchmarked(b, action, asked); err != nil {
			b.Fatal(err)
		}
		r.ledger.forget(client.ObjectKeyFromObject(action))
	}
}

// benchmarked is Reconcile without the API server.
func (r *AgentActionReconciler) benchmarked(b *testing.B, action *v1alpha1.AgentAction, asked *request.Request) error {
	b.Helper()
	snapshot := r.Policy.Snapshot()
	outcome, err := decision.Decide(b.Context(), snapshot, asked, &action.Status, submittedAt)
	if err != nil || outcome.Decision != v1alpha1.DecisionApproved {
		b.Fatal(outcome, err)
	}
	change := transition{action: action, request: asked, before: &action.Status, after: r.statusFor(action, outcome, submittedAt), policy: snapshot}
	return r.ledger.record(b.Context(), action, change.records(submittedAt)...)
}
