// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// workflow is one that an action has to pass.
type workflow struct {
	ref v1alpha1.ObjectReference
	// spec is nil where the workflow does not exist or may not be read; then
	// only what status.approval says is known about it.
	spec *v1alpha1.ApprovalWorkflowSpec
}

// workflowsOf reads the workflows that an action has to pass. To approve one
// must hold the verb approve; being allowed to read is welcome, not required.
func workflowsOf(ctx context.Context, cl client.Reader, action *v1alpha1.AgentAction) ([]workflow, error) {
	var out []workflow
	for _, ref := range action.Status.Approval.Workflows {
		object := &v1alpha1.ApprovalWorkflow{}
		err := cl.Get(ctx, client.ObjectKey{Namespace: string(ref.Namespace), Name: string(ref.Name)}, object)
		switch {
		case err == nil:
			out = append(out, workflow{ref, &object.Spec})
		case apierrors.IsNotFound(err) || apierrors.IsForbidden(err):
			out = append(out, workflow{ref: ref})
		default:
			return nil, err
		}
	}
	return out, nil
}

// withStage narrows workflows down to those that the stage may be of. The
// operator names a stage by its own name where that is unique, otherwise as
// namespace/workflow/stage; what cannot be told apart stays.
func withStage(all []workflow, stage string) []workflow {
	stage = withoutRound(stage)
	byPath := slices.DeleteFunc(slices.Clone(all), func(w workflow) bool {
		return !strings.HasPrefix(stage, string(w.ref.Namespace)+"/"+string(w.ref.Name)+"/")
	})
	if len(byPath) > 0 {
		return byPath
	}
	byName := slices.DeleteFunc(slices.Clone(all), func(w workflow) bool {
		return w.spec != nil && !slices.ContainsFunc(w.spec.Stages, func(s v1alpha1.Stage) bool { return s.Name == stage })
	})
	if len(byName) > 0 {
		return byName
	}
	return all
}

// withOverride narrows workflows down to those that can be overridden, as far
// as they may be read.
func withOverride(all []workflow) []workflow {
	return slices.DeleteFunc(slices.Clone(all), func(w workflow) bool {
		return w.spec != nil && w.spec.EmergencyOverride == nil
	})
}

// allowSelfApproval says whether all the workflows are known to allow it.
func allowSelfApproval(workflows []workflow) bool {
	return len(workflows) > 0 && !slices.ContainsFunc(workflows, func(w workflow) bool {
		return w.spec == nil || !w.spec.AllowSelfApproval
	})
}

// requireComment says whether one of the workflows is known to want a comment.
func requireComment(workflows []workflow) bool {
	return slices.ContainsFunc(workflows, func(w workflow) bool { return w.spec != nil && w.spec.RequireComment })
}
