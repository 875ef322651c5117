// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"reflect"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// maxGrown bounds an action that people have spoken about: their verdicts, a
// withdrawal and a report may come on top of maxObject. The rest of what etcd
// takes, 1.5 MiB, is for status, so that nothing is ever too large to be decided.
const maxGrown = 1 << 20

// shape is what of an action grows by what people send, as the API server
// spells it.
type shape struct {
	Metadata struct {
		Labels, Annotations, ManagedFields json.RawMessage
	}
	Spec json.RawMessage
}

func shapeOf(raw []byte) (shape, error) {
	var s shape
	err := json.Unmarshal(raw, &s)
	return s, err
}

func (s *shape) size() int {
	return len(s.Metadata.Labels) + len(s.Metadata.Annotations) + len(s.Metadata.ManagedFields) + len(s.Spec)
}

// fixed refuses what nobody may change, or not this user, before anything is
// recorded: what was asked, what an action is tied to, its labels and
// annotations, and its growth. The schema and the policies hold this too.
func fixed(req *admission.Request, old, action *v1alpha1.AgentAction) error {
	was, err := shapeOf(req.OldObject.Raw)
	if err != nil {
		return notReady("the action as it is stored cannot be read: %v", err)
	}
	is, err := shapeOf(req.Object.Raw)
	if err != nil {
		return invalid("spec", "%v", err)
	}
	if err := sameRequest(req, old, action, was.Spec, is.Spec); err != nil {
		return err
	}
	if err := untied(old, action); err != nil {
		return err
	}
	if err := ownNotice(old, action); err != nil {
		return err
	}
	if err := marks(req, old, action); err != nil {
		return err
	}
	return smallEnough(old, action, was.size(), is.size())
}

// smallEnough refuses to let an action grow until its status fits no more.
func smallEnough(old, action *v1alpha1.AgentAction, was, is int) error {
	limit := maxObject
	if len(action.Spec.Approvals) > len(old.Spec.Approvals) || cancels(old, action) || reports(old, action) {
		limit = maxGrown
	}
	if is <= limit || is <= was {
		return nil
	}
	no := invalid("metadata", "the object would have %d bytes with its metadata, the limit is %d (%d KiB): beyond it no decision could be written any more. "+
		"Leave labels and annotations out; with kubectl apply --server-side use one --field-manager, for what each has written is kept in metadata.managedFields. "+
		"A new action can refer to its data: kubectl create -f FILE", is, limit, limit>>10)
	no.why = whyTooLarge
	return no
}

// marks lets labels and annotations be changed by the requester alone, until
// the decision: rules read them.
func marks(req *admission.Request, old, action *v1alpha1.AgentAction) error {
	switch {
	case maps.Equal(old.Labels, action.Labels) && maps.Equal(old.Annotations, action.Annotations):
		return nil
	case old.Status.Decision.IsFinal():
		return forbidden(whyDecided, "labels and annotations of an action are its requester's while it waits, for rules read them, and nobody's once it is decided; "+
			"this one was %s%s. A new action may have others: kubectl create -f FILE", old.Status.Decision, decidedAt(old))
	case !isRequester(old, req):
		user, requester := parties(req, old)
		return forbidden(whyNotRequester, "%s may not change labels and annotations of this action: they are its requester's, %s, while it waits, for rules read them. "+
			"An approver says what there is to say beside the verdict: kubectl approve %s -n %s --comment TEXT",
			user, requester, req.Name, req.Namespace)
	default:
		return nil
	}
}

// untied refuses owners and finalizers that were not there.
func untied(old, action *v1alpha1.AgentAction) error {
	isNew := func(r metav1.OwnerReference) bool {
		return !slices.ContainsFunc(old.OwnerReferences, func(o metav1.OwnerReference) bool { return reflect.DeepEqual(o, r) })
	}
	switch {
	case slices.ContainsFunc(action.OwnerReferences, isNew):
		return invalid("metadata.ownerReferences", "an action has no owner, so that nothing can take it away; leave them out. "+
			"Labels can say what it belongs to; its requester sets them while it waits: kubectl label agentaction NAME KEY=VALUE")
	case slices.ContainsFunc(action.Finalizers, func(f string) bool { return !slices.Contains(old.Finalizers, f) }):
		return invalid("metadata.finalizers", "an action has no finalizer, for it would keep its namespace from being deleted; leave them out. "+
			"To hear of its end: kubectl get agentaction NAME --watch")
	default:
		return nil
	}
}

// spoken are the fields of spec that change, by people; respelled are those
// that a client which reads and writes back may spell in another way.
var (
	spoken    = []string{"approvals", "cancelled", "outcome"}
	respelled = []string{"description", "resource", "ttlAfterDecision"}
)

// sameRequest refuses a change of what was asked. It compares the whole, as the
// API server spells it; and what was said before, where an outcome is reported.
func sameRequest(req *admission.Request, old, action *v1alpha1.AgentAction, oldSpec, newSpec json.RawMessage) error {
	var was, is map[string]any
	if err := errors.Join(json.Unmarshal(oldSpec, &was), json.Unmarshal(newSpec, &is)); err != nil {
		return invalid("spec", "%v", err)
	}
	for _, key := range slices.Compact(slices.Sorted(keysOf(was, is))) {
		if slices.Contains(spoken, key) || slices.Contains(respelled, key) {
			continue
		}
		before, had := was[key]
		now, has := is[key]
		if had != has || !reflect.DeepEqual(before, now) {
			return requestChanged(req, key)
		}
	}
	switch {
	case old.Spec.Description != action.Spec.Description:
		return requestChanged(req, "description")
	case old.Spec.Resource != action.Spec.Resource:
		return requestChanged(req, "resource")
	case ttl(old) != ttl(action):
		return requestChanged(req, "ttlAfterDecision")
	case reports(old, action) && !reflect.DeepEqual(withoutEmpty(was["approvals"]), withoutEmpty(is["approvals"])):
		return forbidden(whyChanged, "an outcome is reported alone, and approvals that were given cannot be changed; leave spec.approvals as it is")
	default:
		return nil
	}
}

func requestChanged(req *admission.Request, field string) error {
	no := invalid("spec."+field, "%s cannot be changed; submit a new action: kubectl create -f FILE, and withdraw this one, as its requester:\n"+
		"  kubectl patch agentaction %s -n %s --type=merge -p '{\"spec\":{\"cancelled\":true}}'", field, req.Name, req.Namespace)
	no.why = whyRequestChanged
	return no
}

// keysOf are the keys of all these objects.
func keysOf(objects ...map[string]any) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, object := range objects {
			for key := range object {
				if !yield(key) {
					return
				}
			}
		}
	}
}

func ttl(action *v1alpha1.AgentAction) time.Duration {
	if action.Spec.TTLAfterDecision == nil {
		return 0
	}
	return action.Spec.TTLAfterDecision.Duration
}

// withoutEmpty leaves empty texts of entries out: a Go client does.
func withoutEmpty(list any) []map[string]any {
	entries, _ := list.([]any)
	kept := make([]map[string]any, 0, len(entries))
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		fields = maps.Clone(fields)
		maps.DeleteFunc(fields, func(_ string, value any) bool { return value == "" })
		kept = append(kept, fields)
	}
	return kept
}
