// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// pollInterval is how often the action is read where it may not be watched.
const pollInterval = 250 * time.Millisecond

// await waits until the operator has evaluated the action as it was written,
// and returns it then; nil when that took longer than --wait, or ctx ended.
func (j *judge) await(ctx context.Context, written *v1alpha1.AgentAction) *v1alpha1.AgentAction {
	if j.wait == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, j.wait)
	defer stop()
	changes, err := j.cl.Watch(ctx, &v1alpha1.AgentActionList{}, client.InNamespace(written.Namespace),
		client.MatchingFields{"metadata.name": written.Name},
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: written.ResourceVersion}})
	if err != nil {
		return j.poll(ctx, written)
	}
	defer changes.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-changes.ResultChan():
			if !open || event.Type == watch.Error {
				return j.poll(ctx, written)
			}
			if action, ok := event.Object.(*v1alpha1.AgentAction); ok && evaluated(action, written) {
				return action
			}
		}
	}
}

// poll is await for those who may not watch.
func (j *judge) poll(ctx context.Context, written *v1alpha1.AgentAction) *v1alpha1.AgentAction {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		action := &v1alpha1.AgentAction{}
		err := j.cl.Get(ctx, client.ObjectKeyFromObject(written), action)
		if err == nil && evaluated(action, written) {
			return action
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// evaluated says whether the operator has seen the action as it was written.
func evaluated(action, written *v1alpha1.AgentAction) bool {
	return action.UID == written.UID &&
		(action.Status.Decision.IsFinal() || action.Status.ObservedGeneration >= written.Generation)
}

// tell says what came of the verdict. It fails when that is not what the user
// wanted.
func (j *judge) tell(now time.Time, before, written, after *v1alpha1.AgentAction) (outcome, error) {
	name, out := terminal.Safe(before.Name), j.people()
	if after == nil {
		fmt.Fprintf(out, "recorded: %s of %s in stage %s", j.noun(), name, terminal.Safe(j.entryStage(written)))
		if j.wait > 0 {
			fmt.Fprintf(out, "; the operator has not answered within %s", j.wait)
		}
		fmt.Fprintf(out, "\nWhat comes of it: ascend explain %s\n", name)
		return recorded, nil
	}
	if why := actions.WhyUncounted(after, j.me.username, j.entryStage(written)); why != "" {
		return refused, fmt.Errorf("recorded, but %s of %s does not count: %s", j.noun(), name, why)
	}
	status := &after.Status
	switch status.Decision {
	case v1alpha1.DecisionApproved:
		return j.tellApproved(now, after)
	case v1alpha1.DecisionDenied:
		return j.tellDenied(after)
	case v1alpha1.DecisionPending, v1alpha1.DecisionNone:
		return j.tellPending(now, before, after)
	case v1alpha1.DecisionTimedOut, v1alpha1.DecisionCancelled:
		return refused, fmt.Errorf("recorded, but %s was decided otherwise: %s: %s", name, actions.DecisionWord(status.Decision), terminal.Safe(status.Message))
	default:
		return refused, fmt.Errorf("recorded, but the decision about %s is %q, which this version of ascend does not know", name, terminal.Safe(string(status.Decision)))
	}
}

func (j *judge) tellApproved(now time.Time, after *v1alpha1.AgentAction) (outcome, error) {
	name := terminal.Safe(after.Name)
	if j.verdict == v1alpha1.VerdictDeny {
		return refused, fmt.Errorf("too late: %s was approved meanwhile: %s", name, terminal.Safe(after.Status.Message))
	}
	until := after.Status.ValidUntil
	if until == nil {
		fmt.Fprintf(j.people(), "approved: %s may run\n", name)
		return decided, nil
	}
	fmt.Fprintf(j.people(), "approved: %s may run until %s\n", name, terminal.Deadline(now, until.Time))
	return decided, nil
}

func (j *judge) tellDenied(after *v1alpha1.AgentAction) (outcome, error) {
	name, message := terminal.Safe(after.Name), terminal.Safe(after.Status.Message)
	if j.verdict != v1alpha1.VerdictDeny {
		return refused, fmt.Errorf("recorded, but %s was denied: %s", name, message)
	}
	fmt.Fprintf(j.people(), "denied: %s may not run\n", name)
	return decided, nil
}

func (j *judge) tellPending(now time.Time, before, after *v1alpha1.AgentAction) (outcome, error) {
	name, was, is := terminal.Safe(after.Name), before.Status.Approval, after.Status.Approval
	out := j.people()
	switch {
	case j.verdict == v1alpha1.VerdictDeny:
		return refused, fmt.Errorf("recorded, but %s is still pending; see ascend explain %s", name, name)
	case is == nil || j.verdict == v1alpha1.VerdictOverride:
		fmt.Fprintf(out, "counted: %s of %s; more people have to agree\n", j.noun(), name)
		return counted, nil
	case is.Stage == was.Stage:
		fmt.Fprintf(out, "counted %d of %d in stage %s of %s\n", is.Granted, is.Required, terminal.Safe(is.Stage), name)
	default:
		fmt.Fprintf(out, "passed: stage %s of %s; next is %s\n", terminal.Safe(was.Stage), name, actions.StageWord(is))
	}
	fmt.Fprintf(out, "  who can still approve: %s\n", actions.EntryList(is.PendingApprovers))
	if is.Deadline != nil {
		fmt.Fprintf(out, "  until %s\n", terminal.Deadline(now, is.Deadline.Time))
	}
	return counted, nil
}
