// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const (
	// idleTime is how long the watch stays open when nobody waits any more, so
	// that an agent that asks again soon finds it there.
	idleTime = 30 * time.Second
	// maxReads is how many actions are read at once for those who wait.
	maxReads = 4
)

// ErrClosed is what waiting ends with when the client is closed.
var ErrClosed = errors.New("the client was closed")

// watcher follows, by one watch, all the actions that somebody waits for. It
// runs while somebody does. Whoever waits is told of an action as it is at some
// moment after they began, and of its changes; while no watch can be had, the
// actions are read every Options.PollInterval.
type watcher struct {
	client *Client
	reads  chan struct{} // bounds the reads at once
	// silence is maxSilence, or less in a test.
	silence time.Duration

	mu      sync.Mutex
	waiting map[string]map[*waiter]bool // by the name of the action
	run     context.Context             // of the run
	stop    context.CancelFunc          // ends the run; nil while there is none
	idle    *time.Timer                 // ends the run later; nil while somebody waits
	live    bool                        // there is a watch: changes from now on will be seen
	round   int                         // counts the watches that did not go on from another
	closed  bool

	tasks sync.WaitGroup // what runs for the run
}

// waiter is one who waits for an action.
type waiter struct {
	name    string
	changed chan struct{} // holds one, when there is news

	// guarded by watcher.mu
	uid     types.UID // that is waited for; empty: the first that is seen
	expects bool      // the action is there: that it is missing is news
	latest  *v1alpha1.AgentAction
	failure error // that ended the waiting
	trouble error // why it could not be read the last time
	round   int   // of the watch since whose beginning it was told of the action
}

func newWatcher(c *Client) *watcher {
	return &watcher{client: c, reads: make(chan struct{}, maxReads), silence: maxSilence, waiting: map[string]map[*waiter]bool{}}
}

// begin makes a waiter for an action, which may not be there yet unless it is
// expected. uid tells which one of that name; empty: the first that is seen. It
// has to be given to end.
func (w *watcher) begin(name string, expects bool, uid types.UID) *waiter {
	one := &waiter{name: name, changed: make(chan struct{}, 1), expects: expects, uid: uid}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		one.fail(ErrClosed)
		return one
	}
	if w.waiting[name] == nil {
		w.waiting[name] = map[*waiter]bool{}
	}
	w.waiting[name][one] = true
	if w.idle != nil {
		w.idle.Stop()
		w.idle = nil
	}
	switch {
	case w.stop == nil:
		w.run, w.stop = context.WithCancel(context.Background())
		w.tasks.Add(2)
		go w.start(w.run, w.follow)
		go w.start(w.run, w.poll)
	case expects:
		w.tasks.Add(1)
		go w.start(w.run, func(ctx context.Context) { w.read(ctx, name) }) // what the watch has passed already
	}
	return one
}

// start does one of the tasks of a run.
func (w *watcher) start(run context.Context, do func(context.Context)) {
	defer w.tasks.Done()
	do(run)
}

// made tells a waiter which action it waits for, and that it is there.
func (w *watcher) made(one *waiter, action *v1alpha1.AgentAction) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one.uid, one.expects = action.UID, true
	if one.latest != nil && one.latest.UID != action.UID {
		if !before(one.latest, action) { // the watch was quicker than the answer
			one.fail(gone(action.Name))
		}
		one.latest = nil
	}
	one.see(action)
}

// end says that nobody waits here any more.
func (w *watcher) end(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting[one.name], one)
	if len(w.waiting[one.name]) == 0 {
		delete(w.waiting, one.name)
	}
	if len(w.waiting) == 0 && w.stop != nil && w.idle == nil {
		w.idle = time.AfterFunc(idleTime, w.rest)
	}
}

// rest ends the run if nobody waits.
func (w *watcher) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.halt()
	}
}

// halt ends the run. The lock must be held.
func (w *watcher) halt() {
	if w.stop != nil {
		w.stop()
	}
	w.run, w.stop, w.idle, w.live = nil, nil, nil, false
}

// close ends the run, and returns when nothing of it is left.
func (w *watcher) close() {
	defer w.tasks.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.idle != nil {
		w.idle.Stop()
	}
	w.halt()
	for _, all := range w.waiting {
		for one := range all {
			one.fail(ErrClosed)
		}
	}
}

func (w *watcher) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// state is what a waiter knows: the action as it is last known, nil where it is
// not; the error that ended the waiting; and why it could not be read last.
func (w *watcher) state(one *waiter) (latest *v1alpha1.AgentAction, failure, trouble error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return one.latest, one.failure, one.trouble
}

// tell tells of an action as it is, or was since the watch of that round began.
func (w *watcher) tell(action *v1alpha1.AgentAction, round int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.waiting[action.Name] {
		one.round = max(one.round, round)
		switch {
		case one.uid == "" && one.expects:
			one.uid = action.UID
			one.see(action)
		case one.uid == "" || one.uid == action.UID:
			one.see(action)
		case one.latest == nil || !before(action, one.latest): // another of its name is there, so that it is not
			one.fail(gone(action.Name))
		}
	}
}

// tellGone tells that an action was deleted.
func (w *watcher) tellGone(action *v1alpha1.AgentAction) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.waiting[action.Name] {
		if one.uid == action.UID {
			one.fail(gone(action.Name))
		}
	}
}

// gone is the error of an action that was deleted while somebody waited.
func gone(name string) error {
	return &NotFoundError{Problem{Message: "action " + name + " was deleted while it was waited for; nothing is known of a decision"}}
}

// see takes note of the action, unless something newer is known. The lock of
// the watcher must be held.
func (o *waiter) see(action *v1alpha1.AgentAction) {
	o.trouble = nil
	if o.latest != nil && o.latest.UID == action.UID && before(action, o.latest) {
		return
	}
	o.latest = action
	o.wake()
}

// before says whether an object was written before another one.
func before(action, other *v1alpha1.AgentAction) bool {
	order, err := resourceversion.CompareResourceVersion(action.ResourceVersion, other.ResourceVersion)
	return err == nil && order < 0
}

// fail ends the waiting. The lock of the watcher must be held, or nobody else
// know of the waiter.
func (o *waiter) fail(err error) {
	if o.failure == nil {
		o.failure = err
		o.wake()
	}
}

func (o *waiter) wake() {
	select {
	case o.changed <- struct{}{}:
	default: // there is news already
	}
}

// read reads an action once for those who wait for it. What may pass is not
// tried again before the next time.
func (w *watcher) read(ctx context.Context, name string) {
	select {
	case w.reads <- struct{}{}:
		defer func() { <-w.reads }()
	case <-ctx.Done():
		return
	}
	expecting, round := w.expecting(name)
	action, err := w.client.readOnce(ctx, name)
	if err == nil {
		w.tell(action, round)
		return
	}
	missing := (*NotFoundError)(nil)
	_, mayPass := retry(err, 0, time.Hour)
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.waiting[name] {
		switch isMissing := errors.As(err, &missing); {
		case ctx.Err() != nil:
		case mayPass:
			one.trouble = err
		case isMissing && !expecting[one]: // it may have been made since
		case isMissing && one.latest != nil:
			one.fail(gone(name))
		default:
			one.fail(err)
		}
	}
}

// expecting are those who wait for an action that is there, as far as they know,
// and the round.
func (w *watcher) expecting(name string) (expecting map[*waiter]bool, round int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	expecting = map[*waiter]bool{}
	for one := range w.waiting[name] {
		expecting[one] = one.expects
	}
	return expecting, w.round
}

// due are the actions of which somebody waits for what the watch does not show:
// all while there is none, those of which nobody was told since it began, and
// those of other agents.
func (w *watcher) due() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	agent := w.client.options.Agent
	var names []string
	for name, all := range w.waiting {
		for one := range all {
			if !w.live || one.round != w.round || agent != "" && one.latest != nil && string(one.latest.Spec.AgentRef.Name) != agent {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// readDue reads what is due, few at once.
func (w *watcher) readDue(ctx context.Context) {
	var all sync.WaitGroup
	for _, name := range w.due() {
		if ctx.Err() != nil {
			break
		}
		all.Go(func() { w.read(ctx, name) })
	}
	all.Wait()
}

// poll reads what is due every PollInterval.
func (w *watcher) poll(ctx context.Context) {
	ticker := time.NewTicker(w.client.options.PollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.readDue(ctx)
		}
	}
}
