// SPDX-License-Identifier: Apache-2.0

// Package receivers_test runs the receivers that docs/notifications.md shows,
// and posts to them what the operator posts, and what others might.
package receivers_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// programs are the commands of the receivers.
func programs(t *testing.T) map[string][]string {
	t.Helper()
	built := filepath.Join(t.TempDir(), "receiver")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", built, "./go")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return map[string][]string{
		"go": {built, "-listen", "127.0.0.1:0"}, "python": {"python3", filepath.Join("python", "receiver.py"), "--listen", "127.0.0.1:0"},
	}
}

// start runs a receiver with that secret, and gives its address and what it printed by the end.
func start(t *testing.T, command []string, secret string) (url string, stop func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	run := exec.CommandContext(ctx, command[0], command[1:]...)
	run.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
	out, in := io.Pipe()
	run.Stdout, run.Stderr = in, in
	if err := run.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	lines := make(chan string, 1000) // more than any of the tests makes it print
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	var printed strings.Builder
	stop = func() string {
		cancel()
		go func() { _ = run.Wait(); in.Close() }() // it was killed
		for line := range lines {
			printed.WriteString(line + "\n")
		}
		return printed.String()
	}
	select {
	case line := <-lines:
		_, url, _ = strings.Cut(line, "listening on ")
		if url == "" {
			t.Fatalf("%s\n%s", line, stop())
		}
	case <-time.After(time.Minute):
		t.Fatal("the receiver does not start: " + stop())
	}
	return url, stop
}

var (
	current  = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the secret since the rotation, 32b"))
	previous = "the secret before the rotation"
)

// delivery is a request of the operator, which the test may change.
type delivery struct {
	header http.Header
	body   []byte
}

// signed is what the operator sends with these secrets at that time.
func signed(t *testing.T, id string, at time.Time, secret, previous string) delivery {
	t.Helper()
	var got delivery
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got.header = r.Header.Clone()
		got.body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	sender := notify.NewSender(notify.SenderOptions{Version: "test", Clock: clocktesting.NewFakePassiveClock(at), AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer sender.Close()
	to := notify.Target{Namespace: "default", Name: "hooks", URL: server.URL, Secret: []byte(secret)}
	if previous != "" {
		to.PreviousSecret = []byte(previous)
	}
	action := &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-" + id},
		Spec:       v1alpha1.AgentActionSpec{AgentRef: v1alpha1.LocalReference{Name: "tutorial-agent"}, ActionType: "database_read"},
		Status:     v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionApproved, Risk: &v1alpha1.RiskStatus{Score: "2.1", Level: v1alpha1.RiskLevelLow}},
	}
	result := sender.Send(t.Context(), to, notify.Event{ID: "evt_" + id, Type: v1alpha1.EventActionApproved, Time: at, Reason: "AutoApproved",
		Subject: notify.Subject{Namespace: "default", Name: action.Name, Kind: "AgentAction", Action: action}})
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	return got
}

func post(t *testing.T, url string, d delivery) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(d.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = d.header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func (d delivery) with(key, value string) delivery {
	changed := delivery{d.header.Clone(), d.body}
	changed.header.Set(key, value)
	return changed
}

func (d delivery) saying(from, to string) delivery {
	return delivery{d.header.Clone(), bytes.Replace(d.body, []byte(from), []byte(to), 1)}
}

func TestReceivers(t *testing.T) {
	t.Parallel()
	for name, command := range programs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, stop := start(t, command, current)
			now := time.Now()
			good := signed(t, "1", now, current, "")
			for _, step := range []struct {
				what string
				send delivery
				want int
			}{
				{"a delivery", good, http.StatusNoContent},
				{"the same again: its answer was lost", good, http.StatusOK},
				{"the same, tried a minute later", signed(t, "1", now.Add(time.Minute), current, ""), http.StatusOK},
				{"another", signed(t, "2", now, current, ""), http.StatusNoContent},
				{"while the secret is rotated", signed(t, "3", now, current, previous), http.StatusNoContent},
				{"while it is rotated back", signed(t, "4", now, previous, current), http.StatusNoContent},
				{"an altered body", signed(t, "5", now, current, "").saying("APPROVED", "DENIED"), http.StatusUnauthorized},
				{"one more space", signed(t, "5", now, current, "").saying("{", "{ "), http.StatusUnauthorized},
				{"an id of its own", good.with("webhook-id", "evt_6"), http.StatusUnauthorized},
				{"a timestamp of its own", good.with("webhook-timestamp", "1"+good.header.Get("webhook-timestamp")), http.StatusUnauthorized},
				{"a timestamp that is none", good.with("webhook-timestamp", "soon"), http.StatusUnauthorized},
				{"no id", good.with("webhook-id", ""), http.StatusUnauthorized},
				{"no signature", good.with("webhook-signature", ""), http.StatusUnauthorized},
				{"a signature of another kind", good.with("webhook-signature", strings.Replace(good.header.Get("webhook-signature"), "v1,", "v2,", 1)), http.StatusUnauthorized},
				{"an old delivery", signed(t, "7", now.Add(-6*time.Minute), current, ""), http.StatusUnauthorized},
				{"one of the future", signed(t, "7", now.Add(6*time.Minute), current, ""), http.StatusUnauthorized},
				{"one of four minutes ago", signed(t, "8", now.Add(-4*time.Minute), current, ""), http.StatusNoContent},
				{"the secret that was rotated out", signed(t, "9", now, previous, ""), http.StatusUnauthorized},
				// One byte too many, and no more: what is left unread when a connection
				// is closed resets it, and may take the answer with it.
				{"a body too long", delivery{good.header, make([]byte, 1<<20+1)}, http.StatusRequestEntityTooLarge},
			} {
				if got := post(t, url, step.send); got != step.want {
					t.Errorf("%s: %d, want %d", step.what, got, step.want)
				}
			}
			printed := stop()
			for _, id := range []string{"evt_1", "evt_2", "evt_3", "evt_4", "evt_8"} {
				if strings.Count(printed, id+`":`)+strings.Count(printed, id+"':") != 1 {
					t.Errorf("%s was not handled once:\n%s", id, printed)
				}
			}
			if n := strings.Count(printed, "action.approved"); n != 5 {
				t.Errorf("%d events were handled:\n%s", n, printed)
			}
		})
	}
}

// A receiver that knows the previous secret alone goes on while it is rotated,
// and no longer.
func TestReceiversWithThePreviousSecret(t *testing.T) {
	t.Parallel()
	for name, command := range programs(t) {
		url, stop := start(t, command, previous)
		for _, step := range []struct {
			send delivery
			want int
		}{
			{signed(t, "1", time.Now(), previous, ""), http.StatusNoContent},
			{signed(t, "2", time.Now(), current, previous), http.StatusNoContent},
			{signed(t, "3", time.Now(), current, ""), http.StatusUnauthorized},
		} {
			if got := post(t, url, step.send); got != step.want {
				t.Errorf("%s, %s: %d, want %d", name, step.send.header.Get("webhook-id"), got, step.want)
			}
		}
		stop()
	}
}

// A receiver does not start without a secret, and does not print the one it got.
func TestReceiversNeedASecret(t *testing.T) {
	t.Parallel()
	for name, command := range programs(t) {
		for _, secret := range []string{"", "canary", "whsec_canary!"} {
			run := exec.CommandContext(t.Context(), command[0], command[1:]...)
			run.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
			out, err := run.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "WEBHOOK_SECRET") || strings.Contains(string(out), "canary") {
				t.Errorf("%s with %q: %v: %s", name, secret, err, out)
			}
		}
	}
}

// What the page shows of the programs is in them, word for word.
func TestPageShowsThePrograms(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "notifications.md"))
	if err != nil {
		t.Fatal(err)
	}
	for language, path := range map[string]string{"go": "go/main.go", "python": "python/receiver.py"} {
		program, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1)
		if len(blocks) != 1 || !bytes.Contains(program, blocks[0][1]) {
			t.Errorf("%s: %d blocks, which are not as in %s", language, len(blocks), path)
		}
	}
}
