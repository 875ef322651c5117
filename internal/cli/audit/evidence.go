// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/evidence"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// pack is the command ascend audit evidence.
type pack struct {
	session           *session.Session
	version           string
	period            selection
	proof             proof
	framework, output string
}

// newEvidenceCommand makes ascend audit evidence.
func newEvidenceCommand(s *session.Session, display, version string) *cobra.Command {
	o := &pack{session: s, version: version}
	cmd := &cobra.Command{
		Use:   "evidence --framework FRAMEWORK --output DIR [FILE...]",
		Short: "Make a folder of evidence for an auditor",
		Long: `Make a folder of what the trail has for the controls of one framework, which rules
name in spec.controls: ` + strings.Join(frameworks(), ", ") + `, or another one.

index.html        to read and to print: actions approved, denied and pending by
                  control, the rules, who agreed and when, emergency overrides,
                  refusals, changes of policy, and whether the chains hold
controls/ID/      the records of a control, as lines and as a table
not-under-a-control/, policy-changes/, trail/   all other records, likewise
manifest.json     the SHA-256 of each file, and the chains that were read

An action is under a control where any of its records says so, and then all its
records are. The folder must be empty or not there. Its hash, that of
manifest.json, is printed: keep it apart from the folder.
` + filesHelp + `
The trail is read several times, so standard input will not do.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done, but the chains do not hold.`,
		Example: session.Examples(`
			%[1]s --framework SOC2 --output evidence/soc2 /var/log/ascend/

			# Of the last quarter, with the anchors of the cluster
			kubectl get configmap -n ascend-system ascend-audit-anchors -o yaml > anchors.yaml
			%[1]s --framework NIST-800-53 --since 2026-10-01 --until 2027-01-01 --anchors anchors.yaml --output q4 audit.log`, display),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().StringVar(&o.framework, "framework", "", "framework whose controls it is about: "+strings.Join(frameworks(), ", "))
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "folder to make")
	offer(cmd, "framework", frameworks()...)
	if err := cmd.RegisterFlagCompletionFunc("output", folders); err != nil {
		panic(err) // the flag was added above
	}
	cmd.Flags().StringArrayVar(&o.proof.anchors, "anchors", nil, "file with anchors to hold the chains against: the ConfigMap ascend-audit-anchors, or checkpoints")
	cmd.Flags().StringArrayVar(&o.proof.keys, "public-key", nil, "file with a public key in PEM that checkpoints and anchors are signed with; no other is trusted then")
	o.period.addPeriod(cmd)
	return cmd
}

func frameworks() []string {
	var names []string
	for _, framework := range evidence.Known {
		names = append(names, string(framework))
	}
	return names
}

func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func (o *pack) run(cmd *cobra.Command, args []string) error {
	switch {
	case o.framework == "":
		return session.Usagef(cmd, "say which framework with --framework: %s", strings.Join(frameworks(), ", "))
	case o.output == "":
		return session.Usagef(cmd, "name the folder to make with --output")
	}
	filter, err := o.period.filter(cmd, o.session)
	if err != nil {
		return err
	}
	paths, err := logs(cmd, args)
	if err != nil {
		return err
	}
	if slices.Contains(paths, standardInput) {
		return session.Usagef(cmd, "standard input can be read only once, and the trail has to be read several times; write it to a file first")
	}
	return o.make(cmd.Context(), paths, filter)
}

func (o *pack) make(ctx context.Context, paths []string, filter *auditexport.Filter) error {
	open := func() iter.Seq2[trail.Line, error] { return lines(ctx, o.session, paths) }
	verification, err := o.proof.verification(ctx, open())
	if err != nil {
		return unreadable(err)
	}
	summary, err := evidence.Write(o.output, open, evidence.Options{
		Framework: evidence.ParseFramework(o.framework), Filter: *filter, Now: o.session.Clock.Now(), Version: o.version, Verification: verification,
	})
	var unknown *evidence.UnknownFrameworkError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w\nNothing was written", err)
	case err != nil:
		return unreadable(err)
	}
	o.report(summary)
	if !verification.Sound {
		return session.ExitCodeError(session.ExitFound)
	}
	return nil
}

// report says what was made.
func (o *pack) report(summary *evidence.Summary) {
	style := o.session.Style()
	table := o.session.Table(terminal.Column{Header: "CONTROL"}, terminal.Column{Header: "ACTIONS"}, terminal.Column{Header: "APPROVED"},
		terminal.Column{Header: "DENIED"}, terminal.Column{Header: "PENDING", Drop: 1}, terminal.Column{Header: "VERDICTS", Drop: 2},
		terminal.Column{Header: "OVERRIDES", Drop: 3}, terminal.Column{Header: "RECORDS"})
	row := func(name string, totals evidence.Totals) {
		cells := []terminal.Cell{{Text: name}}
		for _, n := range []int{totals.Actions, totals.Approved, totals.Denied, totals.Pending, totals.Verdicts, totals.BreakGlass, totals.Records} {
			cells = append(cells, terminal.Cell{Text: strconv.Itoa(n)})
		}
		table.Row(cells...)
	}
	for _, control := range summary.Controls {
		row(control.ID, control.Totals)
	}
	row("none", summary.Rest.Totals)
	_ = table.Flush(o.session.Out) // the session remembers what could not be written
	verified, role := "the chains hold", terminal.Good
	if !summary.Options.Verification.Sound {
		verified, role = "THE CHAINS DO NOT HOLD, see ascend audit verify", terminal.Bad
	}
	fmt.Fprintf(o.session.Out, "\n%s, %s of %s: %s\n", terminal.Safe(summary.Title), terminal.Count(summary.Chosen, "record"), terminal.Count(len(summary.Chains), "chain"), style.Paint(role, verified))
	fmt.Fprintf(o.session.Out, "%s/index.html\nSHA-256 of manifest.json: %s\n", strings.TrimRight(terminal.Safe(o.output), "/"), summary.ManifestSHA256)
	tellUnread(o.session, summary.Unread)
}
