// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// ClockSkew is how much earlier than the beginning of a round, a stage or an
// escalation a verdict may be stamped and still count: admission and controller
// may be on nodes whose clocks differ, and an entry that does not count cannot be
// given again. Deadlines are not extended by it.
const ClockSkew = 5 * time.Second

// vote is an entry of spec.approvals on its way to being counted.
type vote struct {
	*v1alpha1.Approval
	at     time.Time
	person string // the approver, folded
	stage  int    // index into Chain.stages; -1 for an override
	reason string // why it does not count; "" while nothing speaks against it
	void   bool   // given in an earlier round
}

// is says whether two votes are one person's: by name in any spelling, or by uid.
func (v *vote) is(other *vote) bool {
	return v.person == other.person || (v.UID != "" && v.UID == other.UID)
}

func (v *vote) oneOf(others []*vote) bool { return slices.ContainsFunc(others, v.is) }

func (v *vote) commented() bool { return strings.TrimSpace(v.Comment) != "" }

// before says whether the vote was stamped before a moment, by more than clocks differ.
func (v *vote) before(moment time.Time) bool { return v.at.Add(ClockSkew).Before(moment) }

// readVotes puts the approvals into the order of their times and finds what
// speaks against each by itself. At the same time a Deny comes first.
func (t *tally) readVotes(approvals []v1alpha1.Approval) {
	t.votes = make([]*vote, len(approvals))
	for i := range approvals {
		v := &vote{Approval: &approvals[i], person: match.Fold(approvals[i].Approver), stage: -1}
		if v.Time != nil {
			v.at = micro(v.Time.Time)
		}
		t.votes[i] = v
	}
	slices.SortStableFunc(t.votes, compareVotes)
	for _, v := range t.votes {
		v.reason = t.misgiven(v)
	}
}

func compareVotes(a, b *vote) int {
	return cmp.Or(
		a.at.Compare(b.at),
		cmp.Compare(rank(a.Verdict), rank(b.Verdict)),
		cmp.Compare(a.Approver, b.Approver),
		cmp.Compare(a.Stage, b.Stage),
		cmp.Compare(a.Verdict, b.Verdict),
		cmp.Compare(a.As, b.As),
		cmp.Compare(a.UID, b.UID),
		cmp.Compare(a.Comment, b.Comment),
		cmp.Compare(a.SpecDigest, b.SpecDigest),
		cmp.Compare(a.WorkflowRevision, b.WorkflowRevision),
	)
}

func rank(v v1alpha1.Verdict) int {
	switch v {
	case v1alpha1.VerdictDeny:
		return 0
	case v1alpha1.VerdictApprove:
		return 1
	case v1alpha1.VerdictOverride:
		return 2
	default:
		return 3
	}
}

// misgiven is what speaks against a vote whatever its stage asks for, or "".
func (t *tally) misgiven(v *vote) string {
	if rank(v.Verdict) > rank(v1alpha1.VerdictOverride) {
		return fmt.Sprintf("the verdict %s is not known; it has to be Approve, Deny or Override", quote(string(v.Verdict)))
	}
	if v.person == "" {
		return "it names no approver"
	}
	if why := t.unbound(v); why != "" {
		return why
	}
	if v.Verdict == v1alpha1.VerdictOverride {
		if plainID(v.Stage, t.requestedAt) != v1alpha1.OverrideStage {
			return "an Override goes with stage " + v1alpha1.OverrideStage + ", not with " + quote(v.Stage)
		}
		return ""
	}
	if v.stage = t.chain.find(v.Stage, t.requestedAt); v.stage < 0 {
		return fmt.Sprintf("there is no stage %s to pass; the stages are %s", quote(v.Stage), list(t.chain.Stages()))
	}
	return ""
}

// unbound says what is missing or wrong in the stamps that bind a vote to this
// request, these workflows and this round, or "".
func (t *tally) unbound(v *vote) string {
	const unstamped = "it carries no %s, so it did not come through admission; give it by kubectl approve"
	switch {
	case v.Time.IsZero():
		return fmt.Sprintf(unstamped, "time")
	case v.SpecDigest == "" || t.in.Digest == "":
		return fmt.Sprintf(unstamped, "digest of the request")
	case v.WorkflowRevision == "" || t.chain.revision == "":
		return fmt.Sprintf(unstamped, "revision of the workflows")
	case v.SpecDigest != t.in.Digest:
		return "it was given for another request than this one"
	case v.WorkflowRevision != t.chain.revision:
		v.void = true
		return "it was given under other workflows than those that have to be passed now; approve again"
	case v.before(t.requestedAt):
		v.void = true
		return fmt.Sprintf("it was given at %s, before approval was asked for at %s; approve again", clock(v.at), clock(t.requestedAt))
	default:
		return ""
	}
}

// micro is a time as the API keeps it: UTC, whole microseconds.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// microTime is micro for a status; nil for the zero time.
func microTime(t time.Time) *metav1.MicroTime {
	if t.IsZero() {
		return nil
	}
	return &metav1.MicroTime{Time: t}
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
