// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123456789, time.UTC)

func TestGenerateName(t *testing.T) {
	form := regexp.MustCompile(`^act-[bcdfghjklmnpqrstvwxz2456789]{10}$`)
	seen := map[string]bool{}
	for range 10_000 {
		name := generateName("act-")
		if !form.MatchString(name) || seen[name] {
			t.Fatalf("name %q", name)
		}
		seen[name] = true
	}
	if got := generateName(strings.Repeat("a", 300)); len(got) != maxName {
		t.Errorf("a long prefix gives a name of %d characters, the limit is %d", len(got), maxName)
	}
}

// Whoever names an action keeps the name; the seal is bound to it either way.
func TestNameFor(t *testing.T) {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Name: "mine", GenerateName: "act-"}}
	if name, patch := nameFor(action); name != "mine" || patch != nil {
		t.Errorf("a named action becomes %q with %v", name, patch)
	}
	action.Name = ""
	name, patch := nameFor(action)
	if len(patch) != 1 || patch[0].Path != "/metadata/name" || patch[0].Value != name || !strings.HasPrefix(name, "act-") {
		t.Errorf("got %q with %v", name, patch)
	}
	action.GenerateName = ""
	if name, patch := nameFor(action); name != "" || patch != nil {
		t.Errorf("an action without any name becomes %q with %v", name, patch)
	}
}

func TestRequesterOf(t *testing.T) {
	many := make([]string, maxGroups+1)
	for i := range many {
		many[i] = "g"
	}
	long := strings.Repeat("x", maxUsername+1)
	for name, user := range map[string]*authenticationv1.UserInfo{
		"many groups":       {Username: "u", Groups: many},
		"a long name":       {Username: long},
		"a long group":      {Username: "u", Groups: []string{long}},
		"an unnamed group":  {Username: "u", Groups: []string{""}},
		"a long identifier": {Username: "u", UID: long},
	} {
		if _, err := requesterOf(user, noon); err == nil || !strings.Contains(err.Error(), "limit of") {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := requesterOf(&authenticationv1.UserInfo{Username: "u", UID: "1", Groups: many[:2]}, noon)
	if err != nil || got.Username != "u" || got.UID != "1" || len(got.Groups) != 2 || !got.AdmittedAt.Time.Equal(noon.Truncate(time.Microsecond)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNewVerdict(t *testing.T) {
	entry := func(approver string, verdict v1alpha1.Verdict) v1alpha1.Approval {
		return v1alpha1.Approval{Approver: approver, Stage: "review", Verdict: verdict}
	}
	alice, bob := entry("alice", v1alpha1.VerdictApprove), entry("bob", v1alpha1.VerdictDeny)
	mine := v1alpha1.Approval{Verdict: v1alpha1.VerdictApprove}
	for name, c := range map[string]struct {
		was, is []v1alpha1.Approval
		want    string // an error
		added   bool
	}{
		"the first":        {is: []v1alpha1.Approval{mine}, added: true},
		"the third":        {was: []v1alpha1.Approval{alice, bob}, is: []v1alpha1.Approval{alice, bob, mine}, added: true},
		"none":             {was: []v1alpha1.Approval{alice}, is: []v1alpha1.Approval{alice}},
		"two at once":      {was: []v1alpha1.Approval{alice}, is: []v1alpha1.Approval{alice, mine, mine}, want: "2 approvals in one request"},
		"one taken away":   {was: []v1alpha1.Approval{alice, bob}, is: []v1alpha1.Approval{bob}, want: "cannot be changed, removed"},
		"one replaced":     {was: []v1alpha1.Approval{alice}, is: []v1alpha1.Approval{mine}, want: "a merge patch has to repeat the whole list"},
		"one changed":      {was: []v1alpha1.Approval{bob}, is: []v1alpha1.Approval{entry("bob", v1alpha1.VerdictApprove)}, want: "cannot be changed"},
		"another order":    {was: []v1alpha1.Approval{alice, bob}, is: []v1alpha1.Approval{bob, alice}, want: "another order"},
		"put at the front": {was: []v1alpha1.Approval{alice}, is: []v1alpha1.Approval{mine, alice}, want: "another order"},
	} {
		old, action := &v1alpha1.AgentAction{}, &v1alpha1.AgentAction{}
		old.Spec.Approvals, action.Spec.Approvals = c.was, c.is
		got, err := newVerdict(&admission.Request{}, old, action)
		if (got != nil) != c.added || (err != nil) != (c.want != "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A refusal keeps its code and its advice on the way to the user: 429 with the
// seconds after which to try again.
func TestRefusalResponse(t *testing.T) {
	got := (&refusal{code: http.StatusTooManyRequests, status: metav1.StatusReasonTooManyRequests, why: whyRateLimited, message: "slow down", retryAfter: 1500 * time.Millisecond}).response()
	if got.Allowed || got.Result.Code != 429 || got.Result.Details.RetryAfterSeconds != 2 || got.Result.Message != "slow down" || got.AuditAnnotations["refused"] != whyRateLimited ||
		got.Result.Details.Causes[0] != (metav1.StatusCause{Type: whyRateLimited}) {
		t.Errorf("got %+v", got)
	}
	field := invalid("spec.approvals", "no").response()
	if field.Result.Code != 422 || field.Result.Details.Causes[0] != (metav1.StatusCause{Type: v1alpha1.ReasonInvalidRequest, Field: "spec.approvals", Message: "no"}) {
		t.Errorf("got %+v", field.Result)
	}
	if no := unreadable(errors.New("broken")); no.code != 422 || !strings.Contains(no.message, "broken") {
		t.Errorf("got %+v", no)
	}
}

// A name cannot pass for another one, and a terminal is not written to.
func TestShown(t *testing.T) {
	for name, want := range map[string]string{
		"alice": "alice", "a\nb": `"a\nb"`, "al\u200bice": `"al\u200bice"`, "\x1b[31m": `"\x1b[31m"`, "": `""`, "zoë": "zoë",
	} {
		if got := shown(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
	if got := shown(strings.Repeat("a", 1000)); len([]rune(got)) != maxShown {
		t.Errorf("%d characters are shown", len([]rune(got)))
	}
	for word, want := range map[string]string{"alice": "alice", "a b": "'a b'", "it's": `'it'\''s'`, "": `'""'`} {
		if got := shellWord(word); got != want {
			t.Errorf("%q as a word of a shell is %s, want %s", word, got, want)
		}
	}
	if got := bindingFlag("system:serviceaccount:ci:gate", ""); got != "--serviceaccount=ci:gate" {
		t.Error(got)
	}
	if got := bindingFlag("alice", "group:security"); got != "--group=security" {
		t.Error(got)
	}
	if got := subjectEntry("system:serviceaccount:ci:gate"); got != "{kind: ServiceAccount, namespace: ci, name: gate}" {
		t.Error(got)
	}
}

func TestUnknownOperation(t *testing.T) {
	h := &actionHandler{}
	req := &admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{Operation: admissionv1.Connect}}
	if _, err := h.judge(t.Context(), req, nil, nil); err == nil {
		t.Error("it is let through")
	}
	req.SubResource = "status"
	if _, err := h.judge(t.Context(), req, nil, nil); err == nil || !strings.Contains(err.Error(), "the operator alone") {
		t.Errorf("got %v", err)
	}
	req.UserInfo.Username = v1alpha1.OperatorUser
	if _, err := h.judge(t.Context(), req, nil, nil); err != nil {
		t.Errorf("the operator is refused: %v", err)
	}
}

// Who has to agree is known only when all policy has been read.
func TestNoVerdictBeforePolicyIsRead(t *testing.T) {
	t.Parallel()
	h := &actionHandler{options: Options{Synced: func() bool { return false }}}
	waiting := &v1alpha1.AgentAction{}
	waiting.Status.Decision, waiting.Status.Approval = v1alpha1.DecisionPending, &v1alpha1.ApprovalStatus{}
	_, err := h.stamp(t.Context(), &admission.Request{}, waiting, v1alpha1.Approval{Verdict: v1alpha1.VerdictApprove})
	if no := (*refusal)(nil); !errors.As(err, &no) || no.code != http.StatusServiceUnavailable || no.retryAfter == 0 || !strings.Contains(no.message, "has not read all rules and workflows") {
		t.Errorf("got %v", err)
	}
}
