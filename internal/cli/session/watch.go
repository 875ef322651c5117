// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// pageSize is how many actions are asked of the API server at once.
	pageSize = 500
	// listAttempts bounds how often a list begins anew whose pages expire.
	listAttempts = 5
	// watchTime is how long one request watches; then another goes on.
	watchTime = 5 * time.Minute
)

// EachAction lists actions page by page, in the order of the API server, and
// returns the resourceVersion to watch from. Where the pages expire before the
// last, it calls restart, after which all of them come again.
func EachAction(ctx context.Context, cl client.Reader, options []client.ListOption, each func(*v1alpha1.AgentAction), restart func()) (string, error) {
	next, attempts := "", 1
	for {
		page := &v1alpha1.AgentActionList{}
		err := cl.List(ctx, page, append(slices.Clone(options), client.Limit(pageSize), client.Continue(next))...)
		switch {
		case apierrors.IsResourceExpired(err) && next != "" && attempts < listAttempts:
			attempts++
			next = ""
			restart()
			continue
		case err != nil:
			return "", err
		}
		for i := range page.Items {
			each(&page.Items[i])
		}
		if next = page.Continue; next == "" {
			return page.ResourceVersion, nil
		}
	}
}

// ChangeKind says what a Change is about.
type ChangeKind int

// The kinds of changes.
const (
	// Listing begins: what was known before is void.
	Listing ChangeKind = iota
	// Present: an action is listed, new or changed.
	Present
	// Gone: an action was deleted, or is no longer one that was asked for; it is
	// given as it was last.
	Gone
	// Listed: the list is complete; what follows is live.
	Listed
	// Lost: the connection is lost; Err says why, and Again when it is tried again.
	Lost
	// Found: the connection is back.
	Found
)

// Change is one thing that a Follower has learnt.
type Change struct {
	Kind   ChangeKind
	Action *v1alpha1.AgentAction // Present, Gone
	Err    error                 // Lost
	Again  time.Duration         // Lost
}

// Follower follows actions: it lists them, then watches from where the list was
// made, and goes on after the watch has expired or the connection was cut.
type Follower struct {
	Client  client.WithWatch
	Options []client.ListOption
	// Pauses before each attempt to connect again; without any, those of usualPauses.
	Pauses *wait.Backoff

	version string // to watch from; empty: list first
	started bool   // listed once
	lost    bool
	pauses  wait.Backoff // those that are left
}

// usualPauses are 1, 2, 4 … 30 seconds, each up to half as long again.
func usualPauses() *wait.Backoff {
	return &wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.5, Steps: 6, Cap: 30 * time.Second}
}

// Run tells what happens, from one goroutine, until ctx ends: then it returns
// ctx's error. It fails when the first list does, and later for what waiting
// does not mend, such as a permission that is missing.
func (f *Follower) Run(ctx context.Context, tell func(Change)) error {
	if f.Pauses == nil {
		f.Pauses = usualPauses()
	}
	f.pauses = *f.Pauses
	for {
		err := f.listOnce(ctx, tell)
		if err == nil {
			err = f.watchOnce(ctx, tell)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			continue // the time of that request was over
		case !f.started || isPermanent(err):
			return err
		}
		if expired := apierrors.IsResourceExpired(err) || apierrors.IsGone(err); expired {
			f.version = "" // list again, which is no news to anybody
		} else {
			f.lost = true
		}
		if err := f.pause(ctx, err, tell); err != nil {
			return err
		}
	}
}

// pause waits before the next attempt, and tells why where the connection is lost.
func (f *Follower) pause(ctx context.Context, why error, tell func(Change)) error {
	again := f.pauses.Step()
	if f.lost {
		tell(Change{Kind: Lost, Err: why, Again: again})
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(again):
		return nil
	}
}

// connected begins the pauses anew, and tells that the connection is back where
// it was lost.
func (f *Follower) connected(tell func(Change)) {
	f.pauses = *f.Pauses
	if f.lost {
		f.lost = false
		tell(Change{Kind: Found})
	}
}

// listOnce lists, unless there is a place to watch from.
func (f *Follower) listOnce(ctx context.Context, tell func(Change)) error {
	if f.version != "" {
		return nil
	}
	tell(Change{Kind: Listing})
	version, err := EachAction(ctx, f.Client, f.Options,
		func(action *v1alpha1.AgentAction) { tell(Change{Kind: Present, Action: action}) },
		func() { tell(Change{Kind: Listing}) })
	if err != nil {
		return err
	}
	f.version, f.started = version, true
	tell(Change{Kind: Listed})
	return nil
}

// errCut is a watch that ended too soon.
var errCut = errors.New("the connection was cut")

// watchOnce makes one request and returns when it ends; nil when it ended as it should.
func (f *Follower) watchOnce(ctx context.Context, tell func(Change)) error {
	seconds := int64(watchTime / time.Second)
	changes, err := f.Client.Watch(ctx, &v1alpha1.AgentActionList{}, append(slices.Clone(f.Options), &client.ListOptions{
		Raw: &metav1.ListOptions{ResourceVersion: f.version, AllowWatchBookmarks: true, TimeoutSeconds: &seconds}})...)
	if err != nil {
		return err
	}
	defer changes.Stop()
	f.connected(tell)
	began, heard := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-changes.ResultChan():
			if !open {
				if !heard && time.Since(began) < time.Second {
					return errCut // do not ask again at once, and for ever
				}
				return nil
			}
			heard = true
			if err := f.hear(event, tell); err != nil {
				return err
			}
		}
	}
}

// hear tells one event of a watch.
func (f *Follower) hear(event watch.Event, tell func(Change)) error {
	if event.Type == watch.Error {
		return apierrors.FromObject(event.Object)
	}
	action, isAction := event.Object.(*v1alpha1.AgentAction)
	if !isAction {
		return nil
	}
	f.version = action.ResourceVersion
	switch event.Type {
	case watch.Added, watch.Modified:
		tell(Change{Kind: Present, Action: action})
	case watch.Deleted:
		tell(Change{Kind: Gone, Action: action})
	case watch.Bookmark, watch.Error:
	}
	return nil
}

// isPermanent says whether an error stays however often one asks.
func isPermanent(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsInvalid(err) || apierrors.IsMethodNotSupported(err) || IsKindMissing(err)
}

// LossReason is why a connection was lost, without the request that lost it.
func LossReason(err error) string {
	var request *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &request):
		err = request.Err
	}
	return terminal.Safe(err.Error())
}
