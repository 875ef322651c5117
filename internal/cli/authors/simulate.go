// SPDX-License-Identifier: Apache-2.0

package authors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/simulate"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Where past actions come from.
const (
	fromCluster  = "cluster"
	fromAuditLog = "audit-log"
)

// What makes the command fail.
const (
	failOnFlips     = "flips"
	failOnLoosened  = "loosened"
	failOnTightened = "tightened"
	failOnNothing   = "never"
)

var (
	simulateSources = []string{fromCluster, fromAuditLog}
	simulateFormats = []string{"json", "csv"}
	failures        = []string{failOnFlips, failOnLoosened, failOnTightened, failOnNothing}
)

// simulation is the command ascend simulate.
type simulation struct {
	source
	rules, against, logs []string
	from, failOn, output string
	agent                string
	since                time.Duration
	allNamespaces        bool
	overlay, approvers   bool
	perCause             int
}

// NewSimulateCommand is the command ascend simulate.
func NewSimulateCommand(s *session.Session, display string) *cobra.Command {
	o := &simulation{source: source{session: s}}
	cmd := &cobra.Command{
		Use:   "simulate --rules PATH",
		Short: "Decide past actions again under other rules",
		Long: `Replay past actions against changed rules, and list each decision that flips, by
the rule, workflow, limit or risk model that makes the difference.

Compared is what policy said: an action that people approved or denied was
PENDING by policy. Each action is decided as it was submitted, at its time. With
--against, two versions of the rules are compared with each other, and not with
what was recorded.

Past actions come from the cluster, as far as they have not been collected, or
from audit logs. Of every kind of policy that the files have nothing of, that of
the cluster is used (with --from cluster or --live); with --overlay they are laid
over the cluster's object by object. Agents are policy, too.

It only reads: actions, agents, rules, workflows and the risk model.
` + checkExitCodes + `
With --fail-on, only flips in that direction count as found.`,
		Example: session.Examples(`
			# What would the change in this checkout have done to this week?
			%[1]s --rules policy/ -A --since 168h

			# Two versions of the rules, on the operator's audit log
			git worktree add ../main main
			%[1]s --rules policy/ --against ../main/policy/ --from audit-log --audit-log audit.log

			# In CI: fail if anything gets laxer
			%[1]s --rules policy/ --from audit-log --audit-log audit.log.gz --fail-on loosened -o json`, display),
		Args: session.TakesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	o.addSimulateFlags(cmd)
	return cmd
}

func (o *simulation) addSimulateFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.rules, "rules", nil, "folder or file with the policy to try, - for stdin; several times for several")
	f.StringArrayVar(&o.against, "against", nil, "compare with this policy instead of what was recorded; several times for several")
	f.StringVar(&o.from, "from", "", "past actions come from: "+strings.Join(simulateSources, " or ")+" (default: cluster, or audit-log where --audit-log is given)")
	f.StringArrayVar(&o.logs, "audit-log", nil, "the operator's audit log, also gzipped, - for stdin; several times for several, the oldest first")
	f.StringVar(&o.agent, "agent-id", "", "only actions of the Agent of this name")
	f.DurationVar(&o.since, "since", 0, "only actions submitted this long ago or less, such as 168h; 0 all")
	f.BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "actions of every namespace")
	f.BoolVar(&o.overlay, "overlay", false, "lay the files over the cluster's policy object by object, instead of kind by kind")
	f.BoolVar(&o.approvers, "approvers", false, "count as a flip that other people have to agree")
	f.StringVar(&o.failOn, "fail-on", failOnFlips, "what exit code 3 tells of: "+strings.Join(failures, ", "))
	f.IntVar(&o.perCause, "show", 0, "list at most this many flips of one cause; 0 all")
	f.StringVarP(&o.output, "output", "o", "", "output format: "+strings.Join(simulateFormats, " or "))
	o.addFlags(cmd, "take what the files do not have from the cluster, also with --from audit-log")
	completeWords(cmd, "from", simulateSources)
	completeWords(cmd, "fail-on", failures)
	completeWords(cmd, "output", simulateFormats)
}

func (o *simulation) check(cmd *cobra.Command) error {
	if o.from == "" && len(o.logs) > 0 {
		o.from = fromAuditLog
	}
	switch {
	case len(o.rules) == 0:
		return session.Usagef(cmd, "name the policy to try with --rules")
	case o.from == fromAuditLog && len(o.logs) == 0:
		return session.Usagef(cmd, "name the audit log with --audit-log; - reads kubectl logs -n ascend-system deploy/ascend-controller-manager, where the operator writes it to stdout")
	case o.from == fromCluster && len(o.logs) > 0:
		return session.Usagef(cmd, "--audit-log belongs to --from audit-log")
	case o.perCause < 0:
		return session.Usagef(cmd, "--show is %d; it must be 0 (all) or more", o.perCause)
	case o.since < 0:
		return session.Usagef(cmd, "--since is %s; it must be 0 (all) or more", o.since)
	case o.failOn == "":
		return session.Usagef(cmd, "--fail-on is empty; use %s", strings.Join(failures, ", "))
	}
	for flag, of := range map[string][]string{"--rules": o.rules, "--against": o.against, "--audit-log": o.logs} {
		if slices.Contains(of, "") {
			return session.Usagef(cmd, "%s is empty", flag)
		}
	}
	if err := oneOf(cmd, "from", o.from, simulateSources); err != nil {
		return err
	}
	if err := oneOf(cmd, "fail-on", o.failOn, failures); err != nil {
		return err
	}
	return oneOf(cmd, "output", o.output, simulateFormats)
}

func (o *simulation) run(ctx context.Context) error {
	beneath := &manifest.Set{}
	if o.live || o.from != fromAuditLog {
		var err error
		if beneath, err = o.beneath(ctx); err != nil {
			return err
		}
	}
	options := simulate.Options{ApproversFlip: o.approvers, Since: o.begin()}
	var err error
	if options.Policy, err = o.policy(o.rules, beneath); err != nil {
		return err
	}
	if len(o.against) > 0 {
		if options.Against, err = o.policy(o.against, beneath); err != nil {
			return err
		}
	}
	past, err := o.past(ctx)
	if err != nil {
		return err
	}
	report, err := simulate.Run(ctx, past, options)
	if err != nil {
		return o.session.Failed(err, "replay past actions")
	}
	if err := o.print(report); err != nil {
		return err
	}
	if report.Actions == 0 {
		return fmt.Errorf("nothing was replayed, so nothing can be said of these rules\nFiles that have Agents replace all of the cluster's: --overlay lays them over those that are there")
	}
	if o.found(report) {
		return session.ExitCodeError(session.ExitFound)
	}
	return nil
}

// beneath is the policy of the cluster. Actions of one namespace need that of
// their own and the global one.
func (o *simulation) beneath(ctx context.Context) (*manifest.Set, error) {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return nil, err
	}
	if o.allNamespaces || o.from == fromAuditLog {
		namespace = ""
	}
	set, err := manifest.FromCluster(ctx, cl, namespace)
	if err != nil {
		return nil, o.session.Failed(err, "read the policy of the cluster")
	}
	tellUnread(o.session, set)
	return set, nil
}

// policy compiles what is at the paths, with what they do not have from beneath.
func (o *simulation) policy(paths []string, beneath *manifest.Set) (*decision.Snapshot, error) {
	set, problems, err := o.files(paths)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		printProblems(o.session, problems)
		return nil, fmt.Errorf("%s would be refused by the cluster; ascend rules validate says more", terminal.Count(len(problems), "thing"))
	}
	over := manifest.Over
	if o.overlay {
		over = manifest.Overlay
	}
	all := over(set, beneath)
	o.tellParts(paths, set, all)
	store, err := all.Store()
	if err != nil {
		return nil, fmt.Errorf("compile the policy: %w", err)
	}
	return store.Snapshot(), nil
}

func (o *simulation) print(report *simulate.Report) error {
	switch o.output {
	case "json":
		return report.JSON(o.session.Out)
	case "csv":
		return report.CSV(o.session.Out)
	default:
		return report.Text(o.session.Out, simulate.TextOptions{PerCause: o.perCause, Width: o.session.Screen.Width})
	}
}

// found says whether the report has what the user does not want.
func (o *simulation) found(report *simulate.Report) bool {
	switch o.failOn {
	case failOnLoosened:
		return report.Loosened > 0
	case failOnTightened:
		return report.Tightened > 0
	case failOnNothing:
		return false
	default:
		return report.Flips() > 0
	}
}
