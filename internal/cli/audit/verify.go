// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// verify is the command ascend audit verify.
type verify struct {
	session        *session.Session
	anchors, keys  []string
	againstCluster bool
	options        trail.VerifyOptions
	output         string
}

// formatJSON is the output format of verify for programs.
const formatJSON = "json"

// newVerifyCommand makes ascend audit verify.
func newVerifyCommand(s *session.Session, display string) *cobra.Command {
	o := &verify{session: s}
	cmd := &cobra.Command{
		Use:   "verify [FILE...]",
		Short: "Find what was changed, removed or cut off in the trail",
		Long: `Check that the audit trail is as the operator wrote it. Every byte of a record is
under its hash, every record names the hash of the one before, and every chain says
which one came before it in its file. What was changed, removed, moved or repeated
is named with file and line, the first one first.

Where a chain ends is known from its audit.stopped, from the chain that follows it,
or from an anchor: a signed head that the operator keeps in the ConfigMap
ascend-audit-anchors. Of an end that nothing proves, records may have been cut off:
that is told, and a fault with --require-proof. Whoever can write the file can write
a chain of their own into it; anchors and signed checkpoints show that, so give them:
--against-cluster, or --anchors and --public-key with copies of your own. A chain for
which nothing vouches that is signed with these keys is told, too, and a fault with
--require-proof.

--against-cluster takes anchors and keys from the cluster, and then demands of every
decided action in it, or in the namespace of -n, a record that says the same:
decision, reason, specDigest and policyRevision. It reads that ConfigMap and lists
AgentActions, and holds some 300 bytes of each in memory.

Files of several replicas are checked together. Lines that were collected from the
operator's output, by kubectl logs or a log store, may have others between them and
may come twice: --collected.
` + filesHelp + `

Exit codes: 0 the trail is sound, 1 could not check, 2 wrong usage, 3 something is wrong.`,
		Example: session.Examples(`
			# With what the cluster knows
			%[1]s --against-cluster /var/log/ascend/

			# What auditors do, with a key they were given before
			%[1]s --anchors anchors.yaml --public-key audit.pem --require-proof audit.log

			# What the operator writes to stdout, of which older lines are gone
			kubectl logs -n ascend-system deploy/ascend-controller-manager | %[1]s --collected --partial -

			# For a program
			%[1]s -o json audit.log`, display),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.anchors, "anchors", nil, "file with anchors: the ConfigMap ascend-audit-anchors as YAML or JSON, or checkpoints; several times for several")
	f.StringArrayVar(&o.keys, "public-key", nil, "file with a public key in PEM that checkpoints and anchors are signed with; no other is trusted then; several times for several")
	f.BoolVar(&o.againstCluster, "against-cluster", false, "take anchors and keys from the cluster, and compare the decided actions in it")
	f.BoolVar(&o.options.Partial, "partial", false, "the beginning may be missing: older files were removed")
	f.BoolVar(&o.options.Collected, "collected", false, "the lines were collected from the operator's output: others may be between them, and some may come twice")
	f.BoolVar(&o.options.RequireProof, "require-proof", false, "it is a fault when nothing proves where a chain ends, and when nothing that is signed with the given keys vouches for it")
	f.StringVarP(&o.output, "output", "o", "", "output format: "+formatJSON)
	offer(cmd, "output", formatJSON)
	return cmd
}

func (o *verify) run(cmd *cobra.Command, args []string) error {
	if o.output != "" && o.output != formatJSON {
		return session.Usagef(cmd, "--output is %q; use %s", o.output, formatJSON)
	}
	paths, err := logs(cmd, args)
	if err != nil {
		return err
	}
	if err := o.readAnchors(); err != nil {
		return err
	}
	if err := o.readKeys(); err != nil {
		return err
	}
	report, err := o.check(cmd.Context(), paths)
	if err != nil {
		return err
	}
	if err := o.print(report); err != nil {
		return err
	}
	if !report.Sound() {
		return session.ExitCodeError(session.ExitFound)
	}
	return nil
}

// check takes what the cluster knows before it reads the trail, so that the trail
// has at least that.
func (o *verify) check(ctx context.Context, paths []string) (*trail.Report, error) {
	var decided *trail.Comparison
	if o.againstCluster {
		var err error
		if decided, err = o.askCluster(ctx); err != nil {
			return nil, err
		}
		o.options.Visit = decided.Visit
	}
	report, err := trail.Verify(ctx, lines(ctx, o.session, paths), o.options)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, errInterrupted):
		return nil, errors.New("interrupted; nothing can be said of the trail")
	case err != nil:
		return nil, unreadable(err)
	}
	if decided != nil {
		decided.Finish(report)
	}
	return report, nil
}

// add adds anchors, and their keys where the user has named none.
func (o *verify) add(anchors *trail.Anchors) {
	o.options.Anchors = append(o.options.Anchors, anchors.Checkpoints...)
	if len(o.keys) == 0 {
		o.options.Keys = append(o.options.Keys, anchors.Keys...)
	}
}

func (o *verify) readAnchors() error {
	for _, path := range o.anchors {
		text, err := os.ReadFile(path) //nolint:gosec // the file that the user names
		if err != nil {
			return fmt.Errorf("read the anchors: %s", terminal.Safe(err.Error()))
		}
		anchors, err := trail.ParseAnchors(text)
		if err != nil {
			return fmt.Errorf("read the anchors in %s: %s", terminal.Safe(path), terminal.Safe(err.Error()))
		}
		o.add(anchors)
	}
	return nil
}

func (o *verify) readKeys() error {
	var keys []ed25519.PublicKey
	for _, path := range o.keys {
		text, err := os.ReadFile(path) //nolint:gosec // the file that the user names
		if err != nil {
			return fmt.Errorf("read the public key: %s", terminal.Safe(err.Error()))
		}
		of, err := trail.ParseKeys(text)
		if err != nil {
			return fmt.Errorf("read the public key in %s: %s", terminal.Safe(path), terminal.Safe(err.Error()))
		}
		keys = append(keys, of...)
	}
	o.options.Keys = append(o.options.Keys, keys...)
	return nil
}
