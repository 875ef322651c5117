// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Decided is a decided action, as a cluster has it.
type Decided struct {
	Namespace, Name, UID                         string
	Decision, Reason, SpecDigest, PolicyRevision string
}

// Comparison compares decided actions with what the trail says of them: the last
// decision that it has of each, by the time of the record. Add the actions before
// the trail is read, so that their records are in it. It holds some 300 bytes of
// each in memory, and nothing of the trail.
type Comparison struct {
	wanted map[string]*wanted
	order  []*wanted
	words  map[string]string // of decisions, reasons and revisions, kept once each
}

type wanted struct {
	Decided
	found bool
	at    time.Time
	wrong string // what the record says otherwise; empty when it says the same
}

// Compared is what came of a Comparison.
type Compared struct {
	// Actions that were compared, and how many of them the trail has no record of, or
	// another decision.
	Actions int `json:"actions"`
	Missing int `json:"missing"`
	Differ  int `json:"differ"`
}

// NewComparison returns one without actions.
func NewComparison() *Comparison {
	return &Comparison{wanted: map[string]*wanted{}, words: map[string]string{}}
}

// Add adds an action. One that was added before is replaced.
func (c *Comparison) Add(action Decided) {
	for _, word := range []*string{&action.Namespace, &action.Decision, &action.Reason, &action.PolicyRevision} {
		if _, has := c.words[*word]; !has {
			c.words[*word] = *word
		}
		*word = c.words[*word]
	}
	if w := c.wanted[action.UID]; w != nil {
		w.Decided = action
		return
	}
	w := &wanted{Decided: action}
	c.wanted[action.UID] = w
	c.order = append(c.order, w)
}

var finalEvents = []v1alpha1.EventType{
	v1alpha1.EventActionApproved, v1alpha1.EventActionDenied, v1alpha1.EventActionTimeout, v1alpha1.EventActionCancelled,
}

// Visit is for VerifyOptions.
func (c *Comparison) Visit(o Outline) {
	if len(o.Kind) > 0 {
		return
	}
	w := c.wanted[string(o.UID)]
	if w == nil {
		return
	}
	undone := string(o.Event) == string(audit.EventNotApplied)
	if !undone && !slices.ContainsFunc(finalEvents, func(event v1alpha1.EventType) bool { return string(o.Event) == string(event) }) {
		return
	}
	at, err := time.Parse(time.RFC3339Nano, string(o.Time))
	if err != nil || w.found && at.Before(w.at) {
		return
	}
	w.found, w.at, w.wrong = !undone, at, ""
	for _, field := range []struct {
		name string
		has  string
		says []byte
	}{
		{"decision", w.Decision, o.Decision}, {"reason", w.Reason, o.Reason},
		{"specDigest", w.SpecDigest, o.SpecDigest}, {"policyRevision", w.PolicyRevision, o.PolicyRevision},
	} {
		if field.has != string(field.says) {
			w.wrong = fmt.Sprintf("%s is %.80q in the cluster and %.80q in the trail", field.name, field.has, field.says)
			return
		}
	}
}

// Finish adds to the report what the trail has no record of, or another one.
func (c *Comparison) Finish(report *Report) {
	compared := &Compared{Actions: len(c.order)}
	place := 2*report.Lines + 3
	for _, w := range c.order {
		object := fmt.Sprintf("action %s/%s (uid %s): ", w.Namespace, w.Name, w.UID)
		switch {
		case !w.found:
			compared.Missing++
			report.add(Fault{place: place, What: object + "it is " + strings.ToLower(w.Decision) + " in the cluster, and the trail has no record of that",
				Advice: "Name the files of all replicas, also the rotated ones. If this is a copy, and older than the decision, copy the trail again. Otherwise " +
					"its status was not written by the operator, or its record was removed."})
		case w.wrong != "":
			compared.Differ++
			report.add(Fault{place: place, What: object + w.wrong,
				Advice: "Find out who may write status of AgentActions: only the operator should. If a newer file of the trail is missing, name it, too."})
		}
	}
	report.Decisions = compared
}
