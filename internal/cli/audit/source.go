// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// EnvLog names the audit log where a command is given none.
const EnvLog = "ASCEND_AUDIT_LOG"

// standardInput as an argument.
const standardInput = "-"

// filesHelp is for the help of commands that read audit logs.
const filesHelp = `
Read are the FILES, each after those that were rotated out of it, compressed ones
too; of a folder all audit logs in it; - is standard input. Without any it is the
file that ASCEND_AUDIT_LOG names.`

// filterHelp is for the help of commands that choose records.
const filterHelp = `
Patterns may have * and ?, several stand between commas, and one of them has to
match; case does not count. Times are written 2026-11-22T09:00:00Z or 2026-11-22,
or as how long ago it was: 90m, 24h, 7d.`

// logs are the files to read: those that are named, otherwise that of the environment.
func logs(cmd *cobra.Command, named []string) ([]string, error) {
	if slices.Contains(named, "") {
		return nil, session.Usagef(cmd, "the name of a file is empty")
	}
	if len(named) > 0 {
		return named, nil
	}
	if path := os.Getenv(EnvLog); path != "" {
		return []string{path}, nil
	}
	return nil, session.Usagef(cmd, "name the audit log: the file that the operator writes (--audit-log), a folder, or - for standard input, "+
		"such as kubectl logs -n ascend-system deploy/ascend-controller-manager where it writes to stdout; or set %s", EnvLog)
}

// errInterrupted ends what reads audit logs.
var errInterrupted = errors.New("interrupted before the trail was read to its end")

// lines reads audit logs. It fails with errInterrupted once ctx ends.
func lines(ctx context.Context, s *session.Session, paths []string) iter.Seq2[trail.Line, error] {
	return func(yield func(trail.Line, error) bool) {
		for line, err := range trail.Open(paths, s.In) {
			if ctx.Err() != nil {
				yield(trail.Line{}, errInterrupted)
				return
			}
			if !yield(line, err) {
				return
			}
		}
	}
}

// unreadable is the error of a log that cannot be read.
func unreadable(err error) error {
	return errors.New(terminal.Safe(err.Error())) //nolint:err113 // for people: what was wrong is in its text
}

// tellUnread says on stderr that lines were no records.
func tellUnread(s *session.Session, unread int) {
	switch unread {
	case 0:
	case 1:
		fmt.Fprintln(s.ErrOut, "1 line is no record; ascend audit verify says whether it may be there")
	default:
		fmt.Fprintf(s.ErrOut, "%d lines are no records; ascend audit verify says whether they may be there\n", unread)
	}
}

// selection is the flags that choose records.
type selection struct {
	since, until                                         string
	events, agents, actions, actors, kinds, of, controls []string
}

// addPeriod adds --since and --until.
func (o *selection) addPeriod(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "only records since then: a time, a day, or how long ago, such as 24h or 7d")
	f.StringVar(&o.until, "until", "", "only records before then, likewise")
	offer(cmd, "since", "24h", "7d", "30d")
	offer(cmd, "until")
}

// addFlags adds all of them.
func (o *selection) addFlags(cmd *cobra.Command) {
	o.addPeriod(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.events, "event", nil, "only records of these events, such as action.* or policy.updated")
	f.StringArrayVar(&o.agents, "agent-id", nil, "only records of these agents")
	f.StringArrayVar(&o.actions, "action", nil, "only records of these actions, by name, NAMESPACE/NAME or uid")
	f.StringArrayVar(&o.actors, "actor", nil, "only records of what these users did or wanted")
	f.StringArrayVar(&o.kinds, "kind", nil, "only records about these kinds: AgentAction, SmartRule, Agent and so on")
	f.StringArrayVar(&o.of, "decision", nil, "only records with these decisions: "+strings.Join(decisions(), ", "))
	f.StringArrayVar(&o.controls, "control", nil, "only records that name these controls, such as NIST-800-53:AC-6")
	offer(cmd, "event", eventNames()...)
	offer(cmd, "agent-id")
	offer(cmd, "action")
	offer(cmd, "actor")
	offer(cmd, "kind", "AgentAction", "Agent", "ApprovalWorkflow", "RiskModel", "SmartRule", "WebhookSubscription")
	offer(cmd, "decision", decisions()...)
	offer(cmd, "control")
}

// offer lets a shell complete a flag with some words, and with no files.
func offer(cmd *cobra.Command, flag string, words ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was added before
	}
}

func decisions() []string {
	var names []string
	for _, decision := range auditexport.Decisions {
		names = append(names, string(decision))
	}
	return names
}

// filter is what the flags choose, and -n where it is given: a trail has the records
// of all namespaces.
func (o *selection) filter(cmd *cobra.Command, s *session.Session) (*auditexport.Filter, error) {
	f := &auditexport.Filter{}
	now := s.Clock.Now()
	var err error
	if f.Since, err = auditexport.ParseMoment(o.since, now); err != nil {
		return nil, session.Usagef(cmd, "--since: %w", err)
	}
	if f.Until, err = auditexport.ParseMoment(o.until, now); err != nil {
		return nil, session.Usagef(cmd, "--until: %w", err)
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return nil, session.Usagef(cmd, "--since %s is not before --until %s", terminal.Moment(f.Since), terminal.Moment(f.Until))
	}
	for flag, of := range map[string][]string{
		"--event": o.events, "--agent-id": o.agents, "--action": o.actions, "--kind": o.kinds, "--decision": o.of, "--control": o.controls,
	} {
		if slices.Contains(of, "") {
			return nil, session.Usagef(cmd, "%s is empty; leave it out, or say which", flag)
		}
	}
	if f.Decisions, err = auditexport.ParseDecisions(o.of); err != nil {
		return nil, session.Usagef(cmd, "--decision: %w", err)
	}
	f.Events, f.Agents, f.Actions = auditexport.Globs(o.events), auditexport.Globs(o.agents), auditexport.Globs(o.actions)
	f.Actors, f.Kinds, f.Controls = auditexport.Globs(o.actors), auditexport.Globs(o.kinds), auditexport.Globs(o.controls)
	if namespace := namespaceOf(s); namespace != "" {
		f.Namespaces = auditexport.Globs([]string{namespace})
	}
	return f, nil
}

// namespaceOf is that of -n; empty where it is not given.
func namespaceOf(s *session.Session) string {
	if given := s.Flags.Namespace; given != nil {
		return *given
	}
	return ""
}
