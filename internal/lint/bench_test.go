// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/internal/lint"
)

// BenchmarkSet looks at a large policy: the cost grows with the pairs of rules
// that see the same actions.
func BenchmarkSet(b *testing.B) {
	for _, count := range []int{100, 1000, 5000} {
		b.Run(fmt.Sprintf("rules=%d", count), func(b *testing.B) {
			var objects []metav1.Object
			effects := []string{"Deny", "RequireApproval", "Allow"}
			for i := range count {
				objects = append(objects, object(b, fmt.Sprintf("SmartRule shop/r%d", i),
					fmt.Sprintf(`{effect: %s, match: {actionTypes: ["type_%d_*", "*_%d"], resources: ["table_%d*"]}}`, effects[i%3], i, i, i)))
			}
			for i := range 50 {
				objects = append(objects, object(b, fmt.Sprintf("ApprovalWorkflow shop/w%d", i), `{selector: {actionTypes: [a*]}, autoApprove: true}`),
					object(b, fmt.Sprintf("Agent shop/a%d", i), fmt.Sprintf(`{allowedActionTypes: ["type_%d_*", "database_*"]}`, i)))
			}
			world := worldOf(b, objects)
			for b.Loop() {
				lint.Set(world, objects)
			}
		})
	}
}
