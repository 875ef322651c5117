// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"slices"
)

// maxExamples is how many actions a Count names.
const maxExamples = 5

// counts by why.
type counts map[string]*Count

func (c counts) at(why string) *Count {
	if c[why] == nil {
		c[why] = &Count{Why: why}
	}
	return c[why]
}

// add counts an action, and keeps its name while it is among the first in order.
func (c counts) add(why, name string) {
	count := c.at(why)
	count.Count++
	at, _ := slices.BinarySearch(count.Examples, name)
	if at == maxExamples {
		return
	}
	count.Examples = slices.Insert(count.Examples, at, name)
	count.Examples = count.Examples[:min(len(count.Examples), maxExamples)]
}

// sorted returns them, the most first.
func (c counts) sorted() []Count {
	var all []Count
	for _, count := range c {
		all = append(all, *count)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Why, b.Why))
	})
	return all
}
