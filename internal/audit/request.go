// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Request is everything that decided about an action and that is not policy, so
// that the decision can be made again under other rules, also when action,
// Agent and Namespace are gone. What the schema bounds in the objects bounds it:
// 64 KiB of parameters and of context each, and 256 KiB of annotations.
type Request struct {
	ActionType  string `json:"actionType"`
	Description string `json:"description,omitempty"`
	// Resource is spec.resource; that of the record is the first one named.
	Resource string `json:"resource,omitempty"`
	// Parameters and Context are the JSON text as the API server has it, but for
	// texts under the name of a secret, which are Redacted.
	Parameters       json.RawMessage            `json:"parameters,omitempty"`
	Context          json.RawMessage            `json:"context,omitempty"`
	ExceptionRequest *v1alpha1.ExceptionRequest `json:"exceptionRequest,omitempty"`
	Labels           map[string]string          `json:"labels,omitempty"`
	Annotations      map[string]string          `json:"annotations,omitempty"`
	// Requester is as vouched for, not as a client wrote it.
	Requester Requester `json:"requester"`
	// SubmittedAt is when the API server stored the action, UTC.
	SubmittedAt time.Time `json:"submittedAt"`
	// Agent is left out where there was none.
	Agent *Agent `json:"agent,omitempty"`
	// Namespace is left out where it was not known.
	Namespace *Namespace `json:"namespace,omitempty"`
}

// Requester is who asked.
type Requester struct {
	Username string              `json:"username,omitempty"`
	UID      string              `json:"uid,omitempty"`
	Groups   []v1alpha1.UserName `json:"groups,omitempty"`
}

// Agent is the Agent as it was, without what decides nothing: its rate limit,
// which admission has applied, and what kubectl notes of the last apply.
type Agent struct {
	Labels      map[string]string  `json:"labels,omitempty"`
	Annotations map[string]string  `json:"annotations,omitempty"`
	Spec        v1alpha1.AgentSpec `json:"spec"`
}

// Namespace is what rules can read of the action's namespace.
type Namespace struct {
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// NewRequest is the request of an action, with the requester that somebody
// vouches for. It shares what it refers to with the action. Parameters and
// context have to be JSON: request.Read tells. What kubectl notes of the last
// apply is left out: it is a second copy of the parameters, with their secrets.
func NewRequest(action *v1alpha1.AgentAction, requester v1alpha1.Requester) *Request {
	spec := &action.Spec
	return &Request{
		ActionType:       spec.ActionType,
		Description:      spec.Description,
		Resource:         spec.Resource,
		Parameters:       redact(text(spec.Parameters)),
		Context:          redact(text(spec.Context)),
		ExceptionRequest: spec.ExceptionRequest,
		Labels:           action.Labels,
		Annotations:      keptAnnotations(action.Annotations),
		Requester:        Requester{Username: requester.Username, UID: requester.UID, Groups: requester.Groups},
		SubmittedAt:      action.CreationTimestamp.UTC(),
	}
}

// NewAgent is what a request keeps of an Agent, with which it shares what it
// refers to.
func NewAgent(agent *v1alpha1.Agent) *Agent {
	kept := &Agent{Labels: agent.Labels, Annotations: keptAnnotations(agent.Annotations), Spec: agent.Spec}
	kept.Spec.RateLimit = nil
	return kept
}

// NewNamespace is what a request keeps of a namespace.
func NewNamespace(labels, annotations map[string]string) *Namespace {
	return &Namespace{Labels: labels, Annotations: keptAnnotations(annotations)}
}

// keptAnnotations leaves out the copy of the object that kubectl apply leaves on
// it, which would be in every record, and the texts under the names of secrets.
func keptAnnotations(annotations map[string]string) map[string]string {
	var kept map[string]string // nil: all of them, as they are
	for key, value := range annotations {
		copied, secret := key == lastApplied, value != "" && isSecretName(key)
		if !copied && !secret {
			continue
		}
		if kept == nil {
			kept = maps.Clone(annotations)
		}
		if copied {
			delete(kept, key)
		} else {
			kept[key] = Redacted
		}
	}
	if kept == nil {
		return annotations
	}
	return kept
}

// lastApplied is the annotation of kubectl apply.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Action is the action of the record, with what was asked and without what
// became of it. It shares what it refers to with the request.
func (r *Request) Action(namespace, name, uid, agent string) *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{
		Namespace:         namespace,
		Name:              name,
		UID:               types.UID(uid),
		Labels:            r.Labels,
		Annotations:       r.Annotations,
		CreationTimestamp: metav1.NewTime(r.SubmittedAt),
	}}
	action.Spec = v1alpha1.AgentActionSpec{
		AgentRef:         v1alpha1.LocalReference{Name: v1alpha1.ObjectName(agent)},
		ActionType:       r.ActionType,
		Description:      r.Description,
		Resource:         r.Resource,
		Parameters:       extension(r.Parameters),
		Context:          extension(r.Context),
		ExceptionRequest: r.ExceptionRequest,
	}
	return action
}

// Object is the Agent of that namespace and name.
func (a *Agent) Object(namespace, name string) *v1alpha1.Agent {
	agent := &v1alpha1.Agent{Spec: a.Spec}
	agent.Namespace, agent.Name = namespace, name
	agent.Labels, agent.Annotations = a.Labels, a.Annotations
	return agent
}

func text(raw *runtime.RawExtension) json.RawMessage {
	if raw == nil {
		return nil
	}
	return raw.Raw
}

func extension(raw json.RawMessage) *runtime.RawExtension {
	if len(raw) == 0 {
		return nil
	}
	return &runtime.RawExtension{Raw: raw}
}

// WithoutRequests keeps records without what was asked for, for trails that
// must not hold what agents send.
func WithoutRequests(to Recorder) Recorder { return withoutRequests{to} }

type withoutRequests struct{ to Recorder }

// Append implements Recorder.
func (w withoutRequests) Append(ctx context.Context, records ...Record) error {
	kept := slices.Clone(records)
	for i := range kept {
		kept[i].Request = nil
	}
	return w.to.Append(ctx, kept...)
}
