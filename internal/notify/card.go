// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// card is what a message to people says, before a chat program's form. Text of
// others in it is marked: one line, nothing hidden, look-alikes named.
type card struct {
	title string // of words of this package and names of Kubernetes
	tone  tone
	facts []fact
	// paragraphs in the order of reading
	paragraphs []fact
	commands   []fact
	link       string // https or http; empty for none
}

type fact struct{ label, value string }

// tone is how a card looks.
type tone int

const (
	toneNeutral tone = iota
	toneGood
	toneWaiting
	toneBad
)

// Runes that a card has of one value and of one paragraph.
const (
	factRunes      = 300
	paragraphRunes = 1000
)

// headlines are the words over a card, and how it looks.
var headlines = map[v1alpha1.EventType]struct {
	words string
	tone  tone
}{
	v1alpha1.EventActionSubmitted: {"Submitted", toneNeutral},
	v1alpha1.EventActionPending:   {"Approval needed", toneWaiting},
	v1alpha1.EventActionEscalated: {"Approval escalated", toneWaiting},
	v1alpha1.EventActionApproved:  {"Approved", toneGood},
	v1alpha1.EventActionDenied:    {"Denied", toneBad},
	v1alpha1.EventActionTimeout:   {"Timed out", toneBad},
	v1alpha1.EventActionCancelled: {"Cancelled", toneNeutral},
	v1alpha1.EventActionExecuted:  {"Done", toneGood},
	v1alpha1.EventActionFailed:    {"Failed", toneBad},
	v1alpha1.EventPolicyViolation: {"Policy violation", toneBad},
	v1alpha1.EventAgentSuspended:  {"Agent suspended", toneBad},
	EventTest:                     {"Test", toneNeutral},
}

func newCard(event Event) card {
	head, known := headlines[event.Type]
	if !known {
		head.words = "Event"
	}
	c := card{title: cut(head.words+": "+terminal.Mark(event.Subject.Name), 150), tone: head.tone}
	switch s := event.Subject; {
	case s.Action != nil:
		c.action(event, newActionData(event, s.Action))
	case s.Agent != nil:
		data := newAgentData(event, s.Agent)
		c.fact("Agent", data.Namespace+"/"+data.AgentID)
		c.fact("Display name", data.DisplayName)
		c.fact("Owner", data.Owner)
		c.paragraph("Reason", reasonText(data.Reason, data.Message))
	default:
		c.fact("Subscription", s.Namespace+"/"+s.Name)
		c.paragraph("Message", event.Message)
	}
	return c
}

func (c *card) action(event Event, data ActionData) {
	c.fact("Risk", strings.TrimSpace(string(data.RiskScore)+" "+data.RiskLevel))
	c.fact("Agent", data.Namespace+"/"+data.AgentID)
	c.fact("Action", data.ActionType)
	c.fact("Resource", data.Resource)
	if data.RuleID != "" {
		c.fact("Rule", strings.TrimSuffix(data.RuleID+": "+data.RuleName, ": "))
	}
	c.paragraph("Description", data.Description)
	c.paragraph("Reason", reasonText(data.Reason, data.Message))
	if data.Outcome != nil {
		c.paragraph("Outcome", reasonText(data.Outcome.Result, data.Outcome.Message))
	}
	if data.CurrentDecision != "" && data.Decision != "" {
		c.paragraph("Since then", "the decision became "+data.CurrentDecision)
	}
	if data.ApproveCommand == "" {
		return
	}
	approval := event.Subject.Action.Status.Approval
	if approval != nil {
		c.fact("Waits for", strings.Join(data.PendingApprovers, ", "))
		c.fact("Approvals", fmt.Sprintf("%d of %d", approval.Granted, approval.Required))
		if approval.Deadline != nil {
			c.fact("Deadline", terminal.Moment(approval.Deadline.Time))
		}
	}
	c.commands = []fact{{"To approve", command(data.ApproveCommand)}, {"To deny", command(data.DenyCommand)}}
	if isPage(data.ApprovalURL) {
		c.link = data.ApprovalURL
	}
}

// fact adds a value, unless it is empty.
func (c *card) fact(label, value string) {
	if value != "" {
		c.facts = append(c.facts, fact{label, marked(value, factRunes)})
	}
}

func (c *card) paragraph(label, text string) {
	if text != "" {
		c.paragraphs = append(c.paragraphs, fact{label, marked(text, paragraphRunes)})
	}
}

// shorten cuts every text to that many runes.
func (c *card) shorten(runes int) {
	for _, texts := range [][]fact{c.facts, c.paragraphs} {
		for i := range texts {
			texts[i].value = cut(texts[i].value, runes)
		}
	}
}

// reasonText is a code with its message.
func reasonText(reason, message string) string {
	switch {
	case message == "":
		return reason
	case reason == "":
		return message
	default:
		return reason + ": " + message
	}
}

// command is a command as it stands in a block of code, which no backtick may
// end. The names in it have none, unless somebody wrote status by hand.
func command(text string) string {
	return strings.ReplaceAll(marked(text, paragraphRunes), "`", "'")
}

// marked is text of others, fit to be shown: at most that many runes of it.
func marked(text string, runes int) string { return cut(terminal.Mark(cut(text, runes)), runes) }

// cut is text of at most that many runes; what was cut off shows as "…".
func cut(text string, runes int) string {
	if len(text) <= runes || utf8.RuneCountInString(text) <= runes {
		return text
	}
	at := 0
	for i := range text {
		if at == runes-1 {
			return text[:i] + "…"
		}
		at++
	}
	return text
}

// isPage says whether an URL may stand behind a button.
func isPage(raw string) bool {
	parsed, err := url.Parse(raw)
	return err == nil && slices.Contains([]string{"https", "http"}, parsed.Scheme) && parsed.Host != "" && parsed.User == nil && len(raw) <= 2048
}
