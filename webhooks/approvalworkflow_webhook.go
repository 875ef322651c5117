// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/lint"
)

// approvalWorkflows refuses a workflow that does not compile, and warns of one
// that nobody can pass, or anybody.
func approvalWorkflows(o Options) *validator[*v1alpha1.ApprovalWorkflow] {
	return &validator[*v1alpha1.ApprovalWorkflow]{
		kind: "ApprovalWorkflow",
		spec: func(workflow *v1alpha1.ApprovalWorkflow) any { return &workflow.Spec },
		check: func(_ context.Context, workflow *v1alpha1.ApprovalWorkflow) ([]lint.Finding, field.ErrorList) {
			world := lint.World{Snapshot: o.Policy.Snapshot()}
			return world.ApprovalWorkflow(approval.Compile(workflow))
		},
	}
}
