// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// ledger makes the records of a change before its write, and remembers what
// became of the write, so that a cache that is behind leads neither to a
// second decision nor to second records. It holds an entry a key for undecided
// actions only: who finds an action gone has to call forget.
type ledger struct {
	audit audit.Recorder

	mu      sync.Mutex
	entries map[types.NamespacedName]entry
}

// entry is the last write that was tried on one action.
type entry struct {
	// base is the resourceVersion the write was based on.
	base string
	// left says that the API server is beyond base: the write went through, or
	// somebody else's came before it.
	left bool
	// open are the records of a write whose fate is not known; none where it is.
	open []audit.Record
}

func newLedger(recorder audit.Recorder) *ledger {
	return &ledger{audit: recorder, entries: map[types.NamespacedName]entry{}}
}

// behind says whether the action, as read from the cache, is known to be
// older than what the API server has. The watch will bring the newer one.
func (l *ledger) behind(action *v1alpha1.AgentAction) bool {
	e, ok := l.entry(action)
	return ok && e.left && e.base == action.ResourceVersion
}

// record makes the records of one change together, all or none, unless they are
// the same as those of an attempt whose fate is not known: trying again tells
// nothing new.
func (l *ledger) record(ctx context.Context, action *v1alpha1.AgentAction, records ...audit.Record) error {
	if e, ok := l.entry(action); ok && slices.EqualFunc(e.open, records, sameRecord) {
		return nil
	}
	if err := l.audit.Append(ctx, records...); err != nil {
		return fmt.Errorf("no decision without its record: %w", err)
	}
	l.set(action, entry{base: action.ResourceVersion, open: records})
	return nil
}

// deadlineSlack is by how much the deadline of a wait that could not be written
// yet may move, for it counts from the write, before that is something new.
const deadlineSlack = time.Minute

// sameRecord compares what two records tell, not when they were made.
func sameRecord(a, b audit.Record) bool {
	if a.Deadline != nil && b.Deadline != nil && a.Deadline.Sub(*b.Deadline).Abs() < deadlineSlack {
		a.Deadline, b.Deadline = nil, nil
	}
	a.Time, b.Time = time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

// written notes that the write went through.
func (l *ledger) written(action *v1alpha1.AgentAction) {
	l.set(action, entry{base: action.ResourceVersion, left: true})
}

// refused notes that the action is no longer what was decided about, and takes
// the records back by one that has the words of the last of them.
func (l *ledger) refused(ctx context.Context, action *v1alpha1.AgentAction, now time.Time, why error) error {
	e, _ := l.entry(action)
	if len(e.open) > 0 && e.base == action.ResourceVersion {
		if err := l.audit.Append(ctx, notApplied(e.open[len(e.open)-1], now, why)); err != nil {
			return fmt.Errorf("take a record back: %w", err) // the entry stays, for the next try
		}
	}
	l.set(action, entry{base: action.ResourceVersion, left: true})
	return nil
}

// notApplied takes a record back, and those made together with it.
func notApplied(record audit.Record, now time.Time, why error) audit.Record {
	back := record
	back.Time = now
	back.Event = audit.EventNotApplied
	back.Actor = ""     // nobody did this
	back.Approval = nil // the record before has it, as the request
	back.Request = nil
	back.Message = fmt.Sprintf("%s has not come true, for the action had changed: %v", record.Event, why)
	return back
}

// forget drops what is known of an action that has left the cache.
func (l *ledger) forget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, key)
}

func (l *ledger) entry(action *v1alpha1.AgentAction) (entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.entries[client.ObjectKeyFromObject(action)]
	return e, ok
}

func (l *ledger) set(action *v1alpha1.AgentAction, e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[client.ObjectKeyFromObject(action)] = e
}
