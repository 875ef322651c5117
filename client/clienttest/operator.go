// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	runtimeclient "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/actionstatus"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
)

var actionResource = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "agentactions"}

func newUID() types.UID { return types.UID(uuid.NewString()) }

// change is one write of an action.
type change struct {
	kind    watch.EventType
	action  *v1alpha1.AgentAction
	version int64
}

// store writes an action and tells the watches. The lock must be held. What is
// stored is never changed afterwards.
func (s *Server) store(kind watch.EventType, action *v1alpha1.AgentAction) {
	s.version++
	action.ResourceVersion = strconv.FormatInt(s.version, 10)
	key := runtimeclient.ObjectKeyFromObject(action)
	if kind == watch.Deleted {
		delete(s.actions, key)
	} else {
		s.actions[key] = action
	}
	happened := change{kind, action, s.version}
	s.history = append(s.history, happened)
	for w := range s.watches {
		w.tell(happened)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// decideAll decides about everything that is not decided. The lock must be held.
func (s *Server) decideAll() {
	byName := func(a, b types.NamespacedName) int { return cmp.Compare(a.String(), b.String()) }
	for _, key := range slices.SortedFunc(maps.Keys(s.actions), byName) {
		s.decide(key)
	}
}

// decide does what the operator does when an action has changed. The lock must
// be held.
func (s *Server) decide(key types.NamespacedName) {
	action := s.actions[key]
	if s.stopped || action == nil || action.Status.Decision.IsFinal() {
		return
	}
	now := s.now()
	status := actionstatus.For(action, s.judge(action), "", now)
	if equality.Semantic.DeepEqual(&action.Status, status) {
		return
	}
	next := action.DeepCopy()
	next.Status = *status
	s.store(watch.Modified, next)
}

// judge is the decision about an action. A fault of this program denies.
func (s *Server) judge(action *v1alpha1.AgentAction) *decision.Outcome {
	vouched, err := s.rules.voucher.Vouch(action)
	if err != nil {
		return decision.NotAdmitted(&request.Request{}, err.Error())
	}
	asked, err := request.Read(action, vouched.Requester, vouched.Approvals)
	if vouched.Refusal != "" {
		return decision.NotAdmitted(asked, vouched.Refusal)
	}
	if err != nil {
		return decision.Refuse(asked, err)
	}
	outcome, err := decision.Decide(context.Background(), s.rules.policy.Snapshot(), asked, &action.Status, s.now())
	if err != nil {
		return decision.Refuse(asked, err)
	}
	return outcome
}

// Suspend is the kill switch for every agent of that name: what waits is denied,
// and approvals that were not used are withdrawn, before it returns.
func (s *Server) Suspend(agent string) { s.setState(agent, v1alpha1.AgentSuspended) }

// Resume undoes Suspend for what is asked from then on.
func (s *Server) Resume(agent string) { s.setState(agent, v1alpha1.AgentActive) }

func (s *Server) setState(name string, state v1alpha1.AgentState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, agent := range s.rules.agents {
		if agent.Name == name {
			changed := agent.DeepCopy()
			changed.Spec.State = state
			s.rules.addAgent(changed)
		}
	}
	s.decideAll()
	if state == v1alpha1.AgentActive {
		return
	}
	for _, action := range s.actions {
		if string(action.Spec.AgentRef.Name) == name {
			s.withdraw(action)
		}
	}
}

// withdraw ends an approval that was not used, as controllers.KillSwitch does.
// The lock must be held.
func (s *Server) withdraw(action *v1alpha1.AgentAction) {
	now := s.now()
	until := action.Status.ValidUntil
	if action.Status.Decision != v1alpha1.DecisionApproved || action.Spec.Outcome != nil || until != nil && !until.After(now) {
		return
	}
	next := action.DeepCopy()
	ended := metav1.NewMicroTime(now.UTC())
	next.Status.ValidUntil = &ended
	next.Status.Reason = v1alpha1.ReasonAgentSuspended
	next.Status.Message = "the approval was withdrawn, for agent " + string(action.Spec.AgentRef.Name) + " was suspended before an outcome was reported"
	actionstatus.SetConditions(&next.Status, next.Generation, now)
	s.store(watch.Modified, next)
}
