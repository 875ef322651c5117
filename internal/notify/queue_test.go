// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

func TestQueueDelivers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.add("a", "before the start", 0)
		b.run()
		b.add("a", "e1", 0)
		b.add("a", "e1", 0) // once
		b.add("b", "e1", 0)
		synctest.Wait()
		b.expect(map[string]notify.OutcomeResult{"a/before the start": "delivered", "a/e1": "delivered", "b/e1": "delivered"})
		if b.queue.Len() != 0 {
			t.Errorf("%d left", b.queue.Len())
		}
		b.stop()
	})
}

// A receiver that is dead for a day: twelve tries at the documented ages, then
// a dead letter with the last error.
func TestQueueGivesUpAfterADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(context.Context, string, string) notify.Result { return refusal(500) }
		b.run()
		b.add("a", "e", 0)
		time.Sleep(25 * time.Hour)
		b.stop()
		ages := b.ages("e")
		if len(ages) != 12 || ages[0] != 0 || ages[11] != 24*time.Hour {
			t.Errorf("tries at %v", ages)
		}
		b.expect(map[string]notify.OutcomeResult{"a/e": "dead"})
		if o := b.ended[0]; o.Error != "the receiver answered 500" || o.Tries != 12 || o.Last.StatusCode != http.StatusInternalServerError || o.Gone {
			t.Errorf("outcome %+v", o)
		}
	})
}

// The age counts from the event: a start neither begins anew nor forgets.
func TestQueueGoesOnAfterAStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(context.Context, string, string) notify.Result { return refusal(500) }
		b.run()
		b.add("a", "old", 5*time.Hour)
		b.add("b", "too old", 30*time.Hour)
		time.Sleep(11 * time.Second)
		if len(b.ages("old")) != 1 || len(b.ages("too old")) != 1 {
			t.Errorf("tries %v and %v: each is tried once, soon after the start", b.ages("old"), b.ages("too old"))
		}
		b.expect(map[string]notify.OutcomeResult{"b/too old": "dead"})
		time.Sleep(24 * time.Hour)
		if ages := b.ages("old"); len(ages) != 4 || ages[3] != 19*time.Hour {
			t.Errorf("tries at %v, want one at once, one about 3 h, 11 h and 19 h later", ages)
		}
		b.stop()
	})
}

func TestQueueHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		busy := true
		b.answer = func(context.Context, string, string) notify.Result {
			if busy {
				result := refusal(429)
				result.RetryAfter = 3 * time.Hour
				return result
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		b.add("a", "e1", 0)
		synctest.Wait()
		busy = false
		b.add("a", "e2", 0) // the receiver wants none of it either
		b.add("b", "e3", 0)
		time.Sleep(3*time.Hour - time.Second)
		b.expect(map[string]notify.OutcomeResult{"b/e3": "delivered"})
		time.Sleep(2 * time.Second)
		b.expect(map[string]notify.OutcomeResult{"a/e1": "delivered", "a/e2": "delivered", "b/e3": "delivered"})
		b.stop()
	})
}

// However long a receiver asks for, a delivery is tried once more 24 h after its event.
func TestRetryAfterIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(context.Context, string, string) notify.Result {
			result := refusal(503)
			result.RetryAfter = 24 * time.Hour
			return result
		}
		b.run()
		b.add("a", "e", 0)
		time.Sleep(10 * time.Hour)
		b.queue.Wake(subscription("a"))
		time.Sleep(30 * time.Hour)
		b.stop()
		if ages := b.ages("e"); len(ages) != 3 || ages[1] != 10*time.Hour || ages[2] != 24*time.Hour {
			t.Errorf("tries at %v", ages)
		}
		b.expect(map[string]notify.OutcomeResult{"a/e": "dead"})
	})
}

// 410: what waits is given up, and what comes, until the subscription changes.
func TestGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		gone := true
		b.answer = func(context.Context, string, string) notify.Result {
			if gone {
				return notify.Result{StatusCode: 410, Gone: true, Err: notify.ErrGone}
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		for i := range 10 {
			b.add("a", strconv.Itoa(i), 0)
		}
		synctest.Wait()
		b.add("a", "later", 0)
		b.add("b", "e", 0)
		synctest.Wait()
		if len(b.tries) != 2 || len(b.ended) != 12 {
			t.Errorf("%d tries, %d ended", len(b.tries), len(b.ended))
		}
		for _, o := range b.ended {
			if o.Result != notify.OutcomeDead || !o.Gone || !strings.Contains(o.Error, "410") {
				t.Errorf("outcome %+v", o)
			}
			if o.Last.Gone && (!strings.HasPrefix(o.Last.UID, "uid of ") || o.Last.Generation != 7) {
				t.Errorf("nobody knows of what it was gone: %+v", o.Last)
			}
		}
		gone = false
		b.queue.Wake(subscription("a"))
		b.add("a", "now", 0)
		synctest.Wait()
		if !slices.Equal(b.endedOf["a/now"], []notify.OutcomeResult{"delivered"}) {
			t.Errorf("after the change: %v", b.endedOf["a/now"])
		}
		b.stop()
	})
}

// Wake: what failed is tried at once, and a failure from before does not count.
func TestWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		broken := true
		b.answer = func(_ context.Context, _, _ string) notify.Result {
			was := broken
			time.Sleep(time.Second)
			if was {
				return refusal(401)
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		for i := range 20 {
			b.add("a", strconv.Itoa(i), 0)
		}
		time.Sleep(2 * time.Hour)
		if len(b.ended) != 0 {
			t.Fatal(b.ended)
		}
		broken = false
		b.queue.Wake(subscription("a"))
		b.queue.Wake(subscription("nobody"))
		time.Sleep(20 * time.Second)
		if len(b.endedOf) != 20 {
			t.Errorf("%d of 20 delivered", len(b.endedOf))
		}
		broken = true
		b.add("a", "in flight", 0)
		time.Sleep(time.Second / 2)
		broken = false
		b.queue.Wake(subscription("a"))
		time.Sleep(2 * time.Second)
		if !slices.Equal(b.endedOf["a/in flight"], []notify.OutcomeResult{"delivered"}) {
			t.Errorf("got %v", b.endedOf["a/in flight"])
		}
		b.stop()
	})
}

// A receiver that comes back gets within about a minute what it missed, though
// its next tries would be hours away.
func TestRecoveryIsSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		down := true
		b.answer = func(context.Context, string, string) notify.Result {
			if down {
				return refusal(502)
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		for i := range 30 {
			b.add("a", strconv.Itoa(i), 0)
		}
		time.Sleep(5 * time.Hour)
		down = false
		b.add("a", "new", 0)
		time.Sleep(61 * time.Second)
		if len(b.endedOf) != 31 {
			t.Errorf("%d of 31 delivered", len(b.endedOf))
		}
		b.stop()
	})
}

// One event that a receiver never takes does not keep back the others, and is
// not tried more often for their success.
func TestPoisonedEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(_ context.Context, _, event string) notify.Result {
			if event == "poison" {
				return refusal(400)
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		b.add("a", "poison", 0)
		for i := range 25 * 60 {
			b.add("a", strconv.Itoa(i), 0)
			time.Sleep(time.Minute)
		}
		// Twelve, and one more when it alone made the receiver look dead.
		if n := len(b.ages("poison")); n != 12 && n != 13 {
			t.Errorf("%d tries: %v", n, b.ages("poison"))
		}
		b.mu.Lock()
		for _, try := range b.tries {
			if n, err := strconv.Atoi(try.event); err == nil && try.at.Sub(b.start) > time.Duration(n)*time.Minute+30*time.Second {
				t.Errorf("%s was tried at %v", try.event, try.at.Sub(b.start))
			}
		}
		b.mu.Unlock()
		if len(b.endedOf) != 25*60+1 {
			t.Errorf("%d ended", len(b.endedOf))
		}
		b.stop()
	})
}

// The operator's own faults are none of the receiver, and are tried again soon.
func TestFaultsOfTheOperator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		faults := map[string]int{}
		fail := func(what string) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			faults[what]++
			if faults[what] <= 5 {
				return errors.New("the API server does not answer")
			}
			return nil
		}
		b.load = func(event string) error {
			if event == "obsolete" {
				return fmt.Errorf("load: %w", notify.ErrObsolete)
			}
			return fail("load " + event)
		}
		b.done = func(event string) error { return fail("done " + event) }
		b.resolve = func(to string) error {
			switch to {
			case "deleted":
				return fmt.Errorf("resolve: %w", notify.ErrObsolete)
			case "closed":
				return notify.ErrGone
			case "secretless":
				return fail("resolve " + to)
			default:
				return nil
			}
		}
		b.run()
		b.add("a", "e1", 0)
		b.add("a", "obsolete", 0)
		b.add("deleted", "e2", 0)
		b.add("closed", "e3", 0)
		b.add("secretless", "e4", 0)
		time.Sleep(3 * time.Hour)
		b.expect(map[string]notify.OutcomeResult{"a/e1": "delivered", "deleted/e2": "withdrawn", "closed/e3": "dead", "secretless/e4": "delivered"})
		if ages := b.ages("e1"); len(ages) != 1 || ages[0] > time.Minute {
			t.Errorf("e1 was sent at %v", ages)
		}
		if b.queue.Len() != 0 {
			t.Errorf("%d left", b.queue.Len())
		}
		b.stop()
	})
}

// What is added again while Load finds it obsolete is looked at again.
func TestAddedWhileFoundObsolete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		looks := 0
		b.load = func(string) error {
			time.Sleep(time.Second)
			looks++
			if looks == 1 {
				return notify.ErrObsolete
			}
			return nil
		}
		b.run()
		b.add("a", "e", 0)
		time.Sleep(time.Second / 2)
		b.add("a", "e", 0)
		time.Sleep(2 * time.Second)
		b.expect(map[string]notify.OutcomeResult{"a/e": "delivered"})
		if looks != 2 || b.queue.Len() != 0 {
			t.Errorf("%d looks, %d left", looks, b.queue.Len())
		}
		b.stop()
	})
}

// What stops in flight is neither delivered nor failed; what ends in time counts.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(ctx context.Context, to, _ string) notify.Result {
			select {
			case <-time.After(map[string]time.Duration{"quick": 5 * time.Second, "slow": time.Hour}[to]):
				return notify.Result{StatusCode: 200}
			case <-ctx.Done():
				return notify.Result{Err: ctx.Err()}
			}
		}
		b.run()
		b.add("quick", "e", 0)
		b.add("slow", "e", 0)
		synctest.Wait()
		began := time.Now()
		b.stop()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		b.expect(map[string]notify.OutcomeResult{"quick/e": "delivered"})
	})
}
