// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// letter is what the inbox keeps of an action.
type letter struct {
	namespace, name string
	agent, kind     string
	resource        string
	level           v1alpha1.RiskLevel
	risk            string
	stage, given    string
	requester       string
	why             string
	suspicious      int
	asked           time.Time
	deadline        time.Time // zero: none
	place           place
	// action is kept only where it is printed as it is.
	action *v1alpha1.AgentAction
}

// mailbox keeps the actions that wait for the user, or all pending ones. Memory
// follows what it shows: of the others there is but a number.
type mailbox struct {
	judge   *judge
	all     bool // also those that wait for others
	whole   bool // keep the actions themselves
	letters map[types.UID]*letter
	others  int
	// elsewhere are the others, where they can change; nil: they are only counted.
	elsewhere map[types.UID]bool
}

func (o *inbox) newMailbox() *mailbox {
	box := &mailbox{judge: o.judge, all: o.choice.all, whole: !o.output.ForPeople()}
	box.empty()
	return box
}

func (b *mailbox) empty() {
	b.letters, b.others = map[types.UID]*letter{}, 0
	if b.elsewhere != nil {
		b.elsewhere = map[types.UID]bool{}
	}
}

// put takes an action in, or in place of what it was before. One that is
// decided leaves.
func (b *mailbox) put(ctx context.Context, action *v1alpha1.AgentAction, now time.Time) {
	b.remove(action.UID)
	if action.Status.Decision != v1alpha1.DecisionPending {
		return
	}
	at := b.judge.placeOf(ctx, action, now)
	if !at.mine {
		b.others++
		if b.elsewhere != nil {
			b.elsewhere[action.UID] = true
		}
		if !b.all {
			return
		}
	}
	l := newLetter(action, at)
	if b.whole {
		l.action = action
	}
	b.letters[action.UID] = l
}

func (b *mailbox) remove(uid types.UID) {
	if b.elsewhere[uid] {
		delete(b.elsewhere, uid)
		b.others--
	}
	delete(b.letters, uid)
}

func newLetter(action *v1alpha1.AgentAction, at place) *letter {
	status := &action.Status
	l := &letter{
		namespace: action.Namespace, name: action.Name,
		agent: terminal.Mark(string(action.Spec.AgentRef.Name)), kind: terminal.Mark(action.Spec.ActionType),
		resource: terminal.Cut(resource(action), maxResource), risk: actions.LevelWord(status.Risk) + " " + actions.ScoreWord(status.Risk),
		requester: actions.RequesterWord(action), why: whyWord(action), suspicious: asked(action).count,
		asked: actions.SubmittedAt(action), place: at, stage: "-", given: "-",
	}
	if status.Risk != nil {
		l.level = status.Risk.Level
	}
	if approval := status.Approval; approval != nil {
		l.stage = terminal.Mark(stageName(approval.Stage))
		l.given = fmt.Sprintf("%d of %d", approval.Granted, approval.Required)
		if approval.RequestedAt != nil {
			l.asked = approval.RequestedAt.Time
		}
		if approval.Deadline != nil {
			l.deadline = approval.Deadline.Time
		}
	}
	return l
}

// How many columns of a text a table shows at most.
const (
	maxResource = 60
	maxWhy      = 100
)

// whyWord is the rule that asks for approval, or the operator's word.
func whyWord(action *v1alpha1.AgentAction) string {
	if rule := action.Status.DecidingRule; rule != nil {
		return terminal.Mark("rule " + string(rule.Name))
	}
	return terminal.Cut(terminal.Mark(action.Status.Message), maxWhy)
}

// sorted are the letters, the nearest deadline first; those without one last.
func (b *mailbox) sorted() []*letter {
	letters := make([]*letter, 0, len(b.letters))
	for _, l := range b.letters {
		letters = append(letters, l)
	}
	slices.SortFunc(letters, func(x, y *letter) int {
		return cmp.Or(compareDeadlines(x.deadline, y.deadline), x.asked.Compare(y.asked),
			strings.Compare(x.namespace, y.namespace), strings.Compare(x.name, y.name))
	})
	return letters
}

func compareDeadlines(x, y time.Time) int {
	switch {
	case x.IsZero() && y.IsZero():
		return 0
	case x.IsZero():
		return 1
	case y.IsZero():
		return -1
	default:
		return x.Compare(y)
	}
}

func sortCandidates(chosen []candidate) {
	deadline := func(c candidate) time.Time {
		if at := c.action.Status.Approval.Deadline; at != nil {
			return at.Time
		}
		return time.Time{}
	}
	slices.SortFunc(chosen, func(x, y candidate) int {
		return cmp.Or(compareDeadlines(deadline(x), deadline(y)),
			strings.Compare(x.action.Namespace, y.action.Namespace), strings.Compare(x.action.Name, y.action.Name))
	})
}

// cutLast takes a word off the end of a text.
func cutLast(text, end string) (string, bool) {
	before, found := strings.CutSuffix(text, end)
	return before, found && before != ""
}
