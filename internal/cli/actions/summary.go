// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Summary says in one line what an action wants and who asked.
func Summary(action *v1alpha1.AgentAction) string {
	text := fmt.Sprintf("%s: %s on %s, risk %s %s, asked by %s",
		terminal.Safe(action.Name), terminal.Safe(action.Spec.ActionType), ResourceWord(action),
		LevelWord(action.Status.Risk), ScoreWord(action.Status.Risk), RequesterWord(action))
	return text + " for agent " + terminal.Safe(string(action.Spec.AgentRef.Name))
}

// StageWord says which stage waits and how far it is.
func StageWord(approval *v1alpha1.ApprovalStatus) string {
	return fmt.Sprintf("stage %s (%d of %d), %d of %d given",
		terminal.Safe(approval.Stage), approval.StageIndex+1, approval.StageCount, approval.Granted, approval.Required)
}

// ResourceWord names what the action wants to act on, as the operator reads it.
func ResourceWord(action *v1alpha1.AgentAction) string { return resourceWord(action, terminal.Safe) }

// markedResource is ResourceWord with suspicious characters marked.
func markedResource(action *v1alpha1.AgentAction) string { return resourceWord(action, marked) }

func resourceWord(action *v1alpha1.AgentAction, shown func(string) string) string {
	req, err := request.Read(action, v1alpha1.Requester{}, nil)
	switch {
	case err != nil && req.Resource == "":
		return "a resource that cannot be read"
	case req.Resource == "":
		return "no named resource"
	case len(req.Resources) > 1:
		return fmt.Sprintf("%s and %d more", shown(req.Resource), len(req.Resources)-1)
	default:
		return shown(req.Resource)
	}
}

// RequesterWord names who asked.
func RequesterWord(action *v1alpha1.AgentAction) string {
	if name := requesterName(action); name != "" {
		return terminal.Safe(name)
	}
	return "an unknown requester"
}

// WorkflowNames lists workflows as namespace/name.
func WorkflowNames(refs []v1alpha1.ObjectReference) string {
	if len(refs) == 0 {
		return "no workflow"
	}
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = terminal.Safe(string(ref.Namespace) + "/" + string(ref.Name))
	}
	return strings.Join(names, ", ")
}
