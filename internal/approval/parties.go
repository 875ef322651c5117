// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"strings"

	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// Parties are those who may not approve an action, because it is theirs.
type Parties struct {
	// Requester is the user name of whoever submitted the action. Empty: nobody
	// is vouched for, so nobody is barred as requester, and the message says so.
	Requester string
	// RequesterUID, where it is known, bars the requester under another name too.
	RequesterUID string
	// AgentNamespace completes ServiceAccounts in Subjects that name none.
	AgentNamespace string
	// Subjects of the agent. A group bars those who approve as its member, and
	// those whose user name says that they are in it (ServiceAccounts are in
	// system:serviceaccounts and system:serviceaccounts:NAMESPACE, everybody but
	// system:anonymous in system:authenticated). Other memberships are known at
	// admission alone.
	Subjects []v1alpha1.Subject
	// Owner of the agent.
	Owner string
}

// barred are Parties by folded name, with the reason each is barred for.
type barred struct {
	names  map[string]string
	groups map[string]string
	uid    string
}

// The reasons for which somebody is barred, to be put after their name.
const (
	submitted    = "submitted this action"
	isSubject    = "may submit actions as this agent"
	ownsAgent    = "owns this agent"
	groupSubject = "belongs to a group that may submit actions as this agent"
)

// bar prepares the parties for comparison. Names are folded, so that another
// spelling of a name does not open a way.
func (p Parties) bar() barred {
	out := barred{
		names:  make(map[string]string, len(p.Subjects)+2),
		groups: map[string]string{},
		uid:    p.RequesterUID,
	}
	for _, s := range p.Subjects {
		p.barSubject(out, s)
	}
	if name := match.Fold(p.Owner); name != "" {
		out.names[name] = ownsAgent
	}
	if name := match.Fold(p.Requester); name != "" {
		out.names[name] = submitted
	}
	return out
}

// barSubject bars one subject; one of an unknown kind in every way it can be meant.
func (p Parties) barSubject(out barred, s v1alpha1.Subject) {
	name := match.Fold(string(s.Name))
	if name == "" {
		return
	}
	namespace := string(s.Namespace)
	if namespace == "" {
		namespace = p.AgentNamespace
	}
	account := match.Fold(serviceaccount.MakeUsername(namespace, name))
	switch s.Kind {
	case v1alpha1.SubjectUser:
		out.names[name] = isSubject
	case v1alpha1.SubjectServiceAccount:
		out.names[account] = isSubject
	case v1alpha1.SubjectGroup:
		out.groups[name] = groupSubject
	default:
		out.names[name] = isSubject
		out.names[account] = isSubject
		out.groups[name] = groupSubject
	}
}

// person says why somebody may not approve, or "" when nothing is known against them.
func (b barred) person(username, uid string) string {
	if b.uid != "" && uid == b.uid {
		return submitted
	}
	name := match.Fold(username)
	if why := b.names[name]; why != "" {
		return why
	}
	if len(b.groups) == 0 {
		return ""
	}
	for _, g := range impliedGroups(name) {
		if why := b.groups[g]; why != "" {
			return why
		}
	}
	return ""
}

// as says why nobody may approve under an entry of a stage's approvers.
func (b barred) as(label string) string {
	if group, isGroup := strings.CutPrefix(label, groupPrefix); isGroup {
		return b.groups[match.Fold(group)]
	}
	return ""
}

// impliedGroups are the groups that a folded user name alone shows.
func impliedGroups(name string) []string {
	if name == user.Anonymous {
		return []string{user.AllUnauthenticated}
	}
	account, isAccount := strings.CutPrefix(name, serviceaccount.ServiceAccountUsernamePrefix)
	if !isAccount {
		return []string{user.AllAuthenticated}
	}
	namespace, _, _ := strings.Cut(account, serviceaccount.ServiceAccountUsernameSeparator)
	return append(serviceaccount.MakeGroupNames(namespace), user.AllAuthenticated)
}
