// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Get reads an action; one that is not there is refused with the namespace that
// was looked in, and where there is one of that name.
func Get(ctx context.Context, s *session.Session, cl client.Reader, key client.ObjectKey) (*v1alpha1.AgentAction, error) {
	action := &v1alpha1.AgentAction{}
	return action, s.Read(ctx, cl, session.ActionKind, key, action)
}

// Name takes the kind off a name that -o name printed:
// agentaction.governance.ascendowkai.com/act-1 and agentaction/act-1 are act-1.
func Name(arg string) string {
	kind, name, found := strings.Cut(arg, "/")
	if !found {
		return arg
	}
	switch strings.TrimSuffix(kind, "."+v1alpha1.GroupVersion.Group) {
	case "agentaction", "agentactions", "aact":
		return name
	default:
		return arg
	}
}

// VerbApprove is the entry that stands for anybody who holds the verb approve.
const VerbApprove = "verb:approve"

// EntryList lists entries of approvers for people.
func EntryList(entries []string) string {
	const most = 20
	words := make([]string, 0, min(len(entries), most))
	for _, entry := range entries[:min(len(entries), most)] {
		if entry == VerbApprove {
			entry = "whoever holds the verb approve"
		}
		words = append(words, terminal.Safe(entry))
	}
	text := strings.Join(words, ", ")
	if more := len(entries) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// WhyUncounted is the operator's reason why somebody's approval of a stage does
// not count, and empty when it does or is not evaluated yet.
func WhyUncounted(action *v1alpha1.AgentAction, approver, stage string) string {
	if action.Status.Approval == nil {
		return ""
	}
	for _, uncounted := range action.Status.Approval.Uncounted {
		if uncounted.Approver == approver && uncounted.Stage == stage {
			return terminal.Safe(uncounted.Reason)
		}
	}
	return ""
}
