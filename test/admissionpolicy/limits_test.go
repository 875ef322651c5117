// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"fmt"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An expression that costs too much is an error, and with failurePolicy Fail
// nobody could do anything any more. So the largest there can be must pass.
var _ = Describe("The largest action that the schema allows", func() {
	groups := []string{all}
	for i := range 126 { // with system:authenticated they are 128
		groups = append(groups, fmt.Sprintf("group-%03d-%s", i, strings.Repeat("g", 240)))
	}
	judge := func(i int) person {
		return person{name: fmt.Sprintf("%03d-%s", i, strings.Repeat("n", 250)), uid: strings.Repeat("u", 128), groups: groups}
	}
	verdict := func(p person) map[string]any {
		return with(p.verdict(), "stage", strings.Repeat("s", 256), "comment", strings.Repeat("c", 2048), "seal", strings.Repeat("s", 128),
			"as", "group:"+groups[len(groups)-1])
	}

	It("is submitted, approved by as many as can be, and withdrawn", func(ctx SpecContext) {
		submitter := judge(999)
		o := submitter.action(ctx)
		large := map[string]any{}
		for i := range 500 { // the schema does not bound them; the operator does, at 64 KiB
			large[strconv.Itoa(i)] = map[string]any{"a": int64(i), "b": []any{strings.Repeat("x", 100)}}
		}
		set(o, large, "spec", "parameters")
		set(o, map[string]any{"text": strings.Repeat("x", 64<<10)}, "spec", "context")
		Expect(submitter.client().Create(ctx, o)).To(Succeed())
		decide(ctx, o, "Pending")

		for i := range 64 {
			appendApproval(o, verdict(judge(i)))
			Expect(judge(i).client().Update(ctx, o)).To(Succeed(), "approval %d", i+1)
		}
		list, _, err := unstructured.NestedSlice(o.Object, "spec", "approvals")
		Expect(err).NotTo(HaveOccurred())
		Expect(list).To(HaveLen(64))

		before := read(ctx, o)
		swapped := before.DeepCopy()
		list[0], list[63] = list[63], list[0]
		set(swapped, list, "spec", "approvals")
		Expect(mallory.client().Update(ctx, swapped)).To(MatchError(ContainSubstring("changed, removed or moved")))
		moved := before.DeepCopy()
		unstructured.RemoveNestedField(moved.Object, "spec", "parameters", "0")
		set(moved, "x", "spec", "parameters", "another")
		Expect(mallory.client().Update(ctx, moved)).To(MatchError(ContainSubstring("what was asked cannot be changed")))
		Expect(read(ctx, o)).To(Equal(before))

		set(o, true, "spec", "cancelled")
		Expect(submitter.client().Update(ctx, o)).To(Succeed())
	})
})
