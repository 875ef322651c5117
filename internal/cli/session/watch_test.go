// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// script is an API server that does what the test says, one call after the other.
type script struct {
	client.WithWatch
	lists   []func(*v1alpha1.AgentActionList) error
	watches []func() (watch.Interface, error)
	asked   []string
}

func (s *script) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	o := (&client.ListOptions{}).ApplyOptions(options)
	s.asked = append(s.asked, fmt.Sprintf("list continue=%q", o.Continue))
	next := s.lists[0]
	s.lists = s.lists[1:]
	actions, isList := list.(*v1alpha1.AgentActionList)
	if !isList {
		return fmt.Errorf("a list of %T", list)
	}
	return next(actions)
}

func (s *script) Watch(_ context.Context, _ client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
	o := (&client.ListOptions{}).ApplyOptions(options)
	s.asked = append(s.asked, "watch from "+o.Raw.ResourceVersion)
	if !o.Raw.AllowWatchBookmarks || *o.Raw.TimeoutSeconds == 0 {
		return nil, errors.New("no bookmarks, or no end")
	}
	next := s.watches[0]
	s.watches = s.watches[1:]
	return next()
}

func named(name, version string) *v1alpha1.AgentAction {
	return &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version}}
}

// page is one of a list.
func page(version, next string, names ...string) func(*v1alpha1.AgentActionList) error {
	return func(list *v1alpha1.AgentActionList) error {
		list.ResourceVersion, list.Continue = version, next
		for _, name := range names {
			list.Items = append(list.Items, *named(name, version))
		}
		return nil
	}
}

func failing(err error) func(*v1alpha1.AgentActionList) error {
	return func(*v1alpha1.AgentActionList) error { return err }
}

// events are a watch that sends these and is then cut.
func events(list ...watch.Event) func() (watch.Interface, error) {
	return func() (watch.Interface, error) {
		w := watch.NewFakeWithChanSize(len(list)+1, false)
		for _, event := range list {
			w.Action(event.Type, event.Object)
		}
		w.Stop()
		return w, nil
	}
}

func refusing(err error) func() (watch.Interface, error) {
	return func() (watch.Interface, error) { return nil, err }
}

var expired = apierrors.NewResourceExpired("too old resource version")

// follow plays a script to its end and returns what was told, and asked.
func follow(t *testing.T, s *script) (told []string, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	end := func() (watch.Interface, error) { stop(); return nil, ctx.Err() }
	s.watches = append(s.watches, end)
	f := &Follower{Client: s, Pauses: &wait.Backoff{Duration: time.Millisecond, Factor: 1, Steps: 3}}
	err = f.Run(ctx, func(c Change) {
		text := map[ChangeKind]string{Listing: "listing", Present: "present ", Gone: "gone ", Listed: "listed", Lost: "lost ", Found: "found"}[c.Kind]
		if c.Action != nil {
			text += c.Action.Name
		}
		if c.Err != nil {
			text += c.Err.Error()
		}
		told = append(told, text)
	})
	return told, err
}

func TestFollower(t *testing.T) {
	gone := &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired, Message: "too old"}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "agentactions"}, "", errors.New("no"))
	refused := errors.New("connection refused")
	for name, tc := range map[string]struct {
		script script
		told   string
		asked  string
		err    error
	}{
		"pages, then from there": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", "two", "a"), page("7", "", "b")},
				watches: []func() (watch.Interface, error){events(
					watch.Event{Type: watch.Added, Object: named("c", "8")}, watch.Event{Type: watch.Deleted, Object: named("a", "9")},
					watch.Event{Type: watch.Bookmark, Object: named("", "20")})}},
			"listing, present a, present b, listed, present c, gone a",
			`list continue="", list continue="two", watch from 7, watch from 20`, context.Canceled,
		},
		"pages expire": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", "two", "a"), failing(expired), page("9", "", "b")}},
			"listing, present a, listing, present b, listed",
			`list continue="", list continue="two", list continue="", watch from 9`, context.Canceled,
		},
		"the watch expires": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", "", "a"), page("30", "", "b")},
				watches: []func() (watch.Interface, error){events(watch.Event{Type: watch.Error, Object: gone})}},
			"listing, present a, listed, listing, present b, listed",
			`list continue="", watch from 7, list continue="", watch from 30`, context.Canceled,
		},
		"refused as expired": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", "", "a"), page("30", "")},
				watches: []func() (watch.Interface, error){refusing(expired)}},
			"listing, present a, listed, listing, listed",
			`list continue="", watch from 7, list continue="", watch from 30`, context.Canceled,
		},
		"cut, and back": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", "")},
				watches: []func() (watch.Interface, error){
					events(watch.Event{Type: watch.Added, Object: named("c", "8")}), refusing(refused), refusing(refused),
					events(watch.Event{Type: watch.Modified, Object: named("c", "9")})}},
			"listing, listed, present c, lost connection refused, lost connection refused, found, present c",
			`list continue="", watch from 7, watch from 8, watch from 8, watch from 8, watch from 9`, context.Canceled,
		},
		"cut at once, again and again": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", "")},
				watches: []func() (watch.Interface, error){events(), events()}},
			"listing, listed, lost the connection was cut, found, lost the connection was cut",
			`list continue="", watch from 7, watch from 7, watch from 7`, context.Canceled,
		},
		"the first list fails": {
			script{lists: []func(*v1alpha1.AgentActionList) error{failing(refused)}}, "listing", `list continue=""`, refused,
		},
		"no permission to watch": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", "")}, watches: []func() (watch.Interface, error){refusing(forbidden)}},
			"listing, listed", `list continue="", watch from 7`, forbidden,
		},
		"expired, and then no network": {
			script{lists: []func(*v1alpha1.AgentActionList) error{page("7", ""), failing(refused), page("8", "")},
				watches: []func() (watch.Interface, error){refusing(expired)}},
			"listing, listed, listing, lost connection refused, listing, listed",
			`list continue="", watch from 7, list continue="", list continue="", watch from 8`, context.Canceled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			told, err := follow(t, &tc.script)
			if got := strings.Join(told, ", "); got != tc.told {
				t.Errorf("told  %s\nwant  %s", got, tc.told)
			}
			if got := strings.Join(tc.script.asked, ", "); got != tc.asked {
				t.Errorf("asked %s\nwant  %s", got, tc.asked)
			}
			if !errors.Is(err, tc.err) {
				t.Errorf("ended with %v, want %v", err, tc.err)
			}
		})
	}
}

// A list whose pages expire again and again is not made for ever.
func TestEachActionGivesUp(t *testing.T) {
	s := &script{}
	for range listAttempts {
		s.lists = append(s.lists, page("7", "two", "a"), failing(expired))
	}
	restarts := 0
	_, err := EachAction(t.Context(), s, nil, func(*v1alpha1.AgentAction) {}, func() { restarts++ })
	if !apierrors.IsResourceExpired(err) || restarts != listAttempts-1 {
		t.Errorf("ended with %v after %d restarts", err, restarts)
	}
}
