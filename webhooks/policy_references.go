// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// references finds what policy refers to. What the store does not have it asks
// the API server for, so that nobody is warned of what they created a moment
// before.
type references struct {
	policy *policy.Store
	live   client.Reader
}

// workflow is what a reference from that namespace means: the namespace's own
// workflow, otherwise the global one, nil where there is neither. It fails
// where nobody can tell now.
func (r *references) workflow(ctx context.Context, namespace, name string) (*approval.Workflow, error) {
	snapshot := r.policy.Snapshot()
	for _, at := range []string{namespace, v1alpha1.GlobalNamespace} {
		if known := snapshot.Namespace(at).Workflows.Get(name); known != nil {
			return known, nil
		}
		object := &v1alpha1.ApprovalWorkflow{}
		err := r.live.Get(ctx, client.ObjectKey{Namespace: at, Name: name}, object)
		if err == nil {
			return approval.Compile(object), nil
		}
		if !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("look up ApprovalWorkflow %s/%s: %w", at, name, err)
		}
	}
	return nil, nil
}

// hasAgent says whether there is an agent, or nobody can tell now.
func (r *references) hasAgent(ctx context.Context, namespace, name string) bool {
	if r.policy.Snapshot().Agent(namespace, name) != nil {
		return true
	}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &v1alpha1.Agent{})
	return !apierrors.IsNotFound(err)
}

// missingWorkflow is what to say of a reference to a workflow that does not
// exist; empty where it does, or nobody can tell now.
func (r *references) missingWorkflow(ctx context.Context, namespace, name string) (why string, found *approval.Workflow) {
	found, err := r.workflow(ctx, namespace, name)
	if err != nil || found != nil {
		return "", found
	}
	where := "namespace " + namespace
	if namespace != v1alpha1.GlobalNamespace {
		where += " or " + v1alpha1.GlobalNamespace
	}
	return fmt.Sprintf("there is no ApprovalWorkflow %s in %s; until there is, one person who holds the verb approve on that name has to agree",
		name, where), nil
}
