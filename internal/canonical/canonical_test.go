// SPDX-License-Identifier: Apache-2.0

package canonical_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/canonical"
)

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"keys are sorted":      {map[string]any{"b": 1, "a": map[string]any{"d": nil, "c": true}}, `{"a":{"c":true,"d":null},"b":1}`},
		"fields are sorted":    {struct{ Z, A int }{1, 2}, `{"A":2,"Z":1}`},
		"no HTML escapes":      {"<a href='x'>&</a>", `"<a href='x'>&</a>"`},
		"control characters":   {"\x00\b\t\n\f\r\x1f\x7f\"\\", `"\u0000\b\t\n\f\r\u001f` + "\x7f" + `\"\\"`},
		"line separators":      {"a\u2028b\u2029c", "\"a\u2028b\u2029c\""},
		"raw white space":      {json.RawMessage("{ \"b\" : [ 1.0 ,\n2e0 ] , \"a\":1 }"), `{"a":1,"b":[1,2]}`},
		"raw escapes":          {json.RawMessage(`"\u0061\/\u00e9\ud83d\ude00"`), `"a/é😀"`},
		"wrong bytes":          {"a\xffb", "\"a\ufffdb\""},
		"no value":             {nil, `null`},
		"text that is no text": {[]byte("x"), `"eA=="`},
		// RFC 8785, section 3.2.3: sorted by UTF-16, not by UTF-8 or code point.
		"keys by UTF-16": {
			map[string]string{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"},
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\",\"\U0001f600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := canonical.JSON(c.value)
			if err != nil || string(got) != c.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

// RFC 8785, appendix B: number serialization samples, by their bits.
func TestNumbers(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0", 0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992", 0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332", 0x41b3de4355555554: "333333333.33333325", 0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334", 0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		if got, err := canonical.JSON(math.Float64frombits(bits)); err != nil || string(got) != want {
			t.Errorf("%#x: %s, %v, want %s", bits, got, err, want)
		}
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	for name, value := range map[string]any{
		"a channel": make(chan int), "not a number": math.NaN(), "infinite": math.Inf(1),
		"raw text that is no JSON": json.RawMessage(`{`), "a key twice": json.RawMessage(`{"a":1,"\u0061":2}`),
		"half a character": json.RawMessage(`"\ud800"`), "wrong raw bytes": json.RawMessage("\"\xff\""),
		"beyond every double": json.RawMessage(`1e999`),
	} {
		if got, err := canonical.JSON(value); err == nil {
			t.Errorf("%s is written as %s", name, got)
		}
		if got, err := canonical.Digest(value); err == nil || got != "" {
			t.Errorf("%s has the digest %q", name, got)
		}
	}
}

func TestDigest(t *testing.T) {
	got, err := canonical.Digest(map[string]any{})
	// printf '{}' | sha256sum
	if err != nil || got != "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" {
		t.Errorf("digest of {} is %s, %v", got, err)
	}
	if len(got) != canonical.DigestLength || canonical.DigestLength != 71 {
		t.Errorf("length %d, DigestLength %d", len(got), canonical.DigestLength)
	}
	a, _ := canonical.Digest(json.RawMessage(`{"x": 1, "y": [2]}`))
	b, _ := canonical.Digest(struct {
		Y []float64 `json:"y"`
		X float64   `json:"x"`
	}{[]float64{2}, 1})
	if a != b {
		t.Error("one value has two digests")
	}
	if c, _ := canonical.Digest(json.RawMessage(`{"x": 1, "y": 2}`)); c == a {
		t.Error("two values have one digest")
	}
}

// FuzzJSON: what was canonical stays as it is, and means what it meant.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"b":1,"a":[1.50,"\u00e9"]}`, `1e21`, `"\ud83d\ude00"`, `[[[]]]`, `-0.0`, strings.Repeat("[", 100)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		once, err := canonical.JSON(json.RawMessage(text))
		if err != nil {
			return
		}
		twice, err := canonical.JSON(json.RawMessage(once))
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s is written as %s, and then as %s, %v", text, once, twice, err)
		}
		var was, is any
		if json.Unmarshal(text, &was) != nil || json.Unmarshal(once, &is) != nil {
			t.Fatalf("%s is written as %s, which is no JSON", text, once)
		}
		wasText, _ := canonical.JSON(was)
		isText, _ := canonical.JSON(is)
		if !bytes.Equal(wasText, isText) {
			t.Fatalf("%s means %s, but %s means %s", text, wasText, once, isText)
		}
	})
}

func BenchmarkDigest(b *testing.B) {
	value := map[string]any{"actionType": "database_write", "parameters": map[string]any{"table": "customers", "affected_rows": 1, "columns": []string{"a", "b"}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := canonical.Digest(value); err != nil {
			b.Fatal(err)
		}
	}
}
