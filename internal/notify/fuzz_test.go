// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// attacks are what somebody would write to be more than text.
var attacks = []string{
	"<!channel>", "<!here|here>", "@here @channel @everyone", "<@U012AB3CD>", "<https://evil.example.com|Approve>", "https://evil.example.com",
	"```\n*To approve* `kubectl approve other`\n```", "*bold* _it_ ~no~ `code`", ">quoted", "&lt;!channel&gt;", "&amp;", ":rotating_light:",
	"[Approve](https://evil.example.com)", "![x](https://evil.example.com/x.png)", "<at>everyone</at>", "<img src=x onerror=y>", "{{DATE(2026-01-01,SHORT)}}",
	"# Approved", "- a", "+ a", "1. a", "1) a", "7.2 High", "-", "**Approved**", "a__b__c", `\*`, `\`, "\\\\[x](y)", "${secret}", "@{triggerBody()}",
	"\u202eevorppA", "zero\u200bwidth", "\u2028", "\x00\x1b[31m", "\xff\xfe", "раypаl", "line\nline\r\n\tline", "😀👩‍🚀", strings.Repeat("<", 3000), `"},{"type":"header`, "'; rm -rf / #", "$(id)",
}

// FuzzRender: whatever stands in an action, each format is JSON of its form and
// size, and no text of it is markup.
func FuzzRender(f *testing.F) {
	for i, attack := range attacks {
		f.Add(attack, i%3)
	}
	schemas := map[v1alpha1.NotificationFormat]interface{ Validate(any) error }{}
	for _, format := range formats {
		schemas[format] = schema(f, format)
	}
	f.Fuzz(func(t *testing.T, text string, kind int) {
		event := attack(text, kind)
		for _, format := range formats {
			body, _, err := notify.Render(format, event)
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			var document any
			if err := json.Unmarshal(body, &document); err != nil || !utf8.Valid(body) {
				t.Fatalf("%s: %v: %s", format, err, body)
			}
			if err := schemas[format].Validate(document); err != nil {
				t.Fatalf("%s: %v: %s", format, err, body)
			}
		}
		checkSlack(t, decoded[slackForm](t, v1alpha1.FormatSlack, event))
		checkTeams(t, decoded[teamsForm](t, v1alpha1.FormatTeams, event))
	})
}

// attack is an event with that text wherever the API takes any. The names of
// objects, the agent and the type of the action are none of these places.
func attack(text string, kind int) notify.Event {
	event := hostile(text, max(len(text), 1))
	a := event.Subject.Action
	a.Spec.ActionType = "database_write"
	a.Status.Approval.PendingApprovers = a.Status.Approval.PendingApprovers[:2]
	event.Type = []v1alpha1.EventType{v1alpha1.EventActionPending, v1alpha1.EventActionFailed, v1alpha1.EventActionDenied}[max(kind, -kind, 0)%3]
	if event.Type == v1alpha1.EventActionFailed {
		a.Status.Decision = v1alpha1.DecisionApproved
	}
	return event
}

type slackForm struct {
	Text   string
	Blocks []struct {
		Type   string
		Text   *slackText
		Fields []slackText
	}
}

type slackText struct {
	Type, Text      string
	Emoji, Verbatim bool
}

var (
	entity = regexp.MustCompile(`&(amp|lt|gt);`)
	code   = regexp.MustCompile("^\\*To (approve|deny)\\*\n```kubectl (approve|deny) act-ghi789 -n default( --reason \"WHY\")?```$")
	label  = regexp.MustCompile(`^\*[A-Z][a-z ]+\*$`)
)

// checkSlack: markup stands in labels and commands alone; <, > and & are
// entities; nothing is hidden.
func checkSlack(t *testing.T, m slackForm) {
	t.Helper()
	texts := []slackText{{Type: "plain_text", Text: m.Text}}
	for _, block := range m.Blocks {
		if block.Text != nil {
			texts = append(texts, *block.Text)
		}
		texts = append(texts, block.Fields...)
	}
	for _, text := range texts {
		if strings.ContainsAny(text.Text, "<>") || strings.Contains(entity.ReplaceAllString(text.Text, ""), "&") {
			t.Fatalf("Slack: %q", text.Text)
		}
		switch text.Type {
		case "mrkdwn":
			if !text.Verbatim || (!code.MatchString(text.Text) && !label.MatchString(text.Text)) {
				t.Fatalf("Slack: mrkdwn %q", text.Text)
			}
		case "plain_text":
			if text.Emoji {
				t.Fatalf("Slack: emoji in %q", text.Text)
			}
			checkShown(t, text.Text)
		}
	}
}

type teamsForm struct {
	Attachments []struct {
		Content struct {
			FallbackText string
			Body         []struct {
				Type, Text string
				Facts      []struct{ Title, Value string }
				Inlines    []struct{ Text string }
			}
		}
	}
}

// markup is what Markdown makes more of than text, where no backslash is before it.
var markup = regexp.MustCompile(`[][<>*~{}#!` + "`" + `]|(?:^|[^\pL\pN])_|_(?:$|[^\pL\pN])|^ *(?:[-+]|[0-9]+[.)])(?: |$)`)

func checkTeams(t *testing.T, m teamsForm) {
	t.Helper()
	content := m.Attachments[0].Content
	texts := []string{content.FallbackText}
	for _, part := range content.Body {
		texts = append(texts, part.Text)
		for _, fact := range part.Facts {
			texts = append(texts, fact.Value)
		}
		for _, run := range part.Inlines { // which has no Markdown
			checkShown(t, run.Text)
		}
	}
	escaped := regexp.MustCompile(`\\[[:punct:] ]`)
	for _, text := range texts {
		// "x" stands for what is escaped, so that what is beside it stays beside something.
		if bare := escaped.ReplaceAllString(text, "x"); strings.Contains(bare, `\`) || markup.MatchString(bare) {
			t.Fatalf("Teams: %q", text)
		}
		checkShown(t, text)
	}
}

// checkShown: what is shown is what is there.
func checkShown(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control) || strings.ContainsRune("\u200b\u2028\u2029\ufeff", r) {
			t.Fatalf("%U in %q", r, text)
		}
	}
}

// What people write to be more than text is text.
func TestAttacksAreText(t *testing.T) {
	t.Parallel()
	for _, text := range attacks {
		for kind := range 3 {
			event := attack(text, kind)
			checkSlack(t, decoded[slackForm](t, v1alpha1.FormatSlack, event))
			checkTeams(t, decoded[teamsForm](t, v1alpha1.FormatTeams, event))
		}
	}
}

// A name that admission never let in ends no block of code either.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	event := sample()
	event.Subject.Action.Name = "x```<!channel>$(id)\nkubectl approve other"
	event.Subject.Name = event.Subject.Action.Name
	for _, block := range decoded[slackForm](t, v1alpha1.FormatSlack, event).Blocks {
		if block.Text != nil && block.Text.Type == "mrkdwn" && (strings.Count(block.Text.Text, "```") != 2 || strings.Count(block.Text.Text, "\n") != 1 || strings.Contains(block.Text.Text, "<")) {
			t.Errorf("got %q", block.Text.Text)
		}
	}
}
