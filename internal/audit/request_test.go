// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// appended writes a record, and returns the line and what is read from it.
func appended(t *testing.T, record audit.Record) (string, audit.Record) {
	t.Helper()
	var out bytes.Buffer
	if err := audit.NewLog(&out).Append(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	return out.String(), verified(t, out.Bytes())[0] // the hash is that of the whole record
}

func TestTheHashCoversTheRequest(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*audit.Record){
		"as it is":           func(*audit.Record) {},
		"a mark in the text": func(r *audit.Record) { r.Message, r.Name = `"request":"+"`, `x","request":"+"` },
		"a mark in the request": func(r *audit.Record) {
			r.Request.Parameters = json.RawMessage(`{"request":"+","a":["\"request\":\"+\""]}`)
		},
		"keys out of order": func(r *audit.Record) { r.Request.Parameters = json.RawMessage(`{"b":1e2, "a":[ 1.0,{"z":0,"é":1}]}`) },
		"lines and angles": func(r *audit.Record) {
			r.Request.Parameters = json.RawMessage("{\"a\":\"<&>\u2028\",\n \"b\":\"\\n\"}")
		},
		"64 KiB":                 func(r *audit.Record) { r.Request = asked(64 << 10) },
		"nothing but who and of": func(r *audit.Record) { r.Request = &audit.Request{ActionType: "x"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			record := sample("act-1")
			record.Request = asked(300)
			change(&record)
			line, read := appended(t, record)
			if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
				t.Errorf("not one line: %q", line)
			}
			if read.Message != record.Message || read.Name != record.Name {
				t.Errorf("read back %q and %q", read.Message, read.Name)
			}
			if read.Request == nil || !sameJSON(t, read.Request, record.Request) {
				t.Errorf("the request is not what was written: %s", line)
			}
			forged := read
			forged.Hash, forged.Request = "", asked(301)
			if hash, err := canonical.Digest(forged); err != nil || hash == read.Hash {
				t.Errorf("the hash is that of another request, too (error %v)", err)
			}
		})
	}
}

// sameJSON compares what two values are as JSON, numbers by their value.
func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	var values [2]any
	for i, v := range []any{a, b} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &values[i]); err != nil {
			t.Fatal(err)
		}
	}
	return cmp.Equal(values[0], values[1])
}

func TestARequestThatIsNoJSONIsNoRecord(t *testing.T) {
	t.Parallel()
	for _, parameters := range []string{`{"a":`, `{"a":1,"a":2}`, `{"a":1e999}`} {
		record := sample("act-1")
		record.Request = &audit.Request{Parameters: json.RawMessage(parameters)}
		var out bytes.Buffer
		log := audit.NewLog(&out)
		if err := log.Append(t.Context(), record); err == nil || out.Len() > 0 {
			t.Errorf("%s: error %v, wrote %q", parameters, err, out.String())
		}
		if err := log.Append(t.Context(), sample("act-2")); err != nil || len(verified(t, out.Bytes())) != 1 {
			t.Errorf("the next record: %v, %s", err, out.String())
		}
	}
}

func TestARequestGivesTheActionBack(t *testing.T) {
	t.Parallel()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "act-1", UID: "u1",
		Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"}, CreationTimestamp: metav1.NewTime(noon.UTC())}}
	action.Spec = v1alpha1.AgentActionSpec{
		AgentRef: v1alpha1.LocalReference{Name: "bot"}, ActionType: "database_read", Description: "why", Resource: "customers",
		Parameters: &runtime.RawExtension{Raw: []byte(`{"a":1}`)}, Context: &runtime.RawExtension{Raw: []byte(`{"b":[2.50]}`)},
		ExceptionRequest: &v1alpha1.ExceptionRequest{RuleName: "r", Justification: "j"},
	}
	who := v1alpha1.Requester{Username: "system:serviceaccount:shop:bot", UID: "u", Groups: []v1alpha1.UserName{"g"}, Seal: "seal"}
	record := sample("act-1")
	record.Request = audit.NewRequest(action, who)
	line, read := appended(t, record)
	if strings.Contains(line, "seal") {
		t.Errorf("the seal is in the log: %s", line)
	}
	if diff := cmp.Diff(action, read.Request.Action("shop", "act-1", "u1", "bot")); diff != "" {
		t.Errorf("another action:\n%s", diff)
	}
	if got := read.Request.Requester; got.Username != who.Username || got.UID != "u" || len(got.Groups) != 1 {
		t.Errorf("requester %+v", got)
	}
}

func TestWhatIsKeptOfAnAgent(t *testing.T) {
	t.Parallel()
	one := int32(1)
	agent := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "bot", Labels: map[string]string{"tier": "gold"},
		Annotations: map[string]string{"team": "x", "kubectl.kubernetes.io/last-applied-configuration": "{...}"}}}
	agent.Spec = v1alpha1.AgentSpec{State: v1alpha1.AgentActive, Owner: "o", MaxRiskScore: "8.0", RateLimit: &v1alpha1.RateLimit{PerMinute: &one}}
	got := audit.NewAgent(agent).Object("shop", "bot")
	want := agent.DeepCopy()
	want.Spec.RateLimit = nil
	want.Annotations = map[string]string{"team": "x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("another agent:\n%s", diff)
	}
	if agent.Spec.RateLimit == nil || len(agent.Annotations) != 2 {
		t.Error("the agent of the cache was changed")
	}
}

func TestWithoutRequests(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	record := sample("act-1")
	record.Request = asked(300)
	if err := audit.WithoutRequests(audit.NewLog(&out)).Append(context.Background(), record); err != nil {
		t.Fatal(err)
	}
	if got := verified(t, out.Bytes())[0]; got.Request != nil || got.Name != "act-1" {
		t.Errorf("record: %+v", got)
	}
	if record.Request == nil {
		t.Error("the caller's record was changed")
	}
}
