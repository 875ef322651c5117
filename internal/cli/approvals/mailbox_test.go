// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// pages is an API server with a great many pending actions, of which every
// 10,000th waits for alice.
type pages struct {
	client.Reader
	total, served, largest int
}

func (p *pages) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("no permission")
}

func (p *pages) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	list, isList := into.(*v1alpha1.AgentActionList)
	if !isList {
		return fmt.Errorf("a list of %T", into)
	}
	asked := (&client.ListOptions{}).ApplyOptions(options)
	for range min(int(asked.Limit), p.total-p.served) {
		p.served++
		action := v1alpha1.AgentAction{}
		action.Name, action.UID = fmt.Sprintf("act-%d", p.served), types.UID(strconv.Itoa(p.served))
		action.Status.Decision, action.Status.SpecDigest = v1alpha1.DecisionPending, "sha256:aa"
		action.Status.Approval = &v1alpha1.ApprovalStatus{Stage: "approval", Revision: "sha256:ww", PendingApprovers: []string{"group:managers"}}
		if p.served%10_000 == 0 {
			action.Status.Approval.PendingApprovers = []string{"user:alice"}
		}
		list.Items = append(list.Items, action)
	}
	p.largest = max(p.largest, len(list.Items))
	if p.served < p.total {
		list.Continue = "more"
	}
	return nil
}

// Of 100,000 that wait for others, the inbox keeps a number.
func TestInboxKeepsOnlyItsOwn(t *testing.T) {
	server := &pages{total: 100_000}
	j := &judge{verdict: v1alpha1.VerdictApprove, me: identity{username: "alice"}, policy: newPolicy(server)}
	box := &mailbox{judge: j}
	box.empty()
	now := time.Now()
	_, err := session.EachAction(t.Context(), server, nil, func(action *v1alpha1.AgentAction) { box.put(t.Context(), action, now) }, box.empty)
	if err != nil {
		t.Fatal(err)
	}
	if len(box.letters) != 10 || box.others != 99_990 || box.elsewhere != nil || server.largest != 500 {
		t.Errorf("kept %d letters of pages of %d, and counted %d others", len(box.letters), server.largest, box.others)
	}
	for _, l := range box.letters {
		if l.action != nil {
			t.Error("an action is kept that is not printed")
		}
	}
}
