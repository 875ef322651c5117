// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

const (
	// A batch has about batchBytes bytes, or batchLines lines.
	batchBytes = 256 << 10
	batchLines = 512
	// keptBytes is how much memory a batch keeps for the next one.
	keptBytes = 1 << 20
	// More workers wait for the one that reads, and hold a few of the longest lines each.
	maxWorkers = 8
)

// batch is lines that are examined together.
type batch struct {
	text  []byte
	ends  []int // of each line in text
	facts []fact
	err   error         // why reading ended behind the last line
	done  chan struct{} // closed when the facts are complete
}

// release keeps of a batch what the next one may need.
func (b *batch) release() {
	if cap(b.text) > keptBytes {
		*b = batch{}
	}
}

func (b *batch) reset() {
	b.text, b.ends, b.facts, b.err = b.text[:0], b.ends[:0], b.facts[:0], nil
	b.done = make(chan struct{})
}

func (b *batch) add(line Line, place int64) {
	b.text = append(b.text, line.Raw...)
	b.ends = append(b.ends, len(b.text))
	b.facts = append(b.facts, fact{file: line.File, number: line.Number, ended: line.Ended, place: place})
}

func (b *batch) examine(e *examiner) {
	begin := 0
	for i := range b.facts {
		b.facts[i].raw = b.text[begin:b.ends[i]:b.ends[i]]
		begin = b.ends[i]
		e.examine(&b.facts[i])
	}
	close(b.done)
}

// examined reads lines and examines them on all processors. It gives them in their
// order; each is good until the one after the next is asked for. It holds a few
// batches in memory, however many lines there are.
func examined(ctx context.Context, lines iter.Seq2[Line, error]) iter.Seq2[*fact, error] {
	return func(yield func(*fact, error) bool) {
		within, stop := context.WithCancel(ctx)
		workers := min(runtime.GOMAXPROCS(0), maxWorkers)
		p := &pipeline{
			ordered: make(chan *batch, 2*workers),
			work:    make(chan *batch, 2*workers),
			free:    make(chan *batch, 4*workers+4),
		}
		var running sync.WaitGroup
		defer func() {
			stop()
			if ctx.Err() == nil { // else the reader may wait for input that never comes
				running.Wait()
			}
		}()
		for range workers {
			running.Go(func() {
				var e examiner
				for b := range p.work {
					b.examine(&e)
				}
			})
		}
		running.Go(func() { p.read(within, lines) })
		p.give(within, yield)
	}
}

type pipeline struct {
	ordered, work chan *batch
	free          chan *batch
}

// read fills batches.
func (p *pipeline) read(ctx context.Context, lines iter.Seq2[Line, error]) {
	defer close(p.ordered)
	defer close(p.work)
	place := int64(0)
	b := p.batch()
	for line, err := range lines {
		if err != nil {
			b.err = err
			break
		}
		place++
		b.add(line, place)
		if len(b.text) >= batchBytes || len(b.facts) >= batchLines {
			if !p.send(ctx, b) {
				return
			}
			b = p.batch()
		}
	}
	p.send(ctx, b)
}

func (p *pipeline) batch() *batch {
	var b *batch
	select {
	case b = <-p.free:
	default:
		b = &batch{}
	}
	b.reset()
	return b
}

func (p *pipeline) send(ctx context.Context, b *batch) bool {
	for _, to := range []chan<- *batch{p.work, p.ordered} {
		select {
		case to <- b:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// give yields what is in the batches, in their order.
func (p *pipeline) give(ctx context.Context, yield func(*fact, error) bool) {
	var before *batch // its last line is still needed
	for {
		var b *batch
		var more bool
		select {
		case b, more = <-p.ordered:
		case <-ctx.Done(): // the reader may wait for input that never comes
		}
		if !more {
			return
		}
		select {
		case <-b.done:
		case <-ctx.Done():
			return
		}
		for i := range b.facts {
			if !yield(&b.facts[i], nil) {
				return
			}
		}
		if b.err != nil {
			yield(nil, b.err)
			return
		}
		if len(b.facts) == 0 {
			continue
		}
		if before != nil {
			before.release()
			select {
			case p.free <- before:
			default:
			}
		}
		before = b
	}
}
