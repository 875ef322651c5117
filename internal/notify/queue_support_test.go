// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// try is one that a receiver saw.
type try struct {
	to, event string
	at        time.Time
}

// bench is a queue with receivers that do as they are told. Time in it is that
// of its synctest bubble, which goes on when all wait.
type bench struct {
	t     *testing.T
	queue *notify.Queue
	start time.Time
	stop  func()

	mu       sync.Mutex
	tries    []try
	ended    []notify.Outcome
	endedOf  map[string][]notify.OutcomeResult // by subscription/event
	inFlight map[string]int
	most     map[string]int
	all      int
	mostAll  int
	drained  []string

	// answer of a receiver to a try; nil takes all at once.
	answer func(ctx context.Context, to, event string) notify.Result
	// resolve, load and done fail with what these give; nil for never.
	resolve func(to string) error
	load    func(event string) error
	done    func(event string) error
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, start: time.Now(), endedOf: map[string][]notify.OutcomeResult{}, inFlight: map[string]int{}, most: map[string]int{}}
	b.queue = b.newQueue()
	return b
}

func (b *bench) newQueue() *notify.Queue {
	return &notify.Queue{
		Sender: b,
		Resolve: func(_ context.Context, s types.NamespacedName) (notify.Target, error) {
			if b.resolve != nil {
				if err := b.resolve(s.Name); err != nil {
					return notify.Target{}, err
				}
			}
			return notify.Target{Namespace: s.Namespace, Name: s.Name, UID: "uid of " + s.Name, Generation: 7}, nil
		},
		Load: func(_ context.Context, d notify.Delivery) (notify.Event, error) {
			if b.load != nil {
				if err := b.load(d.EventID); err != nil {
					return notify.Event{}, err
				}
			}
			return notify.Event{ID: d.EventID}, nil
		},
		Done: func(_ context.Context, d notify.Delivery, o notify.Outcome) error {
			if b.done != nil {
				if err := b.done(d.EventID); err != nil {
					return err
				}
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.ended = append(b.ended, o)
			b.endedOf[d.Target.Name+"/"+d.EventID] = append(b.endedOf[d.Target.Name+"/"+d.EventID], o.Result)
			return nil
		},
		Drained: func(s types.NamespacedName) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.drained = append(b.drained, s.Name)
		},
	}
}

// Send implements notify.Poster.
func (b *bench) Send(ctx context.Context, to notify.Target, event notify.Event) notify.Result {
	b.mu.Lock()
	b.tries = append(b.tries, try{to.Name, event.ID, time.Now()})
	b.inFlight[to.Name]++
	b.all++
	b.most[to.Name] = max(b.most[to.Name], b.inFlight[to.Name])
	b.mostAll = max(b.mostAll, b.all)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.inFlight[to.Name]--
		b.all--
	}()
	if b.answer == nil {
		return notify.Result{StatusCode: 200}
	}
	return b.answer(ctx, to.Name, event.ID)
}

// run starts the queue; the end of the test stops it.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(b.t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := b.queue.Start(ctx); err != nil {
			b.t.Error(err)
		}
	}()
	b.stop = sync.OnceFunc(func() { cancel(); <-stopped })
}

func subscription(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: name}
}

func (b *bench) add(to, event string, age time.Duration) bool {
	return b.queue.Add(notify.Delivery{Target: subscription(to), EventID: event, First: time.Now().Add(-age)})
}

// ages are when an event was tried, since the start of the test.
func (b *bench) ages(event string) []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ages []time.Duration
	for _, try := range b.tries {
		if try.event == event {
			ages = append(ages, try.at.Sub(b.start))
		}
	}
	return ages
}

func (b *bench) expect(want map[string]notify.OutcomeResult) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for of, result := range want {
		if got := b.endedOf[of]; !slices.Equal(got, []notify.OutcomeResult{result}) {
			b.t.Errorf("%s ended as %v, want %v", of, got, result)
		}
	}
	if len(b.endedOf) != len(want) {
		b.t.Errorf("%d deliveries ended, want %d: %v", len(b.endedOf), len(want), b.endedOf)
	}
}

func refusal(code int) notify.Result {
	return notify.Result{StatusCode: code, Err: fmt.Errorf("the receiver answered %d", code)}
}
