// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	runtimeclient "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/google/uuid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// user is who a token stands for.
type user struct {
	name   string
	groups []string
}

func (u user) info() authenticationv1.UserInfo {
	return authenticationv1.UserInfo{Username: u.name, UID: "uid-of-" + u.name, Groups: append([]string{"system:authenticated"}, u.groups...)}
}

// token makes a token for a user.
func (s *Server) token(name string, groups []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := uuid.NewString()
	s.users[token] = user{name, groups}
	return token
}

// Approve gives a user's approval to an action that waits. It fails as the
// operator refuses, such as for whoever is not named in the stage.
func (s *Server) Approve(id, as string, groups ...string) error {
	return s.verdict(id, v1alpha1.Approval{Verdict: v1alpha1.VerdictApprove, Comment: "approved in a test"}, user{as, groups})
}

// Deny gives a user's denial to an action that waits. It fails as Approve does.
func (s *Server) Deny(id, as string, groups ...string) error {
	return s.verdict(id, v1alpha1.Approval{Verdict: v1alpha1.VerdictDeny, Comment: "denied in a test"}, user{as, groups})
}

func (s *Server) verdict(id string, given v1alpha1.Approval, by user) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.find(id)
	if old == nil {
		return apierrors.NewNotFound(actionResource, id)
	}
	next := old.DeepCopy()
	next.Spec.Approvals = append(next.Spec.Approvals, given)
	_, err := s.update(old, next, by)
	return err
}

// find is the action of that name in any namespace; nil where there is none.
// The lock must be held.
func (s *Server) find(id string) *v1alpha1.AgentAction {
	for key, action := range s.actions {
		if key.Name == id {
			return action
		}
	}
	return nil
}

// Action is an action as it is stored; nil where there is none.
func (s *Server) Action(id string) *v1alpha1.AgentAction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(id).DeepCopy()
}

// Actions are all actions as they are stored, in no order.
func (s *Server) Actions() []*v1alpha1.AgentAction {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*v1alpha1.AgentAction, 0, len(s.actions))
	for _, action := range s.actions {
		all = append(all, action.DeepCopy())
	}
	return all
}

// Edit changes an action past admission, as nobody can in a cluster, to see
// what a client makes of it. Edit's function may change anything.
func (s *Server) Edit(id string, change func(*v1alpha1.AgentAction)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.find(id)
	if old == nil {
		return apierrors.NewNotFound(actionResource, id)
	}
	next := old.DeepCopy()
	change(next)
	delete(s.actions, runtimeclient.ObjectKeyFromObject(old))
	s.store("MODIFIED", next)
	return nil
}

// Delete removes an action, as the operator does when its time is over.
func (s *Server) Delete(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.find(id)
	if old == nil {
		return apierrors.NewNotFound(actionResource, id)
	}
	s.store("DELETED", old.DeepCopy())
	return nil
}

// awaitTime bounds how long Await waits.
const awaitTime = 30 * time.Second

// Await waits until an action is as it should be, and returns it. It fails the
// test after 30 seconds.
func (s *Server) Await(tb testing.TB, enough func(*v1alpha1.AgentAction) bool) *v1alpha1.AgentAction {
	tb.Helper()
	over := time.NewTimer(awaitTime)
	defer over.Stop()
	for {
		found, changed := s.look(enough)
		if found != nil {
			return found
		}
		select {
		case <-changed:
		case <-over.C:
			tb.Fatalf("clienttest: no such action within %s", awaitTime)
			return nil
		}
	}
}

func (s *Server) look(enough func(*v1alpha1.AgentAction) bool) (found *v1alpha1.AgentAction, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, action := range s.actions {
		if enough(action) {
			return action.DeepCopy(), nil
		}
	}
	return nil, s.changed
}

// AwaitPending waits until an action waits for people, and returns its id.
func (s *Server) AwaitPending(tb testing.TB) string {
	tb.Helper()
	return s.Await(tb, func(a *v1alpha1.AgentAction) bool { return a.Status.Decision == v1alpha1.DecisionPending }).Name
}

// Applied is what was applied by server-side apply to an object, as JSON; nil
// where nothing was. resource is secrets or webhooksubscriptions.
func (s *Server) Applied(namespace, resource, name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied[fmt.Sprintf("%s/%s/%s", namespace, resource, name)]
}

// ApproveWhen waits until an action is as it should be, and approves it. It ends
// with ctx; what comes of it can be seen in the action.
func (s *Server) ApproveWhen(ctx context.Context, enough func(*v1alpha1.AgentAction) bool, as string, groups ...string) {
	for {
		found, changed := s.look(enough)
		if found != nil {
			_ = s.Approve(found.Name, as, groups...) // nothing, where somebody was faster
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
