// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	runtimeclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/config"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/crd"
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
	if given, is := object.(runtime.Object); is {
		own := given.DeepCopyObject()
		if err := complete(own); err != nil {
			return false, err
		}
		object = own
	}
	if object, is := object.(metav1.Object); is {
		if object.GetUID() == "" {
			object.SetUID(newUID())
		}
		object.SetGeneration(max(object.GetGeneration(), 1))
		_, isModel := object.(*v1alpha1.RiskModel)
		_, isNamespace := object.(*corev1.Namespace)
		if object.GetNamespace() == "" && !isModel && !isNamespace {
			object.SetNamespace(DefaultNamespace)
		}
	}
	if object, is := object.(runtime.Object); is {
		if err := valid(object, nil); err != nil {
			return false, err
		}
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

// kinds are those that the operator knows.
var kinds = sync.OnceValue(func() *runtime.Scheme {
	known := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(known))
	return known
})

// complete sets what an object leaves out as the API server would. What is not of
// the operator's kinds stays as it is.
func complete(object runtime.Object) error {
	kind, value, err := asStored(object)
	if kind == nil || err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(value, object)
}

// valid holds an object to the schema of its kind and the rules in that, as the
// API server does; old is what it changes, nil where it is new.
func valid(object, old runtime.Object) error {
	kind, value, err := asStored(object)
	if kind == nil || err != nil {
		return err
	}
	var before map[string]any
	if old != nil {
		if _, before, err = asStored(old); err != nil {
			return err
		}
	}
	if wrong := kind.Validate(context.Background(), value, before); len(wrong) > 0 {
		name := object.(metav1.Object).GetName() //nolint:forcetypeassert // every kind has a name
		return apierrors.NewInvalid(schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: kind.Name}, name, wrong)
	}
	return nil
}

// asStored is an object as the API server keeps it, what it leaves out set, with
// its kind; nil where that is none of the operator's.
func asStored(object runtime.Object) (*crd.Kind, map[string]any, error) {
	of, _, err := kinds().ObjectKinds(object)
	if err != nil {
		return nil, nil, nil //nolint:nilerror // it is of no such kind
	}
	kind, err := crd.Of(of[0].Kind)
	if err != nil {
		return nil, nil, err
	}
	value, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, nil, err
	}
	value["apiVersion"], value["kind"] = v1alpha1.GroupVersion.String(), kind.Name
	kind.Default(value)
	return kind, value, nil
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
