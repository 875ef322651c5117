// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// history is an API server with many actions, in pages.
type history struct {
	total int
	// expires: the page that begins there is gone, once, and the server offers
	// to go on behind it.
	expires int
	// cut: the connection ends in the middle of the page that begins there.
	cut int

	mu      sync.Mutex
	pages   int
	largest int    // page that was asked for
	peak    uint64 // of the heap, as the client waited for a page
}

// ServeHTTP implements http.Handler. The continue token is the number of the
// first action of the page.
func (h *history) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	query := r.URL.Query()
	first, _ := strconv.Atoi(query.Get("continue"))
	limit, _ := strconv.Atoi(query.Get("limit"))
	h.pages++
	if h.pages%pagesPerLook == 0 {
		h.peak = max(h.peak, liveHeap())
	}
	if limit == 0 {
		limit = h.total
	}
	h.largest = max(h.largest, limit)
	w.Header().Set("Content-Type", "application/json")
	if h.expires > 0 && first == h.expires {
		h.expires = 0
		w.WriteHeader(http.StatusGone)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":410,"reason":"Expired","message":"too old","metadata":{"continue":"%d"}}`, first)
		return
	}
	last, next := min(first+limit, h.total), ""
	if last < h.total {
		next = strconv.Itoa(last)
	}
	if h.cut > 0 && first == h.cut {
		w.Header().Set("Content-Length", "1000000")
	}
	fmt.Fprintf(w, `{"apiVersion":"governance.ascendowkai.com/v1alpha1","kind":"AgentActionList","metadata":{"continue":%q},"items":[`, next)
	for i := first; i < last; i++ {
		if i > first {
			io.WriteString(w, ",") //nolint:errcheck // the test sees what is missing
		}
		fmt.Fprintf(w, `{"apiVersion":"governance.ascendowkai.com/v1alpha1","kind":"AgentAction","metadata":{"name":"act-%06d","namespace":"default","uid":"%d","creationTimestamp":"2025-12-19T10:%02d:%02dZ"},`+
			`"spec":{"agentRef":{"name":"tutorial-agent"},"actionType":"database_read","description":"%s","parameters":{"table":"customers"}},`+
			`"status":{"decision":"Approved","reason":"AutoApproved","risk":{"score":"2.1","level":"Low"}}}`, i, i, i/60%60, i%60, strings.Repeat("x", 1000))
		if h.cut > 0 && first == h.cut && i > first+10 {
			return // the server ends the connection, for it promised more
		}
	}
	io.WriteString(w, "]}") //nolint:errcheck // as above
}

// pagesPerLook is how often the heap is looked at: when a page is asked for,
// nobody is in the middle of anything, so that what is in use is what is kept.
const pagesPerLook = 8

// counter counts what is written and keeps none of it.
type counter struct{ lines, bytes int }

func (c *counter) Write(data []byte) (int, error) {
	c.bytes += len(data)
	c.lines += bytes.Count(data, []byte("\n"))
	return len(data), nil
}

// liveHeap is what is in use after a collection, in bytes.
func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A history of 100,000 actions, some 150 MB of JSON, goes through in pages, and
// is never held: what stays are the rows of a table, or nothing.
func TestHundredThousandActions(t *testing.T) {
	const most = 100_000
	for _, tc := range []struct {
		name  string
		argv  []string
		total int
		lines int
		grows uint64 // bytes of heap above that before, at most
	}{
		{"newest", []string{"--limit", "10"}, most, 11, 64 << 20},
		{"table", []string{"--limit", "0"}, most, most + 1, 160 << 20},
		{"json", []string{"--limit", "0", "-o", "json"}, most, 0, 64 << 20},
		{"yaml", []string{"--limit", "0", "-o", "yaml"}, most / 20, 0, 64 << 20}, // YAML is slow to write
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := &history{total: tc.total}
			server := httptest.NewServer(h)
			defer server.Close()
			out := &counter{}
			before := liveHeap()
			s := session.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: out, ErrOut: io.Discard})
			*s.Flags.APIServer = server.URL
			t.Setenv("KUBECONFIG", "/dev/null")
			code := run(t.Context(), s, append([]string{"ascend", "actions", "list", "--server", server.URL}, tc.argv...))
			if code != session.ExitOK || (tc.lines > 0 && out.lines != tc.lines) {
				t.Fatalf("exit %d, %d lines, want %d", code, out.lines, tc.lines)
			}
			if tc.lines == 0 && out.bytes < tc.total*1000 {
				t.Errorf("only %d bytes were printed", out.bytes)
			}
			if h.pages != tc.total/500 || h.largest != 500 {
				t.Errorf("%d pages of up to %d actions, want %d of 500", h.pages, h.largest, tc.total/500)
			}
			grown := max(h.peak, before) - before
			if grown > tc.grows {
				t.Errorf("the heap grew by %d MiB, want at most %d", grown>>20, tc.grows>>20)
			}
			t.Logf("the heap grew by %d MiB at most", grown>>20)
		})
	}
}

// A template takes the whole list at once, so that it is bounded.
func TestTemplatesAreBounded(t *testing.T) {
	server := httptest.NewServer(&history{total: 10_001})
	defer server.Close()
	argv := []string{"ascend", "actions", "list", "--limit", "0", "-o", "jsonpath={.items[*].metadata.name}"}
	checkGolden(t, play(t, server.URL, nil, argv...).transcript(argv))
}

// A list whose pages expire goes on where the server offers it, in every format.
func TestExpiredPagesGoOn(t *testing.T) {
	for _, format := range []string{"name", "json"} {
		t.Run(format, func(t *testing.T) {
			h := &history{total: 1200, expires: 1000}
			server := httptest.NewServer(h)
			defer server.Close()
			r := play(t, server.URL, nil, "ascend", "actions", "list", "--limit", "0", "-o", format)
			if n := strings.Count(r.out, "act-"); r.code != session.ExitOK || n != 1200 || h.largest != 500 {
				t.Errorf("exit %d, %d actions in pages of up to %d: %s", r.code, n, h.largest, r.errOut)
			}
		})
	}
}

// A connection that is cut in the middle of a list is told, and nothing else.
func TestNetworkCutInList(t *testing.T) {
	server := httptest.NewServer(&history{total: 1200, cut: 500})
	defer server.Close()
	argv := []string{"ascend", "actions", "list"}
	checkGolden(t, play(t, server.URL, nil, argv...).transcript(argv))
}

// flaky is an API server with one action that hangs up on who watches, and
// later has it decided.
type flaky struct {
	watches int
	forGood bool // it answers the first request alone
	mu      sync.Mutex
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	action := pending()
	action.APIVersion, action.Kind, action.ResourceVersion = "governance.ascendowkai.com/v1alpha1", "AgentAction", "7"
	if r.URL.Query().Get("limit") != "" {
		json.NewEncoder(w).Encode(map[string]any{"apiVersion": action.APIVersion, "kind": "AgentActionList", //nolint:errcheck // the test sees it
			"metadata": map[string]any{"resourceVersion": "7"}, "items": []any{action}})
		return
	}
	if f.forGood {
		panic(http.ErrAbortHandler)
	}
	f.watches++
	switch f.watches {
	case 1: // half an event, then nothing
		io.WriteString(w, `{"type":"MODIFIED","object":{"kind":"AgentAc`) //nolint:errcheck // as above
	case 2: // no answer at all
		panic(http.ErrAbortHandler)
	case 3: // too old
		io.WriteString(w, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}}`) //nolint:errcheck // as above
	default:
		asApproved(action)
		json.NewEncoder(w).Encode(map[string]any{"type": "MODIFIED", "object": action}) //nolint:errcheck // as above
	}
}

// Whoever waits outlives a connection that is cut, an API server that is away,
// and a watch that is too old.
func TestNetworkCutInWait(t *testing.T) {
	server := httptest.NewServer(&flaky{})
	server.Config.ErrorLog = nil
	defer server.Close()
	argv := []string{"ascend", "wait", "act-ghi789", "--timeout", "60s"}
	checkGolden(t, play(t, server.URL, nil, argv...).transcript(argv))
}

// Whoever waited in vain is told that it was because nothing could be seen.
func TestNetworkCutForGood(t *testing.T) {
	server := httptest.NewServer(&flaky{forGood: true})
	server.Config.ErrorLog = nil
	defer server.Close()
	argv := []string{"ascend", "wait", "act-ghi789", "--timeout", "1s"}
	checkGolden(t, play(t, server.URL, nil, argv...).transcript(argv))
}

// -v 1 says what is asked, -v 6 every request; never a token.
func TestVerbose(t *testing.T) {
	for _, level := range []string{"1", "6"} {
		t.Run(level, func(t *testing.T) {
			server := httptest.NewServer(&history{total: 3})
			defer server.Close()
			argv := []string{"ascend", "actions", "list", "-o", "name", "--token", "top-secret", "-v", level}
			r := play(t, server.URL, nil, argv...)
			r.errOut = milliseconds.ReplaceAllString(r.errOut, "0s")
			if strings.Contains(r.errOut+r.out, "secret") {
				t.Error("a token is printed")
			}
			argv[6] = "TOKEN"
			checkGolden(t, r.transcript(argv))
		})
	}
}
