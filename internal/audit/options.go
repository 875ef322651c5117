// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"errors"
	"io"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/utils/clock"
)

// OnFailure says what becomes of what records tell of while they cannot be kept.
type OnFailure string

const (
	// Stop has Append fail, so that it does not happen. The default.
	Stop OnFailure = "stop"
	// Continue has Append succeed, so that it happens without a record. Records that
	// are lost are counted, and told of when records can be kept again.
	Continue OnFailure = "continue"
)

// DefaultSinkTimeout is how long one batch may take where Options.SinkTimeout is zero.
const DefaultSinkTimeout = 10 * time.Second

// Options say where a log writes, and what it says of itself.
type Options struct {
	// Sinks, at least one. The first one leads: what it keeps is the chain. The
	// others get what it has kept, and the same lines again after a failure.
	Sinks []Sink
	// Clock tells the time; that of the machine when nil.
	Clock clock.WithDelayedExecution
	// Replica and Version are for EventStarted.
	Replica, Version string
	// OnFailure is Stop when empty.
	OnFailure OnFailure
	// SinkTimeout is how long one batch may take before it counts as failed.
	SinkTimeout time.Duration
	// Previous is where the chain before this one ended, at the same place, and
	// Unfinished the length in bytes of a line after it that was not written to its end.
	Previous   *Head
	Unfinished int64
	// Logger tells of failures and recoveries, once each.
	Logger logr.Logger
}

func (o *Options) complete() error {
	if len(o.Sinks) == 0 {
		return errors.New("an audit log needs at least one sink")
	}
	switch o.OnFailure {
	case "":
		o.OnFailure = Stop
	case Stop, Continue:
	default:
		return errors.New("on failure: " + string(o.OnFailure) + " is neither stop nor continue")
	}
	if o.SinkTimeout <= 0 {
		o.SinkTimeout = DefaultSinkTimeout
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return nil
}

// Open begins a new chain. Its first record is EventStarted; while that cannot be
// kept, nothing can, and Check says why: that is no error here.
func Open(options Options) (*Log, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	l := newLog(&options)
	l.journal = true
	_ = l.do(&call{probe: true, strict: true}) // Check says it
	return l, nil
}

// NewLog returns a log that begins a new chain on out, without a record of its
// beginning and end.
func NewLog(out io.Writer) *Log {
	options := Options{Sinks: []Sink{NewWriter("writer", out)}}
	_ = options.complete() // it has a sink
	return newLog(&options)
}

func newLog(options *Options) *Log {
	chain := uuid.NewString()
	l := &Log{options: *options, chain: chain, head: Head{Chain: chain}, stopping: make(chan struct{})}
	l.writing.Store(&options.Sinks[0])
	for _, sink := range options.Sinks[1:] {
		l.followers = append(l.followers, &follower{sink: sink})
	}
	for _, sink := range options.Sinks {
		writeFailuresTotal.WithLabelValues(sink.Name())
		lostRecordsTotal.WithLabelValues(sink.Name())
	}
	healthy.Set(1)
	return l
}
