// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// directory finds rules, or workflows, by the names that test files use.
type directory struct {
	kind string // for messages, such as "rule"
	keys map[string][]key
}

func newDirectory(kind string, all []key) directory {
	d := directory{kind: kind, keys: map[string][]key{}}
	for _, k := range all {
		d.keys[k.name] = append(d.keys[k.name], k)
	}
	for _, keys := range d.keys {
		slices.SortFunc(keys, func(a, b key) int { return cmp.Compare(a.namespace, b.namespace) })
	}
	return d
}

// find returns what a name means for an action of that namespace, or says why it
// means nothing: a name alone stands for the one rule of that name which can
// apply to the action.
func (d directory) find(word, home string) (found key, problem string) {
	namespace, name, qualified := strings.Cut(word, "/")
	if !qualified {
		name = word
	}
	var here, elsewhere []key
	for _, k := range d.keys[name] {
		switch {
		case qualified && k.namespace != namespace:
		case k.namespace == v1alpha1.GlobalNamespace || k.namespace == home:
			here = append(here, k)
		default:
			elsewhere = append(elsewhere, k)
		}
	}
	switch {
	case len(here) == 1:
		return here[0], ""
	case len(here) > 1:
		return key{}, fmt.Sprintf("%q may mean %s; write which", word, either(here))
	case len(elsewhere) > 0:
		return key{}, fmt.Sprintf("%s %s has no effect on an action in namespace %s; correct the name, or the namespace of the case", d.kind, either(elsewhere), home)
	default:
		return key{}, fmt.Sprintf("there is no %s %q in the policy%s", d.kind, word, hint(name, sortedKeys(d.keys)))
	}
}

// either lists keys as alternatives.
func either(keys []key) string { return alternatives(stringsOf(keys)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// hint asks whether one of the known words was meant: the closest, where it is
// close. Empty where none is.
func hint(word string, known []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, candidate := range known {
		if d := editDistance(word, candidate, distance); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance is the number of bytes to insert, delete or replace to make a
// into b; limit where it is no less.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
