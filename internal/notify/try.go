// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"strings"
	"time"
)

// maxError is how many bytes of an error status takes.
const maxError = 1024

// verdict is what becomes of a delivery after a try.
type verdict int

const (
	verdictAgain    verdict = iota // it is due again
	verdictEnded                   // Done is to hear of its outcome
	verdictObsolete                // nobody waits for it
	verdictTold                    // Done heard of its outcome
	verdictCut                     // the operator stops
)

// fly tries a delivery that was taken from a ring, and lands it again. epoch is
// that of its lane when it took off.
func (q *Queue) fly(ctx context.Context, e *entry, r *ring, epoch int) {
	became := q.try(ctx, e, epoch)
	if became == verdictEnded && q.tell(ctx, e) {
		became = verdictTold
	}
	now := q.Clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	l := e.lane
	l.inFlight--
	r.land(l.name.Namespace)
	if became == verdictObsolete && e.added {
		e.due, became = now, verdictAgain // somebody waits for it since
	}
	switch became {
	case verdictObsolete, verdictTold:
		q.remove(e)
	case verdictEnded:
		q.tellAgain(e, now)
	case verdictAgain:
		if l.gone {
			q.giveUp(e, now, ErrGone.Error())
		} else {
			l.push(e)
		}
	case verdictCut: // what is not delivered stands in status
	}
	q.settle(l, now)
	q.rouse()
}

// conclude tells Done of an end that is not in flight.
func (q *Queue) conclude(ctx context.Context, e *entry) {
	told := q.tell(ctx, e)
	now := q.Clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.endings--
	if told {
		q.remove(e)
	} else {
		q.tellAgain(e, now)
	}
	q.rouse()
}

// try sends a delivery once.
func (q *Queue) try(ctx context.Context, e *entry, epoch int) verdict {
	event, err := q.Load(ctx, e.Delivery)
	switch {
	case ctx.Err() != nil:
		return verdictCut
	case errors.Is(err, ErrObsolete):
		return verdictObsolete
	case err != nil: // which says nothing of the receiver
		e.faults++
		e.due = q.Clock.Now().Add(backoff(e.faults))
		return verdictAgain
	}
	began := q.Clock.Now()
	result := q.send(ctx, e.Delivery, event)
	if ctx.Err() != nil && result.Err != nil {
		return verdictCut
	}
	if q.Tried != nil && !errors.Is(result.Err, ErrObsolete) {
		q.Tried(e.Delivery, result, q.Clock.Since(began))
	}
	return q.judge(e, result, epoch)
}

// send resolves the receiver and posts to it.
func (q *Queue) send(ctx context.Context, d Delivery, event Event) Result {
	target, err := q.Resolve(ctx, d.Target)
	if err != nil {
		return Result{Err: err, Gone: errors.Is(err, ErrGone)}
	}
	result := q.Sender.Send(ctx, target, event)
	result.UID, result.Generation = target.UID, target.Generation
	return result
}

// judge notes what became of a try.
func (q *Queue) judge(e *entry, result Result, epoch int) verdict {
	now := q.Clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	l := e.lane
	e.tries++
	e.last, e.lastTry, e.faults = result, now, 0
	outcome := &Outcome{Time: now, Tries: e.tries, Last: result}
	switch {
	case result.Err == nil:
		if l.epoch == epoch {
			l.succeeded(now)
		}
		outcome.Result = OutcomeDelivered
		q.settle(l, now)
		q.rouse()
	case errors.Is(result.Err, ErrObsolete):
		outcome.Result = OutcomeWithdrawn
	case l.epoch != epoch: // it says nothing of the receiver as it is now
		e.due = now
		return verdictAgain
	case result.Gone:
		q.close(l, now)
		outcome.Result, outcome.Error, outcome.Gone = OutcomeDead, limited(result.Err.Error()), true
	default:
		until := e.restUntil(result, now)
		l.failed(now, result, until)
		if due, more := e.nextTry(now, until, q.Random()); more {
			e.due = due
			return verdictAgain
		}
		outcome.Result, outcome.Error = OutcomeDead, limited(result.Err.Error())
	}
	e.outcome = outcome
	return verdictEnded
}

// tell lets Done hear of an outcome, and says whether it took it.
func (q *Queue) tell(ctx context.Context, e *entry) bool {
	return q.Done(ctx, e.Delivery, *e.outcome) == nil
}

// close gives up all of a lane whose receiver answered 410.
func (b *board) close(l *lane, now time.Time) {
	l.gone, l.proven = true, false
	for len(l.waiting) > 0 {
		b.giveUp(l.pop(), now, ErrGone.Error())
	}
}

// tellAgain lets Done hear once more of an outcome that it did not take.
func (b *board) tellAgain(e *entry, now time.Time) {
	e.faults++
	b.tellLater(e, now.Add(backoff(e.faults)))
}

// restUntil is until when the receiver asked to be left alone, at most until the
// last try is due; zero when it did not ask.
func (e *entry) restUntil(result Result, now time.Time) time.Time {
	if result.RetryAfter <= 0 {
		return time.Time{}
	}
	until, end := now.Add(result.RetryAfter), e.First.Add(lastTry)
	if until.After(end) {
		return end
	}
	return until
}

// nextTry is when a delivery that failed is tried again, not before that time;
// false when it is given up.
func (e *entry) nextTry(now, notBefore time.Time, random float64) (time.Time, bool) {
	age := max(now.Sub(e.First), 0) // below 0 when the clock was set back
	next, more := nextTry(age, random)
	due := now.Add(next - age)
	if due.Before(notBefore) {
		due = notBefore
	}
	return due, more
}

// backoff is how long to wait after so many faults of the operator's own in a row.
func backoff(faults int) time.Duration {
	return min(time.Second<<min(faults-1, 6), time.Minute)
}

// limited is text of at most maxError bytes.
func limited(text string) string {
	if len(text) <= maxError {
		return text
	}
	return strings.ToValidUTF8(text[:maxError-len("…")], "") + "…"
}
