// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/request"
)

var update = flag.Bool("update", false, "write the golden files anew")

// vectorFile is where the Python SDK has the vectors, which it is held to as well.
const vectorFile = "../sdk/python/tests/digests.json"

// vector is a request with its digest. Fields of spec that are left out are
// left out of the object, too.
type vector struct {
	Name string `json:"name"`
	Spec struct {
		Agent       string                     `json:"agent"`
		ActionType  string                     `json:"action_type"`
		Description string                     `json:"description,omitempty"`
		Resource    string                     `json:"resource,omitempty"`
		Parameters  json.RawMessage            `json:"parameters,omitempty"`
		Context     json.RawMessage            `json:"context,omitempty"`
		Exception   *v1alpha1.ExceptionRequest `json:"exception_request,omitempty"`
	} `json:"spec"`
	// Canonical is the RFC 8785 text that the digest is over.
	Canonical string `json:"canonical"`
	Digest    string `json:"digest"`
	// ActionName is what an action of this agent is called in vectorNamespace
	// with the vector's name as its idempotency key.
	ActionName string `json:"action_name"`
}

// vectorNamespace is where the actions of the vectors are.
const vectorNamespace = "shop"

// asked are the requests: each holds something on which two implementations
// could differ.
var asked = []struct{ name, spec string }{
	{"least", `{"agent":"a","action_type":"t"}`},
	{"everything", `{"agent":"tutorial-agent","action_type":"database_read","description":"Read customer contact information","resource":"customers","parameters":{"table":"customers","columns":["id","name"]},"context":{"ticket_id":"TICKET-12345"},"exception_request":{"ruleName":"rule-no-bulk-delete","justification":"audit"}}`},
	{"empty objects are not absent ones", `{"agent":"a","action_type":"t","parameters":{},"context":{}}`},
	{"keys sorted by UTF-16", `{"agent":"a","action_type":"t","parameters":{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude02":5,"\u0080":6,"\u00f6":7}}`},
	{"numbers", `{"agent":"a","action_type":"t","parameters":{"n":[0,-0.0,1.0,1e3,0.1,1e21,1e-7,0.000001,123456789012,9007199254740992,-9007199254740992,4.50,2e-3,333333333.33333329,1e30,5e-324,1.7976931348623157e308]}}`},
	{"texts", `{"agent":"a","action_type":"t","description":"line\nbreak \"quoted\" \\ </script> & \u2028 é ß 漢 \ud83d\ude00","parameters":{"control":"\u0000\u001f\u007f\b\t\f","slash":"a/b"}}`},
	{"not normalised", `{"agent":"a","action_type":"t","parameters":{"\u0065\u0301":"\u00e9","\u00e9":"\u0065\u0301"}}`},
	{"literals and nesting", `{"agent":"a","action_type":"t","parameters":{"t":true,"f":false,"z":null,"o":{"b":[[],{}, [1,[2,[3]]]],"a":{}}}}`},
}

func (v *vector) object() *v1alpha1.AgentActionSpec {
	spec := &v1alpha1.AgentActionSpec{
		AgentRef:   v1alpha1.LocalReference{Name: v1alpha1.ObjectName(v.Spec.Agent)},
		ActionType: v.Spec.ActionType, Description: v.Spec.Description, Resource: v.Spec.Resource, ExceptionRequest: v.Spec.Exception,
	}
	if v.Spec.Parameters != nil {
		spec.Parameters = &runtime.RawExtension{Raw: v.Spec.Parameters}
	}
	if v.Spec.Context != nil {
		spec.Context = &runtime.RawExtension{Raw: v.Spec.Context}
	}
	return spec
}

func vectors(t *testing.T) []vector {
	t.Helper()
	all := make([]vector, len(asked))
	for i, one := range asked {
		v := &all[i]
		v.Name = one.name
		if err := json.Unmarshal([]byte(one.spec), &v.Spec); err != nil {
			t.Fatalf("%s: %v", one.name, err)
		}
		spec := v.object()
		text, err := canonical.JSON(map[string]any{
			"agentRef": spec.AgentRef, "actionType": spec.ActionType, "description": spec.Description, "resource": spec.Resource,
			"parameters": spec.Parameters, "context": spec.Context, "exceptionRequest": spec.ExceptionRequest,
		})
		if err != nil {
			t.Fatalf("%s: %v", one.name, err)
		}
		v.Canonical = string(text)
		v.ActionName = actionName(vectorNamespace, v.Spec.Agent, v.Name)
		if v.Digest, err = request.Digest(spec); err != nil {
			t.Fatalf("%s: %v", one.name, err)
		}
	}
	return all
}

// Both SDKs and the operator find the same digest, for approvals are bound to it.
func TestDigestVectors(t *testing.T) {
	want := vectors(t)
	if *update {
		text, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll("../sdk/python/tests", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorFile, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var got []vector
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("there are %d vectors in %s, and %d here; write it anew with -update", len(got), vectorFile, len(want))
	}
	for i := range got {
		if diff := cmp.Diff(want[i].Canonical, got[i].Canonical); diff != "" || want[i].Digest != got[i].Digest || want[i].ActionName != got[i].ActionName {
			t.Errorf("%s: %s, and the file has %s; write it anew with -update\n%s", got[i].Name, want[i].Digest, got[i].Digest, diff)
		}
		if digest, err := request.Digest(got[i].object()); err != nil || digest != got[i].Digest {
			t.Errorf("%s: of what the file says the digest is %s, %v", got[i].Name, digest, err)
		}
	}
}

// What an Action asks for is what the operator finds.
func TestActionDigest(t *testing.T) {
	action := Action{Type: "database_read", Description: "Read customer contact information", Resource: "customers",
		Parameters: map[string]any{"table": "customers", "columns": []string{"id", "name"}},
		Context: struct {
			Ticket string `json:"ticket_id"`
		}{"TICKET-12345"},
		Exception: &v1alpha1.ExceptionRequest{RuleName: "rule-no-bulk-delete", Justification: "audit"}}
	_, digest, err := action.object("default", "tutorial-agent")
	if want := vectors(t)[1].Digest; err != nil || digest != want {
		t.Errorf("%s, %v; want %s", digest, err, want)
	}
}
