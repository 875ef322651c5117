// SPDX-License-Identifier: Apache-2.0

package authors

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/lint"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// The output formats of validate.
const (
	formatText   = ""
	formatJSON   = "json"
	formatGitHub = "github"
)

var validateFormats = []string{formatJSON, formatGitHub}

// validate is the command ascend rules validate.
type validate struct {
	source
	beside []string
	strict bool
	quiet  bool
	output string
}

func newValidateCommand(s *session.Session, display string) *cobra.Command {
	o := &validate{source: source{session: s}}
	cmd := &cobra.Command{
		Use:     "validate [PATH...]",
		Aliases: []string{"lint"},
		Short:   "Find what the cluster would refuse, and what will surprise",
		Long: `Check SmartRules, ApprovalWorkflows, RiskModels, Agents and WebhookSubscriptions,
without applying them. Each finding has file, line and column.

An error is what the API server or the operator's admission would refuse: wrong
fields, values over a limit, CEL that does not compile or costs too much.
A warning is what works otherwise than it reads: a rule that is shadowed by
another or matches nothing any more, a workflow that is missing or that nothing
chooses. A note is what may well be meant, such as a level of risk that no
workflow is for.

A folder with a kustomization is built as kubectl apply -k would, without the
network. Any other folder is walked. Policy that is in effect, too, such as the
global one in another folder, is named with --beside: it is not checked, and what
the files refer to is looked for there as well. --live does that with the
cluster's policy; without files, the cluster's policy itself is checked.
` + checkExitCodes,
		Example: session.Examples(`
			%[1]s policy/

			# What kubectl would apply
			kustomize build overlays/production | %[1]s -

			# The cluster as it is
			%[1]s --live

			# As annotations of a pull request
			%[1]s policy/ -o github --strict`, display),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := oneOf(cmd, "output", o.output, validateFormats); err != nil {
				return err
			}
			if err := o.needPaths(cmd, paths); err != nil {
				return err
			}
			return o.run(cmd.Context(), paths)
		},
	}
	cmd.Flags().StringArrayVar(&o.beside, "beside", nil, "folder or file with policy that is in effect, too, and is not checked; several times for several")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "warnings count as errors")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "leave notes out")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "output format: "+strings.Join(validateFormats, " or "))
	o.addFlags(cmd, "lay the files over the cluster's policy; without files, check the cluster's policy")
	completeWords(cmd, "output", validateFormats)
	return cmd
}

// oneOf refuses a flag's value that is not among the words.
func oneOf(cmd *cobra.Command, flag, value string, words []string) error {
	if value == "" || slices.Contains(words, value) {
		return nil
	}
	return session.Usagef(cmd, "--%s is %q; use %s", flag, value, strings.Join(words, ", "))
}

// completeWords completes a flag that has been added.
func completeWords(cmd *cobra.Command, flag string, words []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was added before
	}
}

func (o *validate) run(ctx context.Context, paths []string) error {
	given, problems, err := o.files(paths)
	if err != nil {
		return err
	}
	if len(paths) > 0 && len(given.Objects) == 0 && len(problems) == 0 {
		return fmt.Errorf("there is no policy in %s: no object of apiVersion %s", terminal.Safe(strings.Join(paths, ", ")), v1alpha1.GroupVersion)
	}
	given, all, err := o.with(ctx, given, len(paths) == 0)
	if err != nil {
		return err
	}
	r := &findings{Objects: len(given.Objects)}
	for _, p := range problems {
		r.add(finding{place: placeOf(p.Position), Severity: lint.Error, Code: lint.Invalid, Path: p.Path, Message: p.Message})
	}
	if err := o.lint(r, given, all); err != nil {
		return err
	}
	r.sort()
	if o.quiet {
		r.dropNotes()
	}
	if err := o.print(r); err != nil {
		return err
	}
	if r.Errors > 0 || o.strict && r.Warnings > 0 {
		return session.ExitCodeError(session.ExitFound)
	}
	return nil
}

// with returns what is checked, and that with all that is in effect beside it.
func (o *validate) with(ctx context.Context, given *manifest.Set, nothing bool) (checked, all *manifest.Set, err error) {
	checked, all = given, given
	if o.live {
		cluster, err := o.cluster(ctx)
		if err != nil {
			return nil, nil, err
		}
		if all = manifest.Overlay(given, cluster); nothing {
			checked = cluster
		}
	}
	beside, problems, err := o.files(o.beside)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range problems {
		fmt.Fprintf(o.session.ErrOut, "beside: %s\n", terminal.Safe(p.String()))
	}
	return checked, manifest.Overlay(all, beside), nil
}

// lint adds what is to be said of what is given, as a part of all there is.
func (o *validate) lint(r *findings, given, all *manifest.Set) error {
	store, err := all.Store()
	if err != nil {
		return fmt.Errorf("compile the policy: %w", err)
	}
	snapshot := store.Snapshot()
	world := &lint.World{
		Snapshot: snapshot, Now: o.session.Clock.Now(), CheckURL: notify.CheckURL,
		Lookup: lookup{lint.Within(snapshot), all},
	}
	var objects []metav1.Object
	for _, object := range given.Objects {
		if object.Valid {
			objects = append(objects, object.Object)
		}
	}
	places := map[metav1.Object]*manifest.Object{}
	for _, object := range given.Objects {
		places[object.Object] = object
	}
	for _, found := range lint.Set(world, objects) {
		f := finding{Severity: found.Severity, Code: found.Code, Path: found.Path, Message: found.Message}
		if object := places[found.Object]; found.Object != nil && object != nil {
			f.place, f.Object = placeOf(object.At(found.Path)), object.Key().String()
		} else {
			f.Object = "namespace " + found.Namespace
		}
		r.add(f)
	}
	return nil
}

// lookup knows, beside what is compiled, what is there but not valid: nobody can
// tell what a reference to that means.
type lookup struct {
	lint.Lookup
	all *manifest.Set
}

// Workflow implements lint.Lookup.
func (l lookup) Workflow(namespace, name string) (*approval.Workflow, bool) {
	found, known := l.Lookup.Workflow(namespace, name)
	if found == nil && l.invalid(manifest.KindApprovalWorkflow, namespace, name) {
		return nil, false
	}
	return found, known
}

// HasAgent implements lint.Lookup.
func (l lookup) HasAgent(namespace, name string) bool {
	return l.Lookup.HasAgent(namespace, name) || l.invalid(manifest.KindAgent, namespace, name)
}

func (l lookup) invalid(kind, namespace, name string) bool {
	object := l.all.Find(manifest.Key{Kind: kind, Namespace: namespace, Name: name})
	return object != nil && !object.Valid
}
