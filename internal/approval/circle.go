// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/authentication/serviceaccount"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// How approvers are labelled in status.approval.pendingApprovers and in the
// field `as` of an approval.
const (
	userPrefix    = "user:"
	groupPrefix   = "group:"
	accountPrefix = "serviceaccount:"
)

// circle is a compiled ApproverSet.
type circle struct {
	members []member // by label, unique
}

// member is one entry of a circle. An open one stands for people that only
// admission knows: those of a group, or who hold a verb.
type member struct {
	label    string
	username string // "" when open
}

func (m member) open() bool { return m.username == "" }

// anyone is the circle of those who hold the verb approve.
func anyone() circle { return circle{members: []member{{label: VerbApprove}}} }

// newCircle compiles an ApproverSet. Entries without a name are left out: they
// name nobody.
func newCircle(set v1alpha1.ApproverSet) circle {
	members := make([]member, 0, len(set.Users)+len(set.Groups)+len(set.ServiceAccounts))
	for _, u := range set.Users {
		if u != "" {
			members = append(members, member{userPrefix + string(u), string(u)})
		}
	}
	for _, g := range set.Groups {
		if g != "" {
			members = append(members, member{label: groupPrefix + string(g)})
		}
	}
	for _, a := range set.ServiceAccounts {
		if a.Namespace != "" && a.Name != "" {
			members = append(members, member{
				accountPrefix + string(a.Namespace) + "/" + string(a.Name),
				serviceaccount.MakeUsername(string(a.Namespace), string(a.Name)),
			})
		}
	}
	return circle{members: unique(members)}
}

func unique(members []member) []member {
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.label, b.label) })
	return slices.Compact(members)
}

func (c circle) empty() bool { return len(c.members) == 0 }

// with is the circle of both.
func (c circle) with(other circle) circle {
	return circle{members: unique(slices.Concat(c.members, other.members))}
}

// has says whether somebody may act as the entry of that label. Without a label
// they have to be named as a user or ServiceAccount. Names are compared exactly.
// Whether somebody belongs to a group, or holds a verb, admission has checked
// before it stamped the label.
func (c circle) has(username, label string) bool {
	if label == "" {
		return slices.ContainsFunc(c.members, func(m member) bool { return !m.open() && m.username == username })
	}
	i, found := slices.BinarySearchFunc(c.members, label, func(m member, l string) int { return strings.Compare(m.label, l) })
	return found && (c.members[i].open() || c.members[i].username == username)
}
