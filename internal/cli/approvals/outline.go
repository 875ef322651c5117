// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// maxText is how many characters of one line of a value are shown, where not
// everything is asked for.
const maxText = 2000

// outline writes a JSON value as people read YAML: a line a value, what is below
// a key indented by two spaces, keys sorted, numbers as they are written.
// Suspicious characters are marked, and everything else that cannot be seen is
// escaped, so that no value can look like a key, a line of its own, or a word of
// this program.
type outline struct {
	lines []string
	most  int // characters of a line; 0: all
}

// outlined are the lines of a JSON value.
func outlined(value any, full bool) []string {
	o := &outline{most: maxText}
	if full {
		o.most = 0
	}
	switch v := value.(type) {
	case map[string]any:
		o.object(v, "")
	case []any:
		o.array(v, "")
	default:
		o.add("", "", v)
	}
	return o.lines
}

// add writes a value behind what is before it on its line: a key, or a dash.
func (o *outline) add(indent, before string, value any) {
	below := indent + "  "
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			o.line(indent, before, "{}")
			return
		}
		o.lines = append(o.lines, strings.TrimRight(indent+before, " "))
		o.object(v, below)
	case []any:
		if len(v) == 0 {
			o.line(indent, before, "[]")
			return
		}
		o.lines = append(o.lines, strings.TrimRight(indent+before, " "))
		o.array(v, below)
	case string:
		o.text(indent, before, v)
	default:
		o.line(indent, before, scalar(v))
	}
}

func (o *outline) object(object map[string]any, indent string) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		o.add(indent, word(key)+": ", object[key])
	}
}

func (o *outline) array(items []any, indent string) {
	for _, item := range items {
		o.add(indent, "- ", item)
	}
}

func (o *outline) line(indent, before, text string) {
	o.lines = append(o.lines, indent+before+o.bounded(text))
}

// text writes a string: as a word where it can be taken for nothing else, in
// quotes otherwise, and as a block where it has several lines.
func (o *outline) text(indent, before, text string) {
	if !strings.Contains(strings.TrimSuffix(text, "\n"), "\n") {
		o.lines = append(o.lines, indent+before+cutWord(text, o.most))
		return
	}
	head := "|-"
	if body, found := strings.CutSuffix(text, "\n"); found {
		text, head = body, "|"
	}
	lines := terminal.MarkLines(text)
	o.lines = append(o.lines, fmt.Sprintf("%s%s%s  (%d lines)", indent, before, head, len(lines)))
	for _, line := range lines {
		o.lines = append(o.lines, indent+"  | "+o.bounded(line))
	}
}

// bounded cuts what is too long, and says how much that was.
func (o *outline) bounded(text string) string { return bounded(text, o.most) }

func bounded(text string, most int) string {
	if head, more := cut(text, most); more > 0 {
		return fmt.Sprintf("%s… (%d more characters)", head, more)
	}
	return text
}

// cutWord is a word that is bounded before it is quoted.
func cutWord(text string, most int) string {
	if head, more := cut(text, most); more > 0 {
		return fmt.Sprintf("%s… (%d more characters)", quoted(head), more)
	}
	return word(text)
}

// cut takes so many characters, and counts the others; most of 0 takes all.
func cut(text string, most int) (head string, more int) {
	if most == 0 || len(text) <= most {
		return text, 0
	}
	more = utf8.RuneCountInString(text) - most
	if more <= 0 {
		return text, 0
	}
	count := 0
	for at := range text {
		if count == most {
			return text[:at], more
		}
		count++
	}
	return text, 0
}

// plainWord is text that YAML and people take for a string, and for nothing else.
var plainWord = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./@:+-]*( [A-Za-z0-9_./@+(),;-]+)*$`)

// notWords are what YAML reads as something else.
var notWords = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// word is a string on one line: as it is where it is plain, otherwise in quotes.
func word(text string) string {
	if plainWord.MatchString(text) && !strings.Contains(text+" ", ": ") && !slices.Contains(notWords, strings.ToLower(text)) {
		return text
	}
	return quoted(text)
}

// quoted is a string in quotes, its own quotes and backslashes escaped.
func quoted(text string) string {
	return `"` + terminal.Mark(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)) + `"`
}

func scalar(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case json.Number:
		return terminal.Safe(v.String())
	default:
		return terminal.Safe(fmt.Sprint(v))
	}
}

// short is a JSON object on one line, with suspicious characters marked, cut
// after so many characters, and how much that was.
func short(raw *runtime.RawExtension, most int) string {
	value, err := decodeJSON(raw)
	if err != nil {
		return bounded(terminal.Mark(string(raw.Raw)), most)
	}
	var b strings.Builder
	inline(&b, value)
	return bounded(b.String(), most)
}

func inline(b *strings.Builder, value any) {
	switch v := value.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(inlineWord(key) + ": ")
			inline(b, v[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			inline(b, item)
		}
		b.WriteByte(']')
	case string:
		b.WriteString(inlineWord(v))
	default:
		b.WriteString(scalar(v))
	}
}

// inlineWord is word, where commas and brackets have a meaning.
func inlineWord(text string) string {
	if !strings.ContainsAny(text, ",()"+likeQuotes) {
		return word(text)
	}
	text = quoted(text)
	for _, quote := range likeQuotes { // one of these would seem to end the value
		text = strings.ReplaceAll(text, string(quote), fmt.Sprintf(`\u%04x`, quote))
	}
	return text
}

// likeQuotes look like the quotes around a value.
const likeQuotes = "“”„‟″〃＂ʺ˝״❝❞〝〞"
