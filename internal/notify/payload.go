// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Render gives the body of a delivery in that format, and its content type. It
// is pure: the same event and the same state of its object give the same bytes.
func Render(format v1alpha1.NotificationFormat, event Event) (body []byte, contentType string, err error) {
	switch format {
	case v1alpha1.FormatCloudEvents, "":
		body, err = asJSON(newCloudEvent(event))
		return body, "application/cloudevents+json", err
	case v1alpha1.FormatSlack:
		body, err = asJSON(newSlackMessage(event))
		return body, "application/json", err
	case v1alpha1.FormatTeams:
		body, err = teamsBody(event)
		return body, "application/json", err
	default:
		return nil, "", fmt.Errorf("format %q is unknown to this operator; write CloudEvents, Slack or Teams into spec.format", format)
	}
}

// asJSON leaves <, > and & as they are: a body stands in no page.
func asJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("write the event as JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// cloudEvent is CloudEvents 1.0 in its JSON event format, structured mode.
// Source: CloudEvents specification 1.0.2, cloudevents/formats/json-format.md.
type cloudEvent struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	Data            any    `json:"data"`
}

func newCloudEvent(event Event) cloudEvent {
	s := event.Subject
	out := cloudEvent{
		SpecVersion: "1.0", ID: event.ID, Type: string(event.Type), Subject: s.Name,
		Source: fmt.Sprintf("/apis/%s/namespaces/%s/%s/%s", v1alpha1.GroupVersion, url.PathEscape(s.Namespace), s.resource(), url.PathEscape(s.Name)),
		Time:   stamp(event.Time), DataContentType: "application/json",
	}
	switch {
	case s.Action != nil:
		out.Data = newActionData(event, s.Action)
	case s.Agent != nil:
		out.Data = newAgentData(event, s.Agent)
	default:
		out.Data = sampleData{Namespace: s.Namespace, Subscription: s.Name, Message: event.Message}
	}
	return out
}

// resource is the kind as paths of the API have it.
func (s Subject) resource() string {
	switch {
	case s.Action != nil:
		return "agentactions"
	case s.Agent != nil:
		return "agents"
	default:
		return "webhooksubscriptions"
	}
}

// stamp is a time as payloads have it: UTC with microseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// ActionData is data of an event about an action. Fields without a value are left out.
type ActionData struct {
	ActionID         string       `json:"action_id"`
	Namespace        string       `json:"namespace"`
	UID              string       `json:"uid,omitempty"`
	AgentID          string       `json:"agent_id"`
	ActionType       string       `json:"action_type"`
	Resource         string       `json:"resource,omitempty"`
	Description      string       `json:"description,omitempty"`
	Requester        string       `json:"requester,omitempty"`
	Decision         string       `json:"decision,omitempty"`
	CurrentDecision  string       `json:"current_decision,omitempty"`
	Reason           string       `json:"reason,omitempty"`
	Message          string       `json:"message,omitempty"`
	RiskScore        json.Number  `json:"risk_score,omitempty"`
	RiskLevel        string       `json:"risk_level,omitempty"`
	CVSSVector       string       `json:"cvss_vector,omitempty"`
	RuleID           string       `json:"rule_id,omitempty"`
	RuleName         string       `json:"rule_name,omitempty"`
	Stage            string       `json:"stage,omitempty"`
	PendingApprovers []string     `json:"pending_approvers,omitempty"`
	Deadline         string       `json:"deadline,omitempty"`
	ApprovalURL      string       `json:"approval_url,omitempty"`
	ApproveCommand   string       `json:"approve_command,omitempty"`
	DenyCommand      string       `json:"deny_command,omitempty"`
	ValidUntil       string       `json:"valid_until,omitempty"`
	SpecDigest       string       `json:"spec_digest,omitempty"`
	Outcome          *OutcomeData `json:"outcome,omitempty"`
}

// OutcomeData is what the requester reported after acting.
type OutcomeData struct {
	Result      string `json:"result"`
	Message     string `json:"message,omitempty"`
	StartedAt   string `json:"started_at,omitempty"`
	CompletedAt string `json:"completed_at,omitempty"`
}

// AgentData is data of an event about an agent.
type AgentData struct {
	AgentID     string `json:"agent_id"`
	Namespace   string `json:"namespace"`
	UID         string `json:"uid,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	Owner       string `json:"owner,omitempty"`
	State       string `json:"state,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Message     string `json:"message,omitempty"`
}

type sampleData struct {
	Namespace    string `json:"namespace"`
	Subscription string `json:"subscription"`
	Message      string `json:"message,omitempty"`
}

func newAgentData(event Event, agent *v1alpha1.Agent) AgentData {
	return AgentData{
		AgentID: agent.Name, Namespace: agent.Namespace, UID: string(agent.UID), DisplayName: agent.Spec.DisplayName,
		Owner: agent.Spec.Owner, State: string(agent.Spec.State), Reason: event.Reason, Message: event.Message,
	}
}

func newActionData(event Event, action *v1alpha1.AgentAction) ActionData {
	status := &action.Status
	data := ActionData{
		ActionID: action.Name, Namespace: action.Namespace, UID: string(action.UID), AgentID: string(action.Spec.AgentRef.Name),
		ActionType: action.Spec.ActionType, Resource: resourceOf(action), Description: action.Spec.Description,
		Decision: decisionOf(event.Type), Reason: event.Reason, Message: event.Message,
		ApprovalURL: status.ApprovalURL, SpecDigest: status.SpecDigest,
	}
	if requester := action.Spec.Requester; requester != nil {
		data.Requester = requester.Username
	}
	if now := decisionWord(status.Decision); now != data.Decision {
		data.CurrentDecision = now
	}
	if risk := status.Risk; risk != nil {
		data.RiskScore, data.RiskLevel, data.CVSSVector = number(risk.Score), strings.ToUpper(string(risk.Level)), risk.CVSSVector
	}
	if rule := status.DecidingRule; rule != nil {
		data.RuleID, data.RuleName = string(rule.Name), rule.DisplayName
	}
	if waits(event) {
		data.ApproveCommand, data.DenyCommand = commands(action)
		if approval := status.Approval; approval != nil {
			data.Stage, data.PendingApprovers, data.Deadline = approval.Stage, approval.PendingApprovers, optionalStamp(approval.Deadline)
		}
	}
	if data.Decision == approved {
		data.ValidUntil = optionalStamp(status.ValidUntil)
	}
	if outcome := action.Spec.Outcome; outcome != nil && (event.Type == v1alpha1.EventActionExecuted || event.Type == v1alpha1.EventActionFailed) {
		data.Outcome = &OutcomeData{Result: string(outcome.Result), Message: outcome.Message,
			StartedAt: optionalStamp(outcome.StartedAt), CompletedAt: optionalStamp(outcome.CompletedAt)}
	}
	return data
}

// number is a score as a number of JSON; none where it is not written as one.
func number(score v1alpha1.Score) json.Number {
	n := json.Number(score)
	if _, err := n.Float64(); err != nil || !json.Valid([]byte(n)) {
		return ""
	}
	return n
}

// resourceOf is the resource that an action names, in spec.resource or in its parameters.
func resourceOf(action *v1alpha1.AgentAction) string {
	if action.Spec.Resource != "" {
		return action.Spec.Resource
	}
	req, _ := request.Read(action, v1alpha1.Requester{}, nil) // what cannot be read names nothing
	return req.Resource
}

// waits says whether people are asked by the event, and can still answer.
func waits(event Event) bool {
	asks := event.Type == v1alpha1.EventActionPending || event.Type == v1alpha1.EventActionEscalated
	return asks && event.Subject.Action != nil && event.Subject.Action.Status.Decision == v1alpha1.DecisionPending
}

// commands are with what people answer. They show the request before they ask.
func commands(action *v1alpha1.AgentAction) (approve, deny string) {
	name, namespace := terminal.ShellWord(action.Name), terminal.ShellWord(action.Namespace)
	return fmt.Sprintf("kubectl approve %s -n %s", name, namespace), fmt.Sprintf(`kubectl deny %s -n %s --reason "WHY"`, name, namespace)
}

// The words for decisions, as ASCEND writes them.
const (
	approved  = "APPROVED"
	pending   = "PENDING"
	denied    = "DENIED"
	timedOut  = "TIMEOUT"
	cancelled = "CANCELLED"
)

// decisionOf is the decision that an event tells of, whatever came later; empty
// where it tells of none.
func decisionOf(event v1alpha1.EventType) string {
	switch event {
	case v1alpha1.EventActionApproved, v1alpha1.EventActionExecuted, v1alpha1.EventActionFailed:
		return approved
	case v1alpha1.EventActionPending, v1alpha1.EventActionEscalated:
		return pending
	case v1alpha1.EventActionDenied, v1alpha1.EventPolicyViolation:
		return denied
	case v1alpha1.EventActionTimeout:
		return timedOut
	case v1alpha1.EventActionCancelled:
		return cancelled
	case v1alpha1.EventActionSubmitted, v1alpha1.EventAgentSuspended, EventTest:
		return ""
	default:
		return ""
	}
}

// decisionWord is the word for a decision; empty for none.
func decisionWord(decision v1alpha1.Decision) string {
	if decision == v1alpha1.DecisionTimedOut {
		return timedOut
	}
	return strings.ToUpper(string(decision))
}

// optionalStamp is a time as payloads have it; empty where there is none.
func optionalStamp(t *metav1.MicroTime) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return stamp(t.Time)
}
