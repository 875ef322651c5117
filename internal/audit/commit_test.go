// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// sink keeps lines in memory, as its fields say.
type sink struct {
	name    string
	mu      sync.Mutex
	kept    bytes.Buffer
	writes  int
	fails   error
	takes   time.Duration // a write
	deaf    bool          // it keeps what it is given, even when the context has ended
	closed  bool
	batches []int
}

func (s *sink) Name() string { return s.name }

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *sink) Write(ctx context.Context, lines [][]byte) error {
	s.mu.Lock()
	fails, takes, deaf := s.fails, s.takes, s.deaf
	s.writes++
	s.mu.Unlock()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-done(ctx, deaf):
			return ctx.Err()
		}
	}
	if fails != nil {
		return fails
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(lines))
	for _, line := range lines {
		s.kept.Write(line)
		s.kept.WriteByte('\n')
	}
	return nil
}

func done(ctx context.Context, deaf bool) <-chan struct{} {
	if deaf {
		return nil
	}
	return ctx.Done()
}

// set changes the sink while it is used.
func (s *sink) set(change func(*sink)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// story is the events and names of the records, checked.
func (s *sink) story(t *testing.T) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var story []string
	for _, r := range verified(t, s.kept.Bytes()) {
		word := r.Name
		if word == "" {
			word = strings.TrimPrefix(string(r.Event), "audit.")
		}
		if j := r.Journal; j != nil && j.UnconfirmedFrom > 0 {
			word += fmt.Sprintf("(%d-%d unconfirmed)", j.UnconfirmedFrom, j.UnconfirmedTo)
		}
		if j := r.Journal; j != nil && j.Lost > 0 {
			word += fmt.Sprintf("(%d lost)", j.Lost)
		}
		story = append(story, word)
	}
	return strings.Join(story, " ")
}

func open(t *testing.T, options audit.Options) *audit.Log {
	t.Helper()
	options.Replica, options.Version = "ascend-0", "v1.2.3"
	log, err := audit.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

var errDown = errors.New("the sink is down")

func TestAChainBeginsAndEndsInOrder(t *testing.T) {
	t.Parallel()
	to := &sink{name: "memory"}
	log := open(t, audit.Options{Sinks: []audit.Sink{to}, Previous: &audit.Head{Chain: "before", Sequence: 7, Hash: "sha256:x"}, Unfinished: 12})
	if err := log.Append(t.Context(), sample("act-1"), sample("act-2")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.Close(t.Context()), log.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got, want := to.story(t), "started act-1 act-2 stopped"; got != want || !to.closed {
		t.Errorf("story %q, want %q; closed %v", got, want, to.closed)
	}
	records := verified(t, to.kept.Bytes())
	first, last := records[0], records[3]
	if j := first.Journal; first.Event != audit.EventStarted || j.Replica != "ascend-0" || j.Version != "v1.2.3" || j.Previous.Sequence != 7 || j.Unfinished != 12 {
		t.Errorf("started: %+v %+v", first, first.Journal)
	}
	if head := log.Head(); head != (audit.Head{Chain: last.Chain, Sequence: 4, Hash: last.Hash}) {
		t.Errorf("head %+v", head)
	}
	if err := log.Append(t.Context(), sample("late")); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestOneWriteServesMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &sink{name: "slow disk", takes: time.Millisecond}
		log := open(t, audit.Options{Sinks: []audit.Sink{to}})
		var wait sync.WaitGroup
		const writers, each = 50, 20
		for i := range writers {
			wait.Go(func() {
				for j := range each {
					if err := log.Append(t.Context(), sample(fmt.Sprintf("act-%d-%d", i, j))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		records := verified(t, to.kept.Bytes())
		if len(records) != writers*each+2 {
			t.Errorf("%d records", len(records))
		}
		if to.writes > len(records)/10 {
			t.Errorf("%d writes for %d records", to.writes, len(records))
		}
		next := map[int]int{} // of each writer, in its order
		for _, r := range records[1 : len(records)-1] {
			var i, j int
			if _, err := fmt.Sscanf(r.Name, "act-%d-%d", &i, &j); err != nil || next[i] != j {
				t.Fatalf("%s stands out of order (%v)", r.Name, err)
			}
			next[i]++
		}
		t.Logf("%d writes for %d records", to.writes, len(records))
	})
}

func TestRecordsOfOneAppendAreAllOrNone(t *testing.T) {
	t.Parallel()
	to := &sink{name: "memory"}
	log := open(t, audit.Options{Sinks: []audit.Sink{to}})
	broken := sample("broken")
	broken.Message = "\xff" // no JSON has that
	broken.Request = &audit.Request{Parameters: []byte(`{"a":`)}
	if err := log.Append(t.Context(), sample("first"), broken); err == nil {
		t.Error("a record that is no JSON was taken")
	}
	if err := log.Append(t.Context(), sample("act-1")); err != nil {
		t.Fatal(err)
	}
	if got, want := to.story(t), "started act-1"; got != want {
		t.Errorf("story %q, want %q", got, want)
	}
}

func TestAnEndedContextLeavesNoRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &sink{name: "slow disk"}
		log := open(t, audit.Options{Sinks: []audit.Sink{to}})
		to.set(func(s *sink) { s.takes = time.Second })
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := log.Append(over, sample("over")); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that has ended: %v", err)
		}
		var wait sync.WaitGroup
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			if err := log.Append(ctx, sample("under-way")); err != nil { // nobody can take it back: it waits
				t.Errorf("the record is kept, and Append says %v", err)
			}
		})
		synctest.Wait() // the first one is being written
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			if err := log.Append(ctx, sample("waiting")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the record waits still, and Append says %v", err)
			}
		})
		wait.Go(func() {
			if err := log.Append(t.Context(), sample("patient")); err != nil {
				t.Error(err)
			}
		})
		wait.Wait()
		if got, want := to.story(t), "started under-way patient"; got != want {
			t.Errorf("story %q, want %q", got, want)
		}
	})
}

func TestASinkThatHangsIsAFailureAndItsRecordsAreUnconfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &sink{name: "hung disk"}
		log := open(t, audit.Options{Sinks: []audit.Sink{to}, SinkTimeout: 10 * time.Second})
		to.set(func(s *sink) { s.takes, s.deaf = 25*time.Second, true })
		began := time.Now()
		err := log.Append(t.Context(), sample("hung"))
		if took := time.Since(began); took != 10*time.Second || err == nil || !strings.Contains(err.Error(), "audit sink hung disk: has not answered within 10s") {
			t.Errorf("after %v: %v", took, err)
		}
		began = time.Now()
		for range 3 { // nobody waits once more
			if err := errors.Join(log.Append(t.Context(), sample("refused")), log.Check(t.Context())); err == nil || time.Since(began) != 0 {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
		}
		to.set(func(s *sink) { s.takes = 0 })
		time.Sleep(20 * time.Second) // the write ends well, and nobody asks
		if err := log.Check(t.Context()); err != nil {
			t.Errorf("the sink answers again, and Check says %v", err)
		}
		if err := log.Append(t.Context(), sample("act-1")); err != nil {
			t.Error(err)
		}
		if got, want := to.story(t), "started hung resumed(2-2 unconfirmed) act-1"; got != want {
			t.Errorf("story %q, want %q", got, want)
		}
	})
}

func TestASinkThatHangsAndThenFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &sink{name: "hung disk"}
		log := open(t, audit.Options{Sinks: []audit.Sink{to}})
		to.set(func(s *sink) { s.takes = time.Minute; s.deaf = true; s.fails = errDown })
		if err := log.Append(t.Context(), sample("hung")); err == nil {
			t.Fatal("Append says it is kept")
		}
		to.set(func(s *sink) { s.takes = 0; s.fails = nil })
		time.Sleep(time.Minute)
		if err := log.Append(t.Context(), sample("act-1")); err != nil {
			t.Error(err)
		}
		if got, want := to.story(t), "started resumed act-1"; got != want {
			t.Errorf("story %q, want %q", got, want)
		}
	})
}

func TestAFailingSinkStopsAndResumesByItself(t *testing.T) {
	t.Parallel()
	to := &sink{name: "memory", fails: errDown}
	log := open(t, audit.Options{Sinks: []audit.Sink{to}}) // it fails from the beginning
	for range 2 {
		if err := log.Append(t.Context(), sample("refused")); !errors.Is(err, errDown) {
			t.Fatalf("got %v", err)
		}
		if err := log.Check(t.Context()); !errors.Is(err, errDown) {
			t.Fatalf("Check says %v", err)
		}
	}
	to.set(func(s *sink) { s.fails = nil })
	if err := errors.Join(log.Check(t.Context()), log.Append(t.Context(), sample("act-1")), log.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got, want := to.story(t), "started resumed act-1 stopped"; got != want {
		t.Errorf("story %q, want %q", got, want)
	}
}

func TestTheSecondSinkGetsWhatTheFirstHasAndStopsIt(t *testing.T) {
	t.Parallel()
	first, second := &sink{name: "first"}, &sink{name: "second"}
	log := open(t, audit.Options{Sinks: []audit.Sink{first, second}})
	second.set(func(s *sink) { s.fails = errDown })
	for range 3 {
		if err := log.Append(t.Context(), sample("refused")); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "audit sink second") {
			t.Fatalf("got %v", err)
		}
	}
	if err := log.Check(t.Context()); !errors.Is(err, errDown) {
		t.Fatalf("Check says %v", err)
	}
	second.set(func(s *sink) { s.fails = nil })
	if err := errors.Join(log.Append(t.Context(), sample("act-1")), log.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	want := "started refused resumed(2-2 unconfirmed) act-1 stopped" // the first refusal was written before the second sink failed
	if a, b := first.story(t), second.story(t); a != want || b != want {
		t.Errorf("first: %q\nsecond: %q\nwant: %q", a, b, want)
	}
}

func TestContinueGoesOnAndTellsWhatIsLost(t *testing.T) {
	t.Parallel()
	to := &sink{name: "memory"}
	log := open(t, audit.Options{Sinks: []audit.Sink{to}, OnFailure: audit.Continue})
	to.set(func(s *sink) { s.fails = errDown })
	for range 3 {
		if err := errors.Join(log.Append(t.Context(), sample("lost"), sample("lost")), log.Check(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	to.set(func(s *sink) { s.fails = nil })
	if err := errors.Join(log.Append(t.Context(), sample("act-1")), log.Append(t.Context(), sample("act-2"))); err != nil {
		t.Fatal(err)
	}
	if got, want := to.story(t), "started resumed(6 lost) act-1 act-2"; got != want {
		t.Errorf("story %q, want %q", got, want)
	}
}

func TestContinueDoesNotWaitForASinkThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &sink{name: "hung disk"}
		log := open(t, audit.Options{Sinks: []audit.Sink{to}, OnFailure: audit.Continue})
		to.set(func(s *sink) { s.takes, s.deaf = time.Minute, true })
		if err := log.Append(t.Context(), sample("late")); err != nil { // it is in the trail in the end
			t.Fatal(err)
		}
		for range 3 {
			if err := log.Append(t.Context(), sample("lost")); err != nil {
				t.Fatal(err)
			}
		}
		to.set(func(s *sink) { s.takes = 0 })
		time.Sleep(time.Minute)
		if err := log.Append(t.Context(), sample("act-1")); err != nil {
			t.Error(err)
		}
		if got, want := to.story(t), "started late resumed(3 lost) act-1"; got != want {
			t.Errorf("story %q, want %q", got, want)
		}
	})
}

func TestContinueGivesTheSecondSinkTheRestLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := &sink{name: "first"}, &sink{name: "second"}
		log := open(t, audit.Options{Sinks: []audit.Sink{first, second}, OnFailure: audit.Continue})
		second.set(func(s *sink) { s.fails, s.takes = errDown, time.Hour })
		began := time.Now()
		for i := range 10_010 {
			if err := log.Append(t.Context(), sample(fmt.Sprint("act-", i))); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the second sink held decisions up for %v", took)
		}
		second.set(func(s *sink) { s.fails, s.takes = nil, 0 })
		time.Sleep(time.Minute)
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		records := verified(t, first.kept.Bytes())
		told := records[len(records)-2]
		if len(records) != 10_013 || told.Event != audit.EventResumed || !strings.Contains(told.Message, "has not got 1") {
			t.Errorf("%d records; the last but one: %+v", len(records), told)
		}
		if n := bytes.Count(second.kept.Bytes(), []byte("\n")); n < 10_000 || n >= len(records) {
			t.Errorf("the second sink has %d lines", n)
		}
	})
}

func TestWhatTheSecondSinkHasMissedIsToldAlsoWhenTheFirstHasFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := &sink{name: "first"}, &sink{name: "second"}
		log := open(t, audit.Options{Sinks: []audit.Sink{first, second}, OnFailure: audit.Continue})
		add := func(name string) {
			if err := log.Append(t.Context(), sample(name)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		second.set(func(s *sink) { s.fails = errDown })
		for i := range 10_010 {
			if err := log.Append(t.Context(), sample(fmt.Sprint("act-", i))); err != nil {
				t.Fatal(err)
			}
		}
		first.set(func(s *sink) { s.fails = errDown })
		add("lost")
		second.set(func(s *sink) { s.fails = nil })
		time.Sleep(time.Minute) // it works again, and the first one does not
		first.set(func(s *sink) { s.fails = nil })
		add("act-a")
		add("act-b")
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, record := range verified(t, first.kept.Bytes()) {
			if record.Event == audit.EventResumed {
				told = append(told, record.Message)
			}
		}
		if len(told) != 2 || !strings.Contains(told[0], "1 records are lost") || !strings.Contains(told[1], "it has not got 1") {
			t.Errorf("told %q", told)
		}
	})
}

func TestCloseEndsThoughASinkHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &sink{name: "hung disk"}
		log := open(t, audit.Options{Sinks: []audit.Sink{to}})
		to.set(func(s *sink) { s.takes, s.deaf = time.Hour, true })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := log.Close(ctx); err == nil || !strings.Contains(err.Error(), "ends without audit.stopped") {
			t.Errorf("got %v", err)
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestCloseWritesWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &sink{name: "slow disk"}
		log := open(t, audit.Options{Sinks: []audit.Sink{to}})
		to.set(func(s *sink) { s.takes = time.Second })
		var kept atomic.Int32
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if log.Append(t.Context(), sample("act")) == nil {
					kept.Add(1)
				}
			})
		}
		synctest.Wait()
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		wait.Wait()
		records := verified(t, to.kept.Bytes())
		if len(records) != int(kept.Load())+2 || kept.Load() != 20 || records[21].Event != audit.EventStopped {
			t.Errorf("%d records, %d confirmed", len(records), kept.Load())
		}
	})
}

func TestBadOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, options := range []audit.Options{{}, {Sinks: []audit.Sink{&sink{}}, OnFailure: "ignore"}} {
		if _, err := audit.Open(options); err == nil {
			t.Errorf("%+v was taken", options)
		}
	}
}
