// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"bytes"
	"fmt"
	"slices"
)

// MaxDepth is how deep objects and arrays may be nested in what a Scanner reads;
// the outermost object is level 1.
const MaxDepth = 100

// SpellingError says where text is not written as json.Marshal writes it.
type SpellingError struct {
	// Offset in bytes.
	Offset int
	// Problem says what is wrong there.
	Problem string
}

// Error implements error.
func (e *SpellingError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset+1, e.Problem) }

// Scanner makes canonical JSON of text that has one spelling: that of json.Marshal,
// with numbers as RFC 8785 has them. Of such text every byte counts: another byte is
// other canonical JSON, or an error; but not the order of an object's keys. It is
// many times as fast as JSON, for it makes no values. It keeps its memory for the next
// text; it may not be used by several goroutines at once.
type Scanner struct {
	text    []byte
	at      int
	depth   int
	out     []byte
	spare   []byte
	members []member // of the objects that are open, the innermost last
	top     []Member
}

// Member is a key of the outermost object with its value, as the text has it.
type Member struct {
	// Key as it is spelled in the text, without quotation marks.
	Key []byte
	// Value is JSON.
	Value []byte
}

// member is a key and its value in out.
type member struct {
	begin, end int
	// key begins behind the quotation mark at begin.
	keyEnd int
	// plain: the key is ASCII without escapes, so its bytes are in its order.
	plain bool
}

// Members are those of the outermost object of the last text, in its order. They
// share its memory.
func (s *Scanner) Members() []Member { return s.top }

// Object returns the canonical JSON of an object without the member of that name,
// good until the next call. It fails with a *SpellingError.
func (s *Scanner) Object(text []byte, without string) ([]byte, error) {
	s.text, s.at, s.depth = text, 0, 0
	s.out, s.members, s.top = s.out[:0], s.members[:0], s.top[:0]
	if len(text) == 0 || text[0] != '{' {
		return nil, s.wrong("an object was to begin here")
	}
	if err := s.object(without); err != nil {
		return nil, err
	}
	if s.at < len(s.text) {
		return nil, s.wrong("the object ends before this, and something follows")
	}
	return s.out, nil
}

func (s *Scanner) wrong(format string, args ...any) error {
	return &SpellingError{Offset: s.at, Problem: fmt.Sprintf(format, args...)}
}

// take goes on behind a byte, if that is the next one.
func (s *Scanner) take(b byte) bool {
	if s.at >= len(s.text) || s.text[s.at] != b {
		return false
	}
	s.at++
	return true
}

func (s *Scanner) value() error {
	if s.at >= len(s.text) {
		return s.wrong("the text ends in the middle")
	}
	switch b := s.text[s.at]; {
	case b == '"':
		_, err := s.string()
		return err
	case b == '{':
		return s.object("")
	case b == '[':
		return s.array()
	case b == '-' || '0' <= b && b <= '9':
		return s.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if len(s.text)-s.at >= len(word) && string(s.text[s.at:s.at+len(word)]) == word {
			s.at += len(word)
			s.out = append(s.out, word...)
			return nil
		}
	}
	return s.wrong("a value was to begin here")
}

func (s *Scanner) enter() error {
	s.depth++
	if s.depth > MaxDepth {
		return s.wrong("nested more than %d levels deep", MaxDepth)
	}
	s.out = append(s.out, s.text[s.at])
	s.at++
	return nil
}

func (s *Scanner) array() error {
	if err := s.enter(); err != nil {
		return err
	}
	for first := true; !s.take(']'); first = false {
		if !first {
			if !s.take(',') {
				return s.wrong("a comma or the end of the array was to be here")
			}
			s.out = append(s.out, ',')
		}
		if err := s.value(); err != nil {
			return err
		}
	}
	s.out = append(s.out, ']')
	s.depth--
	return nil
}

func (s *Scanner) object(without string) error {
	outermost := s.depth == 0
	if err := s.enter(); err != nil {
		return err
	}
	base, begin := len(s.members), len(s.out)
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') {
			return s.wrong("a comma or the end of the object was to be here")
		}
		m := member{begin: len(s.out)}
		keyAt := s.at + 1
		var err error
		if m.plain, err = s.string(); err != nil {
			return err
		}
		m.keyEnd = len(s.out) - 1
		key := s.text[keyAt : s.at-1]
		if !s.take(':') {
			return s.wrong("a colon was to be here")
		}
		s.out = append(s.out, ':')
		valueAt := s.at
		if err := s.value(); err != nil {
			return err
		}
		m.end = len(s.out)
		if outermost {
			s.top = append(s.top, Member{Key: key, Value: s.text[valueAt:s.at]})
			if without != "" && string(key) == without {
				s.out = s.out[:m.begin]
				continue
			}
		}
		s.members = append(s.members, m)
	}
	s.depth--
	err := s.sort(begin, s.members[base:])
	s.members = s.members[:base]
	s.out = append(s.out, '}')
	if err == nil && outermost {
		err = s.onceAtTop(without)
	}
	return err
}

// onceAtTop refuses the member that was left out, if it is there twice.
func (s *Scanner) onceAtTop(name string) error {
	found := 0
	for _, m := range s.top {
		if string(m.Key) == name {
			found++
		}
	}
	if found > 1 {
		return s.wrong("the key %q is in the object twice", name)
	}
	return nil
}

// sort puts the members, which stand in out from begin to its end without commas, in
// order and commas between them.
func (s *Scanner) sort(begin int, members []member) error {
	if !slices.IsSortedFunc(members, s.compare) {
		slices.SortFunc(members, s.compare)
	}
	s.spare = s.spare[:0]
	for i, m := range members {
		if i > 0 {
			if s.compare(members[i-1], m) == 0 {
				return s.wrong("the key %.64s is in the object twice", s.out[m.begin:m.keyEnd+1])
			}
			s.spare = append(s.spare, ',')
		}
		s.spare = append(s.spare, s.out[m.begin:m.end]...)
	}
	s.out = append(s.out[:begin], s.spare...)
	return nil
}

// compare orders keys as RFC 8785, section 3.2.3, does: by UTF-16 code units.
func (s *Scanner) compare(a, b member) int {
	left, right := s.out[a.begin+1:a.keyEnd], s.out[b.begin+1:b.keyEnd]
	if a.plain && b.plain {
		return bytes.Compare(left, right)
	}
	return compareUTF16(left, right)
}
