// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// recordAttempts bounds how often a verdict is written again because somebody
// else wrote to the action at the same moment.
const recordAttempts = 30

// recordPause is the shortest pause before the next attempt; a random part,
// up to recordJitter times as long, keeps many people from meeting again.
const (
	recordPause  = 10 * time.Millisecond
	recordJitter = 9.0
)

// record writes the verdict into the action and returns the action as written.
// When somebody else was faster it reads again, checks again, and writes only
// if what is judged is still the same.
func (j *judge) record(ctx context.Context, action *v1alpha1.AgentAction) (*v1alpha1.AgentAction, error) {
	if err := j.refuse(action); err != nil { // it was one of several, or somebody took long to answer
		return nil, err
	}
	var options []client.PatchOption
	if j.dryRun == session.DryRunClient {
		return j.imagined(action), nil
	}
	if j.dryRun == session.DryRunServer {
		options = append(options, client.DryRunAll)
	}
	current := action
	var err error
	for range recordAttempts {
		patch, invalid := j.patch(current)
		if invalid != nil {
			return nil, invalid
		}
		written := current.DeepCopy()
		err = j.cl.Patch(ctx, written, patch, options...)
		if !apierrors.IsConflict(err) {
			return written, uncertain(j.session.Failed(err, fmt.Sprintf("record %s of %s", j.noun(), terminal.Safe(action.Name))), action)
		}
		if err := pause(ctx, wait.Jitter(recordPause, recordJitter)); err != nil {
			return nil, j.session.Failed(err, fmt.Sprintf("record %s of %s", j.noun(), terminal.Safe(action.Name)))
		}
		var changed error
		if current, changed = j.reread(ctx, action); changed != nil {
			return nil, changed
		}
	}
	if _, refused := session.Refusal(err); refused {
		return nil, j.session.Failed(err, fmt.Sprintf("record %s of %s", j.noun(), terminal.Safe(action.Name)))
	}
	return nil, fmt.Errorf("could not record %s of %s: others kept writing to it at the same moment; try again", j.noun(), terminal.Safe(action.Name))
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// reread reads the action again and refuses when it is no longer the one that
// was shown.
func (j *judge) reread(ctx context.Context, shown *v1alpha1.AgentAction) (*v1alpha1.AgentAction, error) {
	current, err := actions.Get(ctx, j.session, j.cl, client.ObjectKeyFromObject(shown))
	if err != nil {
		return nil, err
	}
	changed := ""
	switch {
	case current.UID != shown.UID:
		changed = "it was deleted and created anew"
	case current.Status.SpecDigest != shown.Status.SpecDigest:
		changed = "the request is another one"
	}
	if changed == "" {
		if err := j.refuse(current); err != nil {
			return nil, err
		}
		changed = moved(shown.Status.Approval, current.Status.Approval)
	}
	if changed != "" {
		return nil, fmt.Errorf("%s changed while you looked at it: %s\nNothing was written. Look again: ascend review %s",
			terminal.Safe(shown.Name), changed, terminal.Safe(shown.Name))
	}
	return current, nil
}

// moved says how what waits has changed; empty where it has not.
func moved(was, is *v1alpha1.ApprovalStatus) string {
	switch {
	case is.Revision != was.Revision:
		return "its workflows were changed"
	case is.Stage != was.Stage:
		return fmt.Sprintf("it waits in stage %s now, no longer in %s", terminal.Safe(is.Stage), terminal.Safe(was.Stage))
	default:
		return ""
	}
}

// approval is the entry that is written: the verdict, the comment, and what the
// user has seen.
func (j *judge) approval(action *v1alpha1.AgentAction) v1alpha1.Approval {
	seen := action.Status.Approval
	approval := v1alpha1.Approval{
		Verdict: j.verdict, Comment: j.comment, SpecDigest: action.Status.SpecDigest, WorkflowRevision: seen.Revision,
	}
	if j.verdict != v1alpha1.VerdictOverride {
		approval.Stage = seen.Stage
	}
	return approval
}

// imagined is the action with the entry that would be written.
func (j *judge) imagined(action *v1alpha1.AgentAction) *v1alpha1.AgentAction {
	written := action.DeepCopy()
	written.Spec.Approvals = append(written.Spec.Approvals, j.approval(action))
	return written
}

// patch adds one approval: the verdict, the comment, and what the user has seen,
// which admission holds against what there is. Who they are and as what they
// count it stamps itself, and the stage of an override. It is sent as a JSON
// patch, which leaves the others as they are, including fields that this
// program does not know; a merge patch of the whole list would drop those. Setting the resourceVersion makes the API server
// answer Conflict when the action has been written to since it was read.
func (j *judge) patch(action *v1alpha1.AgentAction) (client.Patch, error) {
	approval := j.approval(action)
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	add := operation{"add", "/spec/approvals/-", approval}
	if action.Spec.Approvals == nil {
		add = operation{"add", "/spec/approvals", []v1alpha1.Approval{approval}}
	}
	data, err := json.Marshal([]operation{{"replace", "/metadata/resourceVersion", action.ResourceVersion}, add})
	if err != nil {
		return nil, fmt.Errorf("cannot write the approval of %s as JSON: %w", terminal.Safe(action.Name), err)
	}
	return client.RawPatch(types.JSONPatchType, data), nil
}
