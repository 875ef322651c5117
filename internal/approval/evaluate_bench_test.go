// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
)

func BenchmarkEvaluate(b *testing.B) {
	high := ask(chain(sound(b, v1alpha1.GlobalNamespace, "high", onePerson)))
	crit := ask(chain(sound(b, v1alpha1.GlobalNamespace, "critical", critical)))
	full := ask(chain(sound(b, "shop", "full", `stages: [{name: review, required: 20, approvers: {groups: [security]}}]`)))
	group := func(a v1alpha1.Approval) v1alpha1.Approval { return as("group:ascend-approvers", a) }
	var crowd []v1alpha1.Approval
	for i := range 64 {
		crowd = append(crowd, full.yes(fmt.Sprintf("stranger%02d", i), "review", minute))
	}
	cases := []struct {
		name    string
		round   round
		entries []v1alpha1.Approval
	}{
		{"asked", high, nil},
		{"granted", high, []v1alpha1.Approval{high.yes("alice", "review", minute)}},
		{"critical granted", crit, []v1alpha1.Approval{group(crit.yes("alice", "first-review", minute)), group(crit.yes("bob", "second-review", 2*minute))}},
		{"64 entries that do not count", full, crowd},
	}
	for _, bc := range cases {
		b.Run(bc.name, func(b *testing.B) {
			prior := &v1alpha1.ApprovalStatus{Revision: bc.round.chain.Revision(), RequestedAt: &metav1.MicroTime{Time: noon}}
			b.ReportAllocs()
			for b.Loop() {
				bc.round.with(3*minute, prior, bc.entries...)
			}
		})
	}
}

func BenchmarkNewChain(b *testing.B) {
	w := sound(b, v1alpha1.GlobalNamespace, "critical", critical)
	b.ReportAllocs()
	for b.Loop() {
		approval.NewChain([]*approval.Workflow{w})
	}
}

func BenchmarkChoose(b *testing.B) {
	for _, n := range []int{4, 100, 1000} {
		all := specs{}
		for i := range n {
			all[fmt.Sprintf("w%04d", i)] = fmt.Sprintf("priority: %d\nselector: {actionTypes: [\"type%d_*\"], riskLevels: [High]}\n", i%10, i) + onePerson
		}
		set := all.set(b)
		b.Run(fmt.Sprintf("of %d", n), func(b *testing.B) {
			c := approval.Criteria{Score: 72, Facts: match.Facts{ActionType: "type3_x", Environments: []string{"sandbox"}}}
			b.ReportAllocs()
			for b.Loop() {
				set.Choose(c)
			}
		})
	}
}
