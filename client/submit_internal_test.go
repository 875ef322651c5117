// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Before the operator is called absent, the action is looked at once more: it may
// be decided, or gone.
func TestLookAgain(t *testing.T) {
	asked := func() *submission {
		return &submission{action: &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Name: "act-1", UID: "mine"}}}
	}
	var (
		missing *NotFoundError
		absent  *OperatorAbsentError
	)
	for name, test := range map[string]struct {
		code int
		body string
		want any // a pointer to the error's type; nil for none
	}{
		"undecided": {http.StatusOK, `{"metadata": {"name": "act-1", "uid": "mine"}}`, &absent},
		"decided":   {http.StatusOK, `{"metadata": {"name": "act-1", "uid": "mine"}, "status": {"decision": "Denied"}}`, nil},
		"replaced":  {http.StatusOK, `{"metadata": {"name": "act-1", "uid": "another"}, "status": {"decision": "Approved"}}`, &missing},
		"deleted":   {http.StatusNotFound, `{"kind": "Status", "reason": "NotFound", "message": "agentactions \"act-1\" not found", "code": 404}`, &missing},
		"broken":    {http.StatusInternalServerError, `{}`, &absent},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.code)
				fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			c, err := New(Options{Config: &rest.Config{Host: server.URL}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			about := asked()
			err = c.lookAgain(t.Context(), about, context.DeadlineExceeded)
			switch {
			case test.want != nil && !errors.As(err, test.want):
				t.Errorf("%T: %v", err, err)
			case test.want == nil && (err != nil || about.action.Status.Decision != v1alpha1.DecisionDenied):
				t.Errorf("%+v, %v", about.action.Status, err)
			}
		})
	}
}
