// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const storedAction = `
metadata: {namespace: shop, name: act, uid: uid-act, resourceVersion: "7", creationTimestamp: "2026-01-02T12:00:00Z", labels: {team: data}}
spec:
  agentRef: {name: agent}
  actionType: db_read
  description: d
  parameters: {table: orders, rows: 1}
  ttlAfterDecision: 48h0m0s
  cancelled: false
  requester: {username: bot, uid: uid-bot, admittedAt: "2026-01-02T12:00:00.000000Z", seal: s}
  approvals: [{verdict: Approve, approver: alice, stage: review, time: "2026-01-02T12:00:00.000000Z", seal: s}]
status: {decision: Approved}
`

// changedBy is an update of the stored action by a user, after edits
// "path: value" of its JSON, where a path is of keys joined by dots.
func changedBy(t *testing.T, stored, user, uid string, edits map[string]string) (req *admission.Request, old, action *v1alpha1.AgentAction) {
	t.Helper()
	var before, after map[string]any
	for _, object := range []*map[string]any{&before, &after} {
		if err := yaml.Unmarshal([]byte(stored), object); err != nil {
			t.Fatal(err)
		}
	}
	for path, value := range edits {
		edit(t, after, path, value)
	}
	req = &admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Operation: admissionv1.Update, Namespace: "shop", Name: "act", UserInfo: authenticationv1.UserInfo{Username: user, UID: uid},
		OldObject: runtime.RawExtension{Raw: marshalled(t, before)}, Object: runtime.RawExtension{Raw: marshalled(t, after)},
	}}
	old, action, err := decodeBoth(req)
	if err != nil {
		t.Fatal(err)
	}
	return req, old, action
}

func edit(t *testing.T, in map[string]any, path, value string) {
	t.Helper()
	head, rest, nested := strings.Cut(path, ".")
	if nested {
		next, isObject := in[head].(map[string]any)
		if !isObject {
			next = map[string]any{}
			in[head] = next
		}
		edit(t, next, rest, value)
		return
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(value), &parsed); err != nil {
		t.Fatal(err)
	}
	if in[head] = parsed; parsed == nil {
		delete(in, head)
	}
}

func marshalled(t *testing.T, object any) []byte {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// handlerOver has these objects behind it, and keeps its records in the world.
func handlerOver(t *testing.T, w *world, objects ...client.Object) *actionHandler {
	t.Helper()
	scheme := testScheme(t)
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	clock := clocktesting.NewFakePassiveClock(noon)
	return &actionHandler{
		options:  Options{Live: fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build(), Clock: clock},
		recorder: &recorder{audit: w, clock: clock},
	}
}

// storedAs is the action that these words describe.
func storedAs(t *testing.T, text string) *v1alpha1.AgentAction {
	t.Helper()
	action := &v1alpha1.AgentAction{}
	if err := yaml.Unmarshal([]byte(text), action); err != nil {
		t.Fatal(err)
	}
	return action
}

// A report that anything would refuse afterwards is refused before it is
// recorded; one that nothing refuses is recorded.
func TestOnlyWhatHappensIsRecordedAsReported(t *testing.T) {
	t.Parallel()
	const report = `{result: Succeeded}`
	for name, c := range map[string]struct {
		edits map[string]string
		uid   string
		want  string // words of the refusal; none: recorded
		live  string // what is stored by now
	}{
		"as it should be":               {},
		"of somebody whose uid we lack": {uid: "-"},
		"with times":                    {edits: map[string]string{"spec.outcome": `{result: Failed, message: m, startedAt: "2026-01-02T12:00:00.000000+01:00", completedAt: "2026-01-02T12:00:00.000000Z"}`}},
		"with another spelling of ttl":  {edits: map[string]string{"spec.ttlAfterDecision": "2880m"}},
		"with an empty resource":        {edits: map[string]string{"spec.resource": `""`}},
		"with a parameter changed":      {edits: map[string]string{"spec.parameters.table": "customers"}, want: "spec.parameters: parameters cannot be changed"},
		"with a parameter in another's place": {edits: map[string]string{"spec.parameters": `{tables: orders, rows: 1}`},
			want: "spec.parameters: parameters cannot be changed"},
		"without parameters":         {edits: map[string]string{"spec.parameters": "null"}, want: "spec.parameters: parameters cannot be changed"},
		"with a context":             {edits: map[string]string{"spec.context": "{a: 1}"}, want: "spec.context: context cannot be changed"},
		"of another agent":           {edits: map[string]string{"spec.agentRef.name": "other"}, want: "agentRef cannot be changed"},
		"of another type":            {edits: map[string]string{"spec.actionType": "shell"}, want: "actionType cannot be changed; submit a new action: kubectl create -f FILE"},
		"described otherwise":        {edits: map[string]string{"spec.description": "x"}, want: "description cannot be changed"},
		"about another resource":     {edits: map[string]string{"spec.resource": "x"}, want: "resource cannot be changed"},
		"kept for less long":         {edits: map[string]string{"spec.ttlAfterDecision": "1s"}, want: "ttlAfterDecision cannot be changed"},
		"kept as only Go can read":   {edits: map[string]string{"spec.ttlAfterDecision": `"+48h"`}, want: "spec.ttlAfterDecision"},
		"kept as long in many words": {edits: map[string]string{"spec.ttlAfterDecision": `"` + strings.Repeat("0", 30) + `48h"`}, want: "spec.ttlAfterDecision"},
		"to go in a while":           {edits: map[string]string{"metadata.deletionGracePeriodSeconds": "3"}, want: "changed meanwhile"},
		"of another requester":       {edits: map[string]string{"spec.requester.username": "eve"}, want: "requester cannot be changed"},
		"of a time spelled anew":     {edits: map[string]string{"spec.requester.admittedAt": `"2026-01-02T13:00:00.000000+01:00"`}, want: "requester cannot be changed"},
		"of nobody":                  {edits: map[string]string{"spec.requester": "null"}, want: "requester cannot be changed"},
		"with an approval respelt":   {edits: map[string]string{"spec.approvals": `[{verdict: Approve, approver: alice, stage: review, time: "2026-01-02T13:00:00.000000+01:00", seal: s}]`}, want: "leave spec.approvals as it is"},
		"without an approval":        {edits: map[string]string{"spec.approvals": "[]"}, want: "leave spec.approvals as it is"},
		"and a verdict":              {edits: map[string]string{"spec.approvals": `[{verdict: Approve, approver: alice, stage: review, time: "2026-01-02T12:00:00.000000Z", seal: s}, {verdict: Deny}]`}, want: "leave spec.approvals as it is"},
		"and a withdrawal":           {edits: map[string]string{"spec.cancelled": "true"}, want: "can no longer be cancelled"},
		"and a label":                {edits: map[string]string{"metadata.labels.x": "z"}, want: "nobody's once it is decided"},
		"and an owner":               {edits: map[string]string{"metadata.ownerReferences": "[{name: x, kind: ConfigMap, apiVersion: v1, uid: u}]"}, want: "has no owner"},
		"and a finalizer":            {edits: map[string]string{"metadata.finalizers": "[a/b]"}, want: "has no finalizer"},
		"of an older version":        {edits: map[string]string{"metadata.resourceVersion": `"6"`}, want: "changed meanwhile"},
		"of no version":              {edits: map[string]string{"metadata.resourceVersion": "null"}, want: "changed meanwhile"},
		"of another action":          {edits: map[string]string{"metadata.uid": "other"}, want: "changed meanwhile"},
		"made at another time":       {edits: map[string]string{"metadata.creationTimestamp": `"2026-01-02T12:00:01Z"`}, want: "changed meanwhile"},
		"without a result":           {edits: map[string]string{"spec.outcome": `{message: m}`}, want: "spec.outcome.result"},
		"with another result":        {edits: map[string]string{"spec.outcome": `{result: Fine}`}, want: "it is Succeeded or Failed"},
		"at great length":            {edits: map[string]string{"spec.outcome": `{result: Failed, message: "` + strings.Repeat("x", 4097) + `"}`}, want: "the limit is 4096"},
		"at no possible time":        {edits: map[string]string{"spec.outcome": `{result: Failed, startedAt: "2026-01-02T12:00:00.000000+24:00"}`}, want: "spec.outcome.startedAt"},
		"by another of that name":    {uid: "other", want: "bot (uid other) may not report the outcome of this action: only its requester, bot (uid uid-bot), may"},
		"that is stored otherwise":   {live: strings.Replace(storedAction, "Approved", "Denied", 1), want: "changed meanwhile"},
		"that was reported":          {live: strings.Replace(storedAction, "cancelled: false", "outcome: {result: Failed}", 1), want: "changed meanwhile"},
		"that another submitted":     {live: strings.Replace(storedAction, "username: bot", "username: eve", 1), want: "changed meanwhile"},
		"that is another by now":     {live: strings.Replace(storedAction, "uid: uid-act", "uid: uid-new", 1), want: "its uid is uid-new, not uid-act"},
		"that is newer by now":       {live: strings.Replace(storedAction, `resourceVersion: "7"`, `resourceVersion: "8"`, 1), want: "from version 7 to 8"},
		"that is gone":               {live: strings.Replace(storedAction, "name: act,", "name: another,", 1), want: "there is no action act"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edits := map[string]string{"spec.outcome": report}
			maps.Copy(edits, c.edits)
			uid := map[string]string{"": "uid-bot", "-": ""}[c.uid]
			if uid == "" && c.uid != "-" {
				uid = c.uid
			}
			live := c.live
			if live == "" {
				live = storedAction
			}
			w := &world{}
			req, old, action := changedBy(t, storedAction, "bot", uid, edits)
			_, err := handlerOver(t, w, storedAs(t, live)).update(t.Context(), req, old, action)
			if c.want == "" && (err != nil || len(w.records) != 1 || w.records[0].Actor != "bot") {
				t.Errorf("%v; records %+v", err, w.records)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(w.records) != 0) {
				t.Errorf("got %v, want %q; records %+v", err, c.want, w.records)
			}
		})
	}
}

// Withdrawals and reports have their time, before and after which they are
// refused, with advice; a report then leaves no record of itself.
func TestInItsTime(t *testing.T) {
	t.Parallel()
	waiting := strings.Replace(storedAction, "Approved", "Pending", 1)
	for name, c := range map[string]struct {
		stored string
		edits  map[string]string
		want   string
	}{
		"a report before the approval": {waiting, map[string]string{"spec.outcome": "{result: Succeeded}"}, "only after the action was approved; how far it is: ascend explain"},
		"a withdrawal after it":        {storedAction, map[string]string{"spec.cancelled": "true"}, "can no longer be cancelled: it was Approved"},
	} {
		w := &world{}
		req, old, action := changedBy(t, c.stored, "bot", "uid-bot", c.edits)
		if _, err := handlerOver(t, w, storedAs(t, c.stored)).update(t.Context(), req, old, action); err == nil || !strings.Contains(err.Error(), c.want) || len(w.records) != 0 {
			t.Errorf("%s: %v; records %+v", name, err, w.records)
		}
	}
}

// Labels and annotations are the requester's while the action waits.
func TestMarks(t *testing.T) {
	t.Parallel()
	waiting := strings.Replace(storedAction, "Approved", "Pending", 1)
	fresh := strings.Replace(storedAction, "{decision: Approved}", "{}", 1)
	edits := map[string]map[string]string{
		"a label": {"metadata.labels.team": "other"}, "one more": {"metadata.labels.x": "z"}, "one less": {"metadata.labels": "{}"}, "none": {"metadata.labels": "null"},
		"an annotation": {"metadata.annotations": "{x: z}"},
	}
	for name, c := range map[string]struct {
		stored, user, uid string
		want              []string
	}{
		"the requester":                   {waiting, "bot", "uid-bot", nil},
		"the requester, before it waits":  {fresh, "bot", "uid-bot", nil},
		"the requester without a uid":     {waiting, "bot", "", nil},
		"the requester, of a decided one": {storedAction, "bot", "uid-bot", []string{"nobody's once it is decided", "was Approved", "kubectl create -f FILE"}},
		"somebody else":                   {waiting, "eve", "uid-eve", []string{"eve may not change labels and annotations", "its requester's, bot,", "kubectl approve act -n shop --comment"}},
		"another of the name":             {waiting, "bot", "uid-2", []string{"bot (uid uid-2) may not", "bot (uid uid-bot)"}},
		"an administrator":                {storedAction, "admin", "", []string{"nobody's once it is decided"}},
	} {
		for what, change := range edits {
			req, old, action := changedBy(t, c.stored, c.user, c.uid, change)
			err := fixed(req, old, action)
			if (err != nil) != (c.want != nil) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
			for _, words := range c.want {
				if err != nil && !strings.Contains(err.Error(), words) {
					t.Errorf("%s, %s: %v has no %q", name, what, err, words)
				}
			}
		}
		for what, change := range map[string]map[string]string{"nothing": {}, "no annotations": {"metadata.annotations": "{}"}} {
			req, old, action := changedBy(t, c.stored, c.user, c.uid, change)
			if err := fixed(req, old, action); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

// Nothing grows an action until its decision could not be written.
func TestGrowth(t *testing.T) {
	t.Parallel()
	waiting := strings.Replace(storedAction, "Approved", "Pending", 1)
	pad := func(n int) string { return fmt.Sprintf("{x: %q}", strings.Repeat("a", n)) }
	big := func(n int) string { return strings.Replace(waiting, "labels: {team: data}", "annotations: "+pad(n), 1) }
	verdict := `[{verdict: Approve, approver: alice, stage: review, time: "2026-01-02T12:00:00.000000Z", seal: s}, {verdict: Deny}]`
	for name, c := range map[string]struct {
		stored string
		edits  map[string]string
		want   string
	}{
		"annotations below the limit":     {waiting, map[string]string{"metadata.annotations": pad(500 << 10)}, ""},
		"annotations beyond it":           {waiting, map[string]string{"metadata.annotations": pad(512 << 10)}, "the limit is 524288 (512 KiB)"},
		"labels beyond it":                {waiting, map[string]string{"metadata.labels": pad(512 << 10)}, "the limit is 524288 (512 KiB)"},
		"fields of managers beyond it":    {waiting, map[string]string{"metadata.managedFields": "[{manager: m, fieldsV1: " + pad(512<<10) + "}]"}, "--field-manager"},
		"a byte more of what is beyond":   {big(600 << 10), map[string]string{"metadata.annotations": pad(600<<10 + 1)}, "the limit is"},
		"a byte less of what is beyond":   {big(600 << 10), map[string]string{"metadata.annotations": pad(600<<10 - 1)}, ""},
		"status left out, label put in":   {big(600 << 10), map[string]string{"status": "null", "metadata.labels.x": "z"}, "the limit is"},
		"a verdict on what is beyond":     {big(600 << 10), map[string]string{"spec.approvals": verdict}, ""},
		"a withdrawal of what is beyond":  {big(600 << 10), map[string]string{"spec.cancelled": "true"}, ""},
		"a verdict on what is far beyond": {big(1 << 20), map[string]string{"spec.approvals": verdict}, "the limit is 1048576 (1024 KiB)"},
	} {
		req, old, action := changedBy(t, c.stored, "bot", "uid-bot", c.edits)
		err := fixed(req, old, action)
		if (err != nil) != (c.want != "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
