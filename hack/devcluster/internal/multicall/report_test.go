// SPDX-License-Identifier: Apache-2.0

package multicall

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReporter(t *testing.T) {
	tests := map[string]struct {
		terminal bool
		seconds  int // of progress, one call a second
		want     string
	}{
		"a pipe gets a line now and then":       {false, 40, "begin\nat 15s\nat 30s\nend\n"},
		"a terminal gets one line, overwritten": {true, 2, "begin\n\r\x1b[Kat 1s\r\x1b[Kat 2s\nend\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			clock := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			reporter := &writerReporter{out: &out, terminal: tt.terminal, now: func() time.Time { return clock }, last: clock}
			reporter.Line("begin")
			for second := 1; second <= tt.seconds; second++ {
				clock = clock.Add(time.Second)
				reporter.Progress("at %ds", second)
			}
			reporter.Line("end")
			if got := out.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBuildFailedSaysWhatToDo(t *testing.T) {
	tests := map[string]struct{ output, want string }{
		"disk":     {"write $WORK/b1: no space left on device", "the disk is full"},
		"memory":   {"go: k8s.io/api: compile: signal: killed", "want of memory"},
		"network":  {"go: k8s.io/api@v0.36.3: dial tcp: lookup proxy: no such host", "go env GOPROXY"},
		"no proxy": {"module lookup disabled by GOPROXY=off", "set GOPROXY"},
		"go.sum":   {"missing go.sum entry for module", "go mod tidy"},
		"source":   {"controlplane/main.go:3:1: syntax error", "names the package"},
		"silence":  {"", "wrote nothing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var lines []string
			if tt.output != "" {
				lines = []string{tt.output}
			}
			err := buildFailed(t.Context(), errors.New("exit status 1"), lines)
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.output) {
				t.Errorf("got %v\nwant it to hold %q and the output", err, tt.want)
			}
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := buildFailed(ended, errors.New("signal: interrupt"), nil); !errors.Is(err, errInterrupted) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestIsPackage(t *testing.T) {
	for line, want := range map[string]bool{
		"k8s.io/kubernetes/pkg/apis/core":   true,
		"runtime":                           true,
		"gopkg.in/evanphx/json-patch.v4":    true,
		"go: downloading k8s.io/api v0.1.0": false,
		"# k8s.io/api":                      false,
		"":                                  false,
	} {
		if got := isPackage(line); got != want {
			t.Errorf("isPackage(%q) = %t", line, got)
		}
	}
}

func TestHowFar(t *testing.T) {
	tests := map[string]struct {
		compiled int
		linking  bool
		want     string
	}{
		"compiling":     {412, false, "compiled 412 of about 2,706 packages"},
		"linking":       {2700, true, "compiled 2,700 packages, linking"},
		"all in cache":  {0, false, "compiled 0 packages, linking"},
		"one left only": {1, false, "compiled 1 of about 2,706 packages"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := howFar(tt.compiled, 2706, tt.linking); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
