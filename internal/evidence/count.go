// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/story"
)

// mostRows of a table are shown; the files have all of them.
const mostRows = 500

// rows are the first so many of a table.
type rows[T any] struct {
	List []T
	All  int
}

func (r *rows[T]) add(row T) {
	r.All++
	if len(r.List) < mostRows {
		r.List = append(r.List, row)
	}
}

// More is how many are not shown.
func (r rows[T]) More() int { return r.All - len(r.List) }

// action is what is known of one that has records in the period.
type action struct {
	standing story.Standing
	rules    []string
}

// Totals count actions by their last decision in the period.
type Totals struct {
	Actions    int `json:"actions"`
	Approved   int `json:"approved"`
	Denied     int `json:"denied"`
	TimedOut   int `json:"timedOut"`
	Cancelled  int `json:"cancelled"`
	Pending    int `json:"pending"`
	Undecided  int `json:"undecided"`
	BreakGlass int `json:"breakGlass"`
	// Verdicts that people gave.
	Verdicts int `json:"verdicts"`
	Refusals int `json:"refusals"`
	Records  int `json:"records"`
}

func (t *Totals) count(a *action) {
	t.Actions++
	ruling := a.standing.Ruling()
	if ruling.BreakGlass {
		t.BreakGlass++
	}
	switch ruling.Decision {
	case v1alpha1.DecisionApproved:
		t.Approved++
	case v1alpha1.DecisionDenied:
		t.Denied++
	case v1alpha1.DecisionTimedOut:
		t.TimedOut++
	case v1alpha1.DecisionCancelled:
		t.Cancelled++
	case v1alpha1.DecisionPending:
		t.Pending++
	case v1alpha1.DecisionNone:
		t.Undecided++
	default:
		t.Undecided++
	}
}

// verdict is a row of the table of what people said.
type verdict struct {
	Time                     time.Time
	Who, As, Stage, Said     string
	Comment, Action, Without string
}

// event is a row of a table of other records.
type event struct {
	Time                       time.Time
	Event, Who, What, Sentence string
	Details                    []string
}

// matched is a rule and how many actions it matched.
type matched struct {
	Rule    string
	Actions int
}

// Control is one control of the framework, or what is under none of them.
type Control struct {
	ID, Title string
	// Folder with the records, relative to that of the pack.
	Folder string
	Totals
	Rules []matched
	// The rows of its tables.
	VerdictRows  rows[verdict]
	OverrideRows rows[event]
	RefusalRows  rows[event]

	rules map[string]int
}

func newControl(id, title, folder string) *Control {
	return &Control{ID: id, Title: title, Folder: folder, rules: map[string]int{}}
}

// add counts a record, and the verdicts that it is the first to tell of. Actions are
// counted at the end, see count.
func (c *Control) add(r *audit.Record, verdicts []verdict) {
	c.Records++
	if !auditexport.IsAction(r) {
		return
	}
	if r.Event == audit.EventRefused {
		c.Refusals++
		c.RefusalRows.add(eventOf(r))
	}
	if r.BreakGlass && r.Event == v1alpha1.EventActionApproved {
		c.OverrideRows.add(eventOf(r))
	}
	for _, verdict := range verdicts {
		c.Verdicts++
		c.VerdictRows.add(verdict)
	}
}

// actions are those that have records in the period.
type actions struct {
	of       map[string]*action
	recorded map[given]bool // verdicts that have a record of their own
	listed   map[given]bool // the others that were told of
	words    map[string]string
}

func newActions(recorded map[given]bool) *actions {
	return &actions{of: map[string]*action{}, recorded: recorded, listed: map[given]bool{}, words: map[string]string{}}
}

// learn takes in a record of an action, and returns the verdicts that no record before
// has told of.
func (a *actions) learn(r *audit.Record) []verdict {
	if r.Event == audit.EventRefused && r.UID == "" {
		return nil // there never was such an action
	}
	known := a.of[keyOf(r)]
	if known == nil {
		known = &action{}
		a.of[keyOf(r)] = known
	}
	known.learn(a.kept(r))
	return slices.DeleteFunc(verdictsOf(r), func(v verdict) bool {
		key := given{keyOf(r), v.Who, v.Stage}
		if r.Event == audit.EventApprovalRecorded {
			return false
		}
		told := a.recorded[key] || a.listed[key]
		a.listed[key] = true
		return told
	})
}

// kept is the record with those texts that most records share kept once.
func (a *actions) kept(r *audit.Record) *audit.Record {
	same := func(text string) string {
		if _, has := a.words[text]; !has {
			a.words[text] = text
		}
		return a.words[text]
	}
	shared := *r
	shared.Chain, shared.Reason = same(r.Chain), same(r.Reason)
	shared.Event, shared.Decision = v1alpha1.EventType(same(string(r.Event))), v1alpha1.Decision(same(string(r.Decision)))
	shared.MatchedRules = slices.Clone(r.MatchedRules)
	for i, rule := range shared.MatchedRules {
		shared.MatchedRules[i] = same(rule)
	}
	return &shared
}

// learn keeps the decision that holds, and the rules.
func (a *action) learn(r *audit.Record) {
	a.standing.Learn(r)
	for _, rule := range r.MatchedRules {
		if !slices.Contains(a.rules, rule) {
			a.rules = append(a.rules, rule)
		}
	}
}

// count counts an action.
func (c *Control) count(a *action) {
	c.Totals.count(a)
	for _, rule := range a.rules {
		c.rules[rule]++
	}
}

// finish puts everything in order.
func (c *Control) finish() {
	for _, rule := range slices.Sorted(maps.Keys(c.rules)) {
		c.Rules = append(c.Rules, matched{rule, c.rules[rule]})
	}
	sortRows(c.VerdictRows.List, func(v verdict) time.Time { return v.Time })
	sortRows(c.OverrideRows.List, func(e event) time.Time { return e.Time })
	sortRows(c.RefusalRows.List, func(e event) time.Time { return e.Time })
}

func sortRows[T any](list []T, at func(T) time.Time) {
	slices.SortStableFunc(list, func(a, b T) int { return at(a).Compare(at(b)) })
}

// verdictsOf are what people said: that of a record of one, and those that a decision
// lists, of which there may be no record of their own.
func verdictsOf(r *audit.Record) []verdict {
	approvals := r.Approvals
	if r.Event == audit.EventApprovalRecorded {
		approvals = nil
		if r.Approval != nil {
			approvals = []audit.Approval{*r.Approval}
		}
	}
	var list []verdict
	for i := range approvals {
		a := &approvals[i]
		v := verdict{
			Time: r.Time, Who: cmp.Or(a.Approver, r.Actor), As: a.As, Stage: a.Stage, Said: said(a.Verdict),
			Comment: a.Comment, Action: r.Namespace + "/" + r.Name, Without: a.Uncounted,
		}
		if a.Time != nil {
			v.Time = *a.Time
		}
		list = append(list, v)
	}
	return list
}

func said(v v1alpha1.Verdict) string {
	word := story.VerdictWord(v)
	return strings.ToUpper(word[:1]) + word[1:]
}

func eventOf(r *audit.Record) event {
	return event{
		Time: r.Time, Event: string(r.Event), Who: r.Actor, What: strings.TrimSpace(story.About(r)),
		Sentence: story.Sentence(r), Details: story.Details(r),
	}
}
