// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	runtimeclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/config"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/voucher"
	"github.com/ow-kai/ascend-operator/webhooks"
)

// rules are the operator's: policy, seals, and admission.
type rules struct {
	policy    *policy.Store
	voucher   voucher.Voucher
	admission admission.Handler
	agents    map[types.NamespacedName]*v1alpha1.Agent
	known     map[string]bool // the namespaces
}

func newRules(s *Server, objects []any) (*rules, error) {
	store, err := policy.NewStore()
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	ring, err := seal.NewRing("00000001", []seal.Key{{ID: "00000001", Secret: secret}})
	if err != nil {
		return nil, err
	}
	r := &rules{policy: store, agents: map[types.NamespacedName]*v1alpha1.Agent{}, known: map[string]bool{}}
	rings := func() *seal.Ring { return ring }
	r.voucher = voucher.Sealed{Ring: rings}
	r.admission = webhooks.Actions(webhooks.Options{
		Audit: noAudit{}, Policy: store, Synced: func() bool { return true }, Ring: rings,
		Voucher: r.voucher, Limiter: ratelimit.New(), Live: reader{s: s}, Clock: serverClock{s},
	}, everythingAllowed{})
	hasPolicy := false
	for _, object := range objects {
		isPolicy, err := r.add(object)
		if err != nil {
			return nil, err
		}
		hasPolicy = hasPolicy || isPolicy
	}
	if !hasPolicy {
		if err := r.addStarter(); err != nil {
			return nil, err
		}
	}
	if len(r.agents) == 0 {
		if _, err := r.add(&v1alpha1.Agent{
			ObjectMeta: metav1.ObjectMeta{Namespace: DefaultNamespace, Name: DefaultAgent},
			Spec:       v1alpha1.AgentSpec{DisplayName: "Test Agent", Environment: v1alpha1.EnvironmentSandbox},
		}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// add takes a copy of an object, which stays the caller's, and says whether it is policy.
func (r *rules) add(object any) (bool, error) {
	if given, is := object.(runtimeclient.Object); is {
		own, err := created(given)
		if err != nil {
			return false, err
		}
		object = own
	}
	switch object := object.(type) {
	case *v1alpha1.SmartRule:
		r.policy.SetRule(object)
	case *v1alpha1.ApprovalWorkflow:
		r.policy.SetWorkflow(object)
	case *v1alpha1.RiskModel:
		r.policy.SetModel(object)
	case *v1alpha1.Agent:
		r.addAgent(object)
		return false, nil
	case *corev1.Namespace:
		r.addNamespace(object.Name, object.Labels)
		return false, nil
	default:
		return false, fmt.Errorf("a %T is nothing that decisions are made by; give Agents, SmartRules, ApprovalWorkflows, a RiskModel or Namespaces", object)
	}
	return true, nil
}

func (r *rules) addNamespace(name string, labels map[string]string) {
	r.known[name] = true
	r.policy.SetNamespace(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})
}

// addAgent takes over an agent.
func (r *rules) addAgent(agent *v1alpha1.Agent) {
	if len(agent.Spec.Subjects) == 0 {
		agent.Spec.Subjects = []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Name: v1alpha1.UserName(agent.Name)}}
	}
	if !r.known[agent.Namespace] {
		r.addNamespace(agent.Namespace, nil)
	}
	agent.Generation++
	r.agents[runtimeclient.ObjectKeyFromObject(agent)] = agent
	r.policy.SetAgent(agent)
}

func (r *rules) addStarter() error {
	shipped, err := config.StarterPolicy()
	if err != nil {
		return err
	}
	for _, object := range shipped {
		typed, err := kinds().New(object.GroupVersionKind())
		if err != nil {
			return err
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil {
			return fmt.Errorf("%s: %w", object.GetName(), err)
		}
		if _, err := r.add(typed); err != nil {
			return err
		}
	}
	return nil
}

// serverClock is the cluster's, for admission, which is asked under the lock.
type serverClock struct{ s *Server }

func (c serverClock) Now() time.Time                  { return c.s.now() }
func (c serverClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// noAudit keeps no record.
type noAudit struct{}

func (noAudit) Append(context.Context, ...audit.Record) error { return nil }

// everythingAllowed answers SubjectAccessReviews: there is no RBAC here.
type everythingAllowed struct{ runtimeclient.Writer }

func (everythingAllowed) Create(_ context.Context, object runtimeclient.Object, _ ...runtimeclient.CreateOption) error {
	review, is := object.(*authorizationv1.SubjectAccessReview)
	if !is {
		return fmt.Errorf("clienttest: a %T is created by nobody", object)
	}
	review.Status.Allowed = true
	return nil
}

// reader reads what the server has, for admission, which is asked under the lock.
type reader struct {
	runtimeclient.Reader
	s *Server
}

func (r reader) Get(_ context.Context, key types.NamespacedName, into runtimeclient.Object, _ ...runtimeclient.GetOption) error {
	switch into := into.(type) {
	case *v1alpha1.Agent:
		if agent := r.s.rules.agents[key]; agent != nil {
			agent.DeepCopyInto(into)
			return nil
		}
		return apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource("agents").GroupResource(), key.Name)
	case *v1alpha1.AgentAction:
		if action := r.s.actions[key]; action != nil {
			action.DeepCopyInto(into)
			return nil
		}
		return apierrors.NewNotFound(actionResource, key.Name)
	default:
		return errors.ErrUnsupported
	}
}
