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
// decision that it has of each, in a chain by its place, otherwise by its time. Add the actions before
// the trail is read, so that their records are in it. It holds some 300 bytes of
// each in memory, and nothing of the trail.
type Comparison struct {
	wanted map[string]*wanted
	order  []*wanted
	words  map[string]string // of decisions, reasons and revisions, kept once each
}

type wanted struct {
	Decided
	found       bool
	at          time.Time
	chain, base string // of the record, and the resourceVersion it was decided on
	sequence    uint64
	wrong       string // what the record says otherwise; empty when it says the same
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
		*word = c.word([]byte(*word))
	}
	if w := c.wanted[action.UID]; w != nil {
		w.Decided = action
		return
	}
	w := &wanted{Decided: action}
	c.wanted[action.UID] = w
	c.order = append(c.order, w)
}

// word is the text, kept once.
func (c *Comparison) word(text []byte) string {
	if known, has := c.words[string(text)]; has {
		return known
	}
	known := string(text)
	c.words[known] = known
	return known
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
	if err != nil || w.chain != "" && !w.precedes(&o, at) {
		return
	}
	if undone && w.found && w.base != string(o.ResourceVersion) {
		return // another attempt is taken back, as a withdrawal that came too late
	}
	w.found, w.at, w.chain, w.sequence, w.base, w.wrong = !undone, at, c.word(o.Chain), o.Sequence, string(o.ResourceVersion), ""
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

// precedes says whether what is known is from before a record. The clock of a chain may
// have been put back.
func (w *wanted) precedes(o *Outline, at time.Time) bool {
	if w.chain == string(o.Chain) {
		return w.sequence < o.Sequence
	}
	return !at.Before(w.at)
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
