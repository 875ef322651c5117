// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// summary says in one line what an action wants and who asked.
func summary(action *v1alpha1.AgentAction) string {
	text := fmt.Sprintf("%s: %s on %s, risk %s %s, asked by %s",
		safeText(action.Name), safeText(action.Spec.ActionType), resourceWord(action),
		levelWord(action.Status.Risk), scoreWord(action.Status.Risk), requesterWord(action))
	return text + " for agent " + safeText(string(action.Spec.AgentRef.Name))
}

// stageLine says where the verdict goes, and as whom it counts.
func (j *judge) stageLine(action *v1alpha1.AgentAction, as string) string {
	if j.verdict == v1alpha1.VerdictOverride {
		return "emergency override of " + workflowNames(action.Status.Approval.Workflows)
	}
	return stageWord(action.Status.Approval) + countsAs(as)
}

func countsAs(as string) string {
	switch as {
	case "":
		return ""
	case verbApprove:
		return "; you count as holder of the verb approve"
	default:
		return "; you count as " + safeText(as)
	}
}

// stageWord says which stage waits and how far it is.
func stageWord(approval *v1alpha1.ApprovalStatus) string {
	return fmt.Sprintf("stage %s (%d of %d), %d of %d given",
		safeText(approval.Stage), approval.StageIndex+1, approval.StageCount, approval.Granted, approval.Required)
}

// resourceWord names what the action wants to act on, as the operator reads it.
func resourceWord(action *v1alpha1.AgentAction) string {
	req, err := request.Read(action, v1alpha1.Requester{}, nil)
	switch {
	case err != nil && req.Resource == "":
		return "a resource that cannot be read"
	case req.Resource == "":
		return "no named resource"
	case len(req.Resources) > 1:
		return fmt.Sprintf("%s and %d more", safeText(req.Resource), len(req.Resources)-1)
	default:
		return safeText(req.Resource)
	}
}

func requesterWord(action *v1alpha1.AgentAction) string {
	if name := requesterName(action); name != "" {
		return safeText(name)
	}
	return "an unknown requester"
}

// workflowNames lists workflows as namespace/name.
func workflowNames(refs []v1alpha1.ObjectReference) string {
	if len(refs) == 0 {
		return "no workflow"
	}
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = safeText(string(ref.Namespace) + "/" + string(ref.Name))
	}
	return strings.Join(names, ", ")
}
