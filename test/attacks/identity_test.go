// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// attacks are all of them, gathered from the files of this package.
var attacks []*attack

func init() { attacks = append(attacks, identityAttacks...) }

var identityAttacks = []*attack{
	{
		number: 1, name: "approve in another's name, by JSON patch",
		prepare: func(ctx context.Context, s *scene) { s.pending(ctx) },
		attempt: func(ctx context.Context, s *scene) error {
			return jsonPatch(ctx, s.bob, s.action, `[{"op":"add","path":"/spec/approvals","value":[{"verdict":"Approve","approver":"alice","stage":"review"}]}]`)
		},
		up:      refusedBy("webhook", "you are bob", "not as alice", "kubectl approve"),
		deleted: refusedBy("policy", "ascend-agentaction-identity"),
	},
	{
		number: 2, name: "approve one's own action, as its requester",
		prepare: func(ctx context.Context, s *scene) { s.pending(ctx) },
		attempt: func(ctx context.Context, s *scene) error { return approve(ctx, s.agent, s.action) },
		up:      refusedBy("webhook", "submitted this action", "ascend explain"),
		deleted: refusedBy("policy", "ascend-agentaction-identity"),
	},
	{
		number: 9, name: "approve after the decision",
		prepare: func(ctx context.Context, s *scene) {
			s.pending(ctx)
			mustApprove(ctx, s, s.alice, s.bob)
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionApproved)
		},
		attempt: func(ctx context.Context, s *scene) error {
			return jsonPatch(ctx, lab.user("carol", "security"), s.action, `[{"op":"add","path":"/spec/approvals/-","value":{"verdict":"Approve"}}]`)
		},
		up:      refusedBy("webhook", "already decided", "Approved"),
		deleted: refusedBy("policy", ""),
	},
}
