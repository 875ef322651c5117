// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// kubectl calls these with the words after the plugin's name, the last of which
// is being typed.
func TestKubectlCompletion(t *testing.T) {
	c := &cluster{objects: everyWord()}
	for name, argv := range map[string][]string{
		"approve":        {"kubectl_complete-approve", ""},
		"approve-second": {"kubectl_complete-approve", "act-ghi789", ""},
		"approve-flag":   {"kubectl_complete-approve", "--comm"},
		"deny":           {"/usr/local/bin/kubectl_complete-deny", "-n", "default", ""},
		"ascend":         {"kubectl_complete-ascend", "actions", "l"},
		"nothing":        {"kubectl_complete-approve"},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, testServer, c.dial(t), argv...)
			r.errOut = "" // cobra says there what it does
			checkGolden(t, r.transcript(argv))
		})
	}
}

// namespacesServer answers the question for namespaces, and nothing else.
func namespacesServer(t *testing.T, status int, names ...string) *httptest.Server {
	t.Helper()
	items := make([]string, len(names))
	for i, name := range names {
		items[i] = fmt.Sprintf(`{"metadata":{"name":%q}}`, name)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/namespaces" {
			t.Errorf("asked for %s", r.URL)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","items":[%s]}`, strings.Join(items, ","))
	}))
	t.Cleanup(server.Close)
	return server
}

func TestFlagCompletion(t *testing.T) {
	full := namespacesServer(t, http.StatusOK, "payments", "default")
	refusing := namespacesServer(t, http.StatusForbidden)
	for name, c := range map[string]struct {
		server string
		words  []string
		want   []string
	}{
		"context":                        {testServer, []string{"explain", "--context", ""}, []string{"test\ttest, default"}},
		"cluster":                        {testServer, []string{"explain", "--cluster", ""}, []string{"test\t" + testServer}},
		"user, without its secrets":      {testServer, []string{"explain", "--user", ""}, []string{"test"}},
		"namespace":                      {full.URL, []string{"explain", "-n", ""}, []string{"default", "payments"}},
		"namespace, in one word":         {full.URL, []string{"approve", "--namespace="}, []string{"default", "payments"}},
		"namespace that may not be seen": {refusing.URL, []string{"explain", "-n", ""}, []string{"default"}},
		"namespace without a cluster":    {"http://127.0.0.1:1", []string{"explain", "-n", ""}, []string{"default"}},
		"no file is a person":            {testServer, []string{"approve", "--as", ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, c.server, nil, append([]string{"ascend", cobra.ShellCompRequestCmd}, c.words...)...)
			want := strings.Join(append(c.want, fmt.Sprintf(":%d\n", cobra.ShellCompDirectiveNoFileComp)), "\n")
			if r.out != want || r.code != session.ExitOK {
				t.Errorf("exit code %d, offered\n%s\nwant\n%s", r.code, r.out, want)
			}
		})
	}
}

// What is in the kubeconfig is shown in a terminal, and what is chosen is run.
func TestCompletionOffersNoTrickery(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other")
	text := "apiVersion: v1\nkind: Config\ncontexts: [{name: \"a\\e[2Kb\", context: {cluster: x}}, {name: good, context: {cluster: \"x\\ty\\e[2K\"}}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := play(t, testServer, nil, "ascend", cobra.ShellCompRequestCmd, "explain", "--kubeconfig", path, "--context", "")
	if want := "good\tx\\ty\\x1b[2K\n:4\n"; r.out != want {
		t.Errorf("offered %q, want %q", r.out, want)
	}
}

// Each flag for an output format completes to formats, and each of those that
// it offers is one that the command takes. Where -o is a file or a folder, the shell
// offers those that are there.
func TestFormatsAreOffered(t *testing.T) {
	found := 0
	eachCommand(Commands(), func(cmd *cobra.Command) {
		flag := cmd.LocalNonPersistentFlags().Lookup("output")
		if flag == nil {
			return
		}
		found++
		offer, known := cmd.GetFlagCompletionFunc("output")
		if !known {
			t.Errorf("%s -o: nothing is offered", cmd.CommandPath())
			return
		}
		choices, directive := offer(cmd, nil, "")
		if !strings.Contains(flag.Usage, "format") {
			if len(choices) > 0 || directive&cobra.ShellCompDirectiveNoFileComp != 0 {
				t.Errorf("%s -o: offers %q (%d) and no files for %q", cmd.CommandPath(), choices, directive, flag.Usage)
			}
			return
		}
		if len(choices) == 0 || directive&cobra.ShellCompDirectiveNoFileComp == 0 {
			t.Errorf("%s -o: offers %q (%d) for %q", cmd.CommandPath(), choices, directive, flag.Usage)
		}
	})
	if found == 0 {
		t.Error("no command has -o")
	}
}

func TestFormats(t *testing.T) {
	for usage, want := range map[string]string{
		"output format: wide, name, json or yaml":                                             "wide name json yaml",
		"Output format. One of: (json, yaml, name, go-template, jsonpath, jsonpath-as-json).": "name json yaml jsonpath jsonpath-as-json go-template",
		"where to write": "",
	} {
		if got := strings.Join(formats(&pflag.Flag{Usage: usage}), " "); got != want {
			t.Errorf("%q: %q, want %q", usage, got, want)
		}
	}
}

// Who presses Tab does not wait for a cluster that does not answer.
func TestCompletionDoesNotHang(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	begin := time.Now()
	r := play(t, server.URL, nil, "ascend", cobra.ShellCompRequestCmd, "approve", "--request-timeout", "300ms", "-n", "")
	if took := time.Since(begin); took > 30*time.Second || !strings.HasPrefix(r.out, "default\n") {
		t.Errorf("after %s: %+v", took, r)
	}
	flags := session.New(genericiooptions.IOStreams{}).Flags
	s := &session.Session{Flags: flags}
	hurry(s)
	if *flags.Timeout != completionTimeout {
		t.Errorf("the time for a completion is %s", *flags.Timeout)
	}
}
