// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/ow-kai/ascend-operator/internal/decision"
)

// Options say what to replay against.
type Options struct {
	// Policy that is tried. Required.
	Policy *decision.Snapshot
	// Against is the policy to compare with; nil: what was recorded. Then both
	// are replayed, and what was recorded does not matter.
	Against *decision.Snapshot
	// ApproversFlip counts an action that is Pending by both, but asks other
	// people, as a flip.
	ApproversFlip bool
	// Since leaves out the actions that were submitted before; those of which that
	// is not known go by when they were judged. Zero leaves out none.
	Since time.Time
	// Workers is how many actions are replayed at once; GOMAXPROCS when zero.
	Workers int
}

// job is a past action that tells what was asked, at its place in the source.
type job struct {
	past     Past
	sequence int
}

// Run replays all past actions of a source. The same actions, read in the same
// order, and the same policy give the same report. It fails with the first error of
// the source, and with that of ctx.
func Run(ctx context.Context, source Source, options Options) (*Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := options.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	s := &simulation{table: newTable(), after: newReplayer(options.Policy), approversFlip: options.ApproversFlip, since: options.Since}
	if options.Against != nil {
		s.before = newReplayer(options.Against)
	}
	jobs := make(chan job, 4*workers)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for j := range jobs {
				if err := s.replay(ctx, j); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := s.read(ctx, source, jobs)
	close(jobs)
	wait.Wait()
	if err := errors.Join(err, context.Cause(ctx)); err != nil {
		return nil, err
	}
	return s.report(), nil
}

// simulation is one run.
type simulation struct {
	table         *table
	before        *replayer // nil: compare with what was recorded
	after         *replayer
	approversFlip bool
	since         time.Time
}

// read takes in what the source tells, in its order, and hands on what can be replayed.
func (s *simulation) read(ctx context.Context, source Source, jobs chan<- job) error {
	sequence := 0
	for past, err := range source {
		if err != nil {
			return err
		}
		s.table.told(&past)
		sequence++
		if past.UID == "" || !past.replayable() {
			continue
		}
		select {
		case jobs <- job{past, sequence}:
		case <-ctx.Done():
			return nil // the caller has its cause
		}
	}
	return nil
}

// replay makes one decision again.
func (s *simulation) replay(ctx context.Context, j job) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the caller has its cause
	}
	result, err := s.again(ctx, &j.past)
	if err != nil {
		return err
	}
	s.table.replayed(j.past.UID, j.past.Time, j.sequence, result)
	return nil
}

func (s *simulation) again(ctx context.Context, past *Past) (*replay, error) {
	what, err := past.read()
	if err != nil {
		return &replay{missing: missingRequest}, nil //nolint:nilerr // told in the report, for it concerns one action only
	}
	result := &replay{submitted: what.request.SubmittedAt, resource: what.request.Resource}
	if s.before != nil {
		result.before, result.missing, err = s.before.verdict(ctx, what, past.Said.Reason)
	}
	if err == nil && result.missing == "" {
		result.after, result.missing, err = s.after.verdict(ctx, what, past.Said.Reason)
	}
	return result, err
}
