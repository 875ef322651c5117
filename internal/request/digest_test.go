// SPDX-License-Identifier: Apache-2.0

package request_test

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// What admission seals is what the controller finds, and neither who asked nor
// what became of it is part of it.
func TestDigestIsTheOneThatReadReports(t *testing.T) {
	action := &v1alpha1.AgentAction{}
	action.Spec.AgentRef.Name, action.Spec.ActionType = "agent", "database_read"
	action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(`{"b": 1.0, "a": 2}`)}
	before, err := request.Digest(&action.Spec)
	if err != nil {
		t.Fatal(err)
	}
	action.Spec.Requester = &v1alpha1.Requester{Username: "agent"}
	action.Spec.Approvals, action.Spec.Cancelled = []v1alpha1.Approval{{Approver: "alice"}}, true
	action.Spec.Parameters.Raw = []byte(`{"a":2,"b":1}`)
	read, err := request.Read(action, *action.Spec.Requester, nil)
	if err != nil || read.Digest != before {
		t.Errorf("%s, %v; admission had %s", read.Digest, err, before)
	}
	action.Spec.Parameters.Raw = []byte(`{"a":2,"a":1}`)
	var invalid *request.InvalidError
	if _, err := request.Digest(&action.Spec); !errors.As(err, &invalid) {
		t.Errorf("a key twice: %v", err)
	}
}
