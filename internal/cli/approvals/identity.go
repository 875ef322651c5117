// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/internal/cli/actions"
)

// identity is who the user is, as the API server knows them.
type identity struct {
	username string
	uid      string
	groups   []string
}

// whoAmI asks the API server; with --as and --as-group it answers with those.
func whoAmI(ctx context.Context, cl client.Writer) (identity, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := cl.Create(ctx, review); err != nil {
		return identity{}, err
	}
	user := review.Status.UserInfo
	return identity{username: user.Username, uid: user.UID, groups: user.Groups}, nil
}

// How entries of approvers are written, in status.approval.pendingApprovers and
// in the field as of an approval.
const (
	userPrefix    = "user:"
	accountPrefix = "serviceaccount:"
	groupPrefix   = "group:"
)

// memberOf returns the entry that the user is, or belongs to, and false when
// there is none. Their own name goes before a group, groups in the order of
// the entries, and the verb comes last.
func (i identity) memberOf(entries []string) (string, bool) {
	for _, own := range i.names() {
		if slices.Contains(entries, own) {
			return own, true
		}
	}
	for _, entry := range entries {
		if group, isGroup := strings.CutPrefix(entry, groupPrefix); isGroup && slices.Contains(i.groups, group) {
			return entry, true
		}
	}
	if slices.Contains(entries, actions.VerbApprove) {
		return actions.VerbApprove, true
	}
	return "", false
}

// names are the entries that name the user in person.
func (i identity) names() []string {
	names := []string{userPrefix + i.username}
	if namespace, name, err := serviceaccount.SplitUsername(i.username); err == nil {
		names = append(names, accountPrefix+namespace+"/"+name)
	}
	return names
}
