// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/simulate"
)

// pages lists actions as an API server does, whose continuations expire after
// some pages. controller-runtime's fake client knows no pages.
type pages struct {
	client.Reader
	actions []*v1alpha1.AgentAction
	expire  map[int]bool // the n-th list, from 0, finds its continuation expired
	offer   bool         // another continuation comes with that error
	lists   int
	largest int
	err     error
}

func listing(actions []*v1alpha1.AgentAction) *pages { return &pages{actions: actions} }

func (p *pages) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	var asked client.ListOptions
	asked.ApplyOptions(options)
	number := p.lists
	p.lists++
	if p.err != nil {
		return p.err
	}
	start, _ := strconv.Atoi(asked.Continue)
	if p.expire[number] {
		expired := apierrors.NewResourceExpired("The provided continue parameter is too old")
		if p.offer {
			expired.ErrStatus.Continue = asked.Continue
		}
		return expired
	}
	list, isList := into.(*v1alpha1.AgentActionList)
	if !isList {
		return fmt.Errorf("unexpected list of %T", into)
	}
	end := min(start+int(asked.Limit), len(p.actions))
	p.largest = max(p.largest, end-start)
	for _, action := range p.actions[start:end] {
		list.Items = append(list.Items, *action)
	}
	if end < len(p.actions) {
		list.Continue = strconv.Itoa(end)
	}
	return nil
}

func clusterOf(t *testing.T, n int) []*v1alpha1.AgentAction {
	t.Helper()
	policy := compile(t, bot, base)
	var actions []*v1alpha1.AgentAction
	for i := range n {
		action := newAction(i, "database_read", `{"table":"t","data_classification":"public"}`)
		settle(action, decide(t, policy, action))
		actions = append(actions, action)
	}
	return actions
}

func TestAClusterIsReadPageByPage(t *testing.T) {
	t.Parallel()
	actions := clusterOf(t, 1200)
	for name, reader := range map[string]*pages{
		"in one go":          {actions: actions},
		"taken up again":     {actions: actions, expire: map[int]bool{1: true, 3: true}, offer: true},
		"begun anew":         {actions: actions, expire: map[int]bool{2: true}},
		"begun anew, twice":  {actions: actions, expire: map[int]bool{1: true, 4: true}},
		"an empty namespace": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := run(t, simulate.FromCluster(t.Context(), reader), simulate.Options{Policy: compile(t, bot, base)})
			if report.Actions != len(reader.actions) || report.Flips() != 0 || reader.largest > 500 {
				t.Errorf("%d actions, %d flips, %d in a page", report.Actions, report.Flips(), reader.largest)
			}
		})
	}
}

func TestAClusterThatRefuses(t *testing.T) {
	t.Parallel()
	forbidden := &apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "no"}}
	_, err := simulate.Run(t.Context(), simulate.FromCluster(t.Context(), &pages{err: forbidden}), simulate.Options{Policy: compile(t)})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "list actions") {
		t.Errorf("error %v", err)
	}
	always := map[int]bool{}
	for i := 1; i < 1000; i++ {
		always[i] = true
	}
	_, err = simulate.Run(t.Context(), simulate.FromCluster(t.Context(), &pages{actions: clusterOf(t, 600), expire: always, offer: true}), simulate.Options{Policy: compile(t, bot)})
	if !apierrors.IsResourceExpired(err) || errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestActionsThatPolicyDidNotJudge(t *testing.T) {
	t.Parallel()
	actions := clusterOf(t, 5)
	for i, status := range []v1alpha1.AgentActionStatus{
		{},
		{Decision: v1alpha1.DecisionDenied, Reason: v1alpha1.ReasonNotAdmitted},
		{Decision: v1alpha1.DecisionDenied, Reason: v1alpha1.ReasonInvalidRequest},
		{Decision: v1alpha1.DecisionCancelled, Reason: v1alpha1.ReasonCancelledByRequester},
	} {
		actions[i].Status = status
	}
	// Cancelled while people were asked: the requester withdrew it, policy did not.
	waited := newAction(9, "database_read", `{"table":"t"}`)
	waited.Spec.Cancelled = true
	waited.Status = v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionCancelled, Reason: v1alpha1.ReasonCancelledByRequester, Approval: &v1alpha1.ApprovalStatus{}}
	report := run(t, simulate.FromCluster(t.Context(), listing(append(actions, waited))), simulate.Options{Policy: compile(t, bot, base)})
	if report.Actions != 2 || len(report.PassedOver) != 4 || report.Loosened != 1 {
		t.Errorf("report %+v", report)
	}
}
