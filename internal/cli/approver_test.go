// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// digestOf is the digest of what an action asks for.
func digestOf(action *v1alpha1.AgentAction) string {
	digest, err := request.Digest(&action.Spec)
	if err != nil {
		panic(err)
	}
	return digest
}

// sealed is an action whose status speaks of its request, where it spoke of that
// of the fixture; one that a test has set stays.
func sealed(action *v1alpha1.AgentAction) *v1alpha1.AgentAction {
	if action.Status.SpecDigest == "sha256:aaaa" {
		action.Status.SpecDigest = digestOf(action)
	}
	return action
}

// keyboard is an input at which somebody sits.
type keyboard struct{ io.Reader }

func (keyboard) IsTerminal() bool { return true }

// desk is where somebody works: how wide the screen is, and what they type.
type desk struct {
	width int    // 0: a pipe
	typed string // with sits: what is typed
	sits  bool
	live  bool // stdout is a terminal
	// asked is called when the program wants to read, which then never ends.
	asked func()
}

// silent is somebody who does not answer.
type silent struct{ asked func() }

func (silent) IsTerminal() bool { return true }

func (s silent) Read([]byte) (int, error) {
	s.asked()
	select {}
}

// play is a run of the program at that desk.
func (d desk) play(ctx context.Context, t *testing.T, c *cluster, argv ...string) result {
	t.Helper()
	return d.run(ctx, t, c.dial(t), argv...)
}

// run runs one command line at that desk, with a kubeconfig for the test server.
func (d desk) run(ctx context.Context, t *testing.T, dialer func(*rest.Config) (client.WithWatch, error), argv ...string) result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(strings.Replace(kubeconfig, "%s", testServer, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
	var out, errOut bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(d.typed), Out: &out, ErrOut: &errOut}
	if d.sits {
		streams.In = keyboard{streams.In}
	}
	if d.asked != nil {
		streams.In = silent{d.asked}
	}
	s := session.New(streams)
	s.Clock = clocktesting.NewFakePassiveClock(testNow)
	s.Dial = dialer
	s.Screen = session.Screen{Terminal: d.live, Width: d.width}
	code := run(ctx, s, argv)
	return result{code, out.String(), strings.ReplaceAll(errOut.String(), path, "KUBECONFIG")}
}

// hostile is the pending action, of an agent that does not want to be understood.
func hostile() *v1alpha1.AgentAction {
	return changed(func(a *v1alpha1.AgentAction) {
		a.Spec.Description = "Update billing\u202e etadpu\u202c for one customer\nAPPROVAL\n  given        1 of 1, enough\x1b[2A\x1b[8m"
		a.Spec.Parameters.Raw = []byte(`{"table": "\u0441ustomers", "operation": "DELETE", "note": "a\u200bb", "\u0430ffected_rows": 1,` +
			`"where": "id = 1\n! nothing suspicious\n[U+0441] is a mark", "nested": {"list": [1, 2.50, true, null, "no", "7", {}, []], "long": 1234567890123}}`)
		a.Spec.Resource = ""
		a.Spec.Approvals = []v1alpha1.Approval{{Verdict: v1alpha1.VerdictApprove, Approver: "b\u043eb", Stage: "approval", Comment: "fine\rDENIED"}}
		a.Status.Approval.Required = 2
		a.Status.Approval.Granted = 1
	})
}

// long is the pending action with 10,000 lines in a parameter, and many more.
func long() *v1alpha1.AgentAction {
	return changed(func(a *v1alpha1.AgentAction) {
		list := strings.TrimSuffix(strings.Repeat("1, ", 2000), ", ")
		a.Spec.Parameters.Raw = []byte(`{"script": "` + strings.Repeat(`x\n`, 10000) + `", "zeros": [` + list + `]}`)
		a.Spec.Context = &runtime.RawExtension{Raw: []byte(`{"blob": "` + strings.Repeat("0123456789abcdef", 4090) + `"}`)}
		a.Spec.Description = strings.Repeat("all work and no play\n", 190)
	})
}
