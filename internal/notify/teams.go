// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// teamsLimit is how large a message may be.
// Source: learn.microsoft.com, Microsoft Teams, "Limits and specifications" and
// "Create Incoming Webhooks": 28 KB.
const teamsLimit = 28 << 10

// teamsMessage is what the workflow "Post to a channel when a webhook request is
// received" takes. Source: learn.microsoft.com, Power Automate, Teams webhook trigger.
type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string       `json:"contentType"`
	ContentURL  *string      `json:"contentUrl"` // always null: the card is in content
	Content     adaptiveCard `json:"content"`
}

// adaptiveCard is an Adaptive Card 1.5, which Teams shows everywhere. Source:
// adaptivecards.io/schemas/adaptive-card.json.
type adaptiveCard struct {
	Schema  string       `json:"$schema"`
	Type    string       `json:"type"`
	Version string       `json:"version"`
	Text    string       `json:"fallbackText"`
	MSTeams teamsWidth   `json:"msteams"`
	Body    []any        `json:"body"`
	Actions []cardAction `json:"actions,omitempty"`
}

type teamsWidth struct {
	Width string `json:"width"`
}

type textBlock struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Wrap     bool   `json:"wrap"`
	Size     string `json:"size,omitempty"`
	Weight   string `json:"weight,omitempty"`
	Color    string `json:"color,omitempty"`
	Style    string `json:"style,omitempty"`
	FontType string `json:"fontType,omitempty"`
}

type factSet struct {
	Type  string      `json:"type"`
	Facts []teamsFact `json:"facts"`
}

type teamsFact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

// richText has no Markdown: what stands in it is shown as it is.
type richText struct {
	Type    string    `json:"type"`
	Inlines []textRun `json:"inlines"`
}

type textRun struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Weight   string `json:"weight,omitempty"`
	FontType string `json:"fontType,omitempty"`
}

type cardAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// teamsBody is the message, with its texts cut shorter until it is small enough.
func teamsBody(event Event) ([]byte, error) {
	c := newCard(event)
	for runes := paragraphRunes; runes > 8; runes /= 2 {
		c.shorten(runes)
		body, err := asJSON(newTeamsMessage(c))
		if err != nil || len(body) <= teamsLimit {
			return body, err
		}
	}
	return nil, errors.New("the event does not fit into a message of 28 KB, which is all that Teams takes")
}

func newTeamsMessage(c card) teamsMessage {
	content := adaptiveCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.5",
		Text: teamsEscape(c.title), MSTeams: teamsWidth{Width: "Full"},
		Body: []any{textBlock{Type: "TextBlock", Text: teamsEscape(c.title), Wrap: true, Size: "Large", Weight: "Bolder", Color: c.tone.color(), Style: "heading"}},
	}
	if len(c.facts) > 0 {
		set := factSet{Type: "FactSet"}
		for _, f := range c.facts {
			set.Facts = append(set.Facts, teamsFact{Title: f.label, Value: teamsEscape(f.value)})
		}
		content.Body = append(content.Body, set)
	}
	for _, p := range c.paragraphs {
		content.Body = append(content.Body, richText{Type: "RichTextBlock", Inlines: []textRun{
			{Type: "TextRun", Text: p.label + ": ", Weight: "Bolder"}, {Type: "TextRun", Text: p.value}}})
	}
	for _, command := range c.commands {
		content.Body = append(content.Body,
			textBlock{Type: "TextBlock", Text: command.label, Wrap: true, Weight: "Bolder"},
			richText{Type: "RichTextBlock", Inlines: []textRun{{Type: "TextRun", Text: command.value, FontType: "Monospace"}}})
	}
	if c.link != "" {
		content.Actions = []cardAction{{Type: "Action.OpenUrl", Title: "Review", URL: c.link}}
	}
	return teamsMessage{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: content}}}
}

// color is Teams' word for it.
func (t tone) color() string {
	switch t {
	case toneGood:
		return "Good"
	case toneWaiting:
		return "Warning"
	case toneBad:
		return "Attention"
	case toneNeutral:
		return "Default"
	default:
		return "Default"
	}
}

// teamsSpecial are the characters of the Markdown of Adaptive Cards that make
// more of a line than text: emphasis, links, images, code, HTML and {{DATE()}}.
// Headings, lists and quotations begin a line, of which a value is one.
// Source: learn.microsoft.com, Adaptive Cards, "Text features".
const teamsSpecial = "\\`*_[]<>~{}#!"

// listMark begins a list: the character of its group is the one to escape.
var listMark = regexp.MustCompile(`^ *\d*([-+.)])(?: |$)`)

// teamsEscape makes text fit for where Markdown is read. An underscore within a
// word is only itself, and stays, as in database_write.
func teamsEscape(text string) string {
	list := -1
	if found := listMark.FindStringSubmatchIndex(text); found != nil {
		list = found[2]
	}
	var b strings.Builder
	before := ' '
	for i, r := range text {
		after, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
		special := strings.ContainsRune(teamsSpecial, r) && (r != '_' || !isWordRune(before) || !isWordRune(after))
		if special || i == list {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
