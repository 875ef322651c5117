// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

var formats = []v1alpha1.NotificationFormat{v1alpha1.FormatCloudEvents, v1alpha1.FormatSlack, v1alpha1.FormatTeams}

// Every event in every format is as the golden file has it, twice the same, and
// has nothing of the parameters and of the seals.
func TestRender(t *testing.T) {
	t.Parallel()
	for name, event := range everyEvent() {
		for _, format := range formats {
			body, contentType, err := notify.Render(format, event)
			if err != nil {
				t.Fatal(err)
			}
			if again, _, _ := notify.Render(format, event); !bytes.Equal(body, again) {
				t.Errorf("%s %s: rendered differently the second time", name, format)
			}
			if bytes.Contains(body, []byte("canary")) {
				t.Errorf("%s %s: it has what it must not have: %s", name, format, body)
			}
			if want := map[bool]string{true: "application/cloudevents+json", false: "application/json"}[format == v1alpha1.FormatCloudEvents]; contentType != want {
				t.Errorf("%s %s: content type %s", name, format, contentType)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, body, "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, strings.ToLower(string(format))+"-"+name+".json", append(pretty.Bytes(), '\n'))
		}
	}
}

func TestRenderRefusesUnknownFormat(t *testing.T) {
	t.Parallel()
	if _, _, err := notify.Render("Pigeon", sample()); err == nil || !strings.Contains(err.Error(), "CloudEvents, Slack or Teams") {
		t.Errorf("got %v", err)
	}
}

// data.decision is that of the event, whatever the action says by now.
func TestDecisionIsThatOfTheEvent(t *testing.T) {
	t.Parallel()
	want := map[v1alpha1.EventType]string{
		v1alpha1.EventActionSubmitted: "", v1alpha1.EventActionPending: "PENDING", v1alpha1.EventActionEscalated: "PENDING",
		v1alpha1.EventActionApproved: "APPROVED", v1alpha1.EventActionExecuted: "APPROVED", v1alpha1.EventActionFailed: "APPROVED",
		v1alpha1.EventActionDenied: "DENIED", v1alpha1.EventPolicyViolation: "DENIED", v1alpha1.EventActionTimeout: "TIMEOUT",
		v1alpha1.EventActionCancelled: "CANCELLED",
	}
	for event, decision := range want {
		for _, now := range []v1alpha1.Decision{v1alpha1.DecisionNone, v1alpha1.DecisionPending, v1alpha1.DecisionApproved, v1alpha1.DecisionDenied, v1alpha1.DecisionTimedOut, v1alpha1.DecisionCancelled} {
			body, _, err := notify.Render(v1alpha1.FormatCloudEvents, about(event, decided(now, "R", "m")))
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Data notify.ActionData }
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			if got.Data.Decision != decision {
				t.Errorf("%s while %s: decision %q, want %q", event, now, got.Data.Decision, decision)
			}
			if asked := got.Data.ApproveCommand != ""; asked != (now == v1alpha1.DecisionPending && decision == "PENDING") {
				t.Errorf("%s while %s: approve_command %q", event, now, got.Data.ApproveCommand)
			}
		}
	}
}

// A resource in the parameters is one too, and a score that is no number is left out.
func TestDataOfOddActions(t *testing.T) {
	t.Parallel()
	a := action()
	a.Spec.Resource = ""
	a.Status.Risk.Score = "7,2"
	a.Status.ApprovalURL = "javascript:alert(1)"
	for _, format := range formats {
		body, _, err := notify.Render(format, about(v1alpha1.EventActionPending, a))
		if err != nil || !strings.Contains(string(body), "customers") || strings.Contains(string(body), "7,2") {
			t.Errorf("%s: %v: %s", format, err, body)
		}
		if format != v1alpha1.FormatCloudEvents && strings.Contains(string(body), "javascript") {
			t.Errorf("%s: a button with a script: %s", format, body)
		}
	}
}
