// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// stream is a buffer that is written while somebody looks.
type stream struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *stream) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(data)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// running is a program that goes on until it is interrupted.
type running struct {
	out, errOut *stream
	interrupt   context.CancelFunc
	code        chan int
}

// start runs a program that watches, and returns once it does.
func (d desk) start(t *testing.T, c *cluster, argv ...string) *running {
	t.Helper()
	c.watched = make(chan struct{}, 100)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(strings.Replace(kubeconfig, "%s", testServer, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
	r := &running{out: &stream{}, errOut: &stream{}, code: make(chan int, 1)}
	s := session.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: r.out, ErrOut: r.errOut})
	s.Clock = clocktesting.NewFakePassiveClock(testNow)
	s.Dial = c.dial(t)
	s.Screen = session.Screen{Terminal: d.live, Width: d.width}
	ctx, stop := context.WithCancel(t.Context())
	r.interrupt = stop
	go func() { r.code <- run(ctx, s, argv) }()
	select {
	case <-c.watched:
	case <-time.After(time.Minute):
		t.Fatalf("it does not watch:\n%s\n%s", r.out, r.errOut)
	}
	return r
}

// until waits for text on stdout.
func (r *running) until(t *testing.T, text string) {
	t.Helper()
	for range 6000 { // a minute: the machine may be busy
		if strings.Contains(r.out.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q never came:\n%s\n%s", text, r.out, r.errOut)
}

// end waits for the exit code.
func (r *running) end(t *testing.T) int {
	t.Helper()
	select {
	case code := <-r.code:
		return code
	case <-time.After(time.Minute):
		t.Fatalf("it does not end:\n%s\n%s", r.out, r.errOut)
		return -1
	}
}

// edit changes an action as somebody else.
func (c *cluster) edit(t *testing.T, name string, change func(*v1alpha1.AgentAction)) {
	t.Helper()
	if err := c.write(t.Context(), client.ObjectKey{Namespace: "default", Name: name}, change); err != nil {
		t.Fatal(err)
	}
}

// screen is what a terminal shows that got this.
func screen(t *testing.T, text string) []string {
	t.Helper()
	lines, at, column := []string{""}, 0, 0
	for text != "" {
		if rest, found := strings.CutPrefix(text, "\x1b["); found {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' })
			n, _ := strconv.Atoi(rest[:end])
			switch rest[end] {
			case 'A':
				at -= n
			case 'K':
				lines[at] = string([]rune(lines[at])[:column])
			case 'J':
				lines = append(lines[:at], string([]rune(lines[at])[:column]))
			case 'h', 'l', 'm':
			default:
				t.Fatalf("unexpected command %q", rest[:end+1])
			}
			text = rest[end+1:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch r {
		case '\n':
			if at, column = at+1, 0; at == len(lines) {
				lines = append(lines, "")
			}
		case '\r':
			column = 0
		default:
			line := []rune(lines[at])
			if column < len(line) {
				line[column] = r
			} else {
				line = append(line, r)
			}
			lines[at] = string(line)
			column++
		}
	}
	return lines
}

// In a pipe there is a line for each change.
func TestInboxWatchPiped(t *testing.T) {
	c := shop()
	r := desk{}.start(t, c, "ascend", "inbox", "-w")
	r.until(t, "act-3")
	if err := c.store.Create(t.Context(), waiting("act-0", until(4*time.Minute))); err != nil {
		t.Fatal(err)
	}
	r.until(t, "act-0")
	c.edit(t, "act-2", func(a *v1alpha1.AgentAction) {
		denies(a)
		a.Status.Message = "bob denied it:\x1b[2J wrong"
	})
	r.until(t, "denied")
	c.edit(t, "act-3", passes)
	r.until(t, "passed on")
	c.edit(t, "act-managers", func(a *v1alpha1.AgentAction) { a.Status.Approval.PendingApprovers = []string{"user:alice"} })
	r.until(t, "act-managers")
	c.edit(t, "act-1", counts)
	r.until(t, "still waits")
	if err := c.store.Delete(t.Context(), waiting("act-0", nil)); err != nil {
		t.Fatal(err)
	}
	r.until(t, "deleted")
	r.interrupt()
	if code := r.end(t); code != session.ExitOK {
		t.Errorf("Ctrl-C ends with exit %d, want 0: %s", code, r.errOut)
	}
	checkGolden(t, r.out.String())
}

// On a terminal the table is drawn in place, and never wiped.
func TestInboxWatchLive(t *testing.T) {
	c := shop()
	r := desk{live: true, width: 80}.start(t, c, "ascend", "inbox", "-w")
	r.until(t, "Next:")
	if err := c.store.Create(t.Context(), waiting("act-0", until(4*time.Minute))); err != nil {
		t.Fatal(err)
	}
	r.until(t, "act-0")
	for _, name := range []string{"act-1", "act-2", "act-3"} {
		c.edit(t, name, approves)
	}
	c.edit(t, "act-0", func(a *v1alpha1.AgentAction) { a.Status.Approval.Granted, a.Status.Approval.Required = 1, 7 })
	r.until(t, "1 of 7")
	r.interrupt()
	if code := r.end(t); code != session.ExitOK {
		t.Errorf("Ctrl-C ends with exit %d, want 0: %s", code, r.errOut)
	}
	out := r.out.String()
	if strings.Contains(out, "\x1b[2J") || !strings.HasSuffix(out, "\x1b[?25h") {
		t.Errorf("the screen is wiped, or the cursor not given back: %q", out)
	}
	checkGolden(t, strings.Join(screen(t, out), "\n"))
}

// An empty inbox says so, and fills.
func TestInboxWatchEmpty(t *testing.T) {
	c := &cluster{objects: []client.Object{high(nil), tutorialAgent(nil)}}
	r := desk{live: true, width: 80}.start(t, c, "ascend", "inbox", "-w")
	r.until(t, "Nothing waits for you")
	if err := c.store.Create(t.Context(), waiting("act-0", nil)); err != nil {
		t.Fatal(err)
	}
	r.until(t, "act-0")
	r.interrupt()
	r.end(t)
	if lines := screen(t, r.out.String()); len(lines) != 4 || strings.Contains(strings.Join(lines, "\n"), "Nothing") {
		t.Errorf("the screen is %q", lines)
	}
}

func TestReviewWatch(t *testing.T) {
	c := with(twoStages(pending()), cluster{})
	r := desk{}.start(t, &c, "ascend", "review", "act-ghi789", "-w")
	r.until(t, "WHAT TO TYPE")
	c.edit(t, "act-ghi789", counts)
	r.until(t, "1 of 2 given")
	c.edit(t, "act-ghi789", approves)
	if code := r.end(t); code != session.ExitOK {
		t.Errorf("exit %d: %s", code, r.errOut)
	}
	_, after, _ := strings.Cut(r.out.String(), "WHY\"\n")
	checkGolden(t, after)
}

// On a terminal that is lower than the page, the rest is told of.
func TestReviewWatchLive(t *testing.T) {
	c := with(pending(), cluster{})
	r := desk{live: true, width: 80}.start(t, &c, "ascend", "review", "act-ghi789", "-w")
	r.until(t, "more lines")
	if err := c.store.Delete(t.Context(), pending()); err != nil {
		t.Fatal(err)
	}
	if code := r.end(t); code != session.ExitError || !strings.Contains(r.errOut.String(), "act-ghi789 was deleted") {
		t.Errorf("exit %d: %s", code, r.errOut)
	}
	lines := screen(t, r.out.String())
	rows := len(lines)
	for _, line := range lines {
		rows += (terminal.Columns(line) - 1) / 80 // of a command to be copied, which is not broken
	}
	if rows != 24 || rows == len(lines) {
		t.Errorf("the screen has %d rows, want 24:\n%s", rows, strings.Join(lines, "\n"))
	}
}
