// SPDX-License-Identifier: Apache-2.0

package authors

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// source is where policy is read: files and folders, the cluster, or files laid
// over the cluster.
type source struct {
	session *session.Session
	live    bool
}

func (o *source) addFlags(cmd *cobra.Command, live string) {
	cmd.Flags().BoolVar(&o.live, "live", false, live)
}

// needPaths refuses a command line that names neither files nor the cluster.
func (o *source) needPaths(cmd *cobra.Command, paths []string) error {
	if len(paths) == 0 && !o.live {
		return session.Usagef(cmd, "name a folder or file with policy, - for stdin, or --live for the cluster")
	}
	return nil
}

// files reads what is at the paths. Objects without a namespace are in that of -n.
func (o *source) files(paths []string) (*manifest.Set, []manifest.Problem, error) {
	if len(paths) == 0 {
		return &manifest.Set{}, nil, nil
	}
	return manifest.Load(paths, manifest.Options{Namespace: o.namespace(), Stdin: o.session.In})
}

// namespace is where objects are that do not say so: that of -n, otherwise
// default. The kubeconfig has no say, for the same files mean the same everywhere.
func (o *source) namespace() string {
	if given := o.session.Flags.Namespace; given != nil && *given != "" {
		return *given
	}
	return "default"
}

// cluster reads the policy of the cluster: that of the namespace of -n and what
// is global, otherwise everything.
func (o *source) cluster(ctx context.Context) (*manifest.Set, error) {
	cl, err := o.session.Client()
	if err != nil {
		return nil, err
	}
	only := ""
	if given := o.session.Flags.Namespace; given != nil {
		only = *given
	}
	set, err := manifest.FromCluster(ctx, cl, only)
	if err != nil {
		doing := "read the policy of the cluster"
		if only == "" {
			doing += " in all namespaces; -n reads one, and ascend-system"
		}
		return nil, o.session.Failed(err, doing)
	}
	tellUnread(o.session, set)
	return set, nil
}

// tellUnread says what could not be read in the cluster, and what that means.
func tellUnread(s *session.Session, set *manifest.Set) {
	for _, kind := range set.Unread {
		means := ""
		if kind == manifest.KindNamespace {
			means = "; rules that read namespaceObject see one without labels"
		}
		fmt.Fprintf(s.ErrOut, "note: you may not read %ss%s\n", kind, means)
	}
}

// printProblems prints what cannot be read, or would be refused.
func printProblems(s *session.Session, problems []manifest.Problem) {
	for _, p := range problems {
		fmt.Fprintf(s.ErrOut, "error: %s\n", terminal.Safe(p.String()))
	}
}
