// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// DryRun is the flag --dry-run, as kubectl has it; alone it means server.
type DryRun string

// The values of --dry-run.
const (
	DryRunNone DryRun = "none"
	// DryRunClient: nothing is sent.
	DryRunClient DryRun = "client"
	// DryRunServer: the API server and admission judge it, and nothing is written.
	DryRunServer DryRun = "server"
)

// AddFlag adds --dry-run to a command.
func (d *DryRun) AddFlag(cmd *cobra.Command) {
	*d = DryRunNone
	cmd.Flags().Var(d, "dry-run", "check and write nothing: client, or server (admission checks it, too)")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = string(DryRunServer)
	choices := []cobra.Completion{string(DryRunNone), string(DryRunClient), string(DryRunServer)}
	if err := cmd.RegisterFlagCompletionFunc("dry-run", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was added above
	}
}

// On says whether nothing is to be written.
func (d *DryRun) On() bool { return *d != DryRunNone }

// String implements pflag.Value.
func (d *DryRun) String() string { return string(*d) }

// Type implements pflag.Value.
func (d *DryRun) Type() string { return "none|client|server" }

// Set implements pflag.Value. It takes what a boolean flag takes, too.
func (d *DryRun) Set(text string) error {
	switch text {
	case "none", "false":
		*d = DryRunNone
	case "client":
		*d = DryRunClient
	case "server", "true":
		*d = DryRunServer
	default:
		return fmt.Errorf("it is %q; it can be none, client or server", terminal.Safe(text))
	}
	return nil
}

// Patch sends a patch, as far as this allows.
func (d *DryRun) Patch(cmd *cobra.Command, cl client.Writer, object client.Object, patch client.Patch) error {
	switch *d {
	case DryRunClient:
		return nil
	case DryRunServer:
		return cl.Patch(cmd.Context(), object, patch, client.DryRunAll)
	case DryRunNone:
		return cl.Patch(cmd.Context(), object, patch)
	default:
		return fmt.Errorf("--dry-run is %q", string(*d))
	}
}
