// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// NewExplainCommand makes ascend explain.
func NewExplainCommand(s *session.Session, display string) *cobra.Command {
	return &cobra.Command{
		Use:   "explain NAME",
		Short: "Explain how an action was decided",
		Long: `Show the whole reasoning about one action as a tree: the decision, how the risk
score adds up, which rules matched and which nearly did, who has agreed, who
still can and until when, and which approvals do not count and why.

The decision comes from the action's status. All stages of its workflows, the
conditions of rules and the limits of the agent are shown as far as you may read
them, and as they are now. Characters that do not show what they are, such as
invisible ones and look-alikes, are marked as [U+200B].
` + session.ExitCodesHelp,
		Example:           session.Examples("%[1]s act-7k2xp", display),
		Args:              session.Takes(1, 1, "an action", "ascend actions list"),
		ValidArgsFunction: Complete(s, v1alpha1.DecisionNone),
		RunE: func(cmd *cobra.Command, names []string) error {
			return explain(cmd.Context(), s, Name(names[0]))
		},
	}
}

func explain(ctx context.Context, s *session.Session, name string) error {
	cl, namespace, err := s.Connect()
	if err != nil {
		return err
	}
	action, err := Get(ctx, s, cl, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	background := backgroundOf(ctx, s, cl, action)
	writeTree(s, explanation(action, &background, s.Clock.Now()), DecisionWord(action.Status.Decision), DecisionRole(action.Status.Decision))
	return nil
}

// explanation is the tree of everything the status of an action says, and of
// what stands behind it.
func explanation(action *v1alpha1.AgentAction, b *background, now time.Time) *terminal.Node {
	status := &action.Status
	root := terminal.NewNode(marked(action.Name) + ": " + DecisionWord(status.Decision))
	if status.Reason != "" {
		root.Append(", " + marked(status.Reason))
	}
	switch {
	case status.Message != "":
		root.Add("%s", marked(status.Message))
	case status.Decision == v1alpha1.DecisionNone:
		root.Add("the operator has not evaluated it yet")
	}
	explainRequest(root, action, now)
	explainRisk(root, status.Risk)
	explainRules(root, status, b)
	explainApproval(root, action, b, now)
	explainApprovals(root, action, now)
	explainLimits(root, action, b)
	explainEnd(root, action, now)
	explainSuspicions(root, action)
	explainDigests(root, status)
	return root
}

func explainRequest(root *terminal.Node, action *v1alpha1.AgentAction, now time.Time) {
	spec := &action.Spec
	n := root.Add("request: %s on %s", marked(spec.ActionType), markedResource(action))
	if spec.Description != "" {
		n.Add("%s", marked(spec.Description))
	}
	n.Add("agent %s of namespace %s", marked(string(spec.AgentRef.Name)), marked(action.Namespace))
	n.Add("asked by %s, %s, %s", RequesterWord(action), terminal.Moment(SubmittedAt(action)), terminal.Ago(now, SubmittedAt(action)))
	if request := spec.ExceptionRequest; request != nil {
		n.Add("asks for an exception from rule %s: %s", marked(string(request.RuleName)), marked(request.Justification))
	}
	if spec.Cancelled {
		n.Add("withdrawn by the requester")
	}
}

// explainEnd says when an action was decided, how long that is good for, and
// what became of it.
func explainEnd(root *terminal.Node, action *v1alpha1.AgentAction, now time.Time) {
	status := &action.Status
	if at := status.DecidedAt; at != nil {
		root.Add("decided: %s, %s", terminal.Moment(at.Time), terminal.Ago(now, at.Time))
	}
	if until := status.ValidUntil; until != nil {
		root.Add("valid until: %s", terminal.Deadline(now, until.Time))
	}
	if outcome := action.Spec.Outcome; outcome != nil {
		n := root.Add("outcome, as the requester reports it: %s", marked(string(outcome.Result)))
		if outcome.Message != "" {
			n.Add("%s", marked(outcome.Message))
		}
	}
	if status.Notification != "" {
		root.Add("notification: %s", marked(string(status.Notification)))
	}
	if status.ApprovalURL != "" {
		root.Add("page for approvers: %s", marked(status.ApprovalURL))
	}
}

func explainDigests(root *terminal.Node, status *v1alpha1.AgentActionStatus) {
	if status.SpecDigest == "" && status.PolicyRevision == "" {
		return
	}
	n := root.Add("digests")
	n.Add("request   %s", OrNothing(status.SpecDigest))
	n.Add("policy    %s", OrNothing(status.PolicyRevision))
	if status.Approval != nil {
		n.Add("workflows %s", OrNothing(status.Approval.Revision))
	}
}
