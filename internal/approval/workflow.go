// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// The values of fields that are left out; the schema has the same defaults.
const (
	DefaultTimeout          = 24 * time.Hour
	DefaultValidity         = time.Hour
	defaultRequired         = 1
	defaultOverrideRequired = 2
)

// VerbApprove is the approver of a stage that names nobody, because its workflow
// does not exist or has no readable stage: whoever holds the verb approve on the
// workflow's name. It stands in status.approval.pendingApprovers, and an
// approval that admission let pass on the strength of the verb has it in `as`.
const VerbApprove = "verb:approve"

// anyoneStage is the name of that stage.
const anyoneStage = "approval"

// Workflow is a compiled ApprovalWorkflow. It is never changed, and safe for
// concurrent use.
type Workflow struct {
	key      Key
	spec     *v1alpha1.ApprovalWorkflowSpec
	err      error
	revision string
	missing  bool

	selector    *selector // nil: never chosen by risk
	autoApprove bool
	stages      []stage
	override    *override // nil: no break-glass
	distinct    bool
	timeout     time.Duration
	onTimeout   v1alpha1.TimeoutPolicy
	validity    time.Duration
}

// stage is one step of a workflow.
type stage struct {
	name       string
	approvers  circle
	required   int
	timeout    time.Duration // 0: only the workflow's counts
	escalation *escalation   // nil: never
}

// escalation widens the circle of a stage.
type escalation struct {
	after     time.Duration // 0: at the stage's timeout, which is granted once more
	approvers circle
}

// override is break-glass.
type override struct {
	approvers circle
	required  int
}

// Missing stands for a workflow that is referred to but does not exist and, with
// the zero Key, for no workflow at all: one stage "approval" that anybody who
// holds the verb approve can pass, within 24 hours.
func Missing(key Key) *Workflow {
	return &Workflow{
		key:       key,
		spec:      &v1alpha1.ApprovalWorkflowSpec{},
		revision:  digest(map[string]string{"missing": key.String()}),
		missing:   true,
		stages:    []stage{stageForAnyone()},
		distinct:  true,
		timeout:   DefaultTimeout,
		onTimeout: v1alpha1.OnTimeoutTimedOut,
		validity:  DefaultValidity,
	}
}

func stageForAnyone() stage {
	return stage{name: anyoneStage, approvers: anyone(), required: defaultRequired}
}

// Key names the workflow.
func (w *Workflow) Key() Key { return w.key }

// Spec is the spec the workflow was compiled from. It must not be changed.
func (w *Workflow) Spec() *v1alpha1.ApprovalWorkflowSpec { return w.spec }

// Err is what is wrong with the spec, as an aggregate of field errors with exact
// paths; nil when nothing is.
func (w *Workflow) Err() error { return w.err }

// Revision is a digest of the spec.
func (w *Workflow) Revision() string { return w.revision }

// Global says whether the workflow is in the operator's own namespace.
func (w *Workflow) Global() bool { return w.key.Global() }

// Missing says whether the workflow stands for one that does not exist.
func (w *Workflow) Missing() bool { return w.missing }

// AutoApprove says whether the workflow lets actions pass without a human. A
// workflow with an error never does.
func (w *Workflow) AutoApprove() bool { return w.autoApprove }

// AllowNamespaceOverride says whether the workflow that a namespace chooses
// takes this one's place. Only a global workflow without an error lets it.
func (w *Workflow) AllowNamespaceOverride() bool {
	return w.Global() && w.err == nil && w.spec.AllowNamespaceOverride
}

// Validity is how long an approval by this workflow is good.
func (w *Workflow) Validity() time.Duration { return w.validity }

// digest of a value, or "" where it has none; nothing can be approved under an
// empty revision.
func digest(v any) string {
	sum, err := canonical.Digest(v)
	if err != nil {
		return ""
	}
	return sum
}
