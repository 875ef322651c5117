// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// schema is the documented form of a format.
func schema(tb testing.TB, format v1alpha1.NotificationFormat) *jsonschema.Schema {
	tb.Helper()
	path := "testdata/schemas/" + strings.ToLower(string(format)) + ".json"
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		tb.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", document); err != nil {
		tb.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return compiled
}

func valid(schema *jsonschema.Schema, body []byte) error {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(document)
}

// A receiver that checks what it gets as Slack, Teams and CloudEvents document
// it takes each event in each format.
func TestReceiversTakeEveryEvent(t *testing.T) {
	t.Parallel()
	for _, format := range formats {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			form, taken := schema(t, format), 0
			server, to := receive(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err == nil {
					err = valid(form, body)
				}
				if err != nil || len(body) > 28<<10 {
					t.Errorf("%v: %s", err, body)
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				taken++
			})
			to.Format = format
			s := sender(t)
			for name, event := range everyEvent() {
				if result := s.Send(t.Context(), to, event); result.Err != nil || result.StatusCode != http.StatusOK {
					t.Errorf("%s: %+v", name, result)
				}
			}
			server.Close()
			if want := len(everyEvent()); taken != want {
				t.Errorf("taken %d, want %d", taken, want)
			}
		})
	}
}

// The schemas refuse what the documentation refuses: they are no formality.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	wrong := map[v1alpha1.NotificationFormat][][2]string{
		v1alpha1.FormatSlack: {
			{`"type":"header"`, `"type":"heading"`}, {`"text":{"type":"plain_text","text":"Approval needed`, `"text":{"type":"mrkdwn","text":"Approval needed`},
			{`"plain_text","text":"Approval needed`, `"plain_text","text":"` + strings.Repeat("x", 151)}, {"7.2 HIGH", strings.Repeat("x", 2001)}, {`"blocks":[`, `"blocks":[{},`}, {`"url":"https:`, `"url":"javascript:`},
		},
		v1alpha1.FormatTeams: {
			{`"type":"AdaptiveCard"`, `"type":"Card"`}, {`"version":"1.5"`, `"version":"2.0"`}, {`"facts":[`, `"facts":[{},`}, {`"weight":"Bolder"`, `"weight":"bold"`},
			{`application/vnd.microsoft.card.adaptive`, `application/json`}, {`"wrap":true`, `"wrap":1`}, {`"Action.OpenUrl"`, `"Action.Submit"`},
		},
		v1alpha1.FormatCloudEvents: {
			{`"specversion":"1.0"`, `"specversion":"0.3"`}, {`"type":"action.pending"`, `"type":"com.example.pending"`}, {`"decision":"PENDING"`, `"decision":"Pending"`},
			{`"risk_score":7.2`, `"risk_score":"7.2"`}, {`"subject":"act-ghi789"`, `"subject":""`},
		},
	}
	for format, changes := range wrong {
		body, _, err := notify.Render(format, sample())
		if err != nil {
			t.Fatal(err)
		}
		form := schema(t, format)
		if err := valid(form, body); err != nil {
			t.Fatal(err)
		}
		for _, change := range changes {
			changed := strings.Replace(string(body), change[0], change[1], 1)
			if changed == string(body) || valid(form, []byte(changed)) == nil {
				t.Errorf("%s: %s in place of %s was not refused: %s", format, change[1], change[0], changed)
			}
		}
	}
}

// Texts as long as the API allows them still fit.
func TestLongestEventFits(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"x", "<", "&", "\"", "`", "[", "\u202e", "😀", "\x00", "\n"} {
		body := map[v1alpha1.NotificationFormat][]byte{}
		for _, format := range formats {
			var err error
			if body[format], _, err = notify.Render(format, hostile(letter, 4096)); err != nil {
				t.Fatalf("%s %q: %v", format, letter, err)
			}
			if err := valid(schema(t, format), body[format]); err != nil {
				t.Errorf("%s %q: %v", format, letter, err)
			}
		}
		if size := len(body[v1alpha1.FormatTeams]); size > 28<<10 {
			t.Errorf("Teams %q: %d bytes", letter, size)
		}
	}
}

// hostile is an event all of whose text is that text, as often as fits.
func hostile(text string, size int) notify.Event {
	long := func(most int) string {
		repeated := strings.Repeat(text, 1+min(size, most)/max(len(text), 1))
		return strings.ToValidUTF8(repeated[:min(len(repeated), most)], "?")
	}
	a := action()
	a.Spec.Description, a.Spec.Resource, a.Spec.ActionType = long(4096), long(1024), long(128)
	a.Spec.Requester.Username = long(256)
	a.Status.Reason, a.Status.Message = long(128), long(1024)
	a.Status.DecidingRule.DisplayName = long(128)
	a.Status.Approval.Stage = long(256)
	a.Status.Approval.PendingApprovers = nil
	for range 400 {
		a.Status.Approval.PendingApprovers = append(a.Status.Approval.PendingApprovers, long(600))
	}
	a.Status.SpecDigest = long(71)
	a.Spec.Outcome = &v1alpha1.Outcome{Result: v1alpha1.OutcomeFailed, Message: long(4096)}
	return about(v1alpha1.EventActionPending, a)
}

// decoded is a body as a chat program reads it.
func decoded[T any](tb testing.TB, format v1alpha1.NotificationFormat, event notify.Event) T {
	tb.Helper()
	body, _, err := notify.Render(format, event)
	if err != nil {
		tb.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(body, &out); err != nil {
		tb.Fatalf("%v: %s", err, body)
	}
	return out
}
