// SPDX-License-Identifier: Apache-2.0

package request_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// act is an action with these parameters.
func act(parameters string) *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-1", UID: "u-1"},
		Spec:       v1alpha1.AgentActionSpec{AgentRef: v1alpha1.LocalReference{Name: "tutorial-agent"}, ActionType: "database_read"},
	}
	if parameters != "" {
		action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(parameters)}
	}
	return action
}

func read(t *testing.T, action *v1alpha1.AgentAction) *request.Request {
	t.Helper()
	req, err := request.Read(action, v1alpha1.Requester{}, nil)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return req
}

func TestReadTakesWhatTheActionSays(t *testing.T) {
	created := time.Date(2026, 3, 11, 11, 30, 0, 0, time.FixedZone("CET", 3600))
	action := act(`{"table": "Customers", "n": 3, "share": 0.5, "big": 1e3, "data_classification": " PII "}`)
	action.CreationTimestamp = metav1.NewTime(created)
	action.Labels = map[string]string{"team": "a"}
	action.Annotations = map[string]string{"note": "b"}
	action.Spec.ActionType = "Database_Read"
	action.Spec.Description = "why"
	action.Spec.Resource = "orders"
	action.Spec.Context = &runtime.RawExtension{Raw: []byte(`{"environment": "Test"}`)}
	action.Spec.ExceptionRequest = &v1alpha1.ExceptionRequest{RuleName: "r", Justification: "j"}
	action.Spec.Cancelled = true
	action.Spec.Requester = &v1alpha1.Requester{Username: "somebody-else"}
	action.Spec.Approvals = []v1alpha1.Approval{{Approver: "somebody-else"}}

	vouched := v1alpha1.Requester{Username: "agent"}
	approvals := []v1alpha1.Approval{{Approver: "alice"}}
	got, err := request.Read(action, vouched, approvals)
	if err != nil {
		t.Fatal(err)
	}
	want := &request.Request{
		Namespace: "default", Name: "act-1", UID: "u-1",
		Labels: map[string]string{"team": "a"}, Annotations: map[string]string{"note": "b"},
		Agent: "tutorial-agent", ActionType: "database_read", Description: "why",
		Resource: "orders", Resources: []string{"orders", "customers"},
		Parameters:     map[string]any{"table": "Customers", "n": int64(3), "share": 0.5, "big": 1e3, "data_classification": " PII "},
		Context:        map[string]any{"environment": "Test"},
		Classification: request.Claim{Present: true, Value: "pii"},
		Environments:   []request.Claim{{Present: true, Value: "test"}},
		Exception:      action.Spec.ExceptionRequest, Cancelled: true,
		Requester: vouched, Approvals: approvals,
		SubmittedAt: created.UTC(), Digest: got.Digest,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestNoParametersAreAnEmptyObject(t *testing.T) {
	for _, text := range []string{"", "null", "{}"} {
		got := read(t, act(text))
		if got.Parameters == nil || len(got.Parameters) != 0 || got.Context == nil {
			t.Errorf("%q: parameters %v, context %v", text, got.Parameters, got.Context)
		}
		if !got.ResourceUnknown || got.Classification.Present || got.Environments != nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestLimits(t *testing.T) {
	keys := func(n int) string {
		object := make(map[string]int, n)
		for i := range n {
			object[fmt.Sprintf("k%d", i)] = i
		}
		text, _ := json.Marshal(object)
		return string(text)
	}
	nested := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	long := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	for name, text := range map[string]string{
		"64 KiB": long(64 << 10), "32 levels": nested(32), "32 levels with arrays": `{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + "}",
		"1000 keys": keys(1000), "brackets in text": `{"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[{{{"}`,
		"2^53": `{"a": [9007199254740992, -9007199254740992]}`, "a double beyond": `{"a": 100000000000000000}`,
		"a float beyond every double's digits": `{"a": 1.2345678901234567890123e300}`, "digits in text": `{"a": "9007199254740993"}`,
	} {
		if _, err := request.Read(act(text), v1alpha1.Requester{}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ text, problem string }{
		"bytes":          {long(64<<10 + 1), "has 65537 bytes of JSON, the limit is 65536 (64 KiB)"},
		"levels":         {nested(33), "is nested 33 levels deep, the limit is 32"},
		"keys":           {keys(1001), "has 1001 keys, the limit is 1000"},
		"keys in arrays": {`{"a": [` + keys(1000) + `]}`, "has 1001 keys, the limit is 1000"},
		"a key twice":    {`{"a": {"table": "x", "table": "y"}}`, `has a key twice in one object: duplicate field "a.table"`},
		"an escaped key": {`{"table": "x", "t\u0061ble": "y"}`, "has a key twice in one object"},
		"2^53+1":         {`{"a": 9007199254740993}`, "has the whole number 9007199254740993, which readers of JSON round"},
		"minus 2^53+1":   {`{"a": [-9007199254740993]}`, "9007199254740993"},
		"very many digits": {
			`{"a": 1` + strings.Repeat("0", 400) + `}`,
			"has the whole number 10000000000000000000000000000000, which",
		},
		"2^60":           {`{"a": 1152921504606846976}`, "1152921504606846976"},
		"no object":      {`[1]`, "must be a JSON object, but is an array"},
		"text":           {`"a"`, "must be a JSON object, but is a string"},
		"a number":       {`1`, "must be a JSON object, but is a number"},
		"a fraction":     {`1.5`, "must be a JSON object, but is a number"},
		"a boolean":      {`true`, "must be a JSON object, but is a boolean"},
		"null and space": {` null`, "must be a JSON object, but is null"},
		"cut off":        {`{"a": `, "is not valid JSON"},
		"two":            {`{} {}`, "is not valid JSON"},
		"beyond doubles": {`{"a": 1e400}`, "is not valid JSON"},
		"bytes that are no text": {
			"{\"a\": \"\xff\"}", "is not valid UTF-8",
		},
		"half a character": {`{"a": "\ud800"}`, "cannot be written as canonical JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, field := range []string{"parameters", "context"} {
				action := act("")
				raw := &runtime.RawExtension{Raw: []byte(c.text)}
				if field == "parameters" {
					action.Spec.Parameters = raw
				} else {
					action.Spec.Context = raw
				}
				got, err := request.Read(action, v1alpha1.Requester{}, nil)
				var problem *request.InvalidError
				if !errors.As(err, &problem) {
					t.Fatalf("error %v, want an InvalidError", err)
				}
				if !strings.Contains(problem.Problem, c.problem) || problem.Help == "" || !strings.HasPrefix(problem.Field, "spec") {
					t.Errorf("%s: %v, want %q", field, err, c.problem)
				}
				if len(err.Error()) > 400 {
					t.Errorf("the message has %d bytes", len(err.Error()))
				}
				if got == nil || got.Name != "act-1" || got.Agent != "tutorial-agent" || !got.ResourceUnknown || got.Parameters == nil || got.Context == nil {
					t.Errorf("the request does not say whose it is, or looks known: %+v", got)
				}
			}
		})
	}
	if request.MaxDepth != 32 || request.MaxKeys != 1000 || request.MaxObjectBytes != 65536 || request.MaxInteger != 9007199254740992 {
		t.Error("a limit is not what the documentation says")
	}
}

func TestAGoObjectIsRefused(t *testing.T) {
	action := act("")
	action.Spec.Parameters = &runtime.RawExtension{Object: &v1alpha1.Agent{}}
	if _, err := request.Read(action, v1alpha1.Requester{}, nil); err == nil || !strings.Contains(err.Error(), "Go object") {
		t.Errorf("error %v", err)
	}
}

func TestClaims(t *testing.T) {
	none, unreadable := request.Claim{}, request.Claim{Present: true}
	word := func(s string) request.Claim { return request.Claim{Present: true, Value: s} }
	for text, want := range map[string]request.Claim{
		`{}`:                             none,
		`{"classification": "pii"}`:      none,
		`{"data_classification": "pii"}`: word("pii"),
		`{"data_classification": "\tPublic\u00a0"}`:                             word("public"),
		`{"data_classification": "p\u0456i"}`:                                   word("p\u0456i"),
		`{"data_classification": null}`:                                         unreadable,
		`{"data_classification": ""}`:                                           unreadable,
		`{"data_classification": " "}`:                                          unreadable,
		`{"data_classification": 1}`:                                            unreadable,
		`{"data_classification": ["pii"]}`:                                      unreadable,
		`{"data_classification": {"a": "pii"}}`:                                 unreadable,
		`{"dataClassification": "pii"}`:                                         unreadable,
		`{"DATA-CLASSIFICATION": "pii"}`:                                        unreadable,
		`{"data_classification": "public", "data classification": "pii"}`:       unreadable,
		`{"data_classification": "public", "data_classification\u200b": "pii"}`: unreadable,
		`{"data_classification": "` + strings.Repeat("x", 65) + `"}`:            unreadable,
		`{"data_classification": "` + strings.Repeat("x", 64) + `"}`:            word(strings.Repeat("x", 64)),
	} {
		if got := read(t, act(text)).Classification; got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	action := act(`{"environment": 7}`)
	action.Spec.Context = &runtime.RawExtension{Raw: []byte(`{"environment": "test", "Environment": "production"}`)}
	if diff := cmp.Diff([]request.Claim{unreadable, unreadable}, read(t, action).Environments); diff != "" {
		t.Errorf("environments (-want +got):\n%s", diff)
	}
}

func TestLookup(t *testing.T) {
	object := map[string]any{"affected_rows": 1, "amount": 2, "AMOUNT_": 3, "Hosts": 4, "x1": 5, "": 6, "--": 7, "rows": 8}
	for key, want := range map[string]struct {
		value              any
		present, ambiguous bool
	}{
		"affected_rows": {1, true, false},
		"amount":        {2, true, true},
		"hosts":         {nil, false, true},
		"x":             {nil, false, false},
		"x1":            {5, true, false},
		"row":           {nil, false, false},
		"rowss":         {nil, false, false},
	} {
		value, present, ambiguous := request.Lookup(object, key)
		if value != want.value || present != want.present || ambiguous != want.ambiguous {
			t.Errorf("%s: %v %t %t, want %+v", key, value, present, ambiguous, want)
		}
	}
}

func TestDigestIsOverWhatWasAsked(t *testing.T) {
	base := func() *v1alpha1.AgentAction { return act(`{"b": 1, "a": [1.0, "x"]}`) }
	want := read(t, base()).Digest
	if len(want) != 71 || !strings.HasPrefix(want, "sha256:") {
		t.Fatalf("digest %q", want)
	}
	same := map[string]func(*v1alpha1.AgentAction){
		"order and white space": func(a *v1alpha1.AgentAction) { a.Spec.Parameters.Raw = []byte("{\"a\":[1,\"\\u0078\"],\n \"b\":1e0}") },
		"name":                  func(a *v1alpha1.AgentAction) { a.Name = "other" },
		"approvals":             func(a *v1alpha1.AgentAction) { a.Spec.Approvals = []v1alpha1.Approval{{Approver: "a"}} },
		"requester":             func(a *v1alpha1.AgentAction) { a.Spec.Requester = &v1alpha1.Requester{Username: "a"} },
		"cancelled":             func(a *v1alpha1.AgentAction) { a.Spec.Cancelled = true },
		"outcome":               func(a *v1alpha1.AgentAction) { a.Spec.Outcome = &v1alpha1.Outcome{Result: "Failed"} },
	}
	for name, change := range same {
		a := base()
		change(a)
		if got := read(t, a).Digest; got != want {
			t.Errorf("%s changes the digest", name)
		}
	}
	other := map[string]func(*v1alpha1.AgentAction){
		"agent":       func(a *v1alpha1.AgentAction) { a.Spec.AgentRef.Name = "other" },
		"type":        func(a *v1alpha1.AgentAction) { a.Spec.ActionType = "database_write" },
		"description": func(a *v1alpha1.AgentAction) { a.Spec.Description = "x" },
		"resource":    func(a *v1alpha1.AgentAction) { a.Spec.Resource = "x" },
		"parameters":  func(a *v1alpha1.AgentAction) { a.Spec.Parameters.Raw = []byte(`{"b": 2, "a": [1.0, "x"]}`) },
		"context":     func(a *v1alpha1.AgentAction) { a.Spec.Context = &runtime.RawExtension{Raw: []byte(`{}`)} },
		"exception":   func(a *v1alpha1.AgentAction) { a.Spec.ExceptionRequest = &v1alpha1.ExceptionRequest{RuleName: "r"} },
	}
	for name, change := range other {
		a := base()
		change(a)
		if got := read(t, a).Digest; got == want {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	action := act(`{"table": "customers", "operation": "UPDATE", "affected_rows": 1, "columns": ["a", "b", "c"], "data_classification": "pii"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := request.Read(action, v1alpha1.Requester{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
