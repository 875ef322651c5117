// SPDX-License-Identifier: Apache-2.0

package canonical_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// agree fails unless a scanner takes the text and says of it what JSON says.
func agree(t *testing.T, s *canonical.Scanner, text []byte) {
	t.Helper()
	want, err := canonical.JSON(json.RawMessage(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	got, err := s.Object(text, "")
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s\n got %s, %v\nwant %s", text, got, err, want)
	}
}

func TestScannerTakesWhatMarshalWrites(t *testing.T) {
	var s canonical.Scanner
	for _, value := range []map[string]any{
		{},
		{"b": 1, "a": map[string]any{"d": nil, "c": true, "e": []any{}, "f": map[string]any{}}},
		{"z": "<a href='x'>&</a>", "y": "\x00\b\t\n\f\r\x1f\x7f\"\\/", "x": "a\u2028b\u2029c\ufffd"},
		{"wrong bytes": "a\xffb"},
		{"a": 0.1, "b": 1e21, "c": -1.5e-7, "d": math.MaxFloat64, "e": 1 << 53, "f": -42, "g": math.Copysign(0, -1), "h": 0},
		{"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7, "<": 8, "\u2028": 9, "": 10},
	} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, &s, text)
	}
}

// value is something of JSON, made by chance.
func value(random *rand.Rand, depth int) any {
	switch kind := random.IntN(9); {
	case kind == 0 && depth < 5:
		object := map[string]any{}
		for range random.IntN(12) {
			object[text(random)] = value(random, depth+1)
		}
		return object
	case kind == 1 && depth < 5:
		array := make([]any, random.IntN(5))
		for i := range array {
			array[i] = value(random, depth+1)
		}
		return array
	case kind < 4:
		return text(random)
	case kind == 4:
		return random.Int64N(1<<53) >> random.IntN(53)
	case kind == 5:
		if f := math.Float64frombits(random.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
		return -0.5
	case kind == 6:
		return float64(random.IntN(100000)) / 100
	case kind == 7:
		return random.IntN(2) == 0
	default:
		return nil
	}
}

func text(random *rand.Rand) string {
	var out strings.Builder
	for range random.IntN(9) {
		switch random.IntN(4) {
		case 0:
			out.WriteRune(rune(random.IntN(0x110000)))
		case 1:
			out.WriteRune(rune(random.IntN(0x80)))
		default:
			out.WriteByte("abz<&\"\\/\n0"[random.IntN(10)])
		}
	}
	return out.String()
}

func TestScannerAgreesWithJSON(t *testing.T) {
	var s canonical.Scanner
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		object := map[string]any{}
		for range random.IntN(12) {
			object[text(random)] = value(random, 1)
		}
		written, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, &s, written)
	}
}

// A byte that is changed is another text, or none: no spelling is taken of which
// there are two.
func TestEveryByteCounts(t *testing.T) {
	var s canonical.Scanner
	text, err := json.Marshal(map[string]any{
		"a": []any{1, -20, 1.5, 1e-7, 1e21, 0.000001, true, false, nil, 100000000000000000000.0}, "é": "\x01\n\"\\<>&\u2028\u2029é\u20ac😀", "b": map[string]any{"x": "y", "": ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	was, err := s.Object(text, "")
	if err != nil {
		t.Fatal(err)
	}
	was = bytes.Clone(was)
	for at := range text {
		for b := range 256 {
			if byte(b) == text[at] {
				continue
			}
			changed := bytes.Clone(text)
			changed[at] = byte(b)
			if got, err := s.Object(changed, ""); err == nil && bytes.Equal(got, was) {
				t.Errorf("byte %d as %q: %s is taken as the same", at, byte(b), changed)
			}
		}
	}
}

func TestScannerRefuses(t *testing.T) {
	var s canonical.Scanner
	for name, text := range map[string]string{
		"nothing": ``, "no object": `[]`, "white space": `{"a": 1}`, "a line": "{\"a\":1}\n", "white space before": ` {}`, "two objects": `{}{}`,
		"a comma too many": `{"a":1,}`, "no comma": `{"a":1"b":2}`, "a comma first": `{,"a":1}`, "an array's comma": `{"a":[1,]}`, "a comma first in an array": `{"a":[,1]}`,
		"a key twice": `{"a":1,"b":2,"a":1}`, "a key twice within": `{"a":{"b":1,"b":1}}`, "a key twice that sorts otherwise": `{"é":1,"a":2,"é":3}`,
		"key without quotes": `{a:1}`, "no colon": `{"a"1}`, "no value": `{"a":}`, "the end": `{"a":1`, "the end of a string": `{"a":"b`, "the end of an escape": `{"a":"\u00`,
		"raw angle": `{"a":"<"}`, "raw control": "{\"a\":\"\x01\"}", "raw separator": "{\"a\":\"\u2028\"}", "not UTF-8": "{\"a\":\"\xff\"}", "half a surrogate": "{\"a\":\"\xed\xa0\x80\"}",
		"escaped letter": `{"a":"\u0061"}`, "escaped slash": `{"a":"\/"}`, "upper case": `{"a":"\u003C"}`, "long control": `{"a":"\u000a"}`, "surrogates": `{"a":"\ud83d\ude00"}`,
		"1.0": `{"a":1.0}`, "01": `{"a":01}`, "+1": `{"a":+1}`, "1e2": `{"a":1e2}`, "1E21": `{"a":1E+21}`, "1e21": `{"a":1e21}`, ".5": `{"a":.5}`, "-": `{"a":-}`, "1e999": `{"a":1e999}`,
		"rounded": `{"a":9007199254740993}`, "rounded fraction": `{"a":0.1000000000000000055}`, "-0.0": `{"a":-0.0}`, "-01": `{"a":-01}`, "--1": `{"a":--1}`, "word": `{"a":True}`, "half a word": `{"a":tru`,
		"deep": `{"a":` + strings.Repeat("[", 1<<20), "deep objects": strings.Repeat(`{"a":`, 1<<20),
	} {
		got, err := s.Object([]byte(text), "")
		var spelling *canonical.SpellingError
		if !errors.As(err, &spelling) || len(err.Error()) > 200 {
			t.Errorf("%s: taken as %s, error %v", name, got, err)
		}
	}
}

func TestScannerLeavesOneOut(t *testing.T) {
	var s canonical.Scanner
	text := `{"b":1,"hash":"x","a":{"hash":2}}`
	got, err := s.Object([]byte(text), "hash")
	if err != nil || string(got) != `{"a":{"hash":2},"b":1}` {
		t.Errorf("got %s, %v", got, err)
	}
	if m := s.Members(); len(m) != 3 || string(m[1].Key) != "hash" || string(m[1].Value) != `"x"` {
		t.Errorf("members %s", m)
	}
	if got, err := s.Object([]byte(`{"hash":1,"a":2,"hash":1}`), "hash"); err == nil {
		t.Errorf("the one that is left out is there twice: %s", got)
	}
}

// FuzzScanner: what a scanner takes, JSON takes as the same.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{`{}`, `{"b":1,"a":[1.5,"é"]}`, `{"a":1e+21}`, `{"a":"\u2028\b\u001f","é":-0}`, `{"a":{"b":{}},"":[]}`} {
		f.Add([]byte(seed))
	}
	var s canonical.Scanner
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := s.Object(text, ""); err == nil {
			agree(t, &s, text)
		}
	})
}

func BenchmarkScanner(b *testing.B) {
	parameters := map[string]any{}
	for i := range 12 {
		parameters[fmt.Sprint("column_", i)] = strings.Repeat("v", 20)
	}
	text, err := json.Marshal(map[string]any{"request": map[string]any{"parameters": parameters}, "message": "Low risk (2.1) is approved", "sequence": 12345, "event": "action.approved", "chain": "6f2c0f1e"})
	if err != nil {
		b.Fatal(err)
	}
	var s canonical.Scanner
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Object(text, "hash"); err != nil {
			b.Fatal(err)
		}
	}
}
