// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// attempt is a change of an action that somebody wants.
type attempt struct {
	title  string
	by     person
	begin  func(context.Context) *unstructured.Unstructured // pending when nil
	change func(*unstructured.Unstructured)
	// refused are words of the refusal; none: it is let through.
	refused []string
	// removes: what is wanted is that something goes, which server-side apply cannot say.
	removes bool
}

// play makes the attempt by one verb and checks what came of it.
func (a attempt) play(ctx context.Context, v verb) {
	GinkgoHelper()
	begin := a.begin
	if begin == nil {
		begin = pending
	}
	stored := begin(ctx)
	before := read(ctx, stored)
	desired := before.DeepCopy()
	a.change(desired)
	err := v.write(ctx, a.by.client(), before.DeepCopy(), desired)
	if len(a.refused) == 0 {
		Expect(err).NotTo(HaveOccurred())
		return
	}
	Expect(err).To(HaveOccurred())
	for _, words := range a.refused {
		Expect(err).To(MatchError(ContainSubstring(words)))
	}
	Expect(read(ctx, stored)).To(Equal(before), "a refused request changes nothing")
}

// entries are the attempts by every verb.
func entries(ways []verb, attempts []attempt) {
	for _, a := range attempts {
		for i, v := range ways {
			if a.removes && i == len(ways)-1 {
				continue
			}
			It(a.title+", by "+v.name, func(ctx SpecContext) { a.play(ctx, v) })
		}
	}
}

// entryOf is an entry of a list of objects.
func entryOf(list []any, i int) map[string]any {
	GinkgoHelper()
	entry, isObject := list[i].(map[string]any)
	Expect(isObject).To(BeTrue(), "%v", list[i])
	return entry
}

// adds adds a verdict, however wrong.
func adds(entries ...map[string]any) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) { appendApproval(o, entries...) }
}

func sets(value any, path ...string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) { set(o, value, path...) }
}

const (
	identity     = "'ascend-agentaction-identity' with binding"
	immutability = "'ascend-agentaction-immutability' with binding"
	itself       = "kubectl approve act-"
)

var _ = Describe("A verdict", func() {
	ownName := []string{identity, "in one's own name", itself}
	entitled := []string{identity, "`as` names", itself}
	unstamped := []string{identity, "no stamp of the operator", "seal", itself}
	elsewhere := []string{identity, "another request, or under other workflows", itself}
	uncommented := func(ctx context.Context) *unstructured.Unstructured {
		o := pending(ctx)
		for _, p := range []person{alice, bob} {
			appendApproval(o, with(p.verdict(), "comment", ""))
			Expect(p.client().Update(ctx, o)).To(Succeed())
		}
		return o
	}
	commentsDropped := func(o *unstructured.Unstructured) {
		list, _, _ := unstructured.NestedSlice(o.Object, "spec", "approvals")
		for i := range list {
			delete(entryOf(list, i), "comment")
		}
		set(o, append(list, mallory.verdict()), "spec", "approvals")
	}
	decided := func(ctx context.Context) *unstructured.Unstructured {
		o := pending(ctx)
		decide(ctx, o, "Denied")
		return o
	}

	Context("is let through", func() {
		entries(verbs, []attempt{
			{title: "in one's own name, as a group one is in", by: alice, change: adds(with(alice.verdict(), "as", "group:approvers"))},
			{title: "in person", by: alice, change: adds(with(alice.verdict(), "as", "user:alice", "comment", "fine"))},
			{title: "where anybody with the verb may", by: alice, change: adds(with(alice.verdict(), "as", "verb:approve"))},
			{title: "without saying as whom", by: alice, change: adds(alice.verdict())},
			{title: "of somebody without a uid", by: bob, change: adds(bob.verdict())},
			{title: "of a ServiceAccount", by: robot, change: adds(with(robot.verdict(), "as", "serviceaccount:"+otherNamespace+"/robot"))},
			{title: "after those of others", by: mallory, begin: approved, change: adds(mallory.verdict())},
			{title: "with the empty comments of others left out, as Go does", by: mallory, begin: uncommented, change: commentsDropped},
			{title: "that is an override", by: alice, change: adds(with(alice.verdict(), "verdict", "Override", "stage", "emergency-override", "comment", "incident 12"))},
		})
	})
	Context("is refused", func() {
		entries(verbs, []attempt{
			{title: "in another's name", by: mallory, change: adds(alice.verdict()), refused: ownName},
			{title: "in the operator's name", by: mallory, change: adds(operator.verdict()), refused: ownName},
			{title: "with another's uid", by: mallory, change: adds(with(mallory.verdict(), "uid", "uid-alice")), refused: ownName},
			{title: "without one's uid", by: mallory, change: adds(with(mallory.verdict(), "uid", nil)), refused: ownName},
			{title: "in another spelling of one's name", by: mallory, change: adds(with(mallory.verdict(), "approver", "Mallory")), refused: ownName},
			{title: "by an administrator in another's name", by: super, change: adds(alice.verdict()), refused: ownName},
			{title: "two at once", by: alice, change: adds(alice.verdict(), with(alice.verdict(), "stage", "second")), refused: []string{identity, "one verdict a request", "this one adds 2", itself}},
			{title: "one's own with another's beside it", by: alice, change: adds(alice.verdict(), bob.verdict()), refused: []string{identity, "one verdict a request"}},
			{title: "as a group one is not in", by: mallory, change: adds(with(mallory.verdict(), "as", "group:approvers")), refused: entitled},
			{title: "as another user", by: mallory, change: adds(with(mallory.verdict(), "as", "user:alice")), refused: entitled},
			{title: "as a ServiceAccount", by: mallory, change: adds(with(mallory.verdict(), "as", "serviceaccount:"+otherNamespace+"/robot")), refused: entitled},
			{title: "as another ServiceAccount", by: robot, change: adds(with(robot.verdict(), "as", "serviceaccount:"+teamNamespace+"/robot")), refused: entitled},
			{title: "as something nobody knows", by: mallory, change: adds(with(mallory.verdict(), "as", "approvers")), refused: entitled},
			{title: "without a seal", by: mallory, change: adds(with(mallory.verdict(), "seal", nil)), refused: unstamped},
			{title: "with an empty seal", by: mallory, change: adds(with(mallory.verdict(), "seal", "")), refused: unstamped},
			{title: "without a time", by: mallory, change: adds(with(mallory.verdict(), "time", nil)), refused: unstamped},
			{title: "without a digest", by: mallory, change: adds(with(mallory.verdict(), "specDigest", nil)), refused: unstamped},
			{title: "without a revision", by: mallory, change: adds(with(mallory.verdict(), "workflowRevision", nil)), refused: unstamped},
			{title: "about another request", by: mallory, change: adds(with(mallory.verdict(), "specDigest", "sha256:1")), refused: elsewhere},
			{title: "under other workflows", by: mallory, change: adds(with(mallory.verdict(), "workflowRevision", "sha256:1")), refused: elsewhere},
			{title: "before the action was evaluated", by: alice, begin: fresh, change: adds(alice.verdict()), refused: elsewhere},
			{title: "after the decision", by: alice, begin: decided, change: adds(alice.verdict()), refused: []string{"already decided"}},
		})
	})
	Context("that was given cannot be", func() {
		reworded := func(o *unstructured.Unstructured) {
			list, _, _ := unstructured.NestedSlice(o.Object, "spec", "approvals")
			entryOf(list, 0)["comment"] = "changed"
			set(o, list, "spec", "approvals")
		}
		turned := func(o *unstructured.Unstructured) {
			list, _, _ := unstructured.NestedSlice(o.Object, "spec", "approvals")
			entryOf(list, 0)["verdict"] = "Deny"
			set(o, list, "spec", "approvals")
		}
		moved := func(o *unstructured.Unstructured) {
			list, _, _ := unstructured.NestedSlice(o.Object, "spec", "approvals")
			list[0], list[1] = list[1], list[0]
			set(o, list, "spec", "approvals")
		}
		dropped := func(o *unstructured.Unstructured) {
			list, _, _ := unstructured.NestedSlice(o.Object, "spec", "approvals")
			set(o, list[1:], "spec", "approvals")
		}
		overtaken := func(o *unstructured.Unstructured) {
			list, _, _ := unstructured.NestedSlice(o.Object, "spec", "approvals")
			set(o, append([]any{mallory.verdict()}, list...), "spec", "approvals")
		}
		emptied := func(o *unstructured.Unstructured) { set(o, []any{}, "spec", "approvals") }
		replaced := func(o *unstructured.Unstructured) {
			set(o, []any{mallory.verdict()}, "spec", "approvals")
		}
		entries(verbs, []attempt{
			{title: "reworded", by: mallory, begin: approved, change: reworded, refused: []string{"cannot be changed"}},
			{title: "reworded by who gave it", by: alice, begin: approved, change: reworded, refused: []string{"cannot be changed"}},
			{title: "turned round", by: alice, begin: approved, change: turned, refused: []string{"cannot be changed"}},
			{title: "moved", by: mallory, begin: approved, change: moved, refused: []string{immutability, "changed, removed or moved", "kubectl approve"}, removes: true},
			{title: "overtaken", by: mallory, begin: approved, change: overtaken, refused: []string{immutability, "added at the end"}, removes: true},
			{title: "removed", by: mallory, begin: approved, change: dropped, refused: []string{"cannot be removed"}, removes: true},
			{title: "removed with all others", by: mallory, begin: approved, change: emptied, refused: []string{"cannot be removed"}, removes: true},
			{title: "replaced", by: mallory, begin: approved, change: replaced, refused: []string{"cannot be removed"}, removes: true},
		})
	})
})

// fresh is an action that nobody has evaluated yet.
func fresh(ctx context.Context) *unstructured.Unstructured {
	GinkgoHelper()
	o := agent.action(ctx)
	Expect(agent.client().Create(ctx, o)).To(Succeed())
	return o
}

// allowed is an action that may be carried out.
func allowed(ctx context.Context) *unstructured.Unstructured {
	GinkgoHelper()
	o := pending(ctx)
	decide(ctx, o, "Approved")
	return o
}

var _ = Describe("What only the requester may", func() {
	outcome := map[string]any{"result": "Succeeded", "message": "done"}
	Context("they may", func() {
		entries(verbs, []attempt{
			{title: "withdraw", by: agent, change: sets(true, "spec", "cancelled")},
			{title: "report", by: agent, begin: allowed, change: sets(outcome, "spec", "outcome")},
			{title: "withdraw, where their uid is not known", by: person{name: agent.name, groups: agent.groups}, change: sets(true, "spec", "cancelled")},
		})
	})
	Context("nobody else may", func() {
		entries(verbs, []attempt{
			{title: "withdraw", by: mallory, change: sets(true, "spec", "cancelled"), refused: []string{identity, "only its requester, " + agent.name, "kubectl deny"}},
			{title: "withdraw, not even an administrator", by: super, change: sets(true, "spec", "cancelled"), refused: []string{identity, "only its requester"}},
			{title: "withdraw, not even another account of that name", by: impostor, change: sets(true, "spec", "cancelled"), refused: []string{identity, "only its requester", "you are another account of that name: your uid is not spec.requester.uid"}},
			{title: "report, not even another account of that name", by: impostor, begin: allowed, change: sets(outcome, "spec", "outcome"), refused: []string{identity, "another account of that name"}},
			{title: "report", by: mallory, begin: allowed, change: sets(outcome, "spec", "outcome"), refused: []string{identity, "only its requester, " + agent.name, "kubectl patch agentaction"}},
		})
	})
})

var _ = Describe("What was asked", func() {
	swapped := map[string]any{"table": "customers", "rows": int64(1), "whom": map[string]any{"id": "a"}, "ids": []any{int64(1), int64(2)}}
	fixed := []string{"cannot be changed"}
	whole := []string{immutability, "what was asked cannot be changed", "kubectl create -f"}

	Context("cannot be changed:", func() {
		entries(verbs, []attempt{
			{title: "agentRef", by: agent, change: sets("other", "spec", "agentRef", "name"), refused: fixed},
			{title: "actionType", by: agent, change: sets("database_read", "spec", "actionType"), refused: fixed},
			{title: "description", by: agent, change: sets("other", "spec", "description"), refused: fixed},
			{title: "resource", by: agent, change: sets("other", "spec", "resource"), refused: fixed},
			{title: "a parameter", by: agent, change: sets("orders", "spec", "parameters", "table"), refused: fixed},
			{title: "a parameter's number", by: agent, change: sets(int64(2), "spec", "parameters", "rows"), refused: fixed},
			{title: "the order of a parameter's list", by: agent, change: sets([]any{int64(2), int64(1)}, "spec", "parameters", "ids"), refused: fixed},
			{title: "an added parameter", by: agent, change: sets("x", "spec", "parameters", "more"), refused: fixed},
			{title: "a parameter within", by: agent, change: sets("b", "spec", "parameters", "where", "id"), refused: fixed},
			{title: "the context", by: agent, change: sets("4712", "spec", "context", "ticket"), refused: fixed},
			{title: "how long it is kept", by: agent, change: sets("1h", "spec", "ttlAfterDecision"), refused: fixed},
			{title: "an exception that is asked for later", by: agent, change: sets(map[string]any{"ruleName": "r", "justification": "j"}, "spec", "exceptionRequest"), refused: fixed},
			{title: "the requester", by: mallory, change: sets("mallory", "spec", "requester", "username"), refused: fixed},
			{title: "the requester's seal", by: agent, change: sets("v1.k1.b3RoZXI", "spec", "requester", "seal"), refused: fixed},
			{title: "what was approved", by: agent, begin: allowed, change: sets("orders", "spec", "parameters", "table"), refused: fixed},
		})
		// What the schema cannot see: as many keys as before, one in another's place.
		entries(verbs, []attempt{
			{title: "a parameter in another's place", by: agent, change: sets(swapped, "spec", "parameters"), refused: whole, removes: true},
			{title: "a part of the context in another's place", by: agent, change: sets(map[string]any{"order": "4711"}, "spec", "context"), refused: whole, removes: true},
		})
		entries(verbs, []attempt{
			{title: "parameters that are taken away", by: agent, change: func(o *unstructured.Unstructured) {
				unstructured.RemoveNestedField(o.Object, "spec", "parameters")
			}, refused: fixed, removes: true},
			{title: "a requester who is taken away", by: agent, change: func(o *unstructured.Unstructured) {
				unstructured.RemoveNestedField(o.Object, "spec", "requester")
			}, refused: fixed, removes: true},
		})
	})

	Context("may be written in another spelling:", func() {
		entries(verbs, []attempt{
			{title: "a duration", by: agent, change: sets("2880m", "spec", "ttlAfterDecision")},
			{title: "an empty resource", by: agent, change: sets("", "spec", "resource")},
		})
	})
})

var _ = Describe("What would tie an action to something", func() {
	owner := []any{map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "11111111-1111-1111-1111-111111111111"}}
	finalizers := []any{"example.com/keep"}
	noOwner := []string{immutability, "no owner", "metadata.ownerReferences", "kubectl label"}
	noFinalizer := []string{immutability, "no finalizer", "metadata.finalizers"}

	Context("is refused:", func() {
		entries(verbs, []attempt{
			{title: "an owner", by: mallory, change: sets(owner, "metadata", "ownerReferences"), refused: noOwner},
			{title: "an owner, by the requester", by: agent, change: sets(owner, "metadata", "ownerReferences"), refused: noOwner},
			{title: "an owner, by an administrator", by: super, change: sets(owner, "metadata", "ownerReferences"), refused: noOwner},
			{title: "an owner, by the garbage collector", by: garbage, change: sets(owner, "metadata", "ownerReferences"), refused: noOwner},
			{title: "a finalizer", by: mallory, change: sets(finalizers, "metadata", "finalizers"), refused: noFinalizer},
			{title: "a finalizer, by an administrator", by: super, change: sets(finalizers, "metadata", "finalizers"), refused: noFinalizer},
		})
	})

	It("is let go where the API server itself has added it", func(ctx SpecContext) {
		o := pending(ctx)
		Expect(super.client().Delete(ctx, o, client.PropagationPolicy("Foreground"))).To(Succeed())
		stored := read(ctx, o)
		Expect(stored.GetFinalizers()).To(ConsistOf("foregroundDeletion"))
		stored.SetFinalizers(nil)
		Expect(garbage.client().Update(ctx, stored)).To(Succeed())
		Expect(client.IgnoreNotFound(admin.Get(ctx, client.ObjectKeyFromObject(o), stored))).To(Succeed())
	})
})
