// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// script is a script with letters that look like ASCII letters and digits.
type script struct {
	table *unicode.RangeTable
	pairs string // a character, and the ASCII character it looks like
}

// scripts are those whose letters can stand for Latin ones at the size of a
// terminal. Source: Unicode Technical Standard #39, confusables.txt, version
// 15.1: single characters whose skeleton is one ASCII letter or digit. Left out
// are σ, which is as common as distinct, and scripts of inscriptions, which no
// keyboard has.
var scripts = []script{
	{unicode.Cyrillic, "ЅSІlЈJАAВBЕEЗ3КKМMНHОOРPСCТTУYХXЬbаaб6гrеeоoрpсcуyхxѕsіiјjѡwѴVѵvҮYүyһhҽeӀlӏlӠ3ԁdԌGԛqԜWԝwꙄ2ꙇi"},
	{unicode.Greek, "ͿJΑAΒBΕEΖZΗHΙlΚKΜMΝNΟOΡPΤTΥYΧXαaγyιiνvοoρpυuϒYϜFϱpϲcϳjϹCϺM"},
	{unicode.Armenian, "ՍUՏSՕOաwգqզqհhոnռnսuցgքfօo"},
	{unicode.Cherokee, "ᎠDᎡRᎢTᎥiᎩYᎪAᎫJᎬEᎳWᎷMᎻHᎽYᏀGᏂhᏃZᏎ4ᏏbᏒRᏔWᏕSᏙVᏚSᏞLᏟCᏢPᏦKᏧdᏮ6ᏳGᏴBꭵiꮁrꮃwꮓzꮩvꮪsꮯc"},
	{unicode.Coptic, "Ϩ2ⲅrⲎHⲒlⲔKⲘMⲚNⲞOⲟoⲢPⲣpⲤCⲥcⲦTⲨYⲬXⳊ9Ⳍ3ⳐL"},
	{unicode.Lisu, "ꓐBꓑPꓒdꓓDꓔTꓖGꓗKꓙJꓚCꓜZꓝFꓟMꓠNꓡLꓢSꓣRꓦVꓧHꓪWꓫXꓬYꓮAꓰEꓲlꓳOꓴU"},
	{unicode.Tifinagh, "ⴸVⴹEⵏlⵔOⵕQⵝX"},
	{unicode.Georgian, "ყyჿo"},
	{unicode.Bengali, "০o৪8৭9"},
	{unicode.Gurmukhi, "੦o੧9੪8"},
	{unicode.Oriya, "ଃ8ଠO୦o୨9"},
	{unicode.Devanagari, "०o"},
	{unicode.Gujarati, "૦o"},
	{unicode.Arabic, "ه" + "o" + "٥o۵o۷V"},
}

// phonetic are letters of the Latin script itself that are made to look like
// others. Letters that languages write in place of the ASCII ones, as Turkish
// does ı, are not among them.
var phonetic = script{unicode.Latin, "ſfƄbƍgƖlƦRƧ2Ʒ3Ƽ5ƽsǀlɑaɡgɣyɩiɪiʋuʏyᴄcᴏoᴑoᴜuᴠvᴡwᴢzᶃgᶌyẝfꜱsꞙfꞟuꞲJꞳXꞴBꬲeꬵfꬽoꭎuꭒuꭚy"}

// confusable is what a character looks like.
type confusable struct {
	like  rune
	table *unicode.RangeTable // of the script it belongs to
}

// confusables are the characters of all scripts, by character.
var confusables = sync.OnceValue(func() map[rune]confusable {
	out := map[rune]confusable{}
	for _, s := range append(scripts, phonetic) {
		characters := []rune(s.pairs)
		for i := 0; i < len(characters); i += 2 {
			out[characters[i]] = confusable{characters[i+1], s.table}
		}
	}
	return out
})

// lookAlikeOf is the character of a script that an ASCII character looks like.
func lookAlikeOf(like rune, table *unicode.RangeTable) (rune, bool) {
	for _, s := range scripts {
		if s.table != table {
			continue
		}
		characters := []rune(s.pairs)
		for i := 0; i < len(characters); i += 2 {
			if characters[i+1] == like {
				return characters[i], true
			}
		}
	}
	return 0, false
}

// scriptOf is the script of a letter, where it is one of the above.
func scriptOf(r rune) *unicode.RangeTable {
	for _, s := range scripts {
		if unicode.Is(s.table, r) {
			return s.table
		}
	}
	return nil
}

// styled is the ASCII that a letter or digit is another form of: full-width ａ,
// mathematical 𝐚, roman Ⅳ, the ligature ﬁ. Source: Unicode Standard Annex #15,
// form NFKC. Letters of languages and superscripts are none.
func styled(r rune) string {
	if r < 0x2100 || r == 'ℹ' || !unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lo, unicode.Nd, unicode.Nl) {
		return ""
	}
	form := []rune(norm.NFKC.String(string(r)))
	for i, f := range form {
		if known, found := confusables()[f]; found && len(form) == 1 {
			form[i] = known.like
		} else if !isASCIIWord(f) {
			return ""
		}
	}
	if len(form) == 1 && form[0] == r {
		return ""
	}
	return string(form)
}

func isASCIIWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

// isWide says whether a character is a form of a Latin one for East Asian text.
func isWide(r rune) bool {
	return r >= '！' && r <= '～' || r >= 'Ⅰ' && r <= 'ⅿ'
}
