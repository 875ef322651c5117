// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/lint"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// decided is a decision as far as it matters to anybody who has to follow it.
type decided struct {
	Decision v1alpha1.Decision
	Reason   string
	Approval *v1alpha1.ApprovalStatus
}

func decide(t *rapid.T, world *lint.World, req *request.Request, at time.Time) *decision.Outcome {
	out, err := decision.Decide(t.Context(), world.Snapshot, req, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func without(objects []metav1.Object, gone metav1.Object) []metav1.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o metav1.Object) bool { return o == gone })
}

// idle says whether a finding says that a rule, or a workflow, does nothing.
func idle(f lint.Found) bool {
	switch o := f.Object.(type) {
	case *v1alpha1.SmartRule:
		if f.Code == lint.NoEffect {
			return len(o.Spec.Conditions) == 0 // an adjustment of nothing still asks a human where a condition fails
		}
		return slices.Contains([]lint.Code{lint.Shadowed, lint.NeverTrue, lint.Ended, lint.NoAgent, lint.Redundant}, f.Code)
	case *v1alpha1.ApprovalWorkflow:
		return slices.Contains([]lint.Code{lint.NeverChosen, lint.NoAgent, lint.Unused, lint.Replaced}, f.Code) && !strings.Contains(f.Message, "applies only where")
	default:
		return false
	}
}

// A rule that lint says does nothing decides nothing, of such a workflow nobody
// is asked, and no decision changes without it.
func TestWhatIsIdleDoesNothing(t *testing.T) {
	t.Parallel()
	tally := &tally{}
	rapid.Check(t, func(rt *rapid.T) {
		objects := drawPolicy(rt)
		world := worldOf(rt, objects)
		found := lint.Set(world, objects)
		for _, f := range found {
			tally.add(f.Code)
		}
		for _, o := range objects {
			agent, isAgent := o.(*v1alpha1.Agent)
			if !isAgent {
				continue
			}
			for range 6 {
				req := drawAction(rt, agent)
				at := now.Add(time.Duration(rapid.IntRange(0, 5).Draw(rt, "hours")) * time.Hour)
				out := decide(rt, world, req, at)
				for _, f := range found {
					if f.Code == lint.Gap {
						holdsGap(rt, f, agent, req, out)
					}
					if idle(f) {
						holdsIdle(rt, f, out, decide(rt, worldOf(rt, without(objects, f.Object)), req, at))
					}
				}
			}
		}
	})
	for _, code := range []lint.Code{lint.Shadowed, lint.NeverTrue, lint.NoAgent, lint.Redundant, lint.NoEffect, lint.NeverChosen, lint.Unused, lint.Replaced, lint.Gap} {
		if tally.count[code] == 0 {
			t.Errorf("%s was never found, so nothing is known of it: %v", code, tally.count)
		}
	}
}

type tally struct {
	mu    sync.Mutex
	count map[lint.Code]int
}

func (t *tally) add(code lint.Code) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[lint.Code]int{}
	}
	t.count[code]++
}

func holdsIdle(t *rapid.T, f lint.Found, out, other *decision.Outcome) {
	// Without one that is replaced, another one may come in its place that is not.
	replaced := f.Code == lint.Replaced
	if diff := cmp.Diff(decided{out.Decision, out.Reason, out.Approval}, decided{other.Decision, other.Reason, other.Approval}); diff != "" && !replaced {
		t.Fatalf("%s of %s: without it the decision is another:\n%s\n%s", f.Code, f.Object.GetName(), f.Message, diff)
	}
	switch o := f.Object.(type) {
	case *v1alpha1.SmartRule:
		// A Deny with exceptions may be named beside the plain one that is in its way.
		excepted := f.Code == lint.Shadowed && o.Spec.ExceptionWorkflowRef != nil
		if by := out.DecidingRule; by != nil && string(by.Namespace) == o.Namespace && string(by.Name) == o.Name && !excepted {
			t.Fatalf("%s %s decides: %s", f.Code, o.Name, f.Message)
		}
	case *v1alpha1.ApprovalWorkflow:
		key := o.Namespace + "/" + o.Name
		if out.Approval != nil && slices.ContainsFunc(out.Approval.Workflows, func(w v1alpha1.ObjectReference) bool {
			return string(w.Namespace) == o.Namespace && string(w.Name) == o.Name
		}) {
			t.Fatalf("%s %s is asked: %s", f.Code, key, f.Message)
		}
		if strings.HasSuffix(out.Message, "is approved by workflow "+key) {
			t.Fatalf("%s %s approves: %s", f.Code, key, f.Message)
		}
	}
}

var inGap = regexp.MustCompile(`scores from ([0-9.]+) to ([0-9.]+)`)

// holdsGap: what no rule decides, of an agent without a workflow, finds none.
func holdsGap(t *rapid.T, f lint.Found, agent *v1alpha1.Agent, req *request.Request, out *decision.Outcome) {
	if out.Risk == nil || out.Decision == v1alpha1.DecisionDenied || agent.Spec.WorkflowRef != nil || len(out.MatchedRules) > 0 ||
		req.ResourceUnknown && agent.Spec.BlockedResources != nil {
		return
	}
	if f.Namespace != agent.Namespace && f.Namespace != v1alpha1.GlobalNamespace {
		return
	}
	if f.Namespace == v1alpha1.GlobalNamespace && out.Approval != nil && len(out.Approval.Workflows) > 0 && string(out.Approval.Workflows[0].Namespace) == agent.Namespace {
		return // the namespace has workflows of its own
	}
	score, err := risk.ParseScore(out.Risk.Score)
	if err != nil {
		t.Fatal(err)
	}
	covered := !strings.Contains(f.Message, "covers any score")
	for _, bounds := range inGap.FindAllStringSubmatch(f.Message, -1) {
		from, fromErr := risk.ParseScore(v1alpha1.Score(bounds[1]))
		to, toErr := risk.ParseScore(v1alpha1.Score(bounds[2]))
		if fromErr != nil || toErr != nil {
			t.Fatal(f.Message)
		}
		if score >= from && score <= to {
			covered = false
		}
	}
	if !covered && out.Reason != v1alpha1.ReasonNoWorkflow && !strings.Contains(out.Message, "workflow "+agent.Namespace+"/") {
		t.Fatalf("a score of %s is in a gap (%s), but: %s", score, f.Message, out.Message)
	}
}
