// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// docs/notifications.md names each event, each field and each header, and its
// examples are what is sent.
func TestPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "notifications.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	var words []string
	for _, event := range everyEvent() {
		words = append(words, string(event.Type))
	}
	for _, data := range []reflect.Type{reflect.TypeFor[notify.ActionData](), reflect.TypeFor[notify.AgentData](), reflect.TypeFor[notify.OutcomeData]()} {
		for field := range data.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			words = append(words, name)
		}
	}
	words = append(words, notify.HeaderSignature, notify.HeaderPreviousSignature, notify.HeaderTimestamp, notify.HeaderEventType, notify.HeaderDeliveryID)
	for _, word := range words {
		if !strings.Contains(page, "`"+word+"`") {
			t.Errorf("docs/notifications.md does not explain `%s`", word)
		}
	}
	for _, example := range []string{"cloudevents-pending.json", "slack-test.json", "teams-test.json"} {
		sent, err := os.ReadFile(filepath.Join("testdata", "golden", example))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page, string(sent)) {
			t.Errorf("docs/notifications.md shows another example than %s", example)
		}
	}
	ages := make([]string, 0, len(documented))
	for _, age := range documented[:len(documented)-1] {
		text := strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(age.String())
		ages = append(ages, strings.NewReplacer("h", " h", "m", " min", "s", " s").Replace(text))
	}
	if list := strings.Join(ages, ", "); !strings.Contains(strings.Join(strings.Fields(page), " "), list) {
		t.Errorf("docs/notifications.md does not say %s", list)
	}
	// Its troubleshooting table has what the errors say.
	code, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, path := range code {
		if !strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	_, table, _ := strings.Cut(page, "| It says |")
	for line := range strings.Lines(table) {
		if said, _, quoted := strings.Cut(strings.TrimPrefix(line, "| `"), "` "); quoted && strings.HasPrefix(line, "| `the ") && !strings.Contains(said, "answered") {
			if !strings.Contains(source.String(), said) {
				t.Errorf("no error says %q", said)
			}
		}
	}
}
