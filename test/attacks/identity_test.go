// SPDX-License-Identifier: Apache-2.0

package attacks_test

import "context"

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
}
