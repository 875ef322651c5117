// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// version is set by the linker: -X github.com/ow-kai/ascend-operator/internal/cli.version=v1.2.3.
// Left empty, the module version that go install recorded is shown.
var version string

func newVersionCommand(s *session.Session, display string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Long: `Show the version of this program, of Go, and the platform it was built for. Keep
it at the version of the operator: another one may judge rules differently.
` + session.ExitCodesHelp,
		Example: session.Examples("%[1]s", display),
		Args:    session.TakesNothing,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(s.Out, "ascend %s (%s, %s/%s)\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
