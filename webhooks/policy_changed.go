// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/changes"
)

// changed keeps the record of policy that is created, changed or deleted. What
// changes nothing that decides has none: status, finalizers, and labels and
// annotations but those of an Agent, which selectors and conditions of rules read.
// The warning is of a change that is let through and has its record later.
func (r *recorded) changed(ctx context.Context, req *admission.Request) (warning string, err error) {
	if dryRun(req) || req.SubResource != "" {
		return "", nil
	}
	if req.Operation == admissionv1.Delete && len(req.OldObject.Raw) == 0 {
		return "", wholeCollection(req)
	}
	record, err := r.about(req)
	if err != nil || record.Event == audit.EventPolicyUpdated && len(record.Changes) == 0 {
		return "", err
	}
	if err := r.stored(ctx, req, &record); err != nil {
		return "", err
	}
	switch err := r.audit.Append(ctx, record); {
	case err == nil:
		return "", nil
	case stops(&record):
		return r.late.keep(ctx, &record, err), nil
	default:
		return "", notReady("no record can be kept of it: %v; try again when the operator is ready", err)
	}
}

// wholeCollection lets the deletion of a collection begin: the API server asks
// once without an object, and then about each one that is to go.
func wholeCollection(req *admission.Request) error {
	if req.Name != "" {
		return forbidden(whyUnreadable, "the API server does not show what is to be deleted, so that no record could be kept of it; delete it with a supported Kubernetes")
	}
	return nil
}

// policyText is an object of policy as it is compared.
type policyText struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              json.RawMessage `json:"spec"`
}

// about is the record of a request: what becomes of which object, by whom.
func (r *recorded) about(req *admission.Request) (audit.Record, error) {
	record := audit.Record{Time: r.clock.Now(), Actor: req.UserInfo.Username, Kind: r.kind, Namespace: req.Namespace}
	before, after, err := both(req)
	if err != nil {
		return record, invalid("spec", "%v", err)
	}
	found, more := changes.Between(before.compared(r.kind), after.compared(r.kind), r.mask)
	for _, c := range found {
		record.Changes = append(record.Changes, audit.Change(c))
	}
	object := after
	switch req.Operation {
	case admissionv1.Create:
		record.Event, record.Message = audit.EventPolicyCreated, "created"
	case admissionv1.Delete:
		record.Event, record.Message, object = audit.EventPolicyDeleted, "deleted", before
	default:
		record.Event, record.Message = audit.EventPolicyUpdated, "changed: "+namesOf(found, more)
	}
	if r.kind == "Agent" {
		record.Agent = object.Name
	}
	record.Name, record.UID, record.ResourceVersion = object.Name, string(object.UID), before.ResourceVersion
	if len(object.Spec) > 0 {
		if record.SpecDigest, err = canonical.Digest(object.Spec); err != nil {
			return record, invalid("spec", "%v", err)
		}
	}
	return record, nil
}

// both reads the object before and after; an empty one where there is none.
func both(req *admission.Request) (before, after *policyText, err error) {
	if before, err = readPolicy(req.OldObject.Raw); err != nil {
		return nil, nil, err
	}
	after, err = readPolicy(req.Object.Raw)
	return before, after, err
}

func readPolicy(raw []byte) (*policyText, error) {
	read := &policyText{}
	if len(raw) == 0 {
		return read, nil
	}
	return read, json.Unmarshal(raw, read)
}

// lastApplied is where kubectl apply leaves a copy of the object.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// compared is what of the object decides.
func (p *policyText) compared(kind string) map[string]any {
	spec := any(map[string]any{})
	if len(p.Spec) > 0 {
		if decoded, err := changes.Decode(p.Spec); err == nil { // it is part of an object that was decoded
			spec = decoded
		}
	}
	if kind != "Agent" {
		return map[string]any{"spec": spec}
	}
	labels, annotations := map[string]any{}, map[string]any{}
	for key, value := range p.Labels {
		labels[key] = value
	}
	for key, value := range p.Annotations {
		if key != lastApplied {
			annotations[key] = value
		}
	}
	return map[string]any{"metadata": map[string]any{"labels": labels, "annotations": annotations}, "spec": spec}
}

// mask hides texts under the names of secrets, and of a subscription's url what
// comes after the host: with many receivers whoever knows it can send. What names
// a Secret, such as secretRef, is none.
func (r *recorded) mask(names []string, text string) string {
	secret := func(name string) bool { return audit.SecretName(name) && !strings.HasSuffix(name, "Ref") }
	if text != "" && slices.ContainsFunc(names, secret) {
		return audit.Redacted
	}
	if r.kind == "WebhookSubscription" && slices.Equal(names, []string{"spec", "url"}) {
		return withoutPath(text)
	}
	return text
}

func withoutPath(text string) string {
	at, err := url.Parse(text)
	switch {
	case err != nil || at.Host == "":
		return audit.Redacted
	case at.User == nil && strings.Trim(at.Path, "/") == "" && at.RawQuery == "" && at.Fragment == "":
		return text
	default:
		return at.Scheme + "://" + at.Host + "/" + audit.Redacted
	}
}

// maxNamed is how many changed fields a message names.
const maxNamed = 5

// namesOf are the fields that changed.
func namesOf(found []changes.Change, more int) string {
	var names []string
	for _, c := range found[:min(len(found), maxNamed)] {
		names = append(names, c.Field)
	}
	text := strings.Join(names, ", ")
	if rest := len(found) + more - len(names); rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

// stored makes sure that there is what is said to be changed or deleted, in the
// version that is spoken of; of what is created nobody can know, see
// agentaction_stored.go.
func (r *recorded) stored(ctx context.Context, req *admission.Request, record *audit.Record) error {
	if req.Operation == admissionv1.Create {
		return nil
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(r.kind))
	err := r.live.Get(ctx, types.NamespacedName{Namespace: record.Namespace, Name: record.Name}, live)
	if client.IgnoreNotFound(err) != nil {
		return notReady("the %s cannot be read now: %v; try again", r.kind, err)
	}
	if apierrors.IsNotFound(err) || string(live.UID) != record.UID {
		return conflict(whyMoved, "%s %s is not there any more, or another one has its name; look again", r.kind, shown(record.Name))
	}
	if live.ResourceVersion != record.ResourceVersion {
		return stale(live.ResourceVersion, record.ResourceVersion)
	}
	return nil
}
