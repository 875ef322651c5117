// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const (
	teamNamespace  = "shop"
	otherNamespace = "bakery"
	madeUpSeal     = "v1.k1.bm9ib2R5IGNoZWNrcyBpdCBoZXJl"
	digest         = "sha256:0000000000000000000000000000000000000000000000000000000000000001"
	revision       = "sha256:0000000000000000000000000000000000000000000000000000000000000002"
	stage          = "review"
	stampedAt      = "2026-03-04T10:12:30.000000Z"
)

// person is somebody who sends requests.
type person struct {
	name   string
	uid    string
	groups []string
}

// The people and programs of the suite. all has every verb but purge on every
// kind and its status, so that what is refused is refused by policy.
var (
	agent    = person{name: "system:serviceaccount:" + teamNamespace + ":stock-agent", uid: "uid-agent", groups: []string{all, "system:serviceaccounts"}}
	alice    = person{name: "alice", uid: "uid-alice", groups: []string{all, "approvers"}}
	bob      = person{name: "bob", groups: []string{all, "approvers"}} // has no uid
	mallory  = person{name: "mallory", uid: "uid-mallory", groups: []string{all}}
	robot    = person{name: "system:serviceaccount:" + otherNamespace + ":robot", uid: "uid-robot", groups: []string{all}}
	operator = person{name: "system:serviceaccount:ascend-system:ascend-controller-manager"}
	cleaner  = person{name: "system:serviceaccount:kube-system:namespace-controller"}
	garbage  = person{name: "system:serviceaccount:kube-system:generic-garbage-collector", groups: []string{all}}
	// Another account of the agent's name, made after the agent's was deleted.
	impostor = person{name: agent.name, uid: "uid-of-the-new-agent", groups: agent.groups}
	super    = person{name: "root", groups: []string{"system:masters"}}
)

// all is a group that RBAC lets do anything but purge.
const all = "all"

// client acts as the person.
func (p person) client() client.Client {
	GinkgoHelper()
	own := rest.CopyConfig(config)
	own.Impersonate = rest.ImpersonationConfig{UserName: p.name, UID: p.uid, Groups: p.groups}
	c, err := client.New(own, client.Options{Scheme: scheme, Mapper: admin.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// stamp is spec.requester of what the person submits, as admission writes it.
func (p person) stamp(ctx context.Context) map[string]any {
	GinkgoHelper()
	review := &authenticationv1.SelfSubjectReview{}
	Expect(p.client().Create(ctx, review)).To(Succeed())
	info := review.Status.UserInfo
	stamp := map[string]any{"username": info.Username, "admittedAt": stampedAt, "seal": madeUpSeal}
	if info.UID != "" {
		stamp["uid"] = info.UID
	}
	groups := make([]any, len(info.Groups))
	for i, group := range info.Groups {
		groups[i] = group
	}
	if len(groups) > 0 {
		stamp["groups"] = groups
	}
	return stamp
}

// verdict is an entry of spec.approvals of the person, as admission writes it.
func (p person) verdict() map[string]any {
	entry := map[string]any{
		"verdict": "Approve", "approver": p.name, "stage": stage, "time": stampedAt,
		"specDigest": digest, "workflowRevision": revision, "seal": madeUpSeal,
	}
	if p.uid != "" {
		entry["uid"] = p.uid
	}
	return entry
}

// with is a copy with other values; nil takes a key away.
func with(entry map[string]any, pairs ...any) map[string]any {
	GinkgoHelper()
	changed := maps.Clone(entry)
	for i := 0; i < len(pairs); i += 2 {
		key, isString := pairs[i].(string)
		Expect(isString).To(BeTrue(), "%v", pairs[i])
		if pairs[i+1] == nil {
			delete(changed, key)
		} else {
			changed[key] = pairs[i+1]
		}
	}
	return changed
}

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// action is one that the person submits, stamped; it is not yet created.
func (p person) action(ctx context.Context) *unstructured.Unstructured {
	GinkgoHelper()
	o := object(v1alpha1.GroupVersion.String(), "AgentAction", teamNamespace, "")
	o.SetGenerateName("act-")
	o.Object["spec"] = map[string]any{
		"agentRef": map[string]any{"name": "stock-agent"}, "actionType": "database_write", "description": "restock",
		"parameters": map[string]any{"table": "customers", "rows": int64(1), "where": map[string]any{"id": "a"}, "ids": []any{int64(1), int64(2)}},
		"context":    map[string]any{"ticket": "4711"}, "ttlAfterDecision": "48h",
		"requester": p.stamp(ctx),
	}
	return o
}

// pending is an action of the agent that waits for a stage.
func pending(ctx context.Context) *unstructured.Unstructured {
	GinkgoHelper()
	o := agent.action(ctx)
	Expect(agent.client().Create(ctx, o)).To(Succeed())
	decide(ctx, o, "Pending")
	return o
}

// decide writes a decision as the operator.
func decide(ctx context.Context, o *unstructured.Unstructured, decision string) {
	GinkgoHelper()
	o.Object["status"] = map[string]any{
		"decision": decision, "specDigest": digest,
		"approval": map[string]any{"revision": revision, "stage": stage, "required": int64(1), "granted": int64(0)},
	}
	Expect(operator.client().Status().Update(ctx, o)).To(Succeed())
}

// approved is a pending action that alice and bob have already approved.
func approved(ctx context.Context) *unstructured.Unstructured {
	GinkgoHelper()
	o := pending(ctx)
	for _, p := range []person{alice, bob} {
		appendApproval(o, p.verdict())
		Expect(p.client().Update(ctx, o)).To(Succeed())
	}
	return o
}

func appendApproval(o *unstructured.Unstructured, entries ...map[string]any) {
	GinkgoHelper()
	list, _, err := unstructured.NestedSlice(o.Object, "spec", "approvals")
	Expect(err).NotTo(HaveOccurred())
	for _, entry := range entries {
		list = append(list, entry)
	}
	Expect(unstructured.SetNestedSlice(o.Object, list, "spec", "approvals")).To(Succeed())
}

// set sets a field.
func set(o *unstructured.Unstructured, value any, path ...string) {
	GinkgoHelper()
	Expect(unstructured.SetNestedField(o.Object, value, path...)).To(Succeed())
}

// verb is a way to write an object: to make what is stored like desired.
type verb struct {
	name  string
	write func(ctx context.Context, c client.Client, stored, desired *unstructured.Unstructured) error
}

// verbs are all ways to change an object. Server-side apply is the last: it
// cannot express a removal of what somebody else wrote.
var verbs = []verb{
	{"update", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		return c.Update(ctx, desired)
	}},
	{"merge patch", func(ctx context.Context, c client.Client, stored, desired *unstructured.Unstructured) error {
		return c.Patch(ctx, desired, client.MergeFrom(stored))
	}},
	{"JSON patch", func(ctx context.Context, c client.Client, stored, desired *unstructured.Unstructured) error {
		return c.Patch(ctx, stored, jsonPatch(stored, desired))
	}},
	{"server-side apply", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		return c.Patch(ctx, applied(desired), client.Apply, client.FieldOwner("suite"), client.ForceOwnership) //nolint:staticcheck // of unstructured content
	}},
}

// statusVerbs are all ways to change a status.
var statusVerbs = []verb{
	{"update", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		return c.Status().Update(ctx, desired)
	}},
	{"merge patch", func(ctx context.Context, c client.Client, stored, desired *unstructured.Unstructured) error {
		return c.Status().Patch(ctx, desired, client.MergeFrom(stored))
	}},
	{"JSON patch", func(ctx context.Context, c client.Client, stored, desired *unstructured.Unstructured) error {
		return c.Status().Patch(ctx, stored, jsonPatch(stored, desired))
	}},
	{"server-side apply", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		return c.Status().Patch(ctx, applied(desired), client.Apply, client.FieldOwner("suite"), client.ForceOwnership) //nolint:staticcheck // of unstructured content
	}},
}

// jsonPatch puts every part of desired in the place of what is stored.
func jsonPatch(stored, desired *unstructured.Unstructured) client.Patch {
	GinkgoHelper()
	var operations []map[string]any
	for _, path := range [][]string{{"spec"}, {"status"}, {"metadata", "ownerReferences"}, {"metadata", "finalizers"}, {"metadata", "labels"}, {"metadata", "annotations"}} {
		value, found, err := unstructured.NestedFieldNoCopy(desired.Object, path...)
		Expect(err).NotTo(HaveOccurred())
		if !found {
			continue
		}
		operations = append(operations, map[string]any{"op": "add", "path": "/" + strings.Join(path, "/"), "value": value})
	}
	text, err := json.Marshal(operations)
	Expect(err).NotTo(HaveOccurred())
	_ = stored
	return client.RawPatch("application/json-patch+json", text)
}

// applied is what a client applies that wants all of it.
func applied(desired *unstructured.Unstructured) *unstructured.Unstructured {
	o := desired.DeepCopy()
	o.SetManagedFields(nil)
	o.SetResourceVersion("")
	o.SetUID("")
	o.SetGeneration(0)
	unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(o.Object, "metadata", "generateName")
	return o
}

// read reads an object anew.
func read(ctx context.Context, o *unstructured.Unstructured) *unstructured.Unstructured {
	GinkgoHelper()
	stored := object(o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName())
	Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), stored)).To(Succeed())
	return stored
}

// grantEverything grants the group all everything but purge.
func grantEverything(ctx context.Context) {
	GinkgoHelper()
	verbs := []string{"create", "get", "list", "watch", "update", "patch", "delete", "deletecollection"}
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: all},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"*"}, Verbs: verbs}},
	}
	Expect(admin.Create(ctx, role)).To(Succeed())
	Expect(admin.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: all},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: all},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: all}},
	})).To(Succeed())
	// RBAC is read from a cache.
	Eventually(func() error { return mallory.client().List(ctx, &v1alpha1.AgentActionList{}) }).WithContext(ctx).Should(Succeed())
}
