// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"encoding/json"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

// FuzzEvaluate throws any spec and any entries at the package: it must not
// panic, must stay within the schema, give the same State twice, and grant
// nothing without a quorum.
func FuzzEvaluate(f *testing.F) {
	const plain = `{"stages":[{"name":"review","required":2,"approvers":{"users":["alice","bob"],"groups":["security"]}}],"timeout":"1h"}`
	const rich = `{"stages":[{"name":"a","approvers":{"groups":["security"]},"timeout":"10m","escalation":{"approvers":{"users":["alice"]}}},
		{"name":"b","approvers":{"users":["bob"]}}],"emergencyOverride":{"approvers":{"users":["alice","bob"]}}}`
	f.Add(plain, `[{"verdict":"Approve","approver":"alice","stage":"review"},{"verdict":"Approve","approver":"bob","stage":"review"}]`, int64(60), "alice")
	f.Add(plain, `[{"verdict":"Approve","approver":"Alice","stage":"review","as":"group:security"},{"verdict":"Approve","approver":"alice","stage":"review"}]`, int64(60), "")
	f.Add(rich, `[{"verdict":"Override","approver":"alice","stage":"emergency-override","comment":"x"},{"verdict":"Override","approver":"bob","stage":"emergency-override","comment":"y"}]`, int64(1), "bob")
	f.Add(rich, `[{"verdict":"Approve","approver":"alice","stage":"a"},{"verdict":"Deny","approver":"bob","stage":"b","comment":"\u202e\n"}]`, int64(4000), "\x1b[0m")
	f.Add(`{"stages":[{"name":"","required":-5,"approvers":{}},{"name":"emergency-override"}],"timeout":"-1h","onTimeout":"Approved"}`, `[{}]`, int64(-1), "")
	f.Add(`{"autoApprove":true,"selector":{"minRiskScore":"x","agents":{"selector":{"matchExpressions":[{}]}}}}`, `[{"approver":"\ud800","stage":"approval","as":"verb:approve","verdict":"Approve"}]`, int64(90000), "x")

	f.Fuzz(func(t *testing.T, specJSON, entriesJSON string, seconds int64, requester string) {
		var object v1alpha1.ApprovalWorkflow
		var entries []v1alpha1.Approval
		if json.Unmarshal([]byte(specJSON), &object.Spec) != nil || json.Unmarshal([]byte(entriesJSON), &entries) != nil {
			t.Skip()
		}
		object.Namespace, object.Name = "shop", "w"
		w := approval.Compile(&object)
		if w.Err() != nil && w.AutoApprove() {
			t.Fatal("a broken workflow approves by itself")
		}
		r := ask(chain(w))
		if r.chain.Empty() {
			return
		}
		r.parties.Requester = requester
		for i := range entries { // stamped as admission would, a second apart
			if entries[i].Time == nil {
				entries[i].Time = &metav1.MicroTime{Time: noon.Add(time.Duration(i) * time.Second)}
			}
			if entries[i].SpecDigest == "" {
				entries[i].SpecDigest = asked
			}
			if entries[i].WorkflowRevision == "" {
				entries[i].WorkflowRevision = r.chain.Revision()
			}
		}
		now := time.Duration(seconds%(1<<30)) * time.Second
		got := r.at(now, entries...)
		if diff := cmp.Diff(got, r.at(now, entries...)); diff != "" {
			t.Fatal(diff)
		}
		switch got.Result {
		case approval.Granted:
			checkGranted(t, r, w, entries)
		case approval.Waiting, approval.Denied, approval.TimedOut:
		default:
			t.Fatalf("result %q", got.Result)
		}
		checkBounds(t, got)
	})
}

// checkGranted counts different names of entries that can count at all.
func checkGranted(t *testing.T, r round, w *approval.Workflow, entries []v1alpha1.Approval) {
	t.Helper()
	byStage := map[string]map[string]bool{}
	for _, e := range entries {
		if byStage[e.Stage] == nil {
			byStage[e.Stage] = map[string]bool{}
		}
		if e.Verdict != v1alpha1.VerdictDeny && e.Approver != "" {
			byStage[e.Stage][e.Approver] = true
		}
	}
	if o := w.Spec().EmergencyOverride; o != nil && len(byStage[v1alpha1.OverrideStage]) >= max(int(o.Required), 1) {
		return
	}
	for i, s := range w.Spec().Stages {
		if n := len(byStage[r.chain.Stages()[i]]); n < max(int(s.Required), 1) {
			t.Fatalf("granted with %d of %d in %s", n, s.Required, s.Name)
		}
	}
	if len(w.Spec().Stages) == 0 && len(byStage["approval"]) == 0 {
		t.Fatal("granted by nobody")
	}
}

func checkBounds(t *testing.T, s approval.State) {
	t.Helper()
	st := s.Status
	if len(st.PendingApprovers) > 400 || len(st.Uncounted) > 64 || utf8.RuneCountInString(st.Stage) > 256 || st.Granted < 0 || st.StageIndex > st.StageCount {
		t.Fatalf("out of bounds: %+v", st)
	}
	for _, u := range st.Uncounted {
		if u.Approver == "" || u.Stage == "" || u.Reason == "" || utf8.RuneCountInString(u.Reason) > 512 ||
			utf8.RuneCountInString(u.Approver) > 256 || utf8.RuneCountInString(u.Stage) > 256 {
			t.Fatalf("out of bounds: %+v", u)
		}
		checkReadable(t, u.Reason)
	}
	checkReadable(t, s.Message)
}

func checkReadable(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || text == "" {
		t.Fatalf("not text: %q", text)
	}
	for _, c := range text {
		if !unicode.IsPrint(c) {
			t.Fatalf("%U in %q", c, text)
		}
	}
}
