// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// asManagerThatDies is STEP:N, and makes the operator of this test binary kill
// itself when it comes to that step for the Nth time. The steps are between its
// parts, which a test may wrap: nothing in the operator knows of it.
const asManagerThatDies = "ASCEND_TEST_DIE_AT"

// stepsToDieAt are on the way of an action, in their order.
var stepsToDieAt = []string{
	"gather", // the action has been read from the cache
	"record", "half a record", "recorded",
	"status", "status written",
	"send", "sent",
	"acknowledge", "acknowledged",
}

// death is where an operator kills itself; the zero value nowhere.
type death struct {
	step string
	left atomic.Int64
}

func newDeath(at string) *death {
	step, nth, _ := strings.Cut(at, ":")
	d := &death{step: step}
	n, _ := strconv.ParseInt(nth, 10, 64)
	d.left.Store(n)
	return d
}

// comes says that the operator has come to a step, and does not return if it is
// to die there.
func (d *death) comes(step string) {
	if d.now(step) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
}

func (d *death) now(step string) bool { return d.step == step && d.left.Add(-1) == 0 }

// parts wraps the parts of the operator.
func (d *death) parts() parts {
	if d.step == "" {
		return parts{}
	}
	return parts{
		newClient: d.newClient,
		sink:      func(s audit.Sink) audit.Sink { return dyingSink{s, d} },
		poster:    func(p notify.Poster) notify.Poster { return dyingPoster{p, d} },
	}
}

// newClient dies before and after the writes of a status.
func (d *death) newClient(config *rest.Config, options client.Options) (client.Client, error) {
	plain, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	return interceptor.NewClient(plain, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
			err := c.Get(ctx, key, object, options...)
			if action, is := object.(*v1alpha1.AgentAction); is && err == nil && !action.Status.Decision.IsFinal() {
				d.comes("gather")
			}
			return err
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, resource string, object client.Object, options ...client.SubResourceUpdateOption) error {
			before, after := writesOf(object)
			d.comes(before)
			err := c.SubResource(resource).Update(ctx, object, options...)
			if err == nil {
				d.comes(after)
			}
			return err
		},
	}), nil
}

// writesOf are the steps around the write of a status: one that still has
// notifications to deliver decides, and one that has none acknowledges.
func writesOf(object client.Object) (before, after string) {
	action, is := object.(*v1alpha1.AgentAction)
	switch {
	case !is:
		return "", ""
	case action.Status.Notification == v1alpha1.NotificationDelivered:
		return "acknowledge", "acknowledged"
	default:
		return "status", "status written"
	}
}

// dyingPoster dies before and after a delivery is sent.
type dyingPoster struct {
	notify.Poster
	death *death
}

func (p dyingPoster) Send(ctx context.Context, target notify.Target, event notify.Event) notify.Result {
	p.death.comes("send")
	result := p.Poster.Send(ctx, target, event)
	if result.Err == nil {
		p.death.comes("sent")
	}
	return result
}

// dyingSink dies before, within and after the writing of records of actions.
type dyingSink struct {
	audit.Sink
	death *death
}

func (s dyingSink) Write(ctx context.Context, lines [][]byte) error {
	if !bytes.Contains(bytes.Join(lines, nil), []byte(`"event":"action.`)) {
		return s.Sink.Write(ctx, lines)
	}
	s.death.comes("record")
	if s.death.now("half a record") {
		all := bytes.Join(lines, nil)
		_ = s.Sink.Write(ctx, [][]byte{all[:len(all)/2]})
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	err := s.Sink.Write(ctx, lines)
	if err == nil {
		s.death.comes("recorded")
	}
	return err
}
