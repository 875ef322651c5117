// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"time"
)

// stack is the control plane and the operator, with policy and agents.
type stack struct {
	shell
	cluster  *child
	operator *operator
	agent    identity // of the tutorial
}

// startStack starts everything. The stack is returned with an error too; the
// caller stops it.
func startStack(ctx context.Context, sh shell, strict bool) (*stack, error) {
	s := &stack{shell: sh}
	err := s.start(ctx, strict)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return s, err
}

func (s *stack) start(ctx context.Context, strict bool) (err error) {
	if err := errors.Join(s.checkBuilt(), s.folder.make()); err != nil {
		return err
	}
	begin := time.Now()
	if s.cluster, err = s.startCluster(ctx); err != nil {
		return err
	}
	say("control plane  ready  %4.1f s", time.Since(begin).Seconds())

	begin = time.Now()
	if err := s.installBase(ctx); err != nil {
		return err
	}
	if s.operator, err = s.startOperator(ctx); err != nil {
		return err
	}
	say("operator       ready  %4.1f s", time.Since(begin).Seconds())

	begin = time.Now()
	if err := s.installPolicy(ctx, strict); err != nil {
		return err
	}
	if err := s.awaitPolicy(ctx); err != nil {
		return err
	}
	if s.agent, err = s.impersonate(ctx, agentNamespace, agentAccount); err != nil {
		return err
	}
	say("policy         ready  %4.1f s", time.Since(begin).Seconds())
	return nil
}

// watch returns when ctx ends, with nil, or when something has died.
func (s *stack) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.operator.done:
		return s.operator.died()
	case <-s.cluster.done:
		return s.cluster.died()
	}
}

// stop stops the operator, then the control plane. `ready` goes first: nobody
// shall take for ready what is on its way down.
func (s *stack) stop() {
	if s.cluster == nil {
		return
	}
	if !s.cluster.ended() { // otherwise the folder may be somebody else's
		_ = os.Remove(s.folder.ready())
	}
	begin := time.Now()
	if s.operator != nil {
		s.operator.stop(operatorGrace)
	}
	s.cluster.stop(clusterGrace)
	say("stopped in %.1f s", time.Since(begin).Seconds())
}
