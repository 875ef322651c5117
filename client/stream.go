// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const (
	// watchTime is how long one request watches; then another goes on where it ended.
	watchTime = 5 * time.Minute
	// maxSilence is how long a watch may say nothing before it is taken for dead:
	// the API server sends a bookmark every minute.
	maxSilence = 2 * time.Minute
	// refusedPause is how long until a watch is asked for again that was refused.
	refusedPause = time.Minute
	// lived is how long a watch lasts that was not cut at once.
	lived = time.Second
)

// follow keeps a watch open until ctx ends.
func (w *watcher) follow(ctx context.Context) {
	version := "" // to go on from; empty: from now
	for try := 0; ctx.Err() == nil; try++ {
		began := time.Now()
		next, err := w.watchOnce(ctx, version)
		version = next
		refused := isRefused(err)
		if refused {
			w.readDue(ctx) // nobody else tells them
		}
		if time.Since(began) > lived && !refused {
			try = 0
		}
		pause := refusedPause
		if !refused {
			pause = rand.N(min(firstPause<<min(try, 10), lastPause)) //nolint:gosec // no secret
		}
		w.client.pause(ctx, pause)
	}
}

// isRefused says whether watching or listing is not allowed, which waiting does
// not mend soon.
func isRefused(err error) bool {
	var (
		forbidden *AuthorizationError
		unknown   *AuthenticationError
		missing   *NotInstalledError
	)
	return errors.As(err, &forbidden) || errors.As(err, &unknown) || errors.As(err, &missing)
}

// watchOnce makes one watch and follows it to its end. Without a version to go
// on from it finds one, and then has everything read that somebody waits for. It
// returns where to go on; empty: from now.
func (w *watcher) watchOnce(ctx context.Context, version string) (string, error) {
	c, afresh := w.client, version == ""
	selection := url.Values{}
	if c.options.Agent != "" {
		selection.Set("fieldSelector", "spec.agentRef.name="+c.options.Agent)
	}
	if afresh {
		list := &v1alpha1.AgentActionList{}
		query := url.Values{"limit": {"1"}, "fieldSelector": selection["fieldSelector"]}
		if _, err := c.call(ctx, &call{verb: "list", resource: "agentactions", method: http.MethodGet, path: c.actions(""), query: query, once: true}, list); err != nil {
			return "", err
		}
		version = list.ResourceVersion
	}
	selection.Set("watch", "true")
	selection.Set("resourceVersion", version)
	selection.Set("allowWatchBookmarks", "true")
	selection.Set("timeoutSeconds", strconv.Itoa(int(watchTime/time.Second)))
	s, err := w.open(ctx, &call{verb: "watch", resource: "agentactions", method: http.MethodGet, path: c.actions(""), query: selection})
	if err != nil {
		return restart(err, version), err
	}
	defer s.close()
	round, is := w.begun(ctx, afresh)
	if !is {
		return version, ctx.Err()
	}
	defer w.over(ctx)
	if afresh {
		// Beside the stream, which has to be read meanwhile.
		done := make(chan struct{})
		go func() { defer close(done); w.readDue(s.ctx) }()
		defer func() { <-done }()
		defer s.close() // ends what is still being read
	}
	return s.run(w, version, round)
}

// restart is where to go on after a watch was refused: anew where the place is
// too old.
func restart(err error, version string) string {
	if status := (*ServerError)(nil); errors.As(err, &status) && status.Status == http.StatusGone {
		return ""
	}
	return version
}

// begun notes that there is a watch, and returns its round; false when it came
// too late.
func (w *watcher) begun(ctx context.Context, afresh bool) (int, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return 0, false
	}
	if afresh {
		w.round++
	}
	w.live = true
	return w.round, true
}

// over notes that there is none any more, unless another run has one.
func (w *watcher) over(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() == nil {
		w.live = false
	}
}

// stream is a watch that is open.
type stream struct {
	ctx   context.Context
	close context.CancelFunc
	body  io.ReadCloser
	timer *time.Timer // closes it when nothing comes
}

// open opens a watch. It is not one of the requests that slots bounds, for it stays.
func (w *watcher) open(ctx context.Context, r *call) (*stream, error) {
	c := w.client
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(c.options.Timeout, cancel)
	response, err := c.open(ctx, r) //nolint:bodyclose // the stream's close does
	if err != nil {
		timer.Stop()
		cancel()
		return nil, c.unanswered(r, err)
	}
	s := &stream{ctx: ctx, body: response.Body, timer: timer, close: func() {
		timer.Stop()
		cancel()
		response.Body.Close()
	}}
	if response.StatusCode != http.StatusOK {
		defer s.close()
		body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return nil, c.unanswered(r, err)
		}
		return nil, c.judge(r, &answer{code: response.StatusCode, header: response.Header, body: body}, nil)
	}
	return s, nil
}

// run tells of every event until the stream ends, and returns where to go on.
func (s *stream) run(w *watcher, version string, round int) (string, error) {
	decoder := json.NewDecoder(s.body)
	for {
		s.timer.Reset(w.silence)
		var event struct {
			Type   watch.EventType `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := decoder.Decode(&event); err != nil {
			if !s.timer.Stop() {
				// Something on the way may hold back what comes, and would again:
				// by a watch from anew, whoever waits is told all the same.
				version = ""
			}
			return version, err
		}
		if event.Type == watch.Error {
			status := &metav1.Status{}
			if err := json.Unmarshal(event.Object, status); err != nil {
				return "", err
			}
			return "", &ServerError{Problem{Message: status.Message, Status: int(status.Code), Reason: string(status.Reason)}}
		}
		action := &v1alpha1.AgentAction{}
		if err := json.Unmarshal(event.Object, action); err != nil {
			return "", err
		}
		version = action.ResourceVersion
		switch event.Type {
		case watch.Added, watch.Modified:
			w.tell(action, round)
		case watch.Deleted:
			w.tellGone(action)
		case watch.Bookmark, watch.Error:
		}
	}
}
