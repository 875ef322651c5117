// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// background is what stands behind a decision, as it is now and as far as the
// user may read it. The zero background is of who may read nothing.
type background struct {
	// chain are the workflows that have to be passed. Known is false where they
	// cannot be read; Changed says that they are others than the status speaks of.
	chain          approval.Chain
	known, changed bool
	// conditions of rules that nearly matched, by rule and name.
	conditions map[v1alpha1.RuleReference]map[string]string
	agent      *v1alpha1.Agent
	agentGone  bool
}

// backgroundOf reads it. What cannot be read is left out, and told with -v.
func backgroundOf(ctx context.Context, s *session.Session, cl client.Reader, action *v1alpha1.AgentAction) background {
	read := func(namespace, name string, into client.Object) error {
		err := cl.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
		if err != nil {
			s.Verbosef(session.VerboseAsked, "not shown, for it cannot be read: %s", terminal.Safe(err.Error()))
		}
		return err
	}
	b := background{conditions: map[v1alpha1.RuleReference]map[string]string{}}
	b.readChain(action, read)
	for i := range action.Status.NearRules {
		ref, rule := action.Status.NearRules[i].RuleReference, &v1alpha1.SmartRule{}
		if read(string(ref.Namespace), string(ref.Name), rule) != nil {
			continue
		}
		b.conditions[ref] = map[string]string{}
		for _, condition := range rule.Spec.Conditions {
			b.conditions[ref][condition.Name] = condition.Expression
		}
	}
	agent := &v1alpha1.Agent{}
	switch err := read(action.Namespace, string(action.Spec.AgentRef.Name), agent); {
	case err == nil:
		b.agent = agent
	case apierrors.IsNotFound(err) && !session.IsKindMissing(err):
		b.agentGone = true
	}
	return b
}

// readChain reads the workflows that have to be passed, and compares them with
// those that the status speaks of.
func (b *background) readChain(action *v1alpha1.AgentAction, read func(namespace, name string, into client.Object) error) {
	status := action.Status.Approval
	if status == nil || len(status.Workflows) == 0 {
		return
	}
	var workflows []*approval.Workflow
	for _, ref := range status.Workflows {
		workflow := &v1alpha1.ApprovalWorkflow{}
		switch err := read(string(ref.Namespace), string(ref.Name), workflow); {
		case apierrors.IsNotFound(err) && !session.IsKindMissing(err):
			workflows = append(workflows, approval.Missing(approval.Key{Namespace: string(ref.Namespace), Name: string(ref.Name)}))
		case err != nil:
			return
		default:
			workflows = append(workflows, approval.Compile(workflow))
		}
	}
	b.chain, b.known = approval.NewChain(workflows), true
	b.changed = b.chain.Revision() != status.Revision
}

// explainLimits adds what the agent may ask for at all.
func explainLimits(root *terminal.Node, action *v1alpha1.AgentAction, b *background) {
	name := marked(string(action.Spec.AgentRef.Name))
	if b.agentGone {
		root.Add("agent: %s does not exist, or not any more", name)
		return
	}
	if b.agent == nil {
		return
	}
	spec := &b.agent.Spec
	n := root.Add("agent: %s, as it is now", name)
	line := func(what, text string) {
		if text != "" {
			n.Add("%s: %s", what, text)
		}
	}
	line("state", marked(string(spec.State)))
	line("environment", marked(string(spec.Environment)))
	line("owner", marked(spec.Owner))
	line("may ask for", globList(spec.AllowedActionTypes))
	line("may name", globList(spec.AllowedResources))
	line("may never name", globList(spec.BlockedResources))
	if spec.MaxRiskScore != "" && spec.MaxRiskScore != "10.0" {
		line("denied above risk", marked(string(spec.MaxRiskScore)))
	}
	if spec.WorkflowRef != nil {
		line("workflow of its own", marked(string(spec.WorkflowRef.Name)))
	}
}

func globList(globs []v1alpha1.Glob) string {
	const most = 20
	texts := make([]string, 0, min(len(globs), most)+1)
	for i, glob := range globs {
		if i == most {
			texts = append(texts, "…")
			break
		}
		texts = append(texts, marked(string(glob)))
	}
	return strings.Join(texts, ", ")
}
