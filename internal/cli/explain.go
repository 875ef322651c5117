// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func newExplainCommand(s *session, display string) *cobra.Command {
	return &cobra.Command{
		Use:   "explain NAME",
		Short: "Explain how an action was decided",
		Long: `Show the whole reasoning about one action as a tree: the decision, how the risk
score adds up, which rules matched and which nearly did, who has agreed, who
still can and until when, and which approvals do not count and why.

Everything comes from the action's status. Control, bidirectional and invisible
characters in it are shown escaped.
` + exitCodesHelp,
		Example:           examples("%[1]s act-7k2xp", display),
		Args:              takes(1, 1, "an action"),
		ValidArgsFunction: s.completeActions(v1alpha1.DecisionNone),
		RunE: func(cmd *cobra.Command, names []string) error {
			return s.explain(cmd.Context(), actionName(names[0]))
		},
	}
}

func (s *session) explain(ctx context.Context, name string) error {
	cl, namespace, err := s.connect()
	if err != nil {
		return err
	}
	action, err := s.getAction(ctx, cl, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	explanation(action, s.clock.Now()).writeTo(s.Out)
	return nil
}

// explanation is the tree of everything the status of an action says.
func explanation(action *v1alpha1.AgentAction, now time.Time) *node {
	status := &action.Status
	root := &node{text: safeText(action.Name) + ": " + decisionWord(status.Decision)}
	if status.Reason != "" {
		root.text += ", " + safeText(status.Reason)
	}
	switch {
	case status.Message != "":
		root.add("%s", safeText(status.Message))
	case status.Decision == v1alpha1.DecisionNone:
		root.add("the operator has not evaluated it yet")
	}
	explainRequest(root, action, now)
	explainRisk(root, status.Risk)
	explainRules(root, status)
	explainApproval(root, status, now)
	explainApprovals(root, action, now)
	explainEnd(root, action, now)
	explainDigests(root, status)
	return root
}

func explainRequest(root *node, action *v1alpha1.AgentAction, now time.Time) {
	spec := &action.Spec
	n := root.add("request: %s on %s", safeText(spec.ActionType), resourceWord(action))
	if spec.Description != "" {
		n.add("%s", safeText(spec.Description))
	}
	n.add("agent %s of namespace %s", safeText(string(spec.AgentRef.Name)), safeText(action.Namespace))
	n.add("asked by %s, %s, %s", requesterWord(action), moment(submittedAt(action)), ago(now, submittedAt(action)))
	if request := spec.ExceptionRequest; request != nil {
		n.add("asks for an exception from rule %s: %s", safeText(string(request.RuleName)), safeText(request.Justification))
	}
	if spec.Cancelled {
		n.add("withdrawn by the requester")
	}
}

// explainEnd says when an action was decided, how long that is good for, and
// what became of it.
func explainEnd(root *node, action *v1alpha1.AgentAction, now time.Time) {
	status := &action.Status
	if at := status.DecidedAt; at != nil {
		root.add("decided: %s, %s", moment(at.Time), ago(now, at.Time))
	}
	if until := status.ValidUntil; until != nil {
		root.add("valid until: %s", deadlineWord(now, until.Time))
	}
	if outcome := action.Spec.Outcome; outcome != nil {
		n := root.add("outcome, as the requester reports it: %s", safeText(string(outcome.Result)))
		if outcome.Message != "" {
			n.add("%s", safeText(outcome.Message))
		}
	}
	if status.Notification != "" {
		root.add("notification: %s", safeText(string(status.Notification)))
	}
	if status.ApprovalURL != "" {
		root.add("page for approvers: %s", safeText(status.ApprovalURL))
	}
}

func explainDigests(root *node, status *v1alpha1.AgentActionStatus) {
	if status.SpecDigest == "" && status.PolicyRevision == "" {
		return
	}
	n := root.add("digests")
	n.add("request   %s", orNothing(status.SpecDigest))
	n.add("policy    %s", orNothing(status.PolicyRevision))
	if status.Approval != nil {
		n.add("workflows %s", orNothing(status.Approval.Revision))
	}
}
