// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// Options of a run. The zero Options are good where every suite names its policy.
type Options struct {
	// Policy is the files and folders of the policy of suites that name none.
	Policy []string
	// Set is that policy where it has been read already, as out of a cluster;
	// Policy is then not read.
	Set *manifest.Set
	// Workers is how many cases are decided at once; 0 is GOMAXPROCS.
	Workers int
	// Clock measures durations; nil is the clock of the machine. It has no
	// effect on decisions.
	Clock clock.PassiveClock
}

// Run plays every case of the suites and returns what came of it, in the order of
// the suites and cases. Each policy is compiled once. A suite that cannot be run
// is in the report with its problems.
//
// It fails where ctx ends, and where the checks themselves cannot be made.
func Run(ctx context.Context, suites []*Suite, o Options) (*Report, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	begin := o.Clock.Now()
	all, err := prepareAll(ctx, suites, o)
	if err != nil {
		return nil, err
	}
	results, err := playAll(ctx, all, o)
	if err != nil {
		return nil, err
	}
	report := assemble(all, results)
	report.Seconds = o.Clock.Since(begin).Seconds()
	return report, nil
}

func prepareAll(ctx context.Context, suites []*Suite, o Options) ([]*prepared, error) {
	known := newPolicies(o)
	all := make([]*prepared, len(suites))
	err := parallel(ctx, len(suites), o.Workers, func(i int) (err error) {
		all[i], err = prepare(suites[i], known)
		return err
	})
	return all, err
}

// played is what came of a case.
type played struct {
	answers []*decision.Inquiry // one for each of its moments
	seconds float64
}

// playAll plays the cases of all suites; results are by suite and case.
func playAll(ctx context.Context, all []*prepared, o Options) ([][]played, error) {
	type job struct{ suite, number int }
	var jobs []job
	results := make([][]played, len(all))
	for i, p := range all {
		if p.world == nil {
			continue
		}
		results[i] = make([]played, len(p.cases))
		for j := range p.cases {
			jobs = append(jobs, job{i, j})
		}
	}
	err := parallel(ctx, len(jobs), o.Workers, func(i int) error {
		p := all[jobs[i].suite]
		c := p.cases[jobs[i].number]
		begin := o.Clock.Now()
		answers, err := c.play(ctx, p.world.snapshot)
		if err != nil {
			return fmt.Errorf("%s: %q: %w", c.at, c.name, err)
		}
		results[jobs[i].suite][jobs[i].number] = played{answers, o.Clock.Since(begin).Seconds()}
		return nil
	})
	return results, err
}

// play decides about the action at each of the moments.
func (c *ready) play(ctx context.Context, snapshot *decision.Snapshot) ([]*decision.Inquiry, error) {
	answers := make([]*decision.Inquiry, len(c.moments))
	for i, at := range c.moments {
		answer, err := c.decide(ctx, snapshot, at)
		if err != nil {
			return nil, err
		}
		answers[i] = answer
	}
	return answers, nil
}

func (c *ready) decide(ctx context.Context, snapshot *decision.Snapshot, at time.Time) (*decision.Inquiry, error) {
	if c.refused != nil {
		return &decision.Inquiry{Outcome: c.refused}, nil
	}
	req := *c.request
	req.SubmittedAt = at
	return decision.Inquire(ctx, snapshot, &req, nil, at)
}

// parallel calls do for every number below n, from as many goroutines as there
// are workers, and returns the error of the lowest number that failed, or of ctx.
func parallel(ctx context.Context, n, workers int, do func(i int) error) error {
	numbers := make(chan int)
	failed := make([]error, n)
	var group sync.WaitGroup
	for range min(workers, n) {
		group.Go(func() {
			for i := range numbers {
				failed[i] = do(i)
			}
		})
	}
	var ended error
	for i := 0; i < n && ended == nil; i++ {
		select {
		case numbers <- i:
		case <-ctx.Done():
			ended = context.Cause(ctx)
		}
	}
	close(numbers)
	group.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return ended
}
