// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

const (
	// refusalBurst records of refusals at once are kept of one user, and
	// refusalRate a second after that.
	refusalBurst = 60
	refusalRate  = rate.Limit(1)
	// maxActors users are counted one by one; all others together.
	maxActors = 256
	// The bounds of what a record quotes, in characters: those of the schema,
	// which has not been looked at yet when something is refused.
	maxRecordedName     = 253
	maxRecordedType     = 128
	maxRecordedResource = 1024
	maxRecordedMessage  = 2048
	maxRecordedDigest   = 71
	maxRecordedWord     = 64
)

// boundedAudit keeps the audit trail from being filled by who sends what is
// refused. It bounds what a record quotes, and how many refusals of one user
// are recorded; the next record of that user tells how many are missing. What
// is let through is always recorded. It goes by the time of the records.
type boundedAudit struct {
	next   audit.Recorder
	mu     sync.Mutex
	actors map[string]*allowance
	others *allowance
}

var _ audit.Recorder = (*boundedAudit)(nil)

// allowance is how many records of refusals are still kept of somebody.
type allowance struct {
	*rate.Limiter
	whose  string
	missed int // refusals since the last record that were not recorded
}

func newAllowance(whose string) *allowance {
	return &allowance{Limiter: rate.NewLimiter(refusalRate, refusalBurst), whose: whose}
}

func newBoundedAudit(next audit.Recorder) *boundedAudit {
	return &boundedAudit{
		next: next, actors: map[string]*allowance{},
		others: newAllowance("of users that are not counted one by one"),
	}
}

// Append implements audit.Recorder. A refusal that is not recorded, because the
// user has had too many, is no error.
func (b *boundedAudit) Append(ctx context.Context, records ...audit.Record) error {
	for _, record := range records {
		if err := b.append(ctx, record); err != nil {
			return err
		}
	}
	return nil
}

func (b *boundedAudit) append(ctx context.Context, record audit.Record) error {
	clip(&record)
	if record.Event != audit.EventRefused {
		return b.next.Append(ctx, record)
	}
	untold, first, ok := b.take(record.Actor, record.Time)
	if first {
		log.FromContext(ctx).Info("Refusals of a user come faster than they are recorded; the next record of one will tell how many are missing",
			"user", record.Actor, "recordedPerSecond", float64(refusalRate))
	}
	if !ok {
		return nil
	}
	if untold.count > 0 {
		missing := fmt.Sprintf(" (%d more refusals %s were not recorded)", untold.count, untold.of.whose)
		record.Message = atMost(record.Message, maxRecordedMessage-len(missing)) + missing
	}
	if err := b.next.Append(ctx, record); err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		untold.of.missed += untold.count + 1 // this one, too, for the next record to tell
		return err
	}
	return nil
}

// unrecorded is how many refusals a record has to tell of, and of whom.
type unrecorded struct {
	of    *allowance
	count int
}

// take says whether a refusal may be recorded, with what the record has to add
// about those that were not; first, whether this is the first one that is not.
func (b *boundedAudit) take(actor string, now time.Time) (untold unrecorded, first, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := b.of(actor, now)
	if !of.AllowN(now, 1) {
		of.missed++
		return unrecorded{}, of.missed == 1, false
	}
	untold = unrecorded{of: of, count: of.missed}
	of.missed = 0
	return untold, false, true
}

// of is the allowance of an actor. Where there are too many, those who have
// long been quiet are forgotten, which changes nothing for them.
func (b *boundedAudit) of(actor string, now time.Time) *allowance {
	if of, known := b.actors[actor]; known {
		return of
	}
	if len(b.actors) >= maxActors {
		for name, of := range b.actors {
			if of.TokensAt(now) >= refusalBurst {
				b.others.missed += of.missed
				delete(b.actors, name)
			}
		}
	}
	if len(b.actors) >= maxActors {
		return b.others
	}
	of := newAllowance("of this user")
	b.actors[actor] = of
	return of
}

// clip cuts what a record quotes of a request.
func clip(r *audit.Record) {
	for _, field := range []struct {
		text  *string
		limit int
	}{
		{&r.Actor, maxUsername},
		{&r.Kind, maxRecordedWord},
		{&r.Namespace, maxRecordedName},
		{&r.Name, maxRecordedName},
		{&r.UID, maxUID},
		{&r.ResourceVersion, maxRecordedWord},
		{&r.Agent, maxRecordedName},
		{&r.ActionType, maxRecordedType},
		{&r.Resource, maxRecordedResource},
		{&r.Reason, maxRecordedWord},
		{&r.Message, maxRecordedMessage},
		{&r.SpecDigest, maxRecordedDigest},
	} {
		*field.text = atMost(*field.text, field.limit)
	}
	r.Decision = v1alpha1.Decision(atMost(string(r.Decision), maxRecordedWord))
}
