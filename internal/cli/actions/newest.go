// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"cmp"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// newest keeps the newest of what it is given, so that memory follows the limit
// and not the history.
type newest[T any] struct {
	limit int // 0: all
	// byAge orders the oldest first.
	byAge   func(a, b T) int
	dropped int
	kept    []T
}

func (n *newest[T]) add(more ...T) {
	n.kept = append(n.kept, more...)
	if excess := len(n.kept) - n.limit; n.limit > 0 && excess > 0 {
		slices.SortFunc(n.kept, n.byAge)
		n.kept = slices.Clone(n.kept[excess:])
		n.dropped += excess
	}
}

func (n *newest[T]) forget() { n.kept, n.dropped = nil, 0 }

// sorted returns them oldest first.
func (n *newest[T]) sorted() []T {
	slices.SortFunc(n.kept, n.byAge)
	return n.kept
}

// byAge orders actions oldest first, those of one moment by when they were
// admitted, for the API server stores whole seconds, then by namespace and name.
func byAge(a, b v1alpha1.AgentAction) int {
	return cmp.Or(SubmittedAt(&a).Compare(SubmittedAt(&b)), admittedAt(&a).Compare(admittedAt(&b)), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// row is what a table needs of an action, and nothing of what it asks for,
// which may be large.
type row struct {
	at, admitted                  time.Time
	namespace, name, actionType   string
	level, decision, agent, score string
	reason, stage, requester      string
	role                          terminal.Role
}

func rowOf(action *v1alpha1.AgentAction) row {
	status := &action.Status
	return row{
		at: SubmittedAt(action), admitted: admittedAt(action), namespace: action.Namespace, name: action.Name, actionType: action.Spec.ActionType,
		level: LevelWord(status.Risk), decision: DecisionWord(status.Decision), role: DecisionRole(status.Decision),
		agent: string(action.Spec.AgentRef.Name), score: ScoreWord(status.Risk),
		reason: cmp.Or(status.Reason, nothing), stage: cmp.Or(waitingStage(action), nothing), requester: cmp.Or(requesterName(action), nothing),
	}
}

func rowByAge(a, b row) int {
	return cmp.Or(a.at.Compare(b.at), a.admitted.Compare(b.admitted), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
}

// SubmittedAt is when the action was stored: to the microsecond once the
// operator has said so, to the second before.
func SubmittedAt(action *v1alpha1.AgentAction) time.Time {
	if at := action.Status.SubmittedAt; at != nil {
		return at.Time
	}
	return action.CreationTimestamp.Time
}

// admittedAt is when admission let the action in, to the microsecond; zero where
// admission has not stamped it.
func admittedAt(action *v1alpha1.AgentAction) time.Time {
	if requester := action.Spec.Requester; requester != nil && requester.AdmittedAt != nil {
		return requester.AdmittedAt.Time
	}
	return time.Time{}
}
