// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// literal says of each byte below 128 whether it stands for itself in a string.
var literal = func() (is [utf8.RuneSelf]bool) {
	for b := range is {
		is[b] = b >= ' ' && !bytes.ContainsRune([]byte("\"\\<>&"), rune(b))
	}
	return is
}()

// string reads one string. It is plain where it is ASCII without escapes.
func (s *Scanner) string() (plain bool, err error) {
	if !s.take('"') {
		return false, s.wrong("a string was to begin here")
	}
	s.out = append(s.out, '"')
	plain = true
	copied := s.at
	for {
		for s.at < len(s.text) && s.text[s.at] < utf8.RuneSelf && literal[s.text[s.at]] {
			s.at++
		}
		s.out = append(s.out, s.text[copied:s.at]...)
		if s.at >= len(s.text) {
			return false, s.wrong("the text ends in the middle of a string")
		}
		switch b := s.text[s.at]; {
		case b == '"':
			s.at++
			s.out = append(s.out, '"')
			return plain, nil
		case b == '\\':
			err = s.escape()
		case b >= utf8.RuneSelf:
			err = s.character()
		default:
			err = s.wrong("%q has to be escaped here", b)
		}
		if err != nil {
			return false, err
		}
		plain, copied = false, s.at
	}
}

// character reads one that is not ASCII.
func (s *Scanner) character() error {
	r, size := utf8.DecodeRune(s.text[s.at:])
	switch {
	case r == utf8.RuneError && size == 1:
		return s.wrong("not valid UTF-8")
	case r == '\u2028' || r == '\u2029':
		return s.wrong("%q has to be escaped here", r)
	}
	s.out = append(s.out, s.text[s.at:s.at+size]...)
	s.at += size
	return nil
}

// escapes are the spellings of json.Marshal behind a \u, without the control
// characters, with what they are in canonical JSON. It writes \ufffd for bytes that
// are not valid UTF-8.
var escapes = map[string]string{"003c": "<", "003e": ">", "0026": "&", "2028": "\u2028", "2029": "\u2029", "fffd": "\ufffd"}

func (s *Scanner) escape() error {
	rest := s.text[s.at:]
	if len(rest) >= 2 && bytes.IndexByte([]byte(`"\bfnrt`), rest[1]) >= 0 {
		s.out = append(s.out, rest[:2]...)
		s.at += 2
		return nil
	}
	if len(rest) < 6 || rest[1] != 'u' {
		return s.wrong("no escape that is written here")
	}
	code := rest[2:6]
	if character, is := escapes[string(code)]; is {
		s.out = append(s.out, character...)
		s.at += 6
		return nil
	}
	if !isControl(code) {
		return s.wrong("the escape \\u%q is written otherwise", code)
	}
	s.out = append(s.out, rest[:6]...)
	s.at += 6
	return nil
}

// isControl says whether four digits are a control character that has no shorter escape.
func isControl(code []byte) bool {
	if code[0] != '0' || code[1] != '0' || code[2] != '0' && code[2] != '1' {
		return false
	}
	if code[2] == '0' && bytes.IndexByte([]byte("89acd"), code[3]) >= 0 {
		return false
	}
	return '0' <= code[3] && code[3] <= '9' || 'a' <= code[3] && code[3] <= 'f'
}

// plainDigits is how many digits a whole number may have to be a double in any case.
const plainDigits = 15

func (s *Scanner) number() error {
	begin := s.at
	for s.at < len(s.text) && isNumeric(s.text[s.at]) {
		s.at++
	}
	text := s.text[begin:s.at]
	if isPlainInteger(text) {
		s.out = append(s.out, text...)
		return nil
	}
	if string(text) == "-0" { // json.Marshal has it, RFC 8785 has not
		s.out = append(s.out, '0')
		return nil
	}
	value, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !json.Valid(text) {
		s.at = begin
		return s.wrong("%.32q is no number of JSON, or beyond every double", text)
	}
	written, err := jcs.NumberToJSON(value)
	if err != nil || written != string(text) {
		s.at = begin
		return s.wrong("the number %.32s is written %s", text, written)
	}
	s.out = append(s.out, text...)
	return nil
}

func isNumeric(b byte) bool {
	return '0' <= b && b <= '9' || b == '-' || b == '+' || b == '.' || b == 'e' || b == 'E'
}

// isPlainInteger says whether text is a short whole number in its only spelling.
func isPlainInteger(text []byte) bool {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(digits) > plainDigits || digits[0] == '0' && len(text) > 1 {
		return false
	}
	for _, b := range digits {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// compareUTF16 compares what two canonical strings, without quotation marks, say.
func compareUTF16(a, b []byte) int {
	return slices.Compare(utf16.Encode([]rune(said(a))), utf16.Encode([]rune(said(b))))
}

func said(canonical []byte) string {
	if bytes.IndexByte(canonical, '\\') < 0 {
		return string(canonical)
	}
	quoted := append(append([]byte{'"'}, canonical...), '"')
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return string(canonical) // it has been read as a string
	}
	return text
}
