// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// pageSize is how many actions are asked of the API server at once.
const pageSize = 500

// FromCluster lists the actions of a cluster page by page. Where the list takes
// so long that its continuation expires, it goes on by the one that the API
// server offers in its place, which tells of the rest as it is now; where it offers
// none it begins anew. It ends with the error of the API server.
func FromCluster(ctx context.Context, reader client.Reader, options ...client.ListOption) Source {
	return func(yield func(Past, error) bool) {
		next, restarts := "", 0
		for {
			page := &v1alpha1.AgentActionList{}
			err := reader.List(ctx, page, append(slices.Clone(options), client.Limit(pageSize), client.Continue(next))...)
			if apierrors.IsResourceExpired(err) && next != "" && restarts < maxRestarts {
				restarts++
				next = offered(err)
				continue
			}
			if err != nil {
				yield(Past{}, fmt.Errorf("list actions: %w", err))
				return
			}
			for i := range page.Items {
				if !yield(pastAction(&page.Items[i]), nil) {
					return
				}
			}
			if next = page.Continue; next == "" {
				return
			}
		}
	}
}

// maxRestarts is how often a list is taken up again, which is more than a
// cluster of any size needs.
const maxRestarts = 100

// offered is the continuation that comes with the error; empty where there is none.
func offered(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Continue
	}
	return ""
}

func pastAction(action *v1alpha1.AgentAction) Past {
	status := &action.Status
	past := Past{
		UID: string(action.UID), Namespace: action.Namespace, Name: action.Name,
		Agent: string(action.Spec.AgentRef.Name), ActionType: action.Spec.ActionType, Resource: action.Spec.Resource,
		Time: action.CreationTimestamp.Time,
	}
	if status.DecidedAt != nil {
		past.Time = status.DecidedAt.Time
	}
	said := policySaid(status.Decision, status.Reason, status.Approval != nil)
	if past.Skip, past.byPeople = said.skip, said.byPeople; past.Skip == "" {
		past.action = action
		past.Said = verdictOf(said.decision, status)
	}
	return past
}

// verdictOf is what a status says.
func verdictOf(decision v1alpha1.Decision, status *v1alpha1.AgentActionStatus) Verdict {
	v := Verdict{Decision: decision, Reason: status.Reason, Message: status.Message}
	v.describe(status.Risk, status.MatchedRules, status.DecidingRule, status.Approval)
	return v
}

// describe fills in how a decision came about.
func (v *Verdict) describe(risk *v1alpha1.RiskStatus, matched []v1alpha1.MatchedRule, deciding *v1alpha1.RuleReference, approval *v1alpha1.ApprovalStatus) {
	if risk != nil {
		v.Score = risk.Score
		v.Factors = append(v.Factors, fmt.Sprintf("model base %s %s", risk.CVSSVector, risk.CVSSBaseScore))
		for _, f := range risk.Factors {
			v.Factors = append(v.Factors, fmt.Sprintf("%s %s %s %s", f.Source, f.Name, f.Value, f.Delta))
		}
	}
	for _, m := range matched {
		v.Rules = append(v.Rules, fmt.Sprintf("%s/%s %s %s", m.Namespace, m.Name, m.Effect, m.Mode))
	}
	if deciding != nil {
		v.DecidingRule = fmt.Sprintf("%s/%s", deciding.Namespace, deciding.Name)
	}
	if approval != nil {
		v.ApprovalRevision = approval.Revision
		for _, w := range approval.Workflows {
			v.Workflows = append(v.Workflows, fmt.Sprintf("%s/%s", w.Namespace, w.Name))
		}
	}
}
