// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

func init() {
	attacks = append(attacks, deletionAttacks...)
	attacks = append(attacks, collectorAttacks...)
	attacks = append(attacks, goneAttacks...)
}

// Nobody deletes an action without the verb purge, whatever else RBAC grants.
var deletionAttacks = []*attack{
	deletion("delete a waiting action, as its agent", waits, func(s *scene) person { return s.agent },
		"--serviceaccount=", "kubectl patch agentaction"),
	deletion("delete a waiting action, as an approver", waits, func(s *scene) person { return s.alice },
		"--user=alice", "kubectl patch agentaction"),
	deletion("delete a decided action, as its agent", decided, func(s *scene) person { return s.agent },
		"--serviceaccount=", "spec.ttlAfterDecision"),
	deletion("delete a decided action, as who may delete all else", decided, func(s *scene) person { return s.mallory },
		"--user=mallory", "spec.ttlAfterDecision"),
	deletion("delete a waiting action with what depends on it (foreground)", waits, func(s *scene) person { return s.mallory },
		"--user=mallory", "kubectl patch agentaction", client.PropagationPolicy(metav1.DeletePropagationForeground)),
	deletion("delete a waiting action now (grace period 0)", waits, func(s *scene) person { return s.mallory },
		"--user=mallory", "kubectl patch agentaction", client.GracePeriodSeconds(0)),
	collection("delete all actions at once (deletecollection), as their agent", func(s *scene) person { return s.agent }),
	collection("delete all actions at once (deletecollection), as who may delete all else", func(s *scene) person { return s.mallory }),
	{
		number: 13, name: "have the operator itself delete it, by a ttlAfterDecision of 0s",
		prepare: waits,
		attempt: func(ctx context.Context, s *scene) error {
			return mergePatch(ctx, s.agent, s.action, `spec: {ttlAfterDecision: 0s}`)
		},
		up:      refusedBy("schema", "ttlAfterDecision cannot be changed; submit a new action"),
		deleted: refusedBy("schema", "ttlAfterDecision cannot be changed; submit a new action"),
	},
}

func waits(ctx context.Context, s *scene) { s.pending(ctx) }

func decided(ctx context.Context, s *scene) {
	s.pending(ctx)
	s.deny(ctx)
}

// deny has alice deny the action.
func (s *scene) deny(ctx context.Context) {
	GinkgoHelper()
	Expect(jsonPatch(ctx, s.alice, s.action, `[{"op":"add","path":"/spec/approvals","value":[{"verdict":"Deny"}]}]`)).To(Succeed())
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionDenied)
}

// deleters gives everybody of the scene all that RBAC knows of deleting.
func deleters(ctx context.Context, s *scene) {
	s.allow(ctx, s.agent, "agentactions", "delete", "deletecollection")
	s.allow(ctx, s.alice, "agentactions", "delete", "deletecollection")
	s.allow(ctx, s.mallory, "agentactions", "delete", "deletecollection")
}

// deletion is an attempt to delete the action that prepare leaves. The webhook
// says how to grant the right, and the policy whatever else helps.
func deletion(name string, prepare func(context.Context, *scene), who func(*scene) person, flag, instead string, how ...client.DeleteOption) *attack {
	return &attack{
		number: 13, name: name,
		prepare: func(ctx context.Context, s *scene) {
			deleters(ctx, s)
			prepare(ctx, s)
		},
		attempt: func(ctx context.Context, s *scene) error { return who(s).Delete(ctx, copyOf(s.action), how...) },
		up: refusedBy("webhook", "may not delete actions", "who holds the verb purge can delete",
			"kubectl create role ascend-purge", "kubectl create rolebinding ascend-purge", flag),
		deleted: refusedBy("policy", "ascend-agentaction-deletion", "only who holds the verb purge", instead, "--clusterrole=ascend-admin"),
	}
}

func collection(name string, who func(*scene) person) *attack {
	return &attack{
		number: 13, name: name,
		prepare: func(ctx context.Context, s *scene) {
			deleters(ctx, s)
			s.pending(ctx)
			s.pending(ctx)
		},
		attempt: func(ctx context.Context, s *scene) error {
			return who(s).DeleteAllOf(ctx, &v1alpha1.AgentAction{}, client.InNamespace(s.namespace))
		},
		up:      refusedBy("webhook", "may not delete actions", "who holds the verb purge can delete", "kubectl create role ascend-purge"),
		deleted: refusedBy("policy", "ascend-agentaction-deletion", "only who holds the verb purge", "--clusterrole=ascend-admin"),
	}
}

// With an owner the garbage collector would delete what nobody may; with a
// finalizer nothing could.
var collectorAttacks = []*attack{
	leash("give an action an owner, by merge patch as an approver", "owner", func(ctx context.Context, s *scene) error {
		return mergePatch(ctx, s.alice, s.action, "metadata: {ownerReferences: ["+s.owner(ctx)+"]}")
	}),
	leash("give an action an owner, by JSON patch as its agent", "owner", func(ctx context.Context, s *scene) error {
		return jsonPatch(ctx, s.agent, s.action, `[{"op":"add","path":"/metadata/ownerReferences","value":[`+s.owner(ctx)+`]}]`)
	}),
	leash("give an action a finalizer, by merge patch as an approver", "finalizer", func(ctx context.Context, s *scene) error {
		return mergePatch(ctx, s.alice, s.action, `metadata: {finalizers: [example.com/forever]}`)
	}),
	leash("give an action a finalizer, by update as its agent", "finalizer", func(ctx context.Context, s *scene) error {
		s.allow(ctx, s.agent, "agentactions", "update")
		action := s.fresh(ctx)
		action.Finalizers = []string{"example.com/forever"}
		return s.agent.Update(ctx, action)
	}),
	{
		number: 13, name: "submit an action with an owner",
		attempt: func(ctx context.Context, s *scene) error {
			action := s.ask(readOrders)
			action.Spec.Requester = stampOf(ctx, s.agent)
			action.OwnerReferences = []metav1.OwnerReference{s.ownerReference(ctx)}
			return s.agent.Create(ctx, action)
		},
		up:      refusedBy("webhook", "metadata.ownerReferences: an action belongs to nobody", "name what it is for in spec.context"),
		deleted: refusedBy("policy", "ascend-agentaction-immutability", "an action has no owner", "kubectl label agentaction"),
	},
	{
		number: 13, name: "submit an action with a finalizer",
		attempt: func(ctx context.Context, s *scene) error {
			action := s.ask(readOrders)
			action.Spec.Requester = stampOf(ctx, s.agent)
			action.Finalizers = []string{"example.com/forever"}
			return s.agent.Create(ctx, action)
		},
		up:      refusedBy("webhook", "metadata.finalizers: an action has none", "leave them out"),
		deleted: refusedBy("policy", "ascend-agentaction-immutability", "an action has no finalizer", "kubectl get agentaction"),
	},
	{
		number: 13, name: "delete the agent, for its actions to be collected",
		prepare: waits,
		attempt: func(ctx context.Context, s *scene) error {
			// What does belong to the agent shows when the collector has come by.
			s.state["bait"] = s.bait(ctx)
			adam := s.with(ctx, "adam", "ascend-admin")
			return adam.Delete(ctx, s.agentObject(ctx), client.PropagationPolicy(metav1.DeletePropagationBackground))
		},
		up:      without("the actions stay, and are denied", keptByCollector),
		deleted: without("the actions stay, and are denied", keptByCollector),
	},
}

// leash is an attempt to have the garbage collector, or nobody, delete a
// waiting action.
func leash(name, word string, attempt func(context.Context, *scene) error) *attack {
	return &attack{
		number: 13, name: name, prepare: waits, attempt: attempt,
		up:      refusedBy("webhook", "an action has no "+word, "leave them out", "kubectl "),
		deleted: refusedBy("policy", "ascend-agentaction-immutability", "an action has no "+word, "whoever you are", "kubectl "),
	}
}

func (s *scene) agentObject(ctx context.Context) *v1alpha1.Agent {
	GinkgoHelper()
	agent := &v1alpha1.Agent{}
	Expect(lab.admin.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "agent"}, agent)).To(Succeed())
	return agent
}

func (s *scene) ownerReference(ctx context.Context) metav1.OwnerReference {
	GinkgoHelper()
	return *metav1.NewControllerRef(s.agentObject(ctx), v1alpha1.GroupVersion.WithKind("Agent"))
}

// owner is the agent as an ownerReference in JSON.
func (s *scene) owner(ctx context.Context) string { return toJSON(s.ownerReference(ctx)) }

// bait is an object that belongs to the agent.
func (s *scene) bait(ctx context.Context) *corev1.ConfigMap {
	GinkgoHelper()
	bait := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: "bait", OwnerReferences: []metav1.OwnerReference{s.ownerReference(ctx)},
	}}
	Expect(lab.admin.Create(ctx, bait)).To(Succeed())
	return bait
}

func keptByCollector(ctx context.Context, s *scene) {
	GinkgoHelper()
	Eventually(func() error {
		return lab.admin.Get(ctx, client.ObjectKeyFromObject(prepared[*corev1.ConfigMap](s, "bait")), &corev1.ConfigMap{})
	}).WithContext(ctx).Should(MatchError(apierrors.IsNotFound, "not found"))
	before := s.action.UID
	Expect(s.awaitDecision(ctx, s.action, v1alpha1.DecisionDenied).UID).To(Equal(before))
	Expect(s.action.Status.Reason).To(Equal(v1alpha1.ReasonAgentNotFound))
}

// What may go, goes, and leaves its record where the operator was asked.
var goneAttacks = []*attack{
	{
		number: 13, name: "(allowed) delete an action with the verb purge",
		prepare: func(ctx context.Context, s *scene) {
			s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
			s.state["adam"] = s.with(ctx, "adam", "ascend-admin")
		},
		attempt: func(ctx context.Context, s *scene) error { return s.as("adam").Delete(ctx, copyOf(s.action)) },
		up:      without("allowed, and recorded", func(ctx context.Context, s *scene) { goneRecorded(ctx, s, audit.EventPurged, "adam") }),
		deleted: without("allowed", isGone),
	},
	{
		number: 13, name: "(allowed) delete the namespace",
		prepare: func(ctx context.Context, s *scene) { s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending) },
		attempt: func(ctx context.Context, s *scene) error {
			return lab.admin.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
		},
		up: without("it goes, and leaves records", func(ctx context.Context, s *scene) {
			goneRecorded(ctx, s, audit.EventGone, "system:serviceaccount:kube-system:namespace-controller")
			namespaceGone(ctx, s)
			s.expectAuthor("system:serviceaccount:kube-system:namespace-controller", "ApprovalWorkflow", "people")
			s.expectAuthor("system:serviceaccount:kube-system:namespace-controller", "Agent", "agent")
		}),
		down: without("it goes", namespaceGone), deleted: without("it goes", namespaceGone),
	},
}

func isGone(ctx context.Context, s *scene) {
	GinkgoHelper()
	Eventually(func() error {
		return lab.admin.Get(ctx, client.ObjectKeyFromObject(s.action), &v1alpha1.AgentAction{})
	}).WithContext(ctx).Should(MatchError(apierrors.IsNotFound, "not found"))
}

// goneRecorded waits until the action is gone and its record tells by whom.
func goneRecorded(ctx context.Context, s *scene, event v1alpha1.EventType, by string) {
	GinkgoHelper()
	isGone(ctx, s)
	recorded := slices.ContainsFunc(lab.records(), func(r audit.Record) bool {
		return r.Event == event && r.UID == string(s.action.UID) && r.Actor == by && r.Name == s.action.Name
	})
	Expect(recorded).To(BeTrue(), "no record %s of action %s by %s", event, s.action.UID, by)
}

func namespaceGone(ctx context.Context, s *scene) {
	GinkgoHelper()
	Eventually(func() error {
		return lab.admin.Get(ctx, client.ObjectKey{Name: s.namespace}, &corev1.Namespace{})
	}).WithContext(ctx).Should(MatchError(apierrors.IsNotFound, "not found"))
}
