// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Something on the way that holds back what a watch tells, and lets the answer
// begin, keeps nobody waiting for ever.
func TestWaitBehindASilentWatch(t *testing.T) {
	var watches atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Has("watch"):
			watches.Add(1)
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case !strings.HasSuffix(r.URL.Path, "/act-1"):
			fmt.Fprint(w, `{"metadata": {"resourceVersion": "7"}}`)
		case watches.Load() < 2:
			fmt.Fprint(w, `{"metadata": {"name": "act-1", "uid": "u", "resourceVersion": "6"}, "status": {"decision": "Pending"}}`)
		default:
			fmt.Fprint(w, `{"metadata": {"name": "act-1", "uid": "u", "resourceVersion": "8"}, "status": {"decision": "Approved"}}`)
		}
	}))
	defer server.Close()
	c, err := New(Options{Config: &rest.Config{Host: server.URL}, PollInterval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.watcher.silence = 300 * time.Millisecond
	got := make(chan error, 1)
	go func() {
		_, err := c.Wait(t.Context(), "act-1")
		got <- err
	}()
	select {
	case err := <-got:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("still waits, after %d watches", watches.Load())
	}
}

// hearsNothing is a client that is told by nobody but the test.
func hearsNothing(t *testing.T) *Client {
	t.Helper()
	c, err := New(Options{Config: &rest.Config{Host: "http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// written is an action of that version.
func written(uid types.UID, version string) *v1alpha1.AgentAction {
	return &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Name: "act-1", UID: uid, ResourceVersion: version}}
}

// A watch that lags tells of the action that had the name before. Nothing of
// that is news.
func TestTellOfAnEarlierAction(t *testing.T) {
	c := hearsNothing(t)
	one := c.watcher.begin("act-1", false, "")
	defer c.watcher.end(one)
	c.watcher.made(one, written("mine", "20"))
	c.watcher.tell(written("earlier", "19"), 1)
	if latest, failure, _ := c.watcher.state(one); failure != nil || latest.UID != "mine" {
		t.Errorf("%+v, %v", latest, failure)
	}
	c.watcher.tell(written("later", "21"), 1)
	if _, failure, _ := c.watcher.state(one); failure == nil {
		t.Error("nobody says that it is gone")
	}
}

// The watch may be quicker than the answer to the request that made the action, and
// tell already of another that took its name.
func TestTellOfALaterActionBeforeItIsKnownAsMade(t *testing.T) {
	c := hearsNothing(t)
	for _, test := range []struct {
		name   string
		seen   *v1alpha1.AgentAction
		isGone bool
	}{
		{"another, later", written("later", "21"), true},
		{"another, earlier", written("earlier", "19"), false},
		{"the same, as it was decided", written("mine", "21"), false},
	} {
		one := c.watcher.begin("act-1", false, "")
		c.watcher.tell(test.seen, 1)
		c.watcher.made(one, written("mine", "20"))
		if latest, failure, _ := c.watcher.state(one); latest.UID != "mine" || (failure != nil) != test.isGone {
			t.Errorf("%s: %+v, %v", test.name, latest, failure)
		}
		c.watcher.end(one)
	}
}
