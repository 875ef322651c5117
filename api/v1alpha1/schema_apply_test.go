// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	applyv1alpha1 "github.com/ow-kai/ascend-operator/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

var _ = Describe("Server-side apply", func() {
	It("sets what it names, and the defaults fill the rest", func(ctx SpecContext) {
		applied := applyv1alpha1.Agent("applied", "default").WithSpec(applyv1alpha1.AgentSpec().WithOwner("ann"))
		Expect(api.Apply(ctx, applied, client.FieldOwner("a"))).To(Succeed())
		applied = applyv1alpha1.Agent("applied", "default").WithSpec(
			applyv1alpha1.AgentSpec().WithRateLimit(applyv1alpha1.RateLimit().WithPerHour(7)))
		Expect(api.Apply(ctx, applied, client.FieldOwner("b"))).To(Succeed())

		stored := &v1alpha1.Agent{}
		Expect(api.Get(ctx, client.ObjectKey{Name: "applied"}, stored)).To(Succeed())
		Expect(stored.Spec).To(Equal(v1alpha1.AgentSpec{
			Type: v1alpha1.AgentTypeAutonomous, Environment: v1alpha1.EnvironmentProduction, Owner: "ann",
			State: v1alpha1.AgentActive, MaxRiskScore: "10.0",
			RateLimit: &v1alpha1.RateLimit{PerMinute: ptr.To[int32](100), PerHour: ptr.To[int32](7), PerDay: ptr.To[int32](10000)},
		}))
	})

	It("writes a status, and keeps zeros that mean something", func(ctx SpecContext) {
		stored := action.create(ctx)
		status := applyv1alpha1.AgentAction(stored.GetName(), "default").WithStatus(applyv1alpha1.AgentActionStatus().
			WithDecision(v1alpha1.DecisionPending).
			WithApproval(applyv1alpha1.ApprovalStatus().WithStage("security").WithStageIndex(0).WithRequired(2).WithGranted(0)))
		Expect(api.Status().Apply(ctx, status, client.FieldOwner("ascend-operator"), client.ForceOwnership)).To(Succeed())

		Expect(api.Get(ctx, client.ObjectKeyFromObject(stored), stored)).To(Succeed())
		Expect(stored.Object["status"]).To(BeEquivalentTo(map[string]any{
			"decision": "Pending",
			"approval": map[string]any{"stage": "security", "stageIndex": int64(0), "required": int64(2), "granted": int64(0)},
		}))
	})

	It("cannot change a final decision either", func(ctx SpecContext) {
		stored := decided(ctx, v1alpha1.DecisionDenied)
		status := applyv1alpha1.AgentAction(stored.GetName(), "default").WithStatus(
			applyv1alpha1.AgentActionStatus().WithDecision(v1alpha1.DecisionApproved))
		Expect(api.Status().Apply(ctx, status, client.FieldOwner("x"), client.ForceOwnership)).
			To(MatchError(ContainSubstring(`a final decision never changes`)))
	})

	It("merges the approvals of several people", func(ctx SpecContext) {
		stored := action.create(ctx)
		approve := func(approver string, entries ...string) error {
			spec := applyv1alpha1.AgentActionSpec()
			for _, stage := range entries {
				spec.WithApprovals(applyv1alpha1.Approval().WithApprover(approver).WithStage(stage).WithVerdict(v1alpha1.VerdictApprove))
			}
			// The fields that are required belong to whoever created the action.
			spec.WithAgentRef(applyv1alpha1.LocalReference().WithName("tutorial-agent")).WithActionType("database_read")
			return api.Apply(ctx, applyv1alpha1.AgentAction(stored.GetName(), "default").WithSpec(spec), client.FieldOwner(approver))
		}
		Expect(approve("alice", "security")).To(Succeed())
		Expect(approve("bob", "security")).To(Succeed())
		Expect(approve("alice", "security", "managers")).To(Succeed())
		Expect(approve("alice", "managers")).To(MatchError(ContainSubstring(`an approval cannot be removed once it is given`)))

		Expect(api.Get(ctx, client.ObjectKeyFromObject(stored), stored)).To(Succeed())
		entries, _, err := unstructured.NestedSlice(stored.Object, "spec", "approvals")
		Expect(err).NotTo(HaveOccurred())
		Expect(entries).To(HaveLen(3))
	})
})
