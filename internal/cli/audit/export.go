// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// export is the command ascend audit export.
type export struct {
	session *session.Session
	selection
	format, output string
}

// newExportCommand makes ascend audit export.
func newExportCommand(s *session.Session, display string) *cobra.Command {
	o := &export{session: s}
	cmd := &cobra.Command{
		Use:   "export --format FORMAT [FILE...]",
		Short: "Write records for other systems: lines, a table, or OCSF",
		Long: `Write the records that the flags choose, in the order in which they are read:

jsonl  the lines of the trail, byte for byte; only these can be verified
csv    a table with a line of headings, without what was asked for; no cell is a
       formula to a spreadsheet, or anything but text to a terminal
ocsf   events of the Open Cybersecurity Schema Framework 1.5.0, class API
       Activity (6003) with the profile Security Control, a line of JSON each

docs/audit.md has the columns, and what becomes of each event in OCSF.
` + filesHelp + filterHelp + `
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# The denials of this week, as a table
			%[1]s --format csv --since 7d --decision denied --output denials.csv audit.log

			# Everything that happened to policy in November, for a SIEM
			%[1]s --format ocsf --event 'policy.*' --since 2026-11-01 --until 2026-12-01 /var/log/ascend/

			# What one agent did, out of what the operator writes to stdout
			kubectl logs -n ascend-system deploy/ascend-controller-manager | %[1]s --format jsonl --agent-id tutorial-agent -`, display),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().StringVar(&o.format, "format", "", "format: "+strings.Join(auditexport.Names(), ", "))
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "file to write to, in place of what is there; without it stdout")
	offer(cmd, "format", auditexport.Names()...)
	if err := cmd.RegisterFlagCompletionFunc("output", files); err != nil {
		panic(err) // the flag was added above
	}
	o.addFlags(cmd)
	return cmd
}

// files lets a shell complete names of files.
func files(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func (o *export) run(cmd *cobra.Command, args []string) error {
	switch {
	case o.format == "":
		return session.Usagef(cmd, "say in which format with --format: %s", strings.Join(auditexport.Names(), ", "))
	case !slices.Contains(auditexport.Names(), o.format):
		return session.Usagef(cmd, "there is no format %q; use %s", terminal.Safe(o.format), strings.Join(auditexport.Names(), ", "))
	}
	if err := session.NotEmpty(cmd, "output"); err != nil {
		return err
	}
	filter, err := o.filter(cmd, o.session)
	if err != nil {
		return err
	}
	paths, err := logs(cmd, args)
	if err != nil {
		return err
	}
	if o.output == "" || o.output == standardInput {
		return o.write(cmd.Context(), o.session.Out, paths, filter)
	}
	return o.toFile(cmd.Context(), paths, filter)
}

// write writes the records, and says how many on stderr.
func (o *export) write(ctx context.Context, to io.Writer, paths []string, filter *auditexport.Filter) error {
	buffered := bufio.NewWriterSize(to, 64<<10)
	writer, err := auditexport.NewWriter(auditexport.Format(o.format), buffered)
	if err != nil {
		return err
	}
	written, unread, file := 0, 0, ""
	for line, err := range lines(ctx, o.session, paths) {
		if err != nil {
			return unreadable(errors.Join(err, writer.Flush(), buffered.Flush()))
		}
		if line.File != file {
			if file = line.File; o.isOutput(file) {
				return o.ontoTheTrail()
			}
		}
		record, err := line.Record()
		if err != nil {
			unread++
			continue
		}
		if !filter.Matches(record) {
			continue
		}
		if err := writer.Write(line.Raw, record); err != nil {
			return unwritable(err)
		}
		written++
	}
	if err := cmp.Or(writer.Flush(), buffered.Flush()); err != nil {
		return unwritable(err)
	}
	tellUnread(o.session, unread)
	fmt.Fprintf(o.session.ErrOut, "%s written\n", terminal.Count(written, "record"))
	return nil
}

func unwritable(err error) error {
	return fmt.Errorf("cannot write the records: %s", terminal.Safe(err.Error()))
}

// isOutput says whether a file that is read is the one that is to be written.
func (o *export) isOutput(file string) bool {
	to, err := os.Stat(o.output)
	if err != nil || !to.Mode().IsRegular() {
		return false
	}
	from, err := os.Stat(file)
	if in, isFile := o.session.In.(*os.File); isFile && (file == trail.StandardInput || file == standardInput) {
		from, err = in.Stat()
	}
	return err == nil && os.SameFile(to, from)
}

func (o *export) ontoTheTrail() error {
	return fmt.Errorf("--output %s is a file of the trail that is read, which would be lost; name another one", terminal.Safe(o.output))
}

// toFile writes to a file beside the one that is meant, which takes its place once it
// is complete. What is no file, such as a pipe, is written to as it is.
func (o *export) toFile(ctx context.Context, paths []string, filter *auditexport.Filter) error {
	if info, err := os.Stat(o.output); err == nil && !info.Mode().IsRegular() {
		to, err := os.OpenFile(o.output, os.O_WRONLY, 0)
		if err != nil {
			return unwritable(err)
		}
		return errors.Join(o.write(ctx, to, paths, filter), to.Close())
	}
	if slices.ContainsFunc(paths, o.isOutput) { // also one that has no line yet
		return o.ontoTheTrail()
	}
	to, err := os.CreateTemp(filepath.Dir(o.output), ".export-*")
	if err != nil {
		return unwritable(err)
	}
	defer os.Remove(to.Name())
	if err := cmp.Or(o.write(ctx, to, paths, filter), to.Sync()); err != nil {
		to.Close()
		return err
	}
	if err := cmp.Or(to.Close(), os.Rename(to.Name(), o.output)); err != nil {
		return unwritable(err)
	}
	return nil
}
