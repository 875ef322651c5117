// SPDX-License-Identifier: Apache-2.0

package authors

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/phrase"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// explain is the command ascend rules explain.
type explain struct {
	source
	rules []string
}

func newExplainCommand(s *session.Session, display string) *cobra.Command {
	o := &explain{source: source{session: s}}
	cmd := &cobra.Command{
		Use:   "explain RULE",
		Short: "Say in words what a rule matches, and what happens then",
		Long: `Say in words whom a rule concerns, what it matches, what happens then, and what
happens where a condition cannot be evaluated. RULE is a name, or NAMESPACE/NAME.

The rule is looked for in the cluster, in the namespace and in ascend-system;
with --rules, in files. Expressions that cannot be said in words are quoted.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			%[1]s rule-no-bulk-delete
			%[1]s payments/large-refunds --rules policy/`, display),
		Args: session.Takes(1, 1, "a rule", "kubectl get smartrules"),
		RunE: func(cmd *cobra.Command, names []string) error {
			return o.run(cmd.Context(), names[0])
		},
		ValidArgsFunction: o.complete,
	}
	cmd.Flags().StringArrayVar(&o.rules, "rules", nil, "folder or file with the policy, - for stdin; several times for several")
	return cmd
}

func (o *explain) run(ctx context.Context, name string) error {
	set, namespace, err := o.read(ctx)
	if err != nil {
		return err
	}
	if in, rest, qualified := strings.Cut(name, "/"); qualified {
		name, namespace = rest, in
	}
	rule, err := o.find(set, namespace, name)
	if err != nil {
		return err
	}
	store, err := set.Store()
	if err != nil {
		return fmt.Errorf("compile the policy: %w", err)
	}
	text := phrase.Rule(rule, store.Compile(rule), func(namespace, name string) *v1alpha1.ApprovalWorkflow {
		object := set.Find(manifest.Key{Kind: manifest.KindApprovalWorkflow, Namespace: namespace, Name: name})
		if object == nil {
			return nil
		}
		workflow, _ := object.Object.(*v1alpha1.ApprovalWorkflow)
		return workflow
	})
	text.Node().WriteWithin(o.session.Out, o.session.Screen.Width)
	return nil
}

// read returns the policy, and the namespace of names that have none.
func (o *explain) read(ctx context.Context) (*manifest.Set, string, error) {
	if len(o.rules) > 0 {
		set, problems, err := o.files(o.rules)
		if err == nil {
			printProblems(o.session, problems)
		}
		return set, "", err
	}
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return nil, "", err
	}
	set, err := manifest.FromCluster(ctx, cl, namespace)
	return set, namespace, o.session.Failed(err, "read the rules in namespaces "+terminal.Safe(namespace)+" and "+v1alpha1.GlobalNamespace)
}

// find looks in the namespace, then among global rules, then, where no namespace
// is known, everywhere.
func (o *explain) find(set *manifest.Set, namespace, name string) (*v1alpha1.SmartRule, error) {
	var found []*v1alpha1.SmartRule
	for _, rule := range set.Rules() {
		if rule.Name != name {
			continue
		}
		if rule.Namespace == namespace {
			return rule, nil
		}
		found = append(found, rule)
	}
	if namespace == "" || set.Find(manifest.Key{Kind: manifest.KindSmartRule, Namespace: v1alpha1.GlobalNamespace, Name: name}) != nil {
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return nil, fmt.Errorf("there are several rules %s, name one: %s", terminal.Safe(name), strings.Join(names(found), ", "))
		}
	}
	text := "there is no rule " + terminal.Safe(name)
	if namespace != "" {
		text += " in namespace " + terminal.Safe(namespace)
		if namespace != v1alpha1.GlobalNamespace {
			text += " or " + v1alpha1.GlobalNamespace
		}
	}
	if there := names(set.Rules()); len(there) > 0 {
		const most = 20
		text += "\nThere are: " + strings.Join(there[:min(len(there), most)], ", ")
		if more := len(there) - most; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
	}
	return nil, fmt.Errorf("%s", text)
}

// names are the rules as namespace/name, in order.
func names(of []*v1alpha1.SmartRule) []string {
	var out []string
	for _, rule := range of {
		out = append(out, terminal.Safe(rule.Namespace+"/"+rule.Name))
	}
	slices.Sort(out)
	return out
}

// complete offers the names of rules.
func (o *explain) complete(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	set, namespace, err := o.read(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []cobra.Completion
	for _, rule := range set.Rules() {
		name := rule.Name
		if rule.Namespace != namespace {
			name = rule.Namespace + "/" + name
		}
		out = append(out, cobra.CompletionWithDesc(terminal.Safe(name), terminal.Safe(rule.Spec.DisplayName)))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
