// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Reasons of decisions, in status.reason and the Decided condition of an
// AgentAction.
const (
	// ReasonAutoApproved: the workflow for this risk approves by itself.
	ReasonAutoApproved = "AutoApproved"
	// ReasonRuleAllowed: an Allow rule matched and no workflow had to be passed.
	ReasonRuleAllowed = "RuleAllowed"
	// ReasonApprovalGranted: every stage was passed by people.
	ReasonApprovalGranted = "ApprovalGranted"
	// ReasonEmergencyOverride: break-glass took the place of at least one workflow.
	ReasonEmergencyOverride = "EmergencyOverride"

	// ReasonApprovalRequired: people have to agree.
	ReasonApprovalRequired = "ApprovalRequired"
	// ReasonExceptionRequested: people have to agree to an exception from a Deny.
	ReasonExceptionRequested = "ExceptionRequested"
	// ReasonNoWorkflow: no workflow is set up for this risk, so one approver has to agree.
	ReasonNoWorkflow = "NoWorkflow"
	// ReasonWorkflowNotFound: a workflow that is referred to does not exist.
	ReasonWorkflowNotFound = "WorkflowNotFound"
	// ReasonResourceUnknown: the Agent has blockedResources, and the action
	// does not say which resources it touches, so people have to agree.
	ReasonResourceUnknown = "ResourceUnknown"
	// ReasonScoringFailed: the risk could not be scored, so people have to agree.
	ReasonScoringFailed = "ScoringFailed"
	// ReasonRuleFailed: a rule that covers the action does not compile or
	// failed to evaluate, so people have to agree.
	ReasonRuleFailed = "RuleFailed"

	// ReasonNotAdmitted: the action did not come through admission, so that
	// nobody knows who asks.
	ReasonNotAdmitted = "NotAdmitted"
	// ReasonNotASubject: the requester is not, or no longer, a subject of the Agent.
	ReasonNotASubject = "NotASubject"
	// ReasonAgentNotFound: there is no such Agent.
	ReasonAgentNotFound = "AgentNotFound"
	// ReasonAgentSuspended: the kill switch is on. Of an action that is
	// Approved: the approval was withdrawn, and validUntil is the time of that.
	ReasonAgentSuspended = "AgentSuspended"
	// ReasonAgentRetired: the Agent is no longer in use. Of an action that is
	// Approved: as with AgentSuspended.
	ReasonAgentRetired = "AgentRetired"
	// ReasonAgentStateUnknown: the Agent's state is a word this operator does not know.
	ReasonAgentStateUnknown = "AgentStateUnknown"
	// ReasonActionTypeNotAllowed: the Agent may not ask for this type.
	ReasonActionTypeNotAllowed = "ActionTypeNotAllowed"
	// ReasonResourceNotAllowed: the Agent may not name this resource.
	ReasonResourceNotAllowed = "ResourceNotAllowed"
	// ReasonResourceBlocked: the Agent is barred from this resource.
	ReasonResourceBlocked = "ResourceBlocked"
	// ReasonInvalidRequest: the request is over a limit or cannot be read.
	ReasonInvalidRequest = "InvalidRequest"
	// ReasonRuleDenied: a Deny rule matched.
	ReasonRuleDenied = "RuleDenied"
	// ReasonRiskTooHigh: the score is above the Agent's maxRiskScore.
	ReasonRiskTooHigh = "RiskTooHigh"
	// ReasonApprovalDenied: an approver said no.
	ReasonApprovalDenied = "ApprovalDenied"

	// ReasonApprovalTimeout: nobody decided in time.
	ReasonApprovalTimeout = "ApprovalTimeout"
	// ReasonCancelledByRequester: the requester withdrew the action.
	ReasonCancelledByRequester = "CancelledByRequester"
)

// Reasons of the Ready condition.
const (
	// ReasonReady: the object has its effect.
	ReasonReady = "Ready"
	// ReasonCompileFailed: a CEL expression or a CVSS vector cannot be compiled.
	ReasonCompileFailed = "CompileFailed"
	// ReasonReferenceNotFound: an object that is referred to does not exist.
	ReasonReferenceNotFound = "ReferenceNotFound"
	// ReasonNobodyAsked: the workflow that is referred to approves by itself,
	// which is no answer to a rule that wants people to agree.
	ReasonNobodyAsked = "NobodyAsked"
	// ReasonAdmissionNotEnforced: the webhooks or policies that every action has
	// to pass are missing or weakened, so that actions of the agent are denied.
	ReasonAdmissionNotEnforced = "AdmissionNotEnforced"
	// ReasonWithdrawing: the Agent may not act any more, and approvals that it
	// was given could not all be withdrawn yet.
	ReasonWithdrawing = "Withdrawing"
	// ReasonDisabled: the object is switched off, as it is meant to be.
	ReasonDisabled = "Disabled"
	// ReasonNotUsed: the object has a name under which it is not used.
	ReasonNotUsed = "NotUsed"
	// ReasonSecretNotReadable: the operator may not read a Secret that the
	// WebhookSubscription names, or could not; the message has the commands that
	// let it.
	ReasonSecretNotReadable = "SecretNotReadable"
	// ReasonSecretInvalid: a Secret that the WebhookSubscription names does not
	// exist, or has no such key, or what the key holds cannot be used.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonURLNotAllowed: nothing may be sent to the WebhookSubscription's URL.
	ReasonURLNotAllowed = "URLNotAllowed"
	// ReasonCABundleInvalid: the WebhookSubscription's caBundle has no certificate.
	ReasonCABundleInvalid = "CABundleInvalid"
	// ReasonReceiverGone: the WebhookSubscription's receiver has answered with
	// 410, so that nothing is sent until its spec changes.
	ReasonReceiverGone = "ReceiverGone"
	// ReasonSuspended and ReasonRetired: the Agent may not act.
	ReasonSuspended = "Suspended"
	ReasonRetired   = "Retired"
)
