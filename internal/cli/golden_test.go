// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testNow is what the clock says in every test.
var testNow = time.Date(2025, 12, 19, 14, 2, 30, 0, time.UTC)

const testServer = "https://cluster.example.com:6443"

// kubeconfig is a context in namespace default of a cluster at that address.
const kubeconfig = `apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: "%s"}}]
contexts: [{name: test, context: {cluster: test, user: test, namespace: default}}]
users: [{name: test, user: {token: secret-token}}]
`

// result is what a run of the program left behind.
type result struct {
	code        int
	out, errOut string
}

// play runs one command line with a kubeconfig for the server. A nil dial
// connects for real.
func play(t *testing.T, server string, dialer func(*rest.Config) (client.WithWatch, error), argv ...string) result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, fmt.Appendf(nil, kubeconfig, server), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
	var out, errOut bytes.Buffer
	s := session.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
	s.Clock = clocktesting.NewFakePassiveClock(testNow)
	if dialer != nil {
		s.Dial = dialer
	}
	code := run(t.Context(), s, argv)
	clean := strings.NewReplacer(path, "KUBECONFIG", server, testServer)
	return result{code, clean.Replace(out.String()), clean.Replace(errOut.String())}
}

// transcript is a run as a golden file has it.
func (r result) transcript(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = shellWord(word)
	}
	text := "$ " + strings.Join(words, " ") + "\n" + r.out
	if r.errOut != "" {
		text += "--- stderr\n" + r.errOut
	}
	return text + fmt.Sprintf("--- exit %d\n", r.code)
}

// shellWord quotes a word for a POSIX shell, where it needs it, and makes it
// safe for the terminal.
func shellWord(word string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,="
	if word != "" && strings.Trim(word, harmless) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(terminal.Safe(word), "'", `'\''`) + "'"
}

// checkGolden compares text with testdata/<test>.txt.
func checkGolden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(t.Name())+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); when it is meant, write it with -update:\n%s", path, diff)
	}
}
