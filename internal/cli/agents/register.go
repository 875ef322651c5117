// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// What becomes of an object.
const (
	created   = "created"
	changed   = "changed"
	unchanged = "unchanged"
)

// register is the command ascend agents register.
type register struct {
	session *session.Session
	output  session.Output
	wish    wish
	account string
	role    string
	dryRun  session.DryRun
}

func newRegisterCommand(s *session.Session, display string) *cobra.Command {
	o := &register{session: s}
	cmd := &cobra.Command{
		Use:   "register NAME",
		Short: "Make an agent, its account and its rights",
		Long: `Register an agent: make the Agent, a ServiceAccount that may ask in its name, and a
RoleBinding that lets it. Then it says how to get the agent's key.

Running it again changes nothing, and says so. With other flags it changes what
those flags say and leaves the rest, so that no limit is lost by being left out.
Nothing is made unless all of it can be.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# An agent that may read databases, up to a risk of 8.0
			%[1]s stock-agent -n shop --environment production --owner data-team@example.com --allow-type 'database_*' --max-risk 8.0

			# For Git: the manifests, without a cluster
			%[1]s stock-agent -n shop --dry-run=client -o yaml > stock-agent.yaml

			# Then, in the agent's shell
			eval "$(ascend agents token stock-agent -n shop --export)"`, display),
		Args: func(cmd *cobra.Command, names []string) error {
			if len(names) == 0 {
				return session.Usagef(cmd, "give the agent a name, such as stock-agent")
			}
			return takesNames(1)(cmd, names)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp // the name is new
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context(), names[0])
		},
	}
	cmd.Flags().StringVar(&o.account, "service-account", "", "name of its ServiceAccount, in the same namespace (default: that of the agent)")
	cmd.Flags().StringVar(&o.role, "role", SubmitterRole, "ClusterRole that lets agents ask")
	o.dryRun.AddFlag(cmd)
	o.wish.addFlags(cmd)
	o.output.AddFlags(cmd)
	return cmd
}

func (o *register) check(cmd *cobra.Command) error {
	if err := o.output.Check(cmd); err != nil {
		return err
	}
	return o.wish.read(cmd)
}

func (o *register) run(ctx context.Context, name string) error {
	namespace, err := o.session.Namespace()
	if err != nil {
		return err
	}
	all := o.manifests(namespace, name)
	if o.dryRun == session.DryRunClient {
		return o.tell(all, namespace, name)
	}
	cl, err := o.session.Client()
	if err != nil {
		return err
	}
	if err := o.roleExists(ctx, cl); err != nil {
		return err
	}
	if err := o.ownAccount(ctx, cl, key(namespace, name)); err != nil {
		return err
	}
	// First everything is tried, so that nothing is made where not all can be.
	for _, dry := range []bool{true, false} {
		if !dry && o.dryRun == session.DryRunServer {
			break
		}
		for _, m := range all {
			if err := write(ctx, cl, m, dry); err != nil {
				return o.failed(ctx, cl, err, m)
			}
		}
	}
	return o.tell(all, namespace, name)
}

// roleExists refuses a role that is not there: a binding to it would let nobody
// do anything. Who may not look is taken at their word.
func (o *register) roleExists(ctx context.Context, cl client.Reader) error {
	err := cl.Get(ctx, client.ObjectKey{Name: o.role}, &rbacv1.ClusterRole{})
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no ClusterRole %s\nIt comes with the operator (kubectl apply -k config/default, or the Helm chart); if it has another name here, give it with --role", terminal.Safe(o.role))
	case err == nil || apierrors.IsForbidden(err):
		return nil
	default:
		return o.session.Failed(err, "look for ClusterRole "+terminal.Safe(o.role))
	}
}

// ownAccount refuses to let an account act for the agent that is there for
// something else, only because it has the agent's name: the agent's key would
// have its rights, and whoever runs as it would be the agent. So it does to let
// one more account into an Agent that is somebody else's. Who names the account
// by its flag means it. What may not be read is found out by write.
func (o *register) ownAccount(ctx context.Context, cl client.Reader, at client.ObjectKey) error {
	if o.account != "" {
		return nil
	}
	agent, account := &v1alpha1.Agent{}, &corev1.ServiceAccount{}
	agentErr, accountErr := cl.Get(ctx, at, agent), cl.Get(ctx, at, account)
	name := terminal.Safe(at.Name)
	switch {
	case agentErr == nil && len(agent.Spec.Subjects) > 0 && !hasAccount(agent, v1alpha1.UserName(at.Name)):
		return fmt.Errorf("there is an agent %s already, and others act for it: it has no ServiceAccount of its own name\n"+
			"Give yours another name; if it is yours, say which account is to act for it, too, with --service-account", named(at))
	case apierrors.IsNotFound(agentErr) && !session.IsKindMissing(agentErr) && accountErr == nil:
		return fmt.Errorf("there is a ServiceAccount %s already: the agent's key would have all of its rights, and what runs as it could ask as the agent\n"+
			"Give the agent another name; if the account was made for it, say --service-account %s", named(at), name)
	default:
		return nil
	}
}

// write makes an object, or makes one that is there what it should be, and
// notes what became of it. The API server answers with the object as it is then.
func write(ctx context.Context, cl client.Client, m *manifest, dry bool) error {
	existing, is := m.object.DeepCopyObject().(client.Object)
	if !is {
		return fmt.Errorf("a %s is no object", m.kind)
	}
	err := cl.Get(ctx, client.ObjectKeyFromObject(m.object), existing)
	if apierrors.IsNotFound(err) && !session.IsKindMissing(err) {
		var options []client.CreateOption
		object := m.object
		if dry {
			options = append(options, client.DryRunAll)
			object, _ = m.object.DeepCopyObject().(client.Object)
		}
		m.result = created
		return cl.Create(ctx, object, options...)
	}
	if err != nil {
		return err
	}
	before, _ := existing.DeepCopyObject().(client.Object)
	if err := m.adjust(existing); err != nil {
		return &conflictError{err}
	}
	if !dry {
		m.object = existing
	}
	if equality.Semantic.DeepEqual(before, existing) {
		m.result = unchanged
		return nil
	}
	var options []client.PatchOption
	if dry {
		options = append(options, client.DryRunAll)
	}
	m.result = changed
	return cl.Patch(ctx, existing, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), options...)
}

// conflictError is something that is there and cannot be made what is wanted.
type conflictError struct{ error }

// failed turns the error of one object into one that says what to do.
func (o *register) failed(ctx context.Context, cl client.Client, err error, m *manifest) error {
	at, doing := client.ObjectKeyFromObject(m.object), "register the agent: "+m.kind+" "+terminal.Safe(m.object.GetName())
	conflict := (*conflictError)(nil)
	switch {
	case errors.As(err, &conflict):
		return fmt.Errorf("cannot %s: %w", doing, conflict.error)
	case isForbidden(err):
		if missing := o.missing(ctx, cl, at.Namespace); len(missing) > 0 {
			return lacking(ctx, o.session, cl, at.Namespace, "register the agent", missing)
		}
	case apierrors.IsNotFound(err) && !session.IsKindMissing(err) && strings.Contains(err.Error(), "namespaces "):
		return fmt.Errorf("cannot %s: there is no namespace %s\nkubectl create namespace %[2]s makes it; another one is chosen with -n", doing, terminal.Safe(at.Namespace))
	case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err):
		return fmt.Errorf("cannot %s: somebody else writes it at the same time; run the command again", doing)
	}
	return o.session.Failed(err, doing)
}

// tell prints the objects, or what became of them and how to go on.
func (o *register) tell(all []*manifest, namespace, name string) error {
	out := o.session.Out
	if !o.output.ForPeople() {
		for _, m := range all {
			if err := o.output.Print(out, m.object); err != nil {
				return err
			}
		}
		return nil
	}
	at, dry := named(key(namespace, name)), o.dryRun.On()
	nothingNew := !slices.ContainsFunc(all, func(m *manifest) bool { return m.result != unchanged })
	switch {
	case nothingNew:
		fmt.Fprintf(out, "unchanged: agent %s is registered already\n", at)
	case dry:
		fmt.Fprintf(out, "dry run: agent %s; nothing was written\n", at)
	default:
		fmt.Fprintf(out, "registered: agent %s\n", at)
	}
	for _, m := range all {
		result := m.result
		switch {
		case o.dryRun == session.DryRunClient:
			result = "would be applied"
		case dry && result != unchanged:
			result = "would be " + result
		}
		fmt.Fprintf(out, "  %-15s %s %s%s\n", m.kind, terminal.Safe(m.object.GetName()), result, detail(m.object))
	}
	if !dry {
		fmt.Fprintf(out, "\nTo be the agent, in a shell (the key is good for 1 h):\n  eval \"$(ascend agents token %s -n %s --export)\"\nThen:\n  ascend submit --type database_read --param table=customers --wait\n",
			terminal.Safe(name), terminal.Safe(namespace))
	}
	return nil
}

// detail is what is worth to be seen of an object at once.
func detail(object client.Object) string {
	switch object := object.(type) {
	case *rbacv1.RoleBinding:
		return " (ClusterRole " + terminal.Safe(object.RoleRef.Name) + ")"
	case *v1alpha1.Agent:
		if object.Spec.Environment == "" {
			return ""
		}
		return fmt.Sprintf(" (%s, %s)", terminal.Safe(string(object.Spec.Environment)), stateWord(object))
	default:
		return ""
	}
}
