// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// The kill switch works while no record can be kept: else what waits would be
// decided, in the moment when records can be kept again, about an agent that
// somebody wanted stopped. Nothing can come through by it, and what it does leaves
// records when they can be kept: agent.suspended by the controller, which goes by
// what is stored, and from here who it was, as long as this process runs.

// stops says whether a change does nothing but stop an Agent that may act.
func stops(r *audit.Record) bool {
	const reason = `metadata.annotations["` + v1alpha1.StateReasonAnnotation + `"]`
	stopped := false
	for _, c := range r.Changes {
		switch {
		case r.Kind == "Agent" && c.Field == "spec.state" && c.Before == quoted(v1alpha1.AgentActive) &&
			(c.After == quoted(v1alpha1.AgentSuspended) || c.After == quoted(v1alpha1.AgentRetired)):
			stopped = true
		case c.Field != reason:
			return false
		}
	}
	return stopped
}

func quoted(state v1alpha1.AgentState) string { return `"` + string(state) + `"` }

const (
	// maxLate is how many records wait at most. Each is of another Agent, which
	// cannot be made Active again without a record.
	maxLate = 1024
	// lateRetry is the time between two attempts.
	lateRetry = time.Second
)

// lateRecords are the records of what was let through without one. It is a
// manager.Runnable of every replica.
type lateRecords struct {
	audit audit.Recorder
	clock clock.PassiveClock
	added chan struct{} // has an element when there is a new one

	mu      sync.Mutex
	waiting []audit.Record
}

var _ manager.LeaderElectionRunnable = (*lateRecords)(nil)

func newLateRecords(to audit.Recorder, passive clock.PassiveClock) *lateRecords {
	return &lateRecords{audit: to, clock: passive, added: make(chan struct{}, 1)}
}

// keep takes a record that could not be kept, and returns what to tell the user.
// The operator's log has it, too, should the process end before.
func (l *lateRecords) keep(ctx context.Context, record *audit.Record, why error) (warning string) {
	log.FromContext(ctx).Error(why, "An Agent is stopped although no record can be kept of it now; it is tried again",
		"user", atMost(record.Actor, maxUsername), "namespace", record.Namespace, "agent", record.Name)
	late := *record
	late.Message += "; let through at " + record.Time.UTC().Format(time.RFC3339) + ", when no record could be kept"
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) < maxLate {
		l.waiting = append(l.waiting, late)
	}
	select {
	case l.added <- struct{}{}:
	default: // Start has not taken the last one yet
	}
	return "no record can be kept now, and its approvals are withdrawn only when one can: the agent may not ask for more, and what waits will be denied. " +
		"To see when that is over: kubectl get agent " + record.Name + " -n " + record.Namespace
}

// NeedLeaderElection is false: each replica has let through what it has.
func (l *lateRecords) NeedLeaderElection() bool { return false }

// Start makes the records, as soon as they can be kept, until ctx ends.
func (l *lateRecords) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.added:
		}
		for l.catchUp(ctx) != nil {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(lateRetry):
			}
		}
	}
}

// catchUp makes the records that wait, in their order, up to one that cannot be kept.
func (l *lateRecords) catchUp(ctx context.Context) error {
	for {
		record, waits := l.first()
		if !waits {
			return nil
		}
		record.Time = l.clock.Now()
		if err := l.audit.Append(ctx, record); err != nil {
			return err
		}
		l.mu.Lock()
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
	}
}

func (l *lateRecords) first() (audit.Record, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return audit.Record{}, false
	}
	return l.waiting[0], true
}
