// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// term is an identifier of the schema and the caption that goes with it.
type term struct {
	id   int
	name string
}

// Activities, as the class has them.
var (
	create = term{1, "Create"}
	update = term{3, "Update"}
	remove = term{4, "Delete"}
)

// other is an identifier that the schema leaves to the source, 99, by its name.
func other(name string) term { return term{99, name} }

// Statuses.
var (
	unknown = term{0, "Unknown"}
	success = term{1, "Success"}
	failure = term{2, "Failure"}
	waiting = other("Pending")
)

// Severities.
var (
	informational = term{1, "Informational"}
	low           = term{2, "Low"}
	medium        = term{3, "Medium"}
	high          = term{4, "High"}
)

// What a control did, and with which disposition, by pairs of which the schema
// says that they go together.
type effect struct{ action, disposition term }

var (
	observed   = effect{term{3, "Observed"}, term{17, "Logged"}}
	allowed    = effect{term{1, "Allowed"}, term{1, "Allowed"}}
	approved   = effect{term{1, "Allowed"}, term{8, "Approved"}}
	blocked    = effect{term{2, "Denied"}, term{2, "Blocked"}}
	rejected   = effect{term{2, "Denied"}, term{25, "Rejected"}}
	revoked    = effect{term{2, "Denied"}, term{24, "Access Revoked"}}
	alerted    = effect{term{3, "Observed"}, term{19, "Alert"}}
	faulty     = effect{term{99, "Not applied"}, term{27, "Error"}}
	delayed    = effect{waiting, term{14, "Delayed"}}
	withdrawn  = effect{other("Cancelled"), other("Cancelled")}
	unknowable = effect{unknown, unknown}
)

// meaning is what an event is in the words of the schema.
type meaning struct {
	activity term
	status   term
	severity term
	effect   effect
}

// meanings of the events that mean the same in each record.
var meanings = map[v1alpha1.EventType]meaning{
	v1alpha1.EventActionSubmitted: {create, success, informational, observed},
	v1alpha1.EventActionPending:   {update, waiting, informational, delayed},
	v1alpha1.EventActionEscalated: {update, waiting, medium, delayed},
	v1alpha1.EventActionApproved:  {update, success, informational, allowed},
	v1alpha1.EventActionDenied:    {update, failure, medium, blocked},
	v1alpha1.EventActionTimeout:   {update, failure, low, blocked},
	v1alpha1.EventActionCancelled: {update, success, informational, withdrawn},
	v1alpha1.EventActionExecuted:  {update, success, informational, observed},
	v1alpha1.EventActionFailed:    {update, failure, medium, observed},
	v1alpha1.EventPolicyViolation: {other("Violation"), failure, medium, blocked},
	v1alpha1.EventAgentSuspended:  {update, success, high, revoked},

	audit.EventEvaluated:        {update, success, informational, observed},
	audit.EventApprovalRecorded: {create, success, informational, observed},
	audit.EventOverridden:       {update, success, high, approved},
	audit.EventWithdrawn:        {update, success, medium, revoked},
	audit.EventNotApplied:       {update, failure, low, faulty},
	audit.EventCollected:        {remove, success, informational, observed},
	audit.EventPurged:           {remove, success, medium, observed},
	audit.EventGone:             {remove, success, low, observed},
	audit.EventRefused:          {other("Refused"), failure, medium, blocked},
	audit.EventPolicyCreated:    {create, success, low, observed},
	audit.EventPolicyUpdated:    {update, success, low, observed},
	audit.EventPolicyDeleted:    {remove, success, medium, observed},
	audit.EventNotEnforced:      {other("Admission not enforced"), failure, high, alerted},
	audit.EventEnforced:         {other("Admission enforced"), success, informational, observed},
	audit.EventStarted:          {other("Trail started"), success, informational, observed},
	audit.EventCheckpoint:       {other("Trail signed"), success, informational, observed},
	audit.EventStopped:          {other("Trail stopped"), success, informational, observed},
	audit.EventResumed:          {other("Trail resumed"), success, medium, observed},
}

// meaningOf is what a record means. An event that is not known is told as such.
func meaningOf(r *audit.Record) meaning {
	m, known := meanings[r.Event]
	if !known {
		return meaning{other(string(r.Event)), unknown, informational, unknowable}
	}
	switch {
	case r.Event == v1alpha1.EventActionApproved && r.BreakGlass:
		m.severity, m.effect = high, approved
	case r.Event == v1alpha1.EventActionApproved && r.Reason == v1alpha1.ReasonApprovalGranted:
		m.effect = approved
	case r.Event == v1alpha1.EventActionDenied && r.Reason == v1alpha1.ReasonApprovalDenied:
		m.effect = rejected
	case r.Event == audit.EventApprovalRecorded && r.Approval != nil && r.Approval.Uncounted != "":
		m.status, m.severity = failure, low
	case r.Event == audit.EventResumed && r.Journal != nil && r.Journal.Lost > 0:
		m.status, m.severity, m.effect = failure, high, alerted
	}
	return m
}
