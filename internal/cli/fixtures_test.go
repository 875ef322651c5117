// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func micro(t time.Time) *metav1.MicroTime {
	at := metav1.NewMicroTime(t)
	return &at
}

// newAction is an action of the tutorial's agent, not evaluated yet.
func newAction(name, actionType string, age time.Duration) *v1alpha1.AgentAction {
	return &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID("uid-" + name), Generation: 1,
			CreationTimestamp: metav1.NewTime(testNow.Add(-age)),
		},
		Spec: v1alpha1.AgentActionSpec{
			AgentRef:   v1alpha1.LocalReference{Name: "tutorial-agent"},
			ActionType: actionType,
			Parameters: &runtime.RawExtension{Raw: []byte(`{"table":"customers","data_classification":"pii"}`)},
			Requester:  &v1alpha1.Requester{Username: "system:serviceaccount:default:tutorial-agent", UID: "uid-agent"},
		},
	}
}

// decided gives an action a decision and a risk.
func decided(action *v1alpha1.AgentAction, decision v1alpha1.Decision, reason string, score v1alpha1.Score, level v1alpha1.RiskLevel) *v1alpha1.AgentAction {
	action.Status.Decision, action.Status.Reason = decision, reason
	action.Status.Risk = &v1alpha1.RiskStatus{Score: score, Level: level}
	action.Status.ObservedGeneration = action.Generation
	action.Status.SpecDigest = "sha256:aaaa"
	action.Status.PolicyRevision = "sha256:pppp"
	return action
}

// tutorial is the three actions of the tutorial's table.
func tutorial() []client.Object {
	return []client.Object{
		pending(),
		decided(newAction("act-abc123", "database_read", 2*time.Minute), v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "2.1", v1alpha1.RiskLevelLow),
		decided(newAction("act-def456", "database_read", 90*time.Second), v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "5.3", v1alpha1.RiskLevelMedium),
	}
}

// pending is the tutorial's third action, which waits for one of ascend-approvers.
func pending() *v1alpha1.AgentAction {
	action := decided(newAction("act-ghi789", "database_write", 20*time.Second), v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "7.2", v1alpha1.RiskLevelHigh)
	action.Spec.Description = "Update customer billing address"
	status := &action.Status
	status.Message = "Risk 7.2 (High) needs the approval of one person in stage approval"
	status.Risk.CVSSVector = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N"
	status.Risk.CVSSBaseScore = "5.4"
	status.Risk.Factors = []v1alpha1.RiskFactor{
		{Name: "data-classification", Value: "pii", Source: v1alpha1.SourceCatalog, Delta: "+1.0", Note: "claimed public; the catalog says pii"},
		{Name: "environment", Value: "sandbox", Source: v1alpha1.SourceAgent, Delta: "+0.0"},
		{Name: "affected_rows", Value: "1", Source: v1alpha1.SourceClaimed, Delta: "+0.8"},
	}
	status.Approval = &v1alpha1.ApprovalStatus{
		Workflows:        []v1alpha1.ObjectReference{{Namespace: "ascend-system", Name: "high"}},
		Revision:         "sha256:wwww",
		Stage:            "approval",
		StageCount:       1,
		Required:         1,
		PendingApprovers: []string{"group:ascend-approvers", "user:carol"},
		RequestedAt:      micro(testNow.Add(-20 * time.Second)),
		StageStartedAt:   micro(testNow.Add(-20 * time.Second)),
		Deadline:         micro(testNow.Add(4*time.Hour - 20*time.Second)),
		EscalateAt:       micro(testNow.Add(time.Hour - 20*time.Second)),
	}
	return action
}

// twoStages makes an action wait in the first of two stages for two people.
func twoStages(action *v1alpha1.AgentAction) *v1alpha1.AgentAction {
	approval := action.Status.Approval
	approval.Stage, approval.StageCount, approval.Required = "security-review", 2, 2
	return action
}

func high(change func(*v1alpha1.ApprovalWorkflowSpec)) *v1alpha1.ApprovalWorkflow {
	approvers := v1alpha1.ApproverSet{Groups: []v1alpha1.UserName{"ascend-approvers"}}
	w := &v1alpha1.ApprovalWorkflow{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ascend-system", Name: "high"},
		Spec:       v1alpha1.ApprovalWorkflowSpec{Stages: []v1alpha1.Stage{{Name: "approval", Approvers: approvers}}},
	}
	if change != nil {
		change(&w.Spec)
	}
	return w
}

func tutorialAgent(change func(*v1alpha1.AgentSpec)) *v1alpha1.Agent {
	agent := &v1alpha1.Agent{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "tutorial-agent"},
		Spec: v1alpha1.AgentSpec{
			Owner:    "data-team@example.com",
			Subjects: []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Name: "tutorial-agent"}},
		},
	}
	if change != nil {
		change(&agent.Spec)
	}
	return agent
}
