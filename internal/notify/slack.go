// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of Block Kit, in characters and in blocks of a message.
// Source: docs.slack.dev/reference/block-kit/blocks, header, section, actions.
const (
	slackHeader    = 150
	slackText      = 3000
	slackField     = 2000
	slackFields    = 10
	slackBlocks    = 50
	slackURL       = 3000
	slackPlainText = "plain_text"
	slackMarkdown  = "mrkdwn"
)

// slackMessage is what an incoming webhook takes. Text of others stands in
// plain_text alone, which has no mentions, no links and no formatting; mrkdwn
// is for labels and for commands. text is what a notification shows.
type slackMessage struct {
	Text        string       `json:"text"`
	Markdown    bool         `json:"mrkdwn"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
	Blocks      []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string            `json:"type"`
	Text     *slackTextObject  `json:"text,omitempty"`
	Fields   []slackTextObject `json:"fields,omitempty"`
	Elements []slackButton     `json:"elements,omitempty"`
}

// slackTextObject has emoji in plain_text and verbatim in mrkdwn, never both.
type slackTextObject struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji,omitempty"`
	Verbatim bool   `json:"verbatim,omitempty"`
}

type slackButton struct {
	Type     string          `json:"type"`
	Text     slackTextObject `json:"text"`
	URL      string          `json:"url"`
	ActionID string          `json:"action_id"`
	Style    string          `json:"style"`
}

func newSlackMessage(event Event) slackMessage {
	c := newCard(event)
	title := slackPlain(c.title, slackHeader)
	m := slackMessage{Text: title.Text, Blocks: []slackBlock{{Type: "header", Text: &title}}}
	for facts := range slices.Chunk(c.facts, slackFields/2) {
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Fields: slackFacts(facts)})
	}
	for _, p := range c.paragraphs {
		text := slackPlain(p.label+": "+p.value, slackText)
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Text: &text})
	}
	for _, command := range c.commands {
		text := slackTextObject{Type: slackMarkdown, Verbatim: true,
			Text: "*" + command.label + "*\n```" + slackEscape(command.value, slackText-100) + "```"}
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Text: &text})
	}
	if c.link != "" && len(c.link) <= slackURL {
		m.Blocks = append(m.Blocks, slackBlock{Type: "actions", Elements: []slackButton{{
			Type: "button", Text: slackPlain("Review", 75), URL: c.link, ActionID: "review", Style: "primary"}}})
	}
	m.Blocks = m.Blocks[:min(len(m.Blocks), slackBlocks)]
	return m
}

// slackFacts are two columns: the label, then the value.
func slackFacts(facts []fact) []slackTextObject {
	var fields []slackTextObject
	for _, f := range facts {
		fields = append(fields, slackTextObject{Type: slackMarkdown, Verbatim: true, Text: "*" + f.label + "*"}, slackPlain(f.value, slackField))
	}
	return fields
}

func slackPlain(text string, limit int) slackTextObject {
	emoji := false
	return slackTextObject{Type: slackPlainText, Text: slackEscape(text, limit), Emoji: &emoji}
}

// slackEscape replaces the three characters that control Slack's text, and
// gives at most that many characters, never half an entity.
// Source: docs.slack.dev/messaging/formatting-message-text, "Escaping text".
func slackEscape(text string, limit int) string {
	var b strings.Builder
	length := 0
	for i, r := range text { // of valid UTF-8, as terminal.Mark gives it
		piece := string(r)
		switch r {
		case '&':
			piece = "&amp;"
		case '<':
			piece = "&lt;"
		case '>':
			piece = "&gt;"
		}
		rest := text[i+utf8.RuneLen(r):]
		if length+utf8.RuneCountInString(piece) > limit-1 && (rest != "" || length+utf8.RuneCountInString(piece) > limit) {
			return b.String() + "…"
		}
		b.WriteString(piece)
		length += utf8.RuneCountInString(piece)
	}
	return b.String()
}
