// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// Text as people of all countries write it raises no alarm.
func TestInnocentTextIsNotSuspicious(t *testing.T) {
	for _, text := range []string{
		"", "Read customers, 100 %", "[a] {\"b\": 1}", "line\nline\r\n\tline",
		"Grüße aus Köln, señor, naïve façade, İstanbul'da yılın ıssız günü, Ærø, Łódź, Việt Nam",
		"Vie\u0323\u0302t Nam, u\u0308ber", // decomposed
		"Прочитать файл отчёт.pdf и с диска C на сервер, рост 5 %, МОСКВА и Казань, а о у с",
		"Оса у хора, лес", "Jenkins і Slack разом", "Це є хата, сесію в Google і Jira закрито", "IT-отдел, 3D-модель, Googleы",
		"Ανάγνωση πελατών, ο νόμος, το σοι", "α = 0.05, χ² test, ρ, Δt, Δp, πr², λx, 10 µs, 5 μs, 3 kΩ, 4 MΩ, 20 °C",
		"日本語のテキスト、データベースを読む。「顧客」ー", "Tシャツ, Google検索, ＮＴＴ東日本、２０２４年、第Ⅳ章", "全角　空白", "中文，读取客户：确认", "한국어 텍스트 고객 데이터",
		"قراءة بيانات العملاء، ٢٥ عميلا، هه", "می\u200cخواهم", "קרא לקוחות שָׁלוֹם", "ग्राहक डेटा पढ़ें, क्\u200dष", "อ่านข้อมูลลูกค้าที่",
		"Հայերեն տեքստ", "ქართული ყველა", "ⵜⴰⵎⴰⵣⵉⵖⵜ",
		"🙂 ❤\ufe0f ☎\ufe0e 👩\u200d💻 👨🏽\u200d⚕\ufe0f 🏳\ufe0f\u200d🌈 👨\u200d👩\u200d👧 🇩🇪 1\ufe0f\u20e3 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ↔\ufe0f",
		"1⁄2 cup, 3 × 4 ≤ 12 – “quotes” ‘and’ …, № 5, 1ª, 2º, ™ © ½ ℃ ℝ ℓ xⁿ", "A4, С3 и Б4",
	} {
		for _, s := range Suspicious(text) {
			t.Errorf("%q: %v in %q", text, s, s.Word)
		}
	}
}

func TestSuspicious(t *testing.T) {
	for name, tc := range map[string]struct {
		text  string
		kind  Kind
		codes string
		like  string // what the word of a look-alike looks like
	}{
		"escape":                  {"\x1b[32mok", Control, "U+001B", ""},
		"carriage return":         {"denied\rok", Control, "U+000D", ""},
		"C1":                      {"a\u009b32m", Control, "U+009B", ""},
		"line separator":          {"a\u2028b", Control, "U+2028", ""},
		"override":                {"user\u202egnp.exe", Direction, "U+202E", ""},
		"isolate":                 {"\u2066x\u2069", Direction, "U+2066 U+2069", ""},
		"zero width":              {"cus\u200btomers", Invisible, "U+200B", ""},
		"joiner between letters":  {"cus\u200dtomers", Invisible, "U+200D", ""},
		"selector after a letter": {"a\ufe0f", Invisible, "U+FE0F", ""},
		"hidden tags":             {"🏴\U000e0072\U000e006d\U000e007f", Invisible, "U+E0072 U+E006D U+E007F", ""},
		"tags without a flag":     {"ok\U000e0041", Invisible, "U+E0041", ""},
		"half a flag":             {"🏴\U000e0067\U000e0062", Invisible, "U+E0067 U+E0062", ""},
		"soft hyphen":             {"a\u00adb", Invisible, "U+00AD", ""},
		"filler":                  {"a\u3164b", Invisible, "U+3164", ""},
		"braille blank":           {"a\u2800b", Invisible, "U+2800", ""},
		"no-break space":          {"a\u00a0b", Space, "U+00A0", ""},
		"ideographic space":       {"a\u3000b", Space, "U+3000", ""},
		"five marks":              {"o\u0300\u0301\u0302\u0303\u0304", Marks, "U+0304", ""},
		"the same mark twice":     {"o\u0301\u0301", Marks, "U+0301", ""},
		"a mark without a letter": {"\u0301a", Marks, "U+0301", ""},
		"struck out":              {"n\u0336o\u0336", Marks, "U+0336 U+0336", ""},
		"framed":                  {"a\u20dd", Marks, "U+20DD", ""},
		"private use":             {"\ue000", PrivateUse, "U+E000", ""},
		"unassigned":              {"\u0378", Unassigned, "U+0378", ""},
		"not UTF-8":               {"a\xff", Malformed, "0xFF", ""},

		"Cyrillic among Latin":          {"раypal", LookAlike, "U+0440 U+0430", "paypal"},
		"more Cyrillic than Latin":      {"соmраnу", LookAlike, "U+0441 U+043E U+0440 U+0430 U+0443", "company"},
		"wholly Cyrillic":               {"соре", LookAlike, "U+0441 U+043E U+0440 U+0435", "cope"},
		"wholly Cyrillic among English": {"delete сору now", LookAlike, "U+0441 U+043E U+0440 U+0443", "copy"},
		"one letter":                    {"а", LookAlike, "U+0430", "a"},
		"Latin among Cyrillic":          {"прoизвoдство", LookAlike, "U+006F U+006F", "производство"},
		"clear letters of both":         {"аccоuнt", LookAlike, "U+0430 U+043E", ""},
		"Greek":                         {"prοduction", LookAlike, "U+03BF", "production"},
		"wholly Greek":                  {"ΑΚΤΟ", LookAlike, "U+0391 U+039A U+03A4 U+039F", "AKTO"},
		"Armenian":                      {"օps", LookAlike, "U+0585", "ops"},
		"Cherokee":                      {"ᎪᏢᎥ", LookAlike, "U+13AA U+13E2 U+13A5", "APi"},
		"Lisu":                          {"ꓮꓑꓲ", LookAlike, "U+A4EE U+A4D1 U+A4F2", "APl"},
		"full width":                    {"ｒｍ", LookAlike, "U+FF52 U+FF4D", "rm"},
		"full width in a word":          {"ａdmin", LookAlike, "U+FF41", "admin"},
		"mathematical":                  {"𝐚𝖽𝗆in", LookAlike, "U+1D41A U+1D5BD U+1D5C6", "admin"},
		"mathematical digits":           {"𝟏𝟬", LookAlike, "U+1D7CF U+1D7EC", "10"},
		"mathematical Greek":            {"𝛼dmin", LookAlike, "U+1D6FC", "admin"},
		"ligature":                      {"ﬁle", LookAlike, "U+FB01", "file"},
		"Kelvin":                        {"to\u212aen", LookAlike, "U+212A", "toKen"},
		"phonetic":                      {"ɡoogle", LookAlike, "U+0261", "google"},
		"Bengali four":                  {"1৪", LookAlike, "U+09EA", "18"},
		"slash":                         {"etc∕passwd", LookAlike, "U+2215", ""},
		"first slash":                   {"／etc", LookAlike, "U+FF0F", ""},
		"dot":                           {"example․com", LookAlike, "U+2024", ""},
		"colon":                         {"host：80", LookAlike, "U+FF1A", ""},
		"katakana for a slash":          {"etcノpasswd", LookAlike, "U+30CE", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var codes []string
			for _, s := range Suspicious(tc.text) {
				codes = append(codes, s.Code())
				if s.Kind != tc.kind || !strings.HasPrefix(tc.text[s.Offset:], s.Text) {
					t.Errorf("%+v, want %s", s, tc.kind)
				}
				if tc.like != "" && s.WordLike != tc.like {
					t.Errorf("%q looks like %q, want %q", s.Word, s.WordLike, tc.like)
				}
			}
			if got := strings.Join(codes, " "); got != tc.codes {
				t.Errorf("%q: %s, want %s", tc.text, got, tc.codes)
			}
		})
	}
}

func TestMark(t *testing.T) {
	for in, want := range map[string]string{
		"Read customers":      "Read customers",
		"раypal":              "[U+0440 U+0430]ypal",
		"cus\u200btomers":     "cus[U+200B]tomers",
		"\x1b[32mok\xff":      "[U+001B][32mok[0xFF]",
		"[U+0440] and [0xFF]": "[U+005B]U+0440] and [U+005B]0xFF]",
		"[U+[U+0430]":         "[U+005B]U+[U+005B]U+0430]",
		"a\nb\tc":             `a\nb\tc`,
		"👩\u200d💻 Grüße":      `👩\u200d💻 Grüße`,
		"[1, 2]":              "[1, 2]",
		"Прочитать файл, рост на 5 %": "Прочитать файл, рост на 5 %",
	} {
		if got := Mark(in); got != want {
			t.Errorf("Mark(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMarkLines(t *testing.T) {
	got := MarkLines("a:\n  b: сору\r\n\n\tx\u202e\n")
	want := []string{"a:", "  b: [U+0441 U+043E U+0440 U+0443]", "", `\tx[U+202E]`, ""}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
	if painted := (Style{colours: true}).Mark("аdmin"); painted != "\x1b[7;31m[U+0430]\x1b[0mdmin" {
		t.Errorf("painted: %q", painted)
	}
}

func TestWarnings(t *testing.T) {
	got := Warnings("see раypal and соре\u200b\u200b \x1b\xff\xfe o\u0301\u0301 ᎪᏢᎥᎡᎢᎩ")
	want := []string{
		`[U+0440 U+0430]ypal looks like "paypal" and is not: U+0440 CYRILLIC SMALL LETTER ER for p, U+0430 CYRILLIC SMALL LETTER A for a`,
		`[U+0441 U+043E U+0440 U+0435 U+200B U+200B] looks like "cope" and is not: U+0441 CYRILLIC SMALL LETTER ES for c, U+043E CYRILLIC SMALL LETTER O for o, ` +
			`U+0440 CYRILLIC SMALL LETTER ER for p, U+0435 CYRILLIC SMALL LETTER IE for e`,
		`2 invisible characters: U+200B ZERO WIDTH SPACE`,
		`control character: U+001B ESCAPE, which commands a terminal`,
		`2 bytes that are not UTF-8: 0xFF not UTF-8, 0xFE not UTF-8`,
		`stray mark: U+0301 COMBINING ACUTE ACCENT`,
		`[U+13AA U+13E2 U+13A5 U+13A1 U+13A2 U+13A9] looks like "APiRTY" and is not: U+13AA CHEROKEE LETTER GO for A, U+13E2 CHEROKEE LETTER TLV for P, ` +
			`U+13A5 CHEROKEE LETTER V for i, U+13A1 CHEROKEE LETTER E for R, and 2 more`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	many := Warnings(strings.Repeat("соре ", 2) + "\x01" + strings.Repeat(" ab\u0430", 1) + mixed(20))
	if len(many) != maxWarnings+1 || !strings.HasPrefix(many[maxWarnings], "and ") {
		t.Errorf("got %q", many)
	}
	if got := Warnings("plain"); got != nil {
		t.Errorf("got %q", got)
	}
	for text, want := range map[string]string{
		"\u009b": "control character U+009B CONTROL SEQUENCE INTRODUCER, which commands a terminal",
		"\x01":   "control character U+0001 CONTROL CHARACTER", "\ue000": "private-use character U+E000 PRIVATE-USE CHARACTER",
		"\u0378": "unassigned character U+0378 UNASSIGNED CHARACTER", "аx": "look-alike U+0430 CYRILLIC SMALL LETTER A, looks like a",
	} {
		if got := Suspicious(text)[0].String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// mixed are so many different words with a false letter.
func mixed(n int) string {
	var out strings.Builder
	for i := range n {
		out.WriteString(" x\u0430" + strings.Repeat("y", i))
	}
	return out.String()
}

// Long text takes no longer by the character than short text.
func TestSuspiciousIsLinear(t *testing.T) {
	for _, piece := range []string{"а ", "\u0301", "\u200d", "[U+", "\U000e0041", "ＡＢ ", "x\u0430 ", "ノa"} {
		text := strings.Repeat(piece, 256<<10/len(piece))
		begun := time.Now()
		_, _ = Mark(text), Warnings(text)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("256 KiB of %q took %s", piece, took)
		}
	}
}

// unsafe is a character that must not reach a terminal.
func unsafe(r rune) bool {
	return r != ' ' && (unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r))
}

// Whatever the text is, what is shown is safe, marks can be read back, and
// text without suspicions is shown as Safe shows it.
func FuzzMark(f *testing.F) {
	for _, seed := range []string{"", "plain", "раypal", "a\u202eb", "\xff", "[U+0440]", "[U+\u0430]", "👩\u200d💻", "ＡＢ 日本", "\u0301a\u0301\u0301", "a\r\nb", "1⁄2∕x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := Suspicious(text)
		last := -1
		for _, s := range found {
			if s.Offset <= last || s.Text == "" || !strings.HasPrefix(text[s.Offset:], s.Text) {
				t.Fatalf("%q: suspicion %+v is out of place", text, s)
			}
			last = s.Offset
		}
		marked := Mark(text)
		for _, shown := range append(append(MarkLines(text), marked), Warnings(text)...) {
			if !utf8.ValidString(shown) || strings.IndexFunc(shown, unsafe) >= 0 {
				t.Fatalf("%q is shown as %q", text, shown)
			}
		}
		if marks := strings.Count(marked, "[U+") + strings.Count(marked, "[0x"); (marks > 0) != (len(suspectMarks(text)) > 0) {
			t.Fatalf("%q: %d marks in %q", text, marks, marked)
		}
		if len(found) == 0 && !strings.Contains(text, "[U+") && !strings.Contains(text, "[0x") && marked != Safe(text) {
			t.Fatalf("%q: %q", text, marked)
		}
		if strings.Count(text, "\n") != len(MarkLines(text))-1 {
			t.Fatalf("%q: lines were lost", text)
		}
	})
}
