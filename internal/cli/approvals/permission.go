// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// permissionError is a request that the user has no right to. Its text says
// which verb is missing, and what grants it.
type permissionError struct {
	text string
	err  error
}

func (e *permissionError) Error() string { return e.text }
func (e *permissionError) Unwrap() error { return e.err }

// missingVerb finds the verb in what the API server says of a missing permission.
var missingVerb = regexp.MustCompile(`cannot ([a-z]+) resource`)

// explained says of a missing permission which one it is, and what grants it.
// Other errors stay as they are. The namespace is empty for all of them.
func (j *judge) explained(err error, namespace string) error {
	if err == nil || !apierrors.IsForbidden(err) {
		return err
	}
	missing := missingVerb.FindStringSubmatch(err.Error())
	if _, refused := session.Refusal(err); refused || missing == nil {
		return err // by admission, which says itself what to do
	}
	who, where, grant, next := "you", "in every namespace", "create clusterrolebinding ascend-approvers", "Or look into one namespace with -n instead of -A"
	if j.me.username != "" {
		who = terminal.Safe(j.me.username)
	}
	if namespace != "" {
		where, next = "in namespace "+terminal.Safe(namespace), "Or choose another namespace with -n"
		grant = "create rolebinding ascend-approvers -n " + terminal.ShellWord(namespace)
	}
	return &permissionError{err: err, text: fmt.Sprintf(
		"%[1]s may not %[2]s agentactions %[3]s: the verb %[2]s on agentactions.governance.ascendowkai.com is missing\n"+
			"Whoever administers the cluster can grant it (docs/access-control.md, Approvers):\n  kubectl %[4]s --clusterrole=ascend-approver %[5]s\n%[6]s",
		who, missing[1], where, grant, j.subjectFlag(), next)}
}

// uncertain adds to an error that came in place of an answer that what was asked
// may have been done. Nil, and what the API server refused, stay as they are.
func uncertain(err error, action *v1alpha1.AgentAction) error {
	status := apierrors.APIStatus(nil)
	sent, dial := (*url.Error)(nil), (*net.OpError)(nil)
	switch {
	case err == nil || errors.As(err, &status):
		return err
	case errors.As(err, &dial) && dial.Op == "dial":
		return err // it was never sent
	case !errors.As(err, &sent) && !session.IsCut(err):
		return err
	}
	return fmt.Errorf("%w\nWhether it was written is not known; to do it again does no harm. See: ascend review %s -n %s",
		err, terminal.ShellWord(action.Name), terminal.ShellWord(action.Namespace))
}

// subjectFlag names the user to kubectl create rolebinding.
func (j *judge) subjectFlag() string {
	if namespace, name, err := serviceaccount.SplitUsername(j.me.username); err == nil {
		return "--serviceaccount=" + namespace + ":" + name
	}
	if j.me.username == "" {
		return "--user=NAME"
	}
	return "--user=" + terminal.ShellWord(j.me.username)
}
