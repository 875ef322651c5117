// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"slices"
	"strings"
	"unicode"
)

// word is a run of letters, digits and what is hidden among them.
type word struct {
	from, to int                   // places of its first character and after its last
	latin    []int                 // letters of the Latin script
	phonetic []int                 // those of them that look like others
	styled   []int                 // other forms of ASCII letters
	foreign  []int                 // letters and digits of other scripts
	alike    []int                 // those of them that look like ASCII
	clear    []*unicode.RangeTable // scripts of those that do not; nil for one not in scripts
	eastern  bool                  // it has characters of East Asia
	plain    bool                  // nothing but Latin letters and ASCII digits
}

// words finds the words of the text.
func (s *scanner) words() []word {
	var out []word
	for i := 0; i < len(s.glyphs); i++ {
		if !s.inWord(i) {
			continue
		}
		w := word{from: i}
		for ; i < len(s.glyphs) && s.inWord(i); i++ {
			w.add(i, s.at(i))
		}
		w.to = i
		w.plain = len(w.phonetic)+len(w.styled)+len(w.foreign) == 0
		out = append(out, w)
	}
	return out
}

func (s *scanner) inWord(i int) bool {
	if s.found[i] != nil && s.found[i].Kind == Invisible {
		return true
	}
	r := s.at(i)
	return r != malformed && unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl)
}

func (w *word) add(i int, r rune) {
	if unicode.Is(unicode.M, r) && confusables()[r].like == 0 {
		return
	}
	w.eastern = w.eastern || isEastAsian(r)
	known, looks := confusables()[r]
	switch {
	case r >= '0' && r <= '9': // of every script
	case looks && known.table == unicode.Latin:
		w.phonetic = append(w.phonetic, i)
	case styled(r) != "":
		w.styled = append(w.styled, i)
	case unicode.Is(unicode.Latin, r):
		w.latin = append(w.latin, i)
	case looks:
		w.foreign, w.alike = append(w.foreign, i), append(w.alike, i)
	case unicode.In(r, unicode.L, unicode.Nd):
		w.foreign = append(w.foreign, i)
		if table := scriptOf(r); !slices.Contains(w.clear, table) {
			w.clear = append(w.clear, table)
		}
	}
}

// compareWords suspects letters that look like those of another script.
func (s *scanner) compareWords() {
	words := s.words()
	among := companies(words)
	for at := range words {
		w := &words[at]
		if w.plain {
			continue
		}
		s.compareForeign(w, among[at])
		s.compareStyled(words, at)
		if s.allASCII(w.latin) && len(w.foreign) == 0 && (len(w.latin) > 0 || len(w.phonetic) > 1) {
			s.pose(w.phonetic)
		}
	}
	for i := range words {
		s.nameWord(&words[i])
	}
}

// compareForeign looks at the letters of other scripts in a word.
func (s *scanner) compareForeign(w *word, among company) {
	switch {
	case len(w.foreign) == 0:
	case len(w.clear) > 0 && len(w.latin) > 0:
		s.compareMixed(w)
	case len(w.clear) > 0 || s.isSymbol(w) || (len(w.latin) == 0 && s.excused(w, among)):
	default:
		s.pose(w.alike)
	}
}

// letterlike are the symbols of mathematics that stand alone, such as ℝ and ℓ.
var letterlike = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x2100, Hi: 0x214F, Stride: 1}}}

// compareMixed looks at a word of Latin letters and others that nobody takes
// for Latin. Where every Latin letter looks like one of theirs, it poses as one.
func (s *scanner) compareMixed(w *word) {
	posing := map[int]rune{}
	for _, i := range w.latin {
		for _, table := range w.clear {
			if like, found := lookAlikeOf(s.at(i), table); found && table != nil {
				posing[i] = like
			}
		}
	}
	if len(posing) < len(w.latin) {
		s.pose(w.alike)
		return
	}
	if w.clear[0] == unicode.Greek && w.to-w.from <= 2 { // Δp, a difference
		return
	}
	for i, like := range posing {
		s.suspect(i, LookAlike).Like = string(like)
	}
}

// compareStyled suspects other forms of ASCII, but wide ones in the company of
// East Asian text.
func (s *scanner) compareStyled(words []word, at int) {
	w := &words[at]
	if unicode.Is(letterlike, s.at(w.from)) && w.to == w.from+1 {
		return
	}
	near := w.eastern || (at > 0 && words[at-1].eastern) || (at+1 < len(words) && words[at+1].eastern)
	for _, i := range w.styled {
		if r := s.at(i); !near || !isWide(r) || len(w.latin) > 0 {
			s.suspect(i, LookAlike).Like = styled(r)
		}
	}
}

// pose suspects the letters at some places of a word of what they look like.
func (s *scanner) pose(places []int) {
	for _, i := range places {
		s.suspect(i, LookAlike).Like = string(confusables()[s.at(i)].like)
	}
}

// company is which scripts certainly occur in the words around one.
type company struct {
	run  map[*unicode.RangeTable]bool // in those up to the next words with Latin letters
	text map[*unicode.RangeTable]bool // in the whole text
}

// companies are those of the words, in their order.
func companies(words []word) []company {
	out := make([]company, len(words))
	all, run := map[*unicode.RangeTable]bool{}, map[*unicode.RangeTable]bool{}
	for i := range words {
		if len(words[i].latin) > 0 {
			run = map[*unicode.RangeTable]bool{}
			continue
		}
		out[i] = company{run, all}
		for _, table := range words[i].clear {
			run[table], all[table] = true, true
		}
	}
	return out
}

// excused says whether a word that is written wholly in letters that look like
// Latin ones stands among others of its script that do not. Words of one small
// letter, such as "и" and "о", may stand between foreign ones.
func (s *scanner) excused(w *word, among company) bool {
	first := s.at(w.foreign[0])
	table := confusables()[first].table
	return among.run[table] || (among.text[table] && w.to == w.from+1 && !unicode.IsUpper(first))
}

// isSymbol says whether a word is one of the Greek letters that formulas use,
// alone or with one Latin letter: α, ρ, kΩ.
func (s *scanner) isSymbol(w *word) bool {
	r := s.at(w.foreign[0])
	return len(w.foreign) == 1 && w.to-w.from <= 2 && unicode.Is(unicode.Greek, r) && unicode.IsLower(r) && r != 'ο'
}

func (s *scanner) allASCII(places []int) bool {
	for _, i := range places {
		if !isASCIIWord(s.at(i)) {
			return false
		}
	}
	return true
}

// nameWord writes the word, and what it looks like, to its suspicions.
func (s *scanner) nameWord(w *word) {
	var text, like strings.Builder
	for i := w.from; i < w.to; i++ {
		text.WriteString(s.glyphs[i].text)
		switch found := s.found[i]; {
		case found == nil:
			like.WriteString(s.glyphs[i].text)
		case found.Kind == LookAlike:
			like.WriteString(found.Like)
		}
	}
	for i := w.from; i < w.to; i++ {
		if s.found[i] != nil && s.found[i].Kind == LookAlike {
			s.found[i].Word, s.found[i].WordLike = text.String(), like.String()
		}
	}
}

// punctuation looks like what separates the parts of paths, hosts and patterns.
// Source: as for scripts.
var punctuation = map[rune]string{
	'⁄': "/", '∕': "/", '⧸': "/", '╱': "/", '／': "/", 'ノ': "/", '∖': `\`, '⧵': `\`, '＼': `\`,
	'․': ".", '．': ".", '｡': ".", 'ꓸ': ".", '꞉': ":", '：': ":", '∶': ":", 'ː': ":", '∗': "*", '⁎': "*", '＊': "*",
	'\u037e': ";", '；': ";", '＠': "@", '＿': "_", '＄': "$", '｜': "|", '∣': "|", 'ǃ': "!",
}

// comparePunctuation suspects what looks like a separator where one would be:
// between ASCII letters, or before one at the beginning. A fraction has digits
// on both sides.
func (s *scanner) comparePunctuation() {
	for i := range s.glyphs {
		like, looks := punctuation[s.at(i)]
		before, after := s.at(i-1), s.at(i+1)
		if !looks || !isASCIIWord(after) || (before != 0 && before != ' ' && !isASCIIWord(before)) {
			continue
		}
		if s.at(i) == '⁄' && before >= '0' && before <= '9' {
			continue
		}
		s.suspect(i, LookAlike).Like = like
	}
}
