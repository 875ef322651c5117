// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Workflow says in words who has to agree, how many of them, and how long they may take.
func Workflow(w *v1alpha1.ApprovalWorkflow) *Text {
	root := &Text{Line: "workflow " + named(w.Namespace, w.Name, w.Spec.DisplayName)}
	switch {
	case w.Namespace == v1alpha1.GlobalNamespace && w.Spec.AllowNamespaceOverride:
		root.add("holds in every namespace; what a namespace chooses by risk takes its place")
	case w.Namespace == v1alpha1.GlobalNamespace:
		root.add("holds in every namespace")
	default:
		root.add("holds in namespace %s", terminal.Mark(w.Namespace))
	}
	chosen(root, &w.Spec)
	asked(root, &w.Spec)
	return root
}

// named is an object's namespace, name and display name.
func named(namespace, name, displayName string) string {
	text := terminal.Mark(namespace + "/" + name)
	if displayName != "" {
		text += " " + quoted(displayName)
	}
	return text
}

// chosen says for which actions a workflow is chosen by risk.
func chosen(root *Text, spec *v1alpha1.ApprovalWorkflowSpec) {
	s := spec.Selector
	if s == nil {
		root.add("used only where a rule or an Agent names it")
		return
	}
	var lines []string
	if len(s.RiskLevels) > 0 {
		lines = append(lines, "of "+list(s.RiskLevels, "or")+" risk")
	}
	switch {
	case s.MinRiskScore != "" && s.MaxRiskScore != "":
		lines = append(lines, fmt.Sprintf("with a risk score from %s to %s", terminal.Mark(string(s.MinRiskScore)), terminal.Mark(string(s.MaxRiskScore))))
	case s.MinRiskScore != "":
		lines = append(lines, fmt.Sprintf("with a risk score of %s or more", terminal.Mark(string(s.MinRiskScore))))
	case s.MaxRiskScore != "":
		lines = append(lines, fmt.Sprintf("with a risk score of %s or less", terminal.Mark(string(s.MaxRiskScore))))
	}
	if len(s.ActionTypes) > 0 {
		lines = append(lines, "of type "+globs(s.ActionTypes))
	}
	if len(s.Environments) > 0 {
		lines = append(lines, environments(s.Environments, spec.AutoApprove))
	}
	lines = append(lines, agents(s.Agents)...)
	if len(lines) == 0 {
		lines = []string{"of every kind"}
	}
	n := root.add("chosen for actions %s", strings.Join(lines, ", "))
	if spec.Priority != 0 {
		n.add("priority %d: among the workflows of its scope that cover an action, those of the highest priority are chosen", spec.Priority)
	}
}

// asked says who has to agree.
func asked(root *Text, spec *v1alpha1.ApprovalWorkflowSpec) {
	if spec.AutoApprove {
		root.add("nobody is asked: the action is approved at once")
		root.add("the approval is good for %s", span(spec.ApprovalValidity, defaultValidity))
		return
	}
	n := root
	if len(spec.Stages) > 1 {
		n = root.add("%d stages, one after the other%s", len(spec.Stages), distinct(spec))
	}
	for i := range spec.Stages {
		stage(n, &spec.Stages[i])
	}
	if spec.RequireComment {
		root.add("everybody who approves has to say why")
	}
	if spec.AllowSelfApproval {
		root.add("the requester, the agent's subjects and its owner may approve, where they are among those asked")
	} else {
		root.add("neither the requester nor the agent's subjects nor its owner may approve")
	}
	end := "it times out"
	if spec.OnTimeout == v1alpha1.OnTimeoutDenied {
		end = "it is denied"
	}
	root.add("where nobody has decided after %s, %s", span(spec.Timeout, defaultTimeout), end)
	root.add("the approval is good for %s", span(spec.ApprovalValidity, defaultValidity))
	if o := spec.EmergencyOverride; o != nil {
		root.add("in an emergency %s of %s can pass it together, each with a comment; the audit trail marks it",
			count(overriders(o), "person", "different people"), approvers(&o.Approvers))
	}
}

func distinct(spec *v1alpha1.ApprovalWorkflowSpec) string {
	if spec.DistinctApprovers != nil && !*spec.DistinctApprovers {
		return "; the same person may count in several"
	}
	return ", of different people"
}

func stage(parent *Text, s *v1alpha1.Stage) {
	n := parent.add("%s: %s of %s", terminal.Mark(s.Name), count(max(s.Required, 1), "approval", "approvals"), approvers(&s.Approvers))
	if e := s.Escalation; e != nil {
		after := e.After
		if after == nil {
			after = s.Timeout
		}
		n.add("after %s also of %s", span(after, 0), approvers(&e.Approvers))
		if e.After == nil {
			n.add("then within %s more", span(s.Timeout, 0))
			return
		}
	}
	if s.Timeout != nil {
		n.add("within %s", span(s.Timeout, 0))
	}
}

// approvers says who is in a set.
func approvers(set *v1alpha1.ApproverSet) string {
	var out []string
	for _, user := range set.Users {
		out = append(out, "user "+terminal.Mark(string(user)))
	}
	for _, group := range set.Groups {
		out = append(out, "group "+terminal.Mark(string(group)))
	}
	for i := range set.ServiceAccounts {
		out = append(out, "ServiceAccount "+terminal.Mark(string(set.ServiceAccounts[i].Namespace)+"/"+string(set.ServiceAccounts[i].Name)))
	}
	if len(out) == 0 {
		return "nobody"
	}
	return joined(out, "or")
}

func overriders(o *v1alpha1.EmergencyOverride) int32 {
	if o.Required == 0 {
		return defaultOverride
	}
	return o.Required
}
