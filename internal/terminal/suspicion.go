// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/runenames"
)

// Kind says why a character is suspicious.
type Kind string

// The kinds of suspicion.
const (
	// Control characters command a terminal, or break a line in an unusual way.
	Control Kind = "control character"
	// Direction controls turn the order in which text is shown.
	Direction Kind = "direction control"
	// Invisible characters are drawn as nothing.
	Invisible Kind = "invisible character"
	// Space characters look like the ASCII space and are not it.
	Space Kind = "unusual space"
	// LookAlike characters look like others in their place.
	LookAlike Kind = "look-alike"
	// Marks are combining marks that pile up, cover their letter or have none.
	Marks Kind = "stray mark"
	// PrivateUse characters look different on every computer.
	PrivateUse Kind = "private-use character"
	// Unassigned characters are none of the Unicode this program knows.
	Unassigned Kind = "unassigned character"
	// Malformed bytes are not UTF-8.
	Malformed Kind = "byte that is not UTF-8"
)

// Suspicion is a character that does not show what it is.
type Suspicion struct {
	Kind Kind
	// Offset of the character in the text, in bytes.
	Offset int
	// Text is the character itself, which is not fit for a terminal.
	Text string
	// Like is what it looks like, for a LookAlike: one or more ASCII
	// characters, or a letter of the script that the rest of the word is in.
	Like string
	// Word is the word that a LookAlike stands in, not fit for a terminal
	// either; WordLike is what that looks like.
	Word, WordLike string
}

// Code is the character as U+0440, or the byte as 0xFF.
func (s Suspicion) Code() string {
	r, _ := utf8.DecodeRuneInString(s.Text)
	if s.Kind == Malformed {
		return fmt.Sprintf("0x%02X", s.Text[0])
	}
	return fmt.Sprintf("U+%04X", r)
}

// Name is what Unicode calls the character: CYRILLIC SMALL LETTER ER. Control
// characters, which it has no names for, have those of their standard.
func (s Suspicion) Name() string {
	r, _ := utf8.DecodeRuneInString(s.Text)
	switch name := runenames.Name(r); {
	case s.Kind == Malformed:
		return "not UTF-8"
	case controlNames[r] != "":
		return controlNames[r]
	case name == "" || strings.HasPrefix(name, "<"):
		return strings.ToUpper(string(s.Kind))
	default:
		return name
	}
}

// controlNames are those worth knowing. Source: ECMA-48.
var controlNames = map[rune]string{
	0x00: "NULL", 0x07: "BELL", 0x08: "BACKSPACE", 0x0B: "LINE TABULATION", 0x0C: "FORM FEED", 0x0D: "CARRIAGE RETURN",
	0x1B: "ESCAPE, which commands a terminal", 0x7F: "DELETE", 0x85: "NEXT LINE", 0x90: "DEVICE CONTROL STRING",
	0x9B: "CONTROL SEQUENCE INTRODUCER, which commands a terminal", 0x9D: "OPERATING SYSTEM COMMAND",
}

// String says what is suspicious, on one line and fit for a terminal.
func (s Suspicion) String() string {
	text := fmt.Sprintf("%s %s %s", s.Kind, s.Code(), s.Name())
	if s.Kind == LookAlike {
		text += fmt.Sprintf(", looks like %s", Safe(s.Like))
	}
	return text
}

// glyph is a character of a text, or a byte of it that is no UTF-8.
type glyph struct {
	r      rune // malformed where it is a byte
	offset int
	text   string
}

const malformed rune = -1

func glyphsOf(text string) []glyph {
	glyphs := make([]glyph, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			r = malformed
		}
		glyphs = append(glyphs, glyph{r, i, text[i : i+size]})
		i += size
	}
	return glyphs
}

// Suspicious finds the characters of a text that do not show what they are, in
// their order. Line feeds, tabs and backslashes are none. Text of any script
// that is written as its readers write it has none either: a false alarm is
// what teaches people not to look. So joiners pass where a script or an emoji
// needs them, wide forms and the ideographic space beside Chinese, Japanese
// and Korean, and a word such as "рост" beside other Russian ones.
// Source: Unicode Technical Standard #39.
//
// It cannot see what looks alike within one script (rn and m, l and I, 0 and
// O, the Chinese 口 and the Japanese ロ, dashes of different lengths), nor what
// only some fonts draw alike, nor a whole sentence in another language that is
// put around one false word. That nothing is suspicious is no proof.
func Suspicious(text string) []Suspicion {
	if isPlain(text) {
		return nil
	}
	scan := scanner{glyphs: glyphsOf(text)}
	scan.found = make([]*Suspicion, len(scan.glyphs))
	for i := range scan.glyphs {
		if kind := scan.hides(i); kind != "" {
			scan.suspect(i, kind)
		}
	}
	scan.compareWords()
	scan.comparePunctuation()
	var out []Suspicion
	for _, s := range scan.found {
		if s != nil {
			out = append(out, *s)
		}
	}
	return out
}

// scanner looks at the characters of one text.
type scanner struct {
	glyphs []glyph
	found  []*Suspicion // by place
}

func (s *scanner) suspect(i int, kind Kind) *Suspicion {
	if s.found[i] == nil {
		s.found[i] = &Suspicion{Kind: kind, Offset: s.glyphs[i].offset, Text: s.glyphs[i].text}
	}
	return s.found[i]
}

// at is the character at a place; 0 before the first and after the last.
func (s *scanner) at(i int) rune {
	if i < 0 || i >= len(s.glyphs) {
		return 0
	}
	return s.glyphs[i].r
}

// hides says why the character at a place is suspicious whatever it looks like;
// empty where it is not.
func (s *scanner) hides(i int) Kind {
	switch r := s.at(i); {
	case s.harmless(i):
		return ""
	case r == malformed:
		return Malformed
	case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp):
		return Control
	case unicode.Is(unicode.Bidi_Control, r):
		return Direction
	case unicode.Is(unicode.Zs, r):
		return Space
	case unicode.Is(unicode.Co, r):
		return PrivateUse
	case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Cf):
		return Unassigned
	case !isVisible(r):
		return Invisible
	case s.straysAt(i):
		return Marks
	default:
		return ""
	}
}

// harmless says whether the character at a place hides nothing there, though it
// might elsewhere.
func (s *scanner) harmless(i int) bool {
	switch r := s.at(i); r {
	case '\n', '\t':
		return true
	case '\r':
		return s.at(i+1) == '\n'
	case ideographicSpace:
		return isEastAsian(s.at(i-1)) || isEastAsian(s.at(i+1))
	default:
		return r >= ' ' && r <= '~' || s.joins(i) || unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	}
}

const ideographicSpace = '\u3000'

// maxMarks are the most combining marks on one letter. Source: UTS #39,
// section 5.4, Optional Detection.
const maxMarks = 4

// overlays are marks that are drawn over or around a letter, so that it cannot
// be read: strokes, slashes, rings and frames.
var overlays = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0334, Hi: 0x0338, Stride: 1}, {Lo: 0x0488, Hi: 0x0489, Stride: 1}, {Lo: 0x1ABE, Hi: 0x1ABE, Stride: 1},
	{Lo: 0x20D2, Hi: 0x20D3, Stride: 1}, {Lo: 0x20D8, Hi: 0x20DA, Stride: 1}, {Lo: 0x20DD, Hi: 0x20E0, Stride: 1},
	{Lo: 0x20E2, Hi: 0x20E6, Stride: 1}, {Lo: 0x20EA, Hi: 0x20EB, Stride: 1}, {Lo: 0xA670, Hi: 0xA672, Stride: 1},
}}

// straysAt says whether a combining mark has no letter, covers it, or is one
// too many on it.
func (s *scanner) straysAt(i int) bool {
	r := s.at(i)
	if !unicode.In(r, unicode.Mn, unicode.Me) {
		return false
	}
	if unicode.Is(overlays, r) {
		return r != keycap || !s.capsKey(i)
	}
	before := i - 1
	for before >= 0 && i-before <= maxMarks && unicode.In(s.at(before), unicode.Mn, unicode.Me) {
		before--
	}
	base := s.at(before)
	return i-before > maxMarks || r == s.at(i-1) ||
		base == 0 || base == malformed || unicode.In(base, unicode.Z, unicode.Cc)
}
