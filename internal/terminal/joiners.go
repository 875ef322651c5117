// SPDX-License-Identifier: Apache-2.0

package terminal

import "unicode"

// Characters that are invisible and yet have their place.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	textStyle          = '\ufe0e' // variation selector 15
	emojiStyle         = '\ufe0f' // variation selector 16
	keycap             = '\u20e3'
	blackFlag          = '\U0001f3f4'
	firstTag, lastTag  = '\U000e0020', '\U000e007f'
)

// joins says whether the invisible character at a place is one that scripts and
// emoji need there. Source: UTS #51 for emoji, RFC 5892, appendix A, for joiners
// in Arabic and Indic scripts.
func (s *scanner) joins(i int) bool {
	switch r := s.at(i); {
	case r == emojiStyle || r == textStyle:
		return isEmoji(s.at(i-1)) || s.capsKey(i+1)
	case r == zeroWidthJoiner && isEmoji(s.at(i+1)):
		before := s.at(i - 1)
		if before == emojiStyle || isSkinTone(before) {
			before = s.at(i - 2)
		}
		return isEmoji(before)
	case r == zeroWidthJoiner || r == zeroWidthNonJoiner:
		return isVirama(s.at(i-1)) || (isJoining(s.at(i-1)) && isJoining(s.at(i+1)))
	case r >= firstTag && r <= lastTag:
		return s.inFlag(i)
	default:
		return false
	}
}

// capsKey says whether the character at a place makes a key of the digit before.
func (s *scanner) capsKey(i int) bool {
	if s.at(i) != keycap {
		return false
	}
	key := s.at(i - 1)
	if key == emojiStyle {
		key = s.at(i - 2)
	}
	return key == '#' || key == '*' || (key >= '0' && key <= '9')
}

// flagTags are the flags that are written with tags: England, Scotland and
// Wales. Source: UTS #51, emoji-sequences.txt. Any other text in tags is hidden.
var flagTags = map[string]bool{"gbeng": true, "gbsct": true, "gbwls": true}

// inFlag says whether the tag at a place belongs to such a flag.
func (s *scanner) inFlag(i int) bool {
	first := i
	for first > 0 && s.at(first-1) >= firstTag && s.at(first-1) <= lastTag && i-first <= len("gbeng") {
		first--
	}
	if s.at(first-1) != blackFlag {
		return false
	}
	var name []rune
	for at := first; s.at(at) >= firstTag && s.at(at) < lastTag && at-first <= len("gbeng"); at++ {
		name = append(name, s.at(at)-firstTag+' ')
	}
	return flagTags[string(name)] && s.at(first+len(name)) == lastTag
}

// isEmoji says whether a character may be an emoji: a symbol of the blocks they
// are in. It is wider than Unicode's Extended_Pictographic, which Go has no
// table of, by symbols that nobody takes for letters.
func isEmoji(r rune) bool {
	switch {
	case r >= 0x1F000 && r <= 0x1FAFF:
		return true
	case r == 0xA9 || r == 0xAE || r == '‼' || r == '⁉' || r == '〰' || r == '〽':
		return true
	default:
		return r >= 0x2100 && r <= 0x3299 && unicode.In(r, unicode.So, unicode.Sm, unicode.Sk) || r == 'ℹ'
	}
}

func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// isVirama says whether a mark joins two letters of an Indic script. The names
// of all 15 that Go's tables have for the scripts of India and its neighbours.
func isVirama(r rune) bool {
	switch r {
	case 0x094D, 0x09CD, 0x0A4D, 0x0ACD, 0x0B4D, 0x0BCD, 0x0C4D, 0x0CCD, 0x0D3B, 0x0D3C, 0x0D4D, 0x0DCA, 0x1039, 0x103A, 0x17D2:
		return true
	default:
		return false
	}
}

// isJoining says whether a letter is of a script whose letters join: Arabic, as
// Persian writes it with non-joiners, Syriac, Mongolian and N'Ko.
func isJoining(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko) && unicode.In(r, unicode.L, unicode.M)
}

// isEastAsian says whether a character is of a script that has wide forms of
// the Latin letters beside its own.
func isEastAsian(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) ||
		(r > ideographicSpace && r <= '〟') || r == 'ー' || r == '・'
}
