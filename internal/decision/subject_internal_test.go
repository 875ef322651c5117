// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// Names are compared exactly: what lets in takes no other spelling.
func TestSubjects(t *testing.T) {
	object := &v1alpha1.Agent{}
	object.Namespace, object.Name = "shop", "agent"
	object.Spec.State = v1alpha1.AgentActive
	object.Spec.Subjects = []v1alpha1.Subject{
		{Kind: v1alpha1.SubjectUser, Name: "sam"},
		{Kind: v1alpha1.SubjectGroup, Name: "makers"},
		{Kind: v1alpha1.SubjectServiceAccount, Name: "bot"},
		{Kind: v1alpha1.SubjectServiceAccount, Namespace: "ci", Name: "bot"},
		{Kind: "Robot", Name: "anybody"},
	}
	agent := NewAgent(object)
	for name, c := range map[string]struct {
		who  v1alpha1.Requester
		want bool
	}{
		"a user":                              {v1alpha1.Requester{Username: "sam"}, true},
		"another spelling":                    {v1alpha1.Requester{Username: "Sam"}, false},
		"a blank before it":                   {v1alpha1.Requester{Username: " sam"}, false},
		"a user named as the group":           {v1alpha1.Requester{Username: "makers"}, false},
		"of the group":                        {v1alpha1.Requester{Username: "x", Groups: []v1alpha1.UserName{"makers"}}, true},
		"of a group in another spelling":      {v1alpha1.Requester{Username: "x", Groups: []v1alpha1.UserName{"Makers", "sam"}}, false},
		"an account of the namespace":         {v1alpha1.Requester{Username: "system:serviceaccount:shop:bot"}, true},
		"an account of the namespace named":   {v1alpha1.Requester{Username: "system:serviceaccount:ci:bot"}, true},
		"an account of another namespace":     {v1alpha1.Requester{Username: "system:serviceaccount:other:bot"}, false},
		"a user named as the account":         {v1alpha1.Requester{Username: "bot"}, false},
		"of a kind that nobody knows":         {v1alpha1.Requester{Username: "anybody"}, false},
		"nobody, whom nobody has vouched for": {v1alpha1.Requester{}, true},
	} {
		reason, message, refused := agent.Refuses(&request.Request{Requester: c.who})
		if refused == c.want || (refused && (reason != v1alpha1.ReasonNotASubject || message == "")) {
			t.Errorf("%s: refused %t, %s: %s", name, refused, reason, message)
		}
	}
	if NewAgent(&v1alpha1.Agent{}).admits(&v1alpha1.Requester{}) {
		t.Error("an agent without subjects has one")
	}
}
