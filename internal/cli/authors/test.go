// SPDX-License-Identifier: Apache-2.0

package authors

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/ruletest"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const formatJUnit = "junit"

var testFormats = []string{formatJSON, formatJUnit}

// test is the command ascend rules test.
type test struct {
	source
	rules       []string
	output      string
	junit, json string
	cover       bool
	coverMin    float64
	verbose     bool
}

func newTestCommand(s *session.Session, display string) *cobra.Command {
	o := &test{source: source{session: s}}
	cmd := &cobra.Command{
		Use:   "test PATH...",
		Short: "Run the tests of rules",
		Long: `Run the test files below the paths: documents of kind RuleTest that say, for an
action, which decision, rule and score are expected. They are decided by the
operator's own code, at the time the test says, without a cluster.

The policy is the one a test file names; otherwise that of --rules; otherwise
what is in the paths themselves. With --live it is the cluster's, with that of
--rules laid over it.

A failed case is shown with what was expected, what came, and why. --cover lists
which rules no test has fired; --cover-min fails below a percentage.
` + checkExitCodes,
		Example: session.Examples(`
			%[1]s policy/

			# In CI
			%[1]s policy/ --cover-min 100 --junit results.xml

			# The same tests against what the cluster has
			%[1]s policy/tests --live`, display),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := oneOf(cmd, "output", o.output, testFormats); err != nil {
				return err
			}
			switch {
			case len(paths) == 0:
				return session.Usagef(cmd, "name a folder or file with tests, or - for stdin")
			case o.coverMin < 0 || o.coverMin > 100:
				return session.Usagef(cmd, "--cover-min is %g; it is a percentage, 0 to 100", o.coverMin)
			}
			return o.run(cmd.Context(), paths)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.rules, "rules", nil, "folder or file with the policy, where tests name none; several times for several")
	f.BoolVar(&o.cover, "cover", false, "show which rules and workflows the tests cover")
	f.Float64Var(&o.coverMin, "cover-min", 0, "fail if the tests cover less than this percentage of the rules")
	f.BoolVar(&o.verbose, "verbose", false, "list the cases that passed, too")
	f.StringVar(&o.junit, "junit", "", "write a JUnit report to this file as well")
	f.StringVar(&o.json, "json", "", "write a JSON report to this file as well")
	f.StringVarP(&o.output, "output", "o", "", "output format: "+strings.Join(testFormats, " or "))
	o.addFlags(cmd, "test the cluster's policy, with that of --rules laid over it")
	completeWords(cmd, "output", testFormats)
	return cmd
}

func (o *test) run(ctx context.Context, paths []string) error {
	suites, problems, err := ruletest.Load(paths)
	if err != nil {
		return err
	}
	options := ruletest.Options{Policy: o.rules, Clock: o.session.Clock}
	if len(o.rules) == 0 {
		options.Policy = paths
	}
	if o.live {
		if options.Set, err = o.overCluster(ctx, o.rules); err != nil {
			return err
		}
	}
	report, err := ruletest.Run(ctx, suites, options)
	if err != nil {
		return err
	}
	report.AddProblems(problems)
	if err := o.print(report); err != nil {
		return err
	}
	low := report.Coverage.Percent < o.coverMin
	if low {
		fmt.Fprintf(o.session.ErrOut, "coverage is %.1f %% of the rules, below the %g %% of --cover-min\n", report.Coverage.Percent, o.coverMin)
	}
	if low || !report.OK() {
		return session.ExitCodeError(session.ExitFound)
	}
	return nil
}

// overCluster is the cluster's policy with what is at the paths laid over it.
func (o *test) overCluster(ctx context.Context, paths []string) (*manifest.Set, error) {
	files, problems, err := o.files(paths)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		printProblems(o.session, problems)
		return nil, fmt.Errorf("%s would be refused by the cluster; ascend rules validate says more", terminal.Count(len(problems), "thing"))
	}
	cluster, err := o.cluster(ctx)
	if err != nil {
		return nil, err
	}
	return manifest.Overlay(files, cluster), nil
}

func (o *test) print(report *ruletest.Report) error {
	for path, write := range map[string]func(io.Writer) error{o.junit: report.WriteJUnit, o.json: report.WriteJSON} {
		if err := toFile(path, write); err != nil {
			return err
		}
	}
	switch o.output {
	case formatJSON:
		return report.WriteJSON(o.session.Out)
	case formatJUnit:
		return report.WriteJUnit(o.session.Out)
	default:
		return report.WriteText(o.session.Out, ruletest.TextOptions{Verbose: o.verbose, Coverage: o.cover || o.coverMin > 0})
	}
}

// toFile writes a report to a file, whole or not at all told as written; an empty
// path is none.
func toFile(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path) //nolint:gosec // the user named it
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	if err := write(file); err != nil {
		_ = file.Close() // the first error says more
		return fmt.Errorf("cannot write the report to %s: %w", path, err)
	}
	return file.Close()
}
