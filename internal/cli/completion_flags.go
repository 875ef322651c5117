// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// completionTimeout is how long a request for completions may take: somebody
	// has pressed a key and waits.
	completionTimeout = "5s"
	// namespacesOffered bounds how many namespaces a shell offers.
	namespacesOffered = 500
)

// completeFlags lets a shell complete the values of the flags of every command:
// contexts, clusters and users out of the kubeconfig, namespaces out of the
// cluster, output formats, and files where a flag takes one. What a command
// completes by itself stays.
func completeFlags(root *cobra.Command, s *session.Session) {
	offers := map[string]cobra.CompletionFunc{
		"context":   fromKubeconfig(s, contexts),
		"cluster":   fromKubeconfig(s, clusters),
		"user":      fromKubeconfig(s, users),
		"namespace": namespaces(s),
		"color":     cobra.FixedCompletions([]cobra.Completion{session.ColorAuto, session.ColorAlways, session.ColorNever}, cobra.ShellCompDirectiveNoFileComp),
	}
	root.PersistentFlags().VisitAll(func(flag *pflag.Flag) {
		offer, known := offers[flag.Name]
		if !known && !takesFile(flag) {
			offer, known = cobra.NoFileCompletions, true
		}
		if known {
			offerValues(root, flag, offer)
		}
	})
	eachCommand(root, func(cmd *cobra.Command) {
		if output := cmd.LocalNonPersistentFlags().Lookup("output"); output != nil {
			offerValues(cmd, output, cobra.FixedCompletions(formats(output), cobra.ShellCompDirectiveNoFileComp))
		}
	})
}

// offerValues lets a shell complete a flag, unless its command does already.
func offerValues(cmd *cobra.Command, flag *pflag.Flag, offer cobra.CompletionFunc) {
	if _, done := cmd.GetFlagCompletionFunc(flag.Name); done {
		return
	}
	if err := cmd.RegisterFlagCompletionFunc(flag.Name, offer); err != nil {
		panic(err) // the command has the flag, and nothing was registered for it
	}
}

// takesFile says whether the value of a flag of every command is a file.
func takesFile(flag *pflag.Flag) bool {
	return slices.Contains([]string{"kubeconfig", "certificate-authority", "client-certificate", "client-key", "cache-dir"}, flag.Name)
}

// eachCommand visits a command and all below it.
func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, visit)
	}
}

// formats are the output formats that the help of the flag names.
func formats(flag *pflag.Flag) []cobra.Completion {
	named := strings.FieldsFunc(flag.Usage, func(r rune) bool { return strings.ContainsRune(" ,():;.|'\"`", r) })
	var found []cobra.Completion
	for _, format := range outputFormats {
		if slices.Contains(named, format) {
			found = append(found, format)
		}
	}
	return found
}

// outputFormats are all that any command has; those that go on after an equals
// sign come last.
var outputFormats = []string{
	"wide", "name", "json", "yaml", "table", "text", "junit", "markdown", "csv",
	"jsonpath", "jsonpath-as-json", "jsonpath-file", "go-template", "go-template-file", "template", "templatefile",
}

// fromKubeconfig offers what the kubeconfig has, each with a word about it. A
// kubeconfig that cannot be read has nothing to offer.
func fromKubeconfig(s *session.Session, entries func(*clientcmdapi.Config) map[string]string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		config, err := s.Flags.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return described(entries(&config)), cobra.ShellCompDirectiveNoFileComp
	}
}

func contexts(config *clientcmdapi.Config) map[string]string {
	found := map[string]string{}
	for name, entry := range config.Contexts {
		found[name] = strings.TrimSuffix(entry.Cluster+", "+entry.Namespace, ", ")
	}
	return found
}

func clusters(config *clientcmdapi.Config) map[string]string {
	found := map[string]string{}
	for name, entry := range config.Clusters {
		found[name] = entry.Server
	}
	return found
}

func users(config *clientcmdapi.Config) map[string]string {
	found := map[string]string{}
	for name := range config.AuthInfos {
		found[name] = "" // what there is about a user is secret
	}
	return found
}

// described are the choices in order. A name that a terminal would not show as
// it is, is not offered: nobody shall be led to run it.
func described(entries map[string]string) []cobra.Completion {
	var choices []cobra.Completion
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if terminal.Safe(name) == name {
			choices = append(choices, cobra.CompletionWithDesc(name, terminal.Safe(entries[name])))
		}
	}
	return choices
}

// namespaces offers those of the cluster; to who may not list them, those that
// the kubeconfig names.
func namespaces(s *session.Session) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		found, err := listNamespaces(cmd.Context(), s)
		if err == nil {
			return described(found), cobra.ShellCompDirectiveNoFileComp
		}
		return fromKubeconfig(s, func(config *clientcmdapi.Config) map[string]string {
			named := map[string]string{}
			for _, entry := range config.Contexts {
				if entry.Namespace != "" {
					named[entry.Namespace] = ""
				}
			}
			return named
		})(cmd, nil, "")
	}
}

// listNamespaces asks the cluster for the names alone, and no further than what
// a shell can show.
func listNamespaces(ctx context.Context, s *session.Session) (map[string]string, error) {
	config, err := s.Config()
	if err != nil {
		return nil, err
	}
	config.WarningHandler = rest.NoWarnings{}
	cl, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	list, err := cl.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).
		List(ctx, metav1.ListOptions{Limit: namespacesOffered})
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for i := range list.Items {
		found[list.Items[i].Name] = ""
	}
	return found, nil
}

// hurry lets no request of a completion take long, unless the user says how
// long it may. It has to be called before the flags are added.
func hurry(s *session.Session) {
	if timeout := s.Flags.Timeout; timeout != nil && (*timeout == "" || *timeout == "0") {
		*timeout = completionTimeout
	}
}
