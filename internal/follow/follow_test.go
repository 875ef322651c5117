// SPDX-License-Identifier: Apache-2.0

package follow_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/internal/follow"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// watched is a file that is followed, one look at a time.
type watched struct {
	t     *testing.T
	path  string
	clock *clocktesting.FakeClock
	seen  []string
	idle  chan struct{}
	ended chan error
}

func watch(t *testing.T, text string) *watched {
	t.Helper()
	w := &watched{
		t: t, path: filepath.Join(t.TempDir(), "audit.log"), clock: clocktesting.NewFakeClock(time.Now()),
		idle: make(chan struct{}), ended: make(chan error, 1),
	}
	w.write(os.O_CREATE, text)
	ctx, stop := context.WithCancel(t.Context())
	f := &follow.Follower{Path: w.path, Clock: w.clock}
	go func() {
		w.ended <- f.Run(ctx,
			func(line trail.Line) error { w.seen = append(w.seen, string(line.Raw)); return nil },
			func() error {
				select {
				case w.idle <- struct{}{}:
				case <-ctx.Done():
				}
				return nil
			})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-w.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
	<-w.idle
	return w
}

func (w *watched) write(flags int, text string) {
	w.t.Helper()
	file, err := os.OpenFile(w.path, os.O_WRONLY|flags, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Close()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) rename(to string) {
	w.t.Helper()
	if err := os.Rename(w.path, filepath.Join(filepath.Dir(w.path), to)); err != nil {
		w.t.Fatal(err)
	}
}

// look lets the follower look once, and checks what it has seen since the last time.
func (w *watched) look(what string, want ...string) {
	w.t.Helper()
	w.seen = nil
	w.clock.Step(follow.Interval)
	<-w.idle
	if !slices.Equal(w.seen, want) {
		w.t.Errorf("%s: saw %q, want %q", what, w.seen, want)
	}
}

func TestGrows(t *testing.T) {
	t.Parallel()
	w := watch(t, "one\ntwo\n")
	if !slices.Equal(w.seen, []string{"one", "two"}) {
		t.Errorf("at first %q", w.seen)
	}
	w.look("nothing new")
	w.write(os.O_APPEND, "thr")
	w.look("half a line")
	w.write(os.O_APPEND, "ee\nfour\n")
	w.look("its other half", "three", "four")
}

func TestRotated(t *testing.T) {
	t.Parallel()
	w := watch(t, "one\n")
	w.write(os.O_APPEND, "two\nunfinished")
	w.rename("audit-20261122T201312.123456Z.log")
	w.look("between", "two")
	w.write(os.O_CREATE, "three\n")
	w.look("rotated", "unfinished", "three")
	w.write(os.O_APPEND, "four\n")
	w.look("goes on", "four")

	w.rename("audit-20261122T201313.000000Z.log")
	w.write(os.O_CREATE, "five\n")
	w.rename("audit-20261122T201314.000000Z.log")
	w.write(os.O_CREATE, "six\n")
	w.rename("audit-20261122T201315.000000Z.log")
	w.write(os.O_CREATE, "seven\n")
	w.look("rotated three times", "five", "six", "seven")
}

// By logrotate, with numbers that all become one more.
func TestRotatedByNumber(t *testing.T) {
	t.Parallel()
	w := watch(t, "one\n")
	w.rename("audit.log.1")
	w.write(os.O_CREATE, "two\n")
	w.look("once", "two")
	if err := os.Rename(w.path+".1", w.path+".2"); err != nil {
		t.Fatal(err)
	}
	w.rename("audit.log.1")
	w.write(os.O_CREATE, "three\n")
	w.look("twice", "three")
}

// What a failed write left is taken back, and the same place is written anew: only
// what is another line comes again.
func TestCut(t *testing.T) {
	t.Parallel()
	w := watch(t, "one\ntwo\nthree\nfour\n")
	cut := func(size int64) {
		t.Helper()
		if err := os.Truncate(w.path, size); err != nil {
			t.Fatal(err)
		}
	}
	cut(int64(len("one\ntwo\n")))
	w.look("cut")
	w.write(os.O_APPEND, "drei\n")
	w.look("goes on", "drei")
	cut(int64(len("one\ntwo\n")))
	w.write(os.O_APPEND, "trois, and longer than before\nquatre\n")
	w.look("cut and longer", "trois, and longer than before", "quatre")
	cut(0)
	w.look("emptied")
	w.write(os.O_APPEND, "new\n")
	w.look("begun anew", "new")
	w.write(os.O_TRUNC, "other\n")
	w.look("another text", "other")
}

// More lines than are remembered.
func TestMany(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("line\n", 5000)
	w := watch(t, text)
	if len(w.seen) != 5000 {
		t.Errorf("%d lines", len(w.seen))
	}
	if err := os.Truncate(w.path, int64(len(text)-10)); err != nil {
		t.Fatal(err)
	}
	w.write(os.O_APPEND, "other\n")
	w.look("cut", "other")
}

func TestMissing(t *testing.T) {
	t.Parallel()
	f := &follow.Follower{Path: filepath.Join(t.TempDir(), "audit.log"), Clock: clocktesting.NewFakeClock(time.Now())}
	if err := f.Run(t.Context(), nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
