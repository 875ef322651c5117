// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=smartrules,verbs=get;list;watch
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=smartrules/status,verbs=patch

// SmartRuleReconciler says in its Ready condition whether a rule works.
type SmartRuleReconciler struct {
	Client client.Client
	Policy *policy.Store
}

// SetupWithManager registers the reconciler. A rule is looked at again when a
// workflow it refers to comes, goes or changes.
func (r *SmartRuleReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SmartRule{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ApprovalWorkflow{}, handler.EnqueueRequestsFromMapFunc(r.referringTo),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// comesOrGoes lets through creation and deletion.
var comesOrGoes = predicate.Funcs{
	UpdateFunc: func(event.UpdateEvent) bool { return false },
}

// Reconcile writes the rule's Ready condition.
func (r *SmartRuleReconciler) Reconcile(ctx context.Context, rule *v1alpha1.SmartRule) (ctrl.Result, error) {
	compiled, known := r.Policy.Rule(rule)
	if !known {
		return ctrl.Result{RequeueAfter: watchLag}, nil
	}
	said, err := r.readiness(ctx, rule, compiled)
	if err != nil {
		return ctrl.Result{}, err
	}
	return writeReadiness(ctx, r.Client, rule, func(o *v1alpha1.SmartRule) standing {
		return standing{&o.Status.Conditions, &o.Status.ObservedGeneration}
	}, said)
}

func (r *SmartRuleReconciler) readiness(ctx context.Context, rule *v1alpha1.SmartRule, compiled *rules.Rule) (readiness, error) {
	if err := compiled.Err(); err != nil {
		return notReady(v1alpha1.ReasonCompileFailed,
			fmt.Sprintf("the rule requires approval for what it covers, until this is corrected: %v", err)), nil
	}
	for _, ref := range workflowReferences(rule) {
		switch found, err := findWorkflow(ctx, r.Client, rule.Namespace, ref.name); {
		case err != nil:
			return readiness{}, err
		case found == nil:
			return missingWorkflow(ref.field, ref.name, rule.Namespace), nil
		case found.Spec.AutoApprove:
			return notReady(v1alpha1.ReasonNobodyAsked, fmt.Sprintf(
				"%s: workflow %s/%s approves by itself, so one approver with the verb approve has to agree; refer to one with stages",
				ref.field, found.Namespace, found.Name)), nil
		}
	}
	switch rule.Spec.Mode {
	case v1alpha1.RuleDisabled:
		return readiness{metav1.ConditionTrue, v1alpha1.ReasonDisabled, "the rule is switched off by its mode"}, nil
	case v1alpha1.RuleAudit:
		return ready("the rule is evaluated and recorded, without effect"), nil
	case v1alpha1.RuleEnforce:
		return ready("the rule has its effect"), nil
	default: // the compiler has refused any other word
		return notReady(v1alpha1.ReasonCompileFailed, fmt.Sprintf("spec.mode: %q is not known", rule.Spec.Mode)), nil
	}
}

// workflowReference is the name of a workflow and the field that has it.
type workflowReference struct{ field, name string }

func workflowReferences(rule *v1alpha1.SmartRule) []workflowReference {
	var out []workflowReference
	if ref := rule.Spec.WorkflowRef; ref != nil {
		out = append(out, workflowReference{"spec.workflowRef", string(ref.Name)})
	}
	if ref := rule.Spec.ExceptionWorkflowRef; ref != nil {
		out = append(out, workflowReference{"spec.exceptionWorkflowRef", string(ref.Name)})
	}
	return out
}

// referringTo finds the rules that refer to a workflow by its name.
func (r *SmartRuleReconciler) referringTo(ctx context.Context, workflow client.Object) []ctrl.Request {
	var list v1alpha1.SmartRuleList
	if err := r.Client.List(ctx, &list, within(workflow.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil // only a cache that is shutting down fails to list
	}
	var found []ctrl.Request
	for i := range list.Items {
		for _, ref := range workflowReferences(&list.Items[i]) {
			if ref.name == workflow.GetName() {
				found = append(found, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
			}
		}
	}
	return found
}

// within is the namespace in which a reference may mean an object of that
// namespace: all of them for the global one.
func within(namespace string) client.InNamespace {
	if namespace == v1alpha1.GlobalNamespace {
		return ""
	}
	return client.InNamespace(namespace)
}

var _ reconcile.ObjectReconciler[*v1alpha1.SmartRule] = (*SmartRuleReconciler)(nil)
