// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// hang is a receiver that never answers: the sender gives it 30 seconds.
func hang(ctx context.Context) notify.Result {
	select {
	case <-time.After(notify.SendTimeout):
		return notify.Result{Err: fmt.Errorf("the receiver did not answer within 30 s")}
	case <-ctx.Done():
		return notify.Result{Err: ctx.Err()}
	}
}

// A proven receiver gets four at once, a new or a failing one one, all of a namespace together 64.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(ctx context.Context, to, _ string) notify.Result {
			if strings.HasPrefix(to, "dead") {
				return hang(ctx)
			}
			time.Sleep(10 * time.Millisecond)
			return notify.Result{StatusCode: 200}
		}
		b.run()
		for i := range 50 {
			for e := range 50 {
				b.add("live"+strconv.Itoa(i), fmt.Sprint(i, "-", e), 0)
				b.add("dead"+strconv.Itoa(i), fmt.Sprint(i, "-", e), 0)
			}
		}
		time.Sleep(3 * time.Hour)
		if b.most["live1"] != 4 || b.most["dead1"] != 1 || b.mostAll != 64 {
			t.Errorf("in flight at most %d of a live one, %d of a dead one, %d in all", b.most["live1"], b.most["dead1"], b.mostAll)
		}
		b.mu.Lock()
		var last time.Duration
		for _, try := range b.tries {
			if strings.HasPrefix(try.to, "live") {
				last = max(last, try.at.Sub(b.start))
			}
		}
		delivered := len(b.endedOf)
		b.mu.Unlock()
		// Each is proven only by its first delivery, which 50 that hang get in the way of.
		if delivered != 50*50 || last > 3*time.Minute {
			t.Errorf("%d delivered, the last after %v", delivered, last)
		}
		b.stop()
	})
}

// Receivers that were proven before 50 others died go on as if nothing was.
func TestDeadReceiversHarmNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(ctx context.Context, to, _ string) notify.Result {
			if strings.HasPrefix(to, "dead") {
				return hang(ctx)
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		for i := range 20 {
			b.add("live"+strconv.Itoa(i), "first", 0)
		}
		time.Sleep(time.Second)
		for i := range 50 {
			for e := range 20 {
				b.add("dead"+strconv.Itoa(i), strconv.Itoa(e), 0)
			}
		}
		began := time.Now()
		for e := range 500 {
			for i := range 20 {
				b.add("live"+strconv.Itoa(i), strconv.Itoa(e), 0)
			}
		}
		synctest.Wait()
		if took := time.Since(began); took != 0 || len(b.endedOf) != 20+20*500 {
			t.Errorf("%d delivered after %v", len(b.endedOf), took)
		}
		b.stop()
	})
}

// Receivers that take all their time, and answer well, never count as failing. A
// namespace full of them, or three, leave others their places.
func TestSlowReceiversHarmNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		proving := true
		b.answer = func(_ context.Context, to, _ string) notify.Result {
			if strings.HasPrefix(to, "slow") && !proving {
				time.Sleep(notify.SendTimeout - time.Second)
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		add := func(namespace, to string, events int) {
			for e := range events {
				b.queue.Add(notify.Delivery{Target: types.NamespacedName{Namespace: namespace, Name: to}, EventID: fmt.Sprint(namespace, e, time.Now()), First: time.Now()})
			}
		}
		all := func(events int) {
			for i := range 3 * 16 {
				add("slow"+strconv.Itoa(i%3), "slow"+strconv.Itoa(i), events)
			}
		}
		all(1)
		add("quick", "quick", 1)
		synctest.Wait()
		proving = false
		all(100)
		for range 10 { // at whatever moment
			time.Sleep(11 * time.Second)
			began := time.Now()
			add("quick", "quick", 100)
			add("quick", "new at "+began.String(), 1)
			synctest.Wait()
			b.mu.Lock()
			slow := b.all
			b.mu.Unlock()
			if slow < 60 {
				t.Fatalf("only %d in flight", slow)
			}
		}
		b.mu.Lock()
		quick := 0
		for _, try := range b.tries {
			if !strings.HasPrefix(try.to, "slow") {
				quick++
			}
		}
		b.mu.Unlock()
		if quick != 1+10*101 {
			t.Errorf("%d of %d were tried at once", quick, 1+10*101)
		}
		b.stop()
	})
}

// The same with HTTP: one receiver that hangs beside 20 that live, 500
// deliveries each. All of those arrive; that none waits for the dead one is
// shown above, where time is exact.
func TestOneDeadReceiverOverHTTP(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	_, dead := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	var mu sync.Mutex
	seen := map[string]int{}
	_, live := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.URL.Path+" "+r.Header.Get("webhook-id")]++
	})
	const receivers, deliveries = 20, 500
	s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here})
	var ended atomic.Int32
	queue := &notify.Queue{
		Sender: s, Grace: time.Millisecond,
		Resolve: func(_ context.Context, n types.NamespacedName) (notify.Target, error) {
			to := live
			if n.Name == "dead" {
				to = dead
			}
			to.Name = n.Name
			to.URL = strings.Replace(to.URL, "/canary-path", "/"+n.Name, 1)
			return to, nil
		},
		Load: func(_ context.Context, d notify.Delivery) (notify.Event, error) {
			event := sample()
			event.ID = d.EventID
			return event, nil
		},
		Done: func(_ context.Context, d notify.Delivery, o notify.Outcome) error {
			if o.Result != notify.OutcomeDelivered || d.Target.Name == "dead" {
				t.Errorf("%v: %+v", d, o)
			}
			ended.Add(1)
			return nil
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { defer close(stopped); _ = queue.Start(ctx) }()
	began := time.Now()
	for e := range deliveries {
		for r := -1; r < receivers; r++ {
			to := subscription("live" + strconv.Itoa(r))
			if r < 0 {
				to = subscription("dead")
			}
			if !queue.Add(notify.Delivery{Target: to, EventID: "evt_" + strconv.Itoa(e), First: time.Now()}) {
				t.Fatal("turned away")
			}
		}
	}
	for ended.Load() < receivers*deliveries && time.Since(began) < 5*time.Minute {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d deliveries to %d receivers in %v, while one hung", ended.Load(), receivers, time.Since(began))
	cancel()
	<-stopped
	close(release)
	s.Close()
	if len(seen) != receivers*deliveries {
		t.Errorf("%d of %d arrived", len(seen), receivers*deliveries)
	}
}

// Of a subscription with too many deliveries some are turned away, and Drained
// tells when to add them again; others are not.
func TestOverflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		down := true
		b.answer = func(_ context.Context, to, _ string) notify.Result {
			if down && to == "a" {
				return refusal(500)
			}
			return notify.Result{StatusCode: 200}
		}
		b.run()
		var away []string
		for i := range 10_500 {
			if event := strconv.Itoa(i); !b.add("a", event, 0) {
				away = append(away, event)
			}
		}
		if len(away) != 500 || b.queue.Len() != 10_000 || !b.add("b", "e", 0) || !b.add("a", "1", 0) {
			t.Fatalf("%d turned away, %d in", len(away), b.queue.Len())
		}
		time.Sleep(time.Hour)
		if len(b.drained) != 0 {
			t.Fatal("drained while full")
		}
		down = false
		time.Sleep(2 * time.Minute)
		if !slices.Equal(b.drained, []string{"a"}) {
			t.Fatalf("drained: %v", b.drained)
		}
		for _, event := range away {
			b.add("a", event, 0)
		}
		time.Sleep(time.Minute)
		if len(b.endedOf) != 10_501 {
			t.Errorf("%d of 10501 delivered", len(b.endedOf))
		}
		b.stop()
	})
}

// The bound over all subscriptions leaves each a few places.
func TestTotalLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.queue.Limit, b.queue.TotalLimit = 200, 300
		b.answer = func(_ context.Context, to, _ string) notify.Result {
			if to == "live" {
				return notify.Result{StatusCode: 200}
			}
			return notify.Result{StatusCode: 410, Gone: true, Err: notify.ErrGone}
		}
		in := map[string]int{}
		for i := range 250 {
			for _, to := range []string{"x", "y", "live"} {
				if b.add(to, strconv.Itoa(i), 0) {
					in[to]++
				}
			}
		}
		if in["x"] != 100 || in["y"] != 100 || in["live"] != 100 || b.queue.Len() != 300 {
			t.Errorf("in are %v", in)
		}
		if !b.add("new", "1", 0) || !b.add("new", "2", 0) || b.add("new", "3", 0) {
			t.Error("a new subscription has two places")
		}
		b.run()
		time.Sleep(time.Minute)
		slices.Sort(b.drained)
		if !slices.Equal(b.drained, []string{"live", "new", "x", "y"}) {
			t.Errorf("drained: %v", b.drained)
		}
		b.stop()
	})
}

// world is what outlives the operator: the events that stand in status, and the receivers.
type world struct {
	outstanding map[string]notify.Delivery
	times       map[string]time.Time
	downUntil   map[string][][2]time.Duration
	taken       map[string]int
	dead        map[string]time.Time
}

func (w *world) down(to string, at time.Duration) bool {
	return slices.ContainsFunc(w.downUntil[to], func(span [2]time.Duration) bool { return span[0] <= at && at < span[1] })
}

// Receivers are down now and then, Done fails now and then, and the operator is
// killed now and then. Each event arrives at least once or, where its receiver
// was down at its last try, is given up a day later; no try is before its time.
func TestAtLeastOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		var wrong error
		synctest.Test(t, func(t *testing.T) { wrong = atLeastOnce(t, seed) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

func atLeastOnce(t *testing.T, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 1))
	hours := func(most int) time.Duration { return time.Duration(random.Int64N(int64(most) * int64(time.Hour))) }
	w := &world{outstanding: map[string]notify.Delivery{}, times: map[string]time.Time{}, downUntil: map[string][][2]time.Duration{},
		taken: map[string]int{}, dead: map[string]time.Time{}}
	b := newBench(t)
	b.answer = func(ctx context.Context, to, event string) notify.Result {
		if random.IntN(10) == 0 {
			time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
		}
		if ctx.Err() != nil {
			return notify.Result{Err: ctx.Err()}
		}
		if w.down(to, time.Since(b.start)) {
			return refusal(503)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		w.taken[to+"/"+event]++
		return notify.Result{StatusCode: 200}
	}
	kill := make(chan struct{}) // closed at each kill: what came before is no more
	start := func() {
		b.queue = b.newQueue()
		b.queue.Grace = time.Millisecond
		killed := kill
		done := b.queue.Done
		b.queue.Done = func(ctx context.Context, d notify.Delivery, o notify.Outcome) error {
			select {
			case <-killed:
				return context.Canceled
			default:
			}
			if random.IntN(5) == 0 {
				return fmt.Errorf("conflict")
			}
			b.mu.Lock()
			key := d.Target.Name + "/" + d.EventID
			delete(w.outstanding, key)
			if o.Result == notify.OutcomeDead {
				w.dead[key] = time.Now()
			}
			b.mu.Unlock()
			return done(ctx, d, o)
		}
		b.run()
		b.mu.Lock()
		deliveries := make([]notify.Delivery, 0, len(w.outstanding))
		for _, d := range w.outstanding {
			deliveries = append(deliveries, d)
		}
		b.mu.Unlock()
		for _, d := range deliveries {
			b.queue.Add(d)
		}
	}
	type step struct {
		at time.Duration
		do func()
	}
	var steps []step
	var kills []time.Duration
	for s := range 1 + random.IntN(3) {
		to := strconv.Itoa(s)
		for range random.IntN(3) {
			from := hours(40)
			w.downUntil[to] = append(w.downUntil[to], [2]time.Duration{from, from + hours(35)})
		}
		for e := range random.IntN(12) {
			event := fmt.Sprint(s, ".", e)
			steps = append(steps, step{hours(30), func() {
				d := notify.Delivery{Target: subscription(to), EventID: event, First: time.Now()}
				b.mu.Lock()
				w.outstanding[to+"/"+event], w.times[to+"/"+event] = d, d.First
				b.mu.Unlock()
				b.queue.Add(d)
			}})
		}
	}
	for range random.IntN(4) {
		at := hours(50)
		kills = append(kills, at)
		steps = append(steps, step{at, func() {
			close(kill)
			b.stop()
			kill = make(chan struct{})
			start()
		}})
	}
	slices.SortFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	start()
	for _, s := range steps {
		time.Sleep(s.at - time.Since(b.start))
		s.do()
	}
	time.Sleep(60*time.Hour - time.Since(b.start))
	b.stop()
	return w.check(b, kills)
}

func (w *world) check(b *bench, kills []time.Duration) error {
	if len(w.outstanding) != 0 {
		return fmt.Errorf("never ended: %v", w.outstanding)
	}
	for key, at := range w.times {
		to, event, _ := strings.Cut(key, "/")
		dead, gaveUp := w.dead[key]
		if w.taken[key] == 0 && !gaveUp {
			return fmt.Errorf("%s is lost", key)
		}
		if gaveUp && dead.Sub(at) < 24*time.Hour {
			return fmt.Errorf("%s was given up after %v", key, dead.Sub(at))
		}
		if err := w.checkTries(b, kills, to, event, at); err != nil {
			return err
		}
	}
	return nil
}

var documented = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour}

// checkTries holds each try to the schedule, but for the first after a kill and
// those that a recovery brought forward.
func (w *world) checkTries(b *bench, kills []time.Duration, to, event string, first time.Time) error {
	var before time.Duration
	started := false
	for _, one := range b.tries {
		at := one.at.Sub(b.start)
		if one.to != to || one.event != event {
			continue
		}
		age := one.at.Sub(first)
		excused := !started || slices.ContainsFunc(kills, func(kill time.Duration) bool {
			return kill >= before && kill <= at
		}) || slices.ContainsFunc(b.tries, func(other try) bool {
			return other.to == to && other.at.Sub(b.start) >= before && other.at.Sub(b.start) <= at && !w.down(to, other.at.Sub(b.start))
		})
		if !excused {
			earliest := 24 * time.Hour
			for _, step := range documented {
				if low := time.Duration(0.8 * float64(step)); step < 24*time.Hour && low > before-first.Sub(b.start) {
					earliest = low
					break
				}
			}
			if age < earliest {
				return fmt.Errorf("%s was tried at the age of %v, after %v: not before %v", event, age, before-first.Sub(b.start), earliest)
			}
		}
		if !excused && age > 24*time.Hour+11*time.Minute {
			return fmt.Errorf("%s was tried at the age of %v", event, age)
		}
		before, started = at, true
	}
	return nil
}
