// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

// people of the properties: the first are named in stages, some of them barred.
var people = []string{"alice", "bob", "carol", "dan", "Alice", "mallory", "data-team@example.com", "system:serviceaccount:shop:bot", "eve"}

func drawSet(t *rapid.T, label string) v1alpha1.ApproverSet {
	set := v1alpha1.ApproverSet{Users: []v1alpha1.UserName{"alice"}}
	for _, p := range people[1:8] {
		if rapid.Bool().Draw(t, label+" "+p) {
			set.Users = append(set.Users, v1alpha1.UserName(p))
		}
	}
	if rapid.Bool().Draw(t, label+" group") {
		set.Groups = []v1alpha1.UserName{"security", "bot-makers"}
	}
	return set
}

func drawDuration(t *rapid.T, label string) *metav1.Duration {
	return &metav1.Duration{Duration: time.Duration(rapid.IntRange(1, 120).Draw(t, label)) * minute}
}

func drawSpec(t *rapid.T, label string) *v1alpha1.ApprovalWorkflowSpec {
	spec := &v1alpha1.ApprovalWorkflowSpec{
		Timeout:           drawDuration(t, label+" timeout"),
		RequireComment:    rapid.Bool().Draw(t, label+" comment"),
		AllowSelfApproval: rapid.Bool().Draw(t, label+" self"),
		OnTimeout:         rapid.SampledFrom([]v1alpha1.TimeoutPolicy{"", "TimedOut", "Denied", "Approved"}).Draw(t, label+" onTimeout"),
	}
	distinct := rapid.Bool().Draw(t, label+" distinct")
	spec.DistinctApprovers = &distinct
	for i := range rapid.IntRange(1, 3).Draw(t, label+" stages") {
		at := fmt.Sprintf("%s stage %d", label, i)
		s := v1alpha1.Stage{
			Name:      fmt.Sprintf("s%d", i),
			Required:  int32(rapid.IntRange(1, 3).Draw(t, at+" required")),
			Approvers: drawSet(t, at),
		}
		if rapid.Bool().Draw(t, at+" has timeout") {
			s.Timeout = drawDuration(t, at+" timeout")
		}
		if rapid.Bool().Draw(t, at+" escalates") {
			s.Escalation = &v1alpha1.Escalation{Approvers: drawSet(t, at+" escalation")}
			if rapid.Bool().Draw(t, at+" escalates after") {
				s.Escalation.After = drawDuration(t, at+" after")
			}
		}
		spec.Stages = append(spec.Stages, s)
	}
	if rapid.Bool().Draw(t, label+" break-glass") {
		spec.EmergencyOverride = &v1alpha1.EmergencyOverride{Approvers: drawSet(t, label+" override"), Required: 2}
	}
	return spec
}

func compiled(name string, spec *v1alpha1.ApprovalWorkflowSpec) *approval.Workflow {
	return approval.Compile(&v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: *spec})
}

func drawRound(t *rapid.T) round {
	var workflows []*approval.Workflow
	for i := range rapid.IntRange(1, 2).Draw(t, "workflows") {
		name := fmt.Sprintf("w%d", i)
		workflows = append(workflows, compiled(name, drawSpec(t, name)))
	}
	return ask(chain(workflows...))
}

// drawEntry is a verdict; most are near to counting, for others to matter.
func drawEntry(t *rapid.T, r round, verdicts ...v1alpha1.Verdict) v1alpha1.Approval {
	passed := time.Duration(rapid.IntRange(-1, 150).Draw(t, "minute")) * minute
	who := rapid.SampledFrom(people).Draw(t, "who")
	a := r.say(rapid.SampledFrom(verdicts).Draw(t, "verdict"), who, rapid.SampledFrom(r.chain.Stages()).Draw(t, "stage"), passed)
	a.As = rapid.SampledFrom([]string{"", "", "user:" + who, "user:alice", "group:security", "group:bot-makers"}).Draw(t, "as")
	if rapid.Bool().Draw(t, "commented") {
		a.Comment = "because"
	}
	switch rapid.IntRange(0, 30).Draw(t, "spoilt") {
	case 1:
		a.Time = nil
	case 2:
		a.SpecDigest = "sha256:00"
	case 3:
		a.WorkflowRevision = ""
	case 4:
		a.Stage = "nowhere"
	}
	return a
}

// drawEntries are unique by approver and stage, as the list in the API is.
func drawEntries(t *rapid.T, r round, verdicts ...v1alpha1.Verdict) []v1alpha1.Approval {
	if len(verdicts) == 0 {
		verdicts = []v1alpha1.Verdict{v1alpha1.VerdictApprove, v1alpha1.VerdictApprove, v1alpha1.VerdictApprove, v1alpha1.VerdictOverride, v1alpha1.VerdictDeny}
	}
	var out []v1alpha1.Approval
	for range rapid.IntRange(0, 12).Draw(t, "entries") {
		e := drawEntry(t, r, verdicts...)
		if !slices.ContainsFunc(out, func(a v1alpha1.Approval) bool { return a.Approver == e.Approver && a.Stage == e.Stage }) {
			out = append(out, e)
		}
	}
	return out
}

func drawMoment(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(0, 400).Draw(t, "now")) * minute
}

func TestSameInputSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		entries, now := drawEntries(t, r), drawMoment(t)
		if diff := cmp.Diff(r.at(now, entries...), r.at(now, entries...)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestOrderOfEntriesIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		entries, now := drawEntries(t, r), drawMoment(t)
		want := r.at(now, entries...)
		shuffled := rapid.Permutation(entries).Draw(t, "shuffled")
		if diff := cmp.Diff(want, r.at(now, shuffled...)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestIneligibleEntriesChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		entries, now := drawEntries(t, r), drawMoment(t)
		want := r.at(now, entries...)
		stranger := drawEntry(t, r, v1alpha1.VerdictApprove, v1alpha1.VerdictDeny, v1alpha1.VerdictOverride, "Allow")
		stranger.Approver, stranger.As = "stranger", rapid.SampledFrom([]string{"", "user:alice", "group:strangers", "verb:approve"}).Draw(t, "as")
		got := r.at(now, append(slices.Clone(entries), stranger)...)
		if reasonFor(got, "stranger") == "" {
			t.Fatalf("it is not said why it does not count: %v", got.Status.Uncounted)
		}
		// What is said about it may change, and the id of a stage may get its round.
		for _, s := range []*approval.State{&want, &got} {
			s.Message, s.Status.Uncounted = "", nil
			s.Status.Stage, _, _ = strings.Cut(s.Status.Stage, "@")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestNeverGrantedWithoutQuorum counts again by itself, in the plainest way: in
// each stage enough different people who are named in it and not barred, or
// enough who override.
func TestNeverGrantedWithoutQuorum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		entries := drawEntries(t, r, v1alpha1.VerdictApprove, v1alpha1.VerdictApprove, v1alpha1.VerdictOverride)
		if got := r.at(drawMoment(t), entries...); got.Result == approval.Granted {
			checkQuorum(t, r, entries)
		}
	})
}

func checkQuorum(t interface{ Fatalf(string, ...any) }, r round, entries []v1alpha1.Approval) {
	ids := r.chain.Stages()
	for _, w := range r.chain.Workflows() {
		spec := w.Spec()
		own := ids[:len(spec.Stages)]
		ids = ids[len(spec.Stages):]
		if o := spec.EmergencyOverride; o != nil && count(r, w, entries, v1alpha1.OverrideStage, o.Approvers) >= int(o.Required) {
			continue
		}
		for i, s := range spec.Stages {
			sets := []v1alpha1.ApproverSet{s.Approvers}
			if s.Escalation != nil {
				sets = append(sets, s.Escalation.Approvers)
			}
			if n := count(r, w, entries, own[i], sets...); n < int(s.Required) {
				t.Fatalf("granted, but stage %s has %d of %d", own[i], n, s.Required)
			}
		}
	}
}

func count(r round, w *approval.Workflow, entries []v1alpha1.Approval, stage string, sets ...v1alpha1.ApproverSet) int {
	found := map[string]bool{}
	for _, e := range entries {
		barred := slices.Contains([]string{"mallory", "data-team@example.com", "system:serviceaccount:shop:bot"}, e.Approver) || e.As == "group:bot-makers"
		if e.Stage != stage || e.Verdict == v1alpha1.VerdictDeny || e.Time == nil || e.SpecDigest != asked ||
			e.WorkflowRevision != r.chain.Revision() || (barred && !w.Spec().AllowSelfApproval) ||
			(w.Spec().RequireComment && e.Comment == "") {
			continue
		}
		for _, set := range sets {
			group, isGroup := strings.CutPrefix(e.As, "group:")
			if isGroup && slices.Contains(set.Groups, v1alpha1.UserName(group)) ||
				(e.As == "" || e.As == "user:"+e.Approver) && slices.Contains(set.Users, v1alpha1.UserName(e.Approver)) {
				found[strings.ToLower(e.Approver)] = true
			}
		}
	}
	return len(found)
}

func TestTimeAloneGrantsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		entries, now := drawEntries(t, r), drawMoment(t)
		before := r.at(now, entries...)
		after := r.at(now+time.Duration(rapid.IntRange(0, 100000).Draw(t, "later"))*time.Second, entries...)
		switch {
		case before.Result == after.Result:
		case before.Result == approval.Waiting && after.Result == approval.TimedOut:
			if before.NextChange.IsZero() || before.NextChange.Before(noon.Add(now)) {
				t.Fatalf("the change at %v was not announced: %v", after.Status.Deadline, before.NextChange)
			}
		default:
			t.Fatalf("%s became %s", before.Result, after.Result)
		}
	})
}

func TestNothingChangesBeforeNextChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		entries, now := drawEntries(t, r), drawMoment(t)
		before := r.at(now, entries...)
		if before.NextChange.IsZero() {
			t.Skip("final")
		}
		if diff := cmp.Diff(before, r.at(before.NextChange.Sub(noon)-time.Microsecond, entries...)); diff != "" {
			t.Fatal(diff)
		}
		if after := r.at(before.NextChange.Sub(noon), entries...); cmp.Equal(before, after) {
			t.Fatal("nothing changes at NextChange")
		}
	})
}

func TestNobodyIsApprovedByTimeout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		got := r.at(1000 * time.Hour)
		if got.Result != approval.TimedOut || (got.OnTimeout != v1alpha1.OnTimeoutTimedOut && got.OnTimeout != v1alpha1.OnTimeoutDenied) {
			t.Fatalf("%s %s", got.Result, got.OnTimeout)
		}
	})
}

func TestOwnStatusFedBackChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRound(t)
		entries, now := drawEntries(t, r), drawMoment(t)
		want := r.at(now, entries...)
		if diff := cmp.Diff(want, r.with(now, &want.Status, entries...)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestStricterNeverGrantsEarlier compares a workflow with one that asks for more,
// by the same people at the same times.
func TestStricterNeverGrantsEarlier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t, "w")
		for i := range spec.Stages { // a stage that is passed later must not escalate later
			spec.Stages[i].Escalation, spec.Stages[i].Timeout = nil, nil
		}
		stricter := spec.DeepCopy()
		verdicts := []v1alpha1.Verdict{v1alpha1.VerdictApprove, v1alpha1.VerdictApprove, v1alpha1.VerdictOverride, v1alpha1.VerdictDeny}
		switch rapid.SampledFrom([]string{"required", "stage", "comment", "self", "distinct", "override"}).Draw(t, "stricter by") {
		case "required":
			stricter.Stages[rapid.IntRange(0, len(spec.Stages)-1).Draw(t, "of stage")].Required++
		case "stage":
			last := *spec.Stages[0].DeepCopy()
			last.Name = "last"
			stricter.Stages = append(stricter.Stages, last)
		case "comment":
			stricter.RequireComment = true
		case "self":
			stricter.AllowSelfApproval = false
			verdicts = verdicts[:3] // who may not approve may not deny either
		case "distinct":
			stricter.DistinctApprovers = nil // true
		case "override":
			stricter.EmergencyOverride = nil
		}
		loose, tight := ask(chain(compiled("w", spec))), ask(chain(compiled("w", stricter)))
		entries, now := drawEntries(t, loose, verdicts...), drawMoment(t)
		rebound := slices.Clone(entries)
		for i := range rebound {
			if rebound[i].WorkflowRevision != "" {
				rebound[i].WorkflowRevision = tight.chain.Revision()
			}
		}
		if tight.at(now, rebound...).Result == approval.Granted {
			if got := loose.at(now, entries...); got.Result != approval.Granted {
				t.Fatalf("granted by the stricter, but %s by the other: %s", got.Result, got.Message)
			}
		}
	})
}
