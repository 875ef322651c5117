// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. Ready and Decided are good when True, Reconciling is
// abnormal-true in the sense of kstatus: present only while it is True.
const (
	// ConditionReady: on SmartRule, ApprovalWorkflow, RiskModel, Agent and
	// WebhookSubscription; always present; True when the object has its effect.
	ConditionReady = "Ready"
	// ConditionDecided: on AgentAction; always present once evaluated; True
	// when the decision is final.
	ConditionDecided = "Decided"
	// ConditionReconciling: on AgentAction; True while it waits for people;
	// absent otherwise, so that kstatus reports InProgress, never Failed.
	ConditionReconciling = "Reconciling"
)
