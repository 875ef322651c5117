// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ow-kai/ascend-operator/internal/anchor"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/audit/otlp"
)

// endTimeout bounds what the trail takes to end in order. Together with
// --shutdown-timeout it is less than the terminationGracePeriodSeconds of the Pod.
const endTimeout = 8 * time.Second

// trail is the audit log of this process, with whoever signs it.
type trail struct {
	*audit.Log
	anchorer *anchor.Anchorer // nil before there is an API server to anchor at
}

// openTrail opens the sinks that the options name and begins a chain.
func openTrail(options *Options) (*trail, error) {
	replica, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this replica: %w", err)
	}
	with := audit.Options{
		Replica:     replica,
		Version:     buildVersion(),
		OnFailure:   audit.OnFailure(options.AuditOnFailure),
		SinkTimeout: options.AuditSinkTimeout,
		Logger:      ctrl.Log.WithName("audit"),
	}
	if err := addLogSink(options, &with); err != nil {
		return nil, fmt.Errorf("open the audit log: %w; give another file with --audit-log", err)
	}
	if options.AuditOTLPEndpoint != "" {
		sink, err := otlp.New(otlp.Options{
			Endpoint:    options.AuditOTLPEndpoint,
			HeadersFile: options.AuditOTLPHeadersFile,
			CAFile:      options.AuditOTLPCAFile,
			Replica:     replica,
			Version:     with.Version,
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--audit-otlp-endpoint: %w", err), with.Sinks[0].Close())
		}
		with.Sinks = append(with.Sinks, sink)
	}
	if wrap := options.parts.sink; wrap != nil {
		with.Sinks[0] = wrap(with.Sinks[0])
	}
	log, err := audit.Open(with)
	if err != nil {
		return nil, errors.Join(err, with.Sinks[0].Close())
	}
	return &trail{Log: log}, nil
}

// addLogSink adds standard output, a file of this process alone, or, where the
// path leads to none, such as a pipe, what is there.
func addLogSink(options *Options, to *audit.Options) error {
	if options.AuditLog == "-" {
		to.Sinks = append(to.Sinks, audit.NewWriter("stdout", os.Stdout))
		return nil
	}
	if info, err := os.Stat(options.AuditLog); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		out, err := openOther(options.AuditLog, info.Mode())
		if err != nil {
			return err
		}
		to.Sinks = append(to.Sinks, audit.NewWriter("file", out))
		return nil
	}
	file, err := audit.OpenFile(options.AuditLog, audit.FileOptions{
		MaxSize:  int64(options.AuditLogMaxSize) << 20,
		MaxFiles: options.AuditLogMaxFiles,
		Logger:   to.Logger,
	})
	if err != nil {
		return err
	}
	to.Sinks = append(to.Sinks, file)
	to.Previous, to.Unfinished = file.Previous(), file.Unfinished()
	return nil
}

// openOther opens what is no file, to write only: with a reader of its own, a pipe
// would take records that nobody else reads. Opening one does not wait for its
// reader, either.
func openOther(path string, mode os.FileMode) (*os.File, error) {
	flags, pipe := os.O_APPEND|os.O_WRONLY, mode&os.ModeNamedPipe != 0
	if pipe {
		flags |= syscall.O_NONBLOCK
	}
	out, err := os.OpenFile(path, flags, 0) //nolint:gosec // the place the operator's administrator names
	if pipe && errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("nobody reads from it yet: %w", err)
	}
	return out, err
}

// anchorWith has the manager anchor the trail while it runs.
func (t *trail) anchorWith(mgr ctrl.Manager, options *Options) error {
	anchorer := &anchor.Anchorer{
		Log: t.Log, Live: mgr.GetAPIReader(), Writer: mgr.GetClient(), Clock: clock.RealClock{}, Interval: options.AuditAnchorInterval,
	}
	if err := mgr.Add(anchorer); err != nil {
		return fmt.Errorf("anchor the audit trail: %w", err)
	}
	t.anchorer = anchorer
	return nil
}

// end makes audit.stopped the last record. It is for when nothing is at work that
// makes records. What fails is logged: the process ends all the same.
func (t *trail) end() {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	var err error
	if t.anchorer != nil {
		err = t.anchorer.Finish(ctx)
	} else {
		err = t.Close(ctx)
	}
	if err != nil {
		ctrl.Log.WithName("audit").Error(err, "The audit trail does not end in order")
	}
}

// recorder is the trail with as much as the options let into it.
func recorder(options *Options, to audit.Recorder) (audit.Recorder, error) {
	patterns, err := audit.ParseKeyPatterns(options.AuditRedactKeys)
	if err != nil {
		return nil, err
	}
	to = audit.Redacting(to, patterns)
	if !options.AuditRequests {
		to = audit.WithoutRequests(to)
	}
	return to, nil
}

// buildVersion is the version of the module that this program was built from.
func buildVersion() string {
	if info, known := debug.ReadBuildInfo(); known && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
