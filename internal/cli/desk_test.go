// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// build is a run of the program by a developer at that desk.
func (d desk) build(ctx context.Context, t *testing.T, w *workshop, argv ...string) result {
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
	s := session.New(streams)
	s.Clock = clocktesting.NewFakePassiveClock(testNow)
	s.Dial = w.dial(t)
	s.Screen = session.Screen{Terminal: d.live, Width: d.width}
	code := run(ctx, s, argv)
	// What redraws a line is shown in a golden file as what it is.
	return result{code, strings.ReplaceAll(out.String(), "\r\x1b[K", "<erase>\n"), strings.ReplaceAll(errOut.String(), path, "KUBECONFIG")}
}

// contextThatEnds ends after a moment, as by Ctrl-C.
func contextThatEnds(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, stop)
	return ctx, stop
}
