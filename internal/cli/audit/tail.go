// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	record "github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/follow"
	"github.com/ow-kai/ascend-operator/internal/story"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// tail is the command ascend audit tail.
type tail struct {
	session *session.Session
	selection
	lines  int
	follow bool
	output string

	filter *auditexport.Filter
	style  terminal.Style
	unread int
}

// newTailCommand makes ascend audit tail.
func newTailCommand(s *session.Session, display string) *cobra.Command {
	o := &tail{session: s}
	cmd := &cobra.Command{
		Use:   "tail [FILE...]",
		Short: "Show the last records, and with -f those that come",
		Long: `Show the last records that the flags choose, one a line: when, which event, about
what, and what happened. With -f it goes on with each record as it is written, also
where the file is rotated, until Ctrl-C; then it takes one FILE, or -, and begins
with the last records of that file alone.

On a terminal a line ends where the terminal does; in a pipe it is whole. -o json
prints the lines of the trail as they are.
` + filesHelp + filterHelp + `
` + session.ExitCodesHelp,
		Example: session.Examples(`
			%[1]s audit.log
			%[1]s -f --event 'action.denied,admission.refused' audit.log
			%[1]s --lines 0 --since 24h --actor '*@example.com' /var/log/ascend/

			# Of the operator that writes to stdout
			kubectl logs -f -n ascend-system deploy/ascend-controller-manager | %[1]s -f -`, display),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().IntVar(&o.lines, "lines", 10, "show the last so many records first; 0 all")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with the records that come")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "output format: json, the lines as they are")
	offer(cmd, "lines")
	o.addFlags(cmd)
	return cmd
}

func (o *tail) run(cmd *cobra.Command, args []string) error {
	if o.lines < 0 {
		return session.Usagef(cmd, "--lines is %d; it must be 0 (all) or more", o.lines)
	}
	if err := checkOutput(cmd, o.output); err != nil {
		return err
	}
	var err error
	if o.filter, err = o.selection.filter(cmd, o.session); err != nil {
		return err
	}
	paths, err := logs(cmd, args)
	if err != nil {
		return err
	}
	o.style = o.session.Style()
	switch {
	case !o.follow && o.lines > 0:
		return o.last(lines(cmd.Context(), o.session, paths))
	case !o.follow:
		return o.every(lines(cmd.Context(), o.session, paths))
	case len(paths) > 1:
		return session.Usagef(cmd, "-f follows one file, and %d are named", len(paths))
	case isFolder(paths[0]):
		return session.Usagef(cmd, "-f follows one file, and %s is a folder; name the file that is written now", terminal.Safe(paths[0]))
	case paths[0] == standardInput:
		return o.stream(lines(cmd.Context(), o.session, paths))
	default:
		return o.goOn(cmd.Context(), paths[0])
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// chosen is the record of a line, where the flags choose it.
func (o *tail) chosen(line trail.Line) *record.Record {
	r, err := line.Record()
	if err != nil {
		o.unread++
		return nil
	}
	if !o.filter.Matches(r) {
		return nil
	}
	return r
}

// item is a record that is to be printed: the line where that is asked for.
type item struct {
	line   []byte
	record *record.Record
}

func (o *tail) item(line trail.Line, r *record.Record) item {
	if o.output == outputJSON {
		return item{line: slices.Clone(line.Raw)}
	}
	return item{record: r}
}

func (o *tail) print(i item) error {
	text := string(i.line)
	if i.record != nil {
		text = story.Line(i.record, o.style, o.session.Screen.Width)
	}
	_, err := fmt.Fprintln(o.session.Out, text)
	return err
}

func (o *tail) printAll(items []item) error {
	for _, i := range items {
		if err := o.print(i); err != nil {
			return err
		}
	}
	return nil
}

// last prints the last lines that are chosen.
func (o *tail) last(of iter.Seq2[trail.Line, error]) error {
	backlog := backlog{most: o.lines}
	for line, err := range of {
		if err != nil {
			return unreadable(err)
		}
		if r := o.chosen(line); r != nil {
			backlog.add(o.item(line, r))
		}
	}
	if err := o.printAll(backlog.all()); err != nil {
		return err
	}
	tellUnread(o.session, o.unread)
	return nil
}

// every prints all lines that are chosen. It keeps none of them.
func (o *tail) every(of iter.Seq2[trail.Line, error]) error {
	for line, err := range of {
		if err != nil {
			return unreadable(err)
		}
		if r := o.chosen(line); r != nil {
			if err := o.print(o.item(line, r)); err != nil {
				return err
			}
		}
	}
	tellUnread(o.session, o.unread)
	return nil
}

// stream prints the lines of standard input as they come, the first ones too: when
// the next one comes, nobody knows.
func (o *tail) stream(of iter.Seq2[trail.Line, error]) error {
	for line, err := range of {
		if errors.Is(err, errInterrupted) {
			return nil
		}
		if err != nil {
			return unreadable(err)
		}
		if r := o.chosen(line); r != nil {
			if err := o.print(o.item(line, r)); err != nil {
				return err
			}
		}
	}
	return nil
}

// goOn follows a file.
func (o *tail) goOn(ctx context.Context, path string) error {
	var waiting *backlog
	if o.lines > 0 {
		waiting = &backlog{most: o.lines}
	}
	follower := follow.Follower{Path: path, Clock: ticking(o.session)}
	err := follower.Run(ctx, func(line trail.Line) error {
		r := o.chosen(line)
		switch {
		case r == nil:
			return nil
		case waiting != nil:
			waiting.add(o.item(line, r))
			return nil
		default:
			return o.print(o.item(line, r))
		}
	}, func() error {
		if waiting == nil {
			return nil
		}
		backlog := waiting.all()
		waiting = nil
		return o.printAll(backlog)
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return unreadable(err)
}

// ticking is the session's clock, where it can wait.
func ticking(s *session.Session) clock.WithTicker {
	if ticks, does := s.Clock.(clock.WithTicker); does {
		return ticks
	}
	return clock.RealClock{}
}

// backlog keeps the last items, so many as most says.
type backlog struct {
	most int
	kept []item
	next int // the oldest one, once there are as many as may be
}

func (b *backlog) add(i item) {
	if len(b.kept) < b.most {
		b.kept = append(b.kept, i)
		return
	}
	b.kept[b.next] = i
	b.next = (b.next + 1) % b.most
}

func (b *backlog) all() []item { return slices.Concat(b.kept[b.next:], b.kept[:b.next]) }
