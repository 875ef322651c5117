// SPDX-License-Identifier: Apache-2.0

// Package anchor signs the audit trail and keeps what it has signed in the
// cluster, out of reach of who can write the trail's files.
//
// The key is in the Secret ascend-audit-signing-key of ascend-system, which
// whichever replica comes first creates. The ConfigMap ascend-audit-anchors has,
// for everybody who may read it, the public keys, and of each chain the last
// checkpoint: chain, sequence and hash of a record, signed. A chain whose file
// ends before its anchor was cut off; who has the public key can tell without
// the cluster which records of a file the operator wrote.
//
// To rotate the key:
//
//	kubectl annotate secret -n ascend-system ascend-audit-signing-key governance.ascendowkai.com/rotate=now
//
// The public keys of older ones stay in the ConfigMap, for what they have signed.
// Whoever can read the Secret can sign what they like.
package anchor

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Interval is the time between two looks whether the chain has gone on, where
// Anchorer.Interval is zero.
const Interval = 10 * time.Second

// requestTimeout bounds one look, and what is written then.
const requestTimeout = 5 * time.Second

var failuresTotal = prometheus.NewCounter(prometheus.CounterOpts{
	Name: "ascend_audit_anchor_failures_total",
	Help: "Attempts to sign and anchor the audit trail that failed.",
})

func init() { metrics.Registry.MustRegister(failuresTotal) }

// Anchorer anchors the chain of this process. Its fields are set before it is
// used. It is a manager.Runnable of every replica.
type Anchorer struct {
	// Log is what is anchored.
	Log *audit.Log
	// Live reads from the API server itself, Writer writes.
	Live   client.Reader
	Writer client.Client
	Clock  clock.Clock
	// Interval between two looks; the constant when zero.
	Interval time.Duration

	mu  sync.Mutex // one look at a time
	key ed25519.PrivateKey
	// published is the id of the last key that the ConfigMap is known to have.
	published string
	// signed is the sequence of the record with the last checkpoint: nothing is to
	// be signed before the chain goes on.
	signed uint64
	// waiting is a checkpoint that the ConfigMap does not have yet.
	waiting *audit.Checkpoint
	// pruned says that old chains were looked for.
	pruned bool
}

// NeedLeaderElection is false: every replica keeps a chain.
func (a *Anchorer) NeedLeaderElection() bool { return false }

// Start anchors the chain every Interval until ctx ends. What fails is tried
// again; nothing waits for it.
func (a *Anchorer) Start(ctx context.Context) error {
	interval := a.Interval
	if interval <= 0 {
		interval = Interval
	}
	for {
		if err := a.Anchor(ctx); err != nil && ctx.Err() == nil {
			failuresTotal.Inc()
			log.FromContext(ctx).Error(err, "Cannot anchor the audit trail; trying again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.Clock.After(interval):
		}
	}
}

// Anchor signs the end of the chain, where it has gone on, and writes it into the
// ConfigMap.
func (a *Anchorer) Anchor(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.anchor(ctx)
}

func (a *Anchorer) anchor(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := a.haveKey(ctx); err != nil {
		return err
	}
	if a.Log.Head().Sequence > a.signed {
		signed, err := a.Log.Checkpoint(ctx, a.sign)
		if err != nil {
			return fmt.Errorf("sign the audit trail: %w", err)
		}
		a.signed, a.waiting = signed.Sequence+1, signed
	}
	if a.waiting == nil {
		return nil
	}
	if err := a.write(ctx, a.waiting); err != nil {
		return err
	}
	a.waiting = nil
	return nil
}

// Finish ends the chain: it signs it once more, closes the log, and anchors the
// very last record. It is for after Start has returned.
func (a *Anchorer) Finish(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	anchored := a.anchor(ctx)
	closed := a.Log.Close(ctx)
	if a.key == nil {
		return errors.Join(anchored, closed)
	}
	last, err := a.sign(a.Log.Head())
	if err == nil {
		err = a.write(ctx, last)
	}
	return errors.Join(anchored, closed, err)
}

func (a *Anchorer) sign(head audit.Head) (*audit.Checkpoint, error) {
	if head.Sequence == 0 {
		return nil, errors.New("the chain has no record yet")
	}
	return audit.SignCheckpoint(a.key, head, a.Clock.Now())
}
