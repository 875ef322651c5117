// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/lint"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// references finds what policy refers to. What the store does not have it asks
// the API server for, so that nobody is warned of what they created a moment
// before.
type references struct {
	policy *policy.Store
	live   client.Reader
}

// world is what an object is judged by while it is admitted.
func (r *references) world(ctx context.Context) *lint.World {
	snapshot := r.policy.Snapshot()
	return &lint.World{
		Snapshot: snapshot,
		Lookup:   &liveLookup{ctx: ctx, snapshot: snapshot, live: r.live},
		CheckURL: notify.CheckURL,
	}
}

// liveLookup finds references for as long as one object is admitted.
type liveLookup struct {
	ctx      context.Context // of the admission, which is all the lookup is for
	snapshot *decision.Snapshot
	live     client.Reader
}

// Workflow implements lint.Lookup.
func (l *liveLookup) Workflow(namespace, name string) (found *approval.Workflow, known bool) {
	for _, at := range []string{namespace, v1alpha1.GlobalNamespace} {
		if found := l.snapshot.Namespace(at).Workflows.Get(name); found != nil {
			return found, true
		}
		object := &v1alpha1.ApprovalWorkflow{}
		err := l.live.Get(l.ctx, client.ObjectKey{Namespace: at, Name: name}, object)
		if err == nil {
			return approval.Compile(object), true
		}
		if !apierrors.IsNotFound(err) {
			return nil, false
		}
	}
	return nil, true
}

// HasAgent implements lint.Lookup.
func (l *liveLookup) HasAgent(namespace, name string) bool {
	if l.snapshot.Agent(namespace, name) != nil {
		return true
	}
	err := l.live.Get(l.ctx, client.ObjectKey{Namespace: namespace, Name: name}, &v1alpha1.Agent{})
	return !apierrors.IsNotFound(err)
}
