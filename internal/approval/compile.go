// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Compile compiles a workflow. It never returns nil; nil gives Missing of the
// zero Key. What is wrong with the spec is in Err, and the workflow then asks for
// no less than what could be read of it: it never approves by itself, the stages
// it has stay, a stage that names nobody is passed by nobody, an escalation, an
// override or a timeout policy that cannot be read is as if there was none
// (Denied for the policy), a time that cannot be read is the default. Without
// any stage it asks one person who holds the verb approve on its name.
func Compile(object *v1alpha1.ApprovalWorkflow) *Workflow {
	if object == nil {
		return Missing(Key{})
	}
	spec := object.Spec.DeepCopy()
	root := field.NewPath("spec")
	c := compiler{}
	w := &Workflow{
		key:       Key{object.Namespace, object.Name},
		spec:      spec,
		revision:  digest(spec),
		distinct:  spec.DistinctApprovers == nil || *spec.DistinctApprovers,
		timeout:   c.duration(spec.Timeout, DefaultTimeout, root.Child("timeout")),
		onTimeout: c.policy(spec.OnTimeout, root.Child("onTimeout")),
		validity:  c.duration(spec.ApprovalValidity, DefaultValidity, root.Child("approvalValidity")),
		override:  c.override(spec.EmergencyOverride, root.Child("emergencyOverride")),
	}
	selector, errs := newSelector(spec.Selector, root.Child("selector"))
	w.selector = selector
	c.errs = append(c.errs, errs...)
	w.stages = c.stages(spec, root)
	if spec.AutoApprove && spec.EmergencyOverride != nil {
		c.errs = append(c.errs, field.Forbidden(root.Child("emergencyOverride"), "a workflow that approves by itself needs none"))
	}
	if len(c.errs) > 0 {
		w.err = c.errs.ToAggregate()
	}
	w.autoApprove = spec.AutoApprove && w.err == nil
	if len(w.stages) == 0 && !w.autoApprove {
		w.stages = []stage{stageForAnyone()}
	}
	return w
}

// compiler collects what is wrong.
type compiler struct{ errs field.ErrorList }

func (c *compiler) invalid(path *field.Path, value any, problem string) {
	c.errs = append(c.errs, field.Invalid(path, value, problem))
}

// duration is d, or fallback when it is left out or not positive.
func (c *compiler) duration(d *metav1.Duration, fallback time.Duration, path *field.Path) time.Duration {
	if d == nil {
		return fallback
	}
	if d.Duration <= 0 {
		c.invalid(path, d.Duration.String(), "must be longer than 0s")
		return fallback
	}
	return d.Duration
}

func (c *compiler) policy(p v1alpha1.TimeoutPolicy, path *field.Path) v1alpha1.TimeoutPolicy {
	switch p {
	case "", v1alpha1.OnTimeoutTimedOut:
		return v1alpha1.OnTimeoutTimedOut
	case v1alpha1.OnTimeoutDenied:
		return v1alpha1.OnTimeoutDenied
	default:
		c.errs = append(c.errs, field.NotSupported(path, p,
			[]v1alpha1.TimeoutPolicy{v1alpha1.OnTimeoutTimedOut, v1alpha1.OnTimeoutDenied}))
		return v1alpha1.OnTimeoutDenied
	}
}

// The bounds of the schema.
const (
	maxStages   = 5
	maxRequired = 20
)

func (c *compiler) stages(spec *v1alpha1.ApprovalWorkflowSpec, root *field.Path) []stage {
	path := root.Child("stages")
	switch {
	case spec.AutoApprove && len(spec.Stages) > 0:
		c.errs = append(c.errs, field.Forbidden(path, "give either autoApprove: true or stages, not both"))
	case !spec.AutoApprove && len(spec.Stages) == 0:
		c.errs = append(c.errs, field.Required(path, "give either autoApprove: true or 1 to 5 stages"))
	case len(spec.Stages) > maxStages:
		c.errs = append(c.errs, field.TooMany(path, len(spec.Stages), maxStages))
	}
	names := map[string]bool{}
	out := make([]stage, 0, len(spec.Stages))
	for i := range spec.Stages {
		s := &spec.Stages[i]
		switch {
		case s.Name == "":
			c.errs = append(c.errs, field.Required(path.Index(i).Child("name"), "a stage needs a name"))
		case s.Name == v1alpha1.OverrideStage:
			c.invalid(path.Index(i).Child("name"), s.Name, "is reserved for emergencyOverride")
		case names[s.Name]:
			c.errs = append(c.errs, field.Duplicate(path.Index(i).Child("name"), s.Name))
		}
		names[s.Name] = true
		out = append(out, c.stage(s, path.Index(i)))
	}
	return out
}

func (c *compiler) stage(s *v1alpha1.Stage, path *field.Path) stage {
	out := stage{
		name:      s.Name,
		approvers: c.circle(s.Approvers, path.Child("approvers")),
		required:  c.required(s.Required, defaultRequired, path.Child("required")),
		timeout:   c.duration(s.Timeout, 0, path.Child("timeout")),
	}
	c.satisfiable(out.approvers, out.required, path.Child("required"))
	if s.Escalation != nil {
		out.escalation = c.escalation(s.Escalation, out.timeout, path.Child("escalation"))
	}
	return out
}

func (c *compiler) escalation(e *v1alpha1.Escalation, timeout time.Duration, path *field.Path) *escalation {
	before := len(c.errs)
	out := &escalation{
		after:     c.duration(e.After, 0, path.Child("after")),
		approvers: c.circle(e.Approvers, path.Child("approvers")),
	}
	switch {
	case e.After == nil && timeout == 0:
		c.errs = append(c.errs, field.Required(path.Child("after"),
			"give it, or the stage a timeout, otherwise the escalation would never happen"))
	case e.After != nil && timeout > 0 && e.After.Duration >= timeout:
		c.invalid(path.Child("after"), e.After.Duration.String(), "must be shorter than the stage's timeout of "+timeout.String())
	}
	if len(c.errs) > before {
		return nil
	}
	return out
}

func (c *compiler) override(e *v1alpha1.EmergencyOverride, path *field.Path) *override {
	if e == nil {
		return nil
	}
	before := len(c.errs)
	out := &override{
		approvers: c.circle(e.Approvers, path.Child("approvers")),
		required:  c.required(e.Required, defaultOverrideRequired, path.Child("required")),
	}
	c.satisfiable(out.approvers, out.required, path.Child("required"))
	if len(c.errs) > before {
		return nil
	}
	return out
}

// required is n, or fallback when it is left out. A number below that is taken
// for fallback, one above the schema's bound as it stands: more is stricter.
func (c *compiler) required(n int32, fallback int, path *field.Path) int {
	switch {
	case n == 0:
		return fallback
	case n < 0:
		c.invalid(path, n, "must be at least 1")
		return fallback
	case n > maxRequired:
		c.invalid(path, n, "must be at most 20")
	}
	return int(n)
}

func (c *compiler) circle(set v1alpha1.ApproverSet, path *field.Path) circle {
	out := newCircle(set)
	if out.empty() {
		c.errs = append(c.errs, field.Required(path, "name at least one user, group or ServiceAccount"))
	}
	return out
}

// satisfiable reports a circle of named people that is smaller than what is required.
func (c *compiler) satisfiable(of circle, required int, path *field.Path) {
	for _, m := range of.members {
		if m.open() {
			return
		}
	}
	if !of.empty() && len(of.members) < required {
		c.invalid(path, required, "is larger than the number of users and serviceAccounts named, so it could never be reached")
	}
}
