// SPDX-License-Identifier: Apache-2.0

package changes_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/internal/changes"
)

func decode(tb testing.TB, text string) any {
	tb.Helper()
	value, err := changes.Decode([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return value
}

func TestBetween(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after string
		want          []changes.Change
	}{
		"nothing":             {`{"a":1,"b":[{"c":null}]}`, `{"b":[{"c":null}],"a":1}`, nil},
		"a value":             {`{"spec":{"effect":"Deny"}}`, `{"spec":{"effect":"Allow"}}`, []changes.Change{{"spec.effect", `"Deny"`, `"Allow"`}}},
		"a field comes":       {`{}`, `{"a":{"b":1}}`, []changes.Change{{"a", "", `{"b":1}`}}},
		"a field goes":        {`{"a":{"b":1}}`, `{}`, []changes.Change{{"a", `{"b":1}`, ""}}},
		"null is a value":     {`{}`, `{"a":null}`, []changes.Change{{"a", "", "null"}}},
		"another type":        {`{"a":{"b":1}}`, `{"a":[1]}`, []changes.Change{{"a", `{"b":1}`, "[1]"}}},
		"an entry":            {`{"a":[1,{"b":2},3]}`, `{"a":[1,{"b":5},3]}`, []changes.Change{{"a[1].b", "2", "5"}}},
		"an entry is added":   {`{"a":[1]}`, `{"a":[1,2]}`, []changes.Change{{"a[1]", "", "2"}}},
		"an entry is put in":  {`{"a":["x","y"]}`, `{"a":["z","x","y"]}`, []changes.Change{{"a[0]", `"x"`, `"z"`}, {"a[1]", `"y"`, `"x"`}, {"a[2]", "", `"y"`}}},
		"entries in order":    {`{"a":[0,0,0,0,0,0,0,0,0,0,0]}`, `{"a":[0,0,1,0,0,0,0,0,0,0,1]}`, []changes.Change{{"a[2]", "0", "1"}, {"a[10]", "0", "1"}}},
		"names in order":      {`{"b":1,"a":1,"c":1}`, `{"c":2,"b":2,"a":2}`, []changes.Change{{"a", "1", "2"}, {"b", "1", "2"}, {"c", "1", "2"}}},
		"a name with dots":    {`{}`, `{"labels":{},"x":{"":1}}`, []changes.Change{{"labels", "", "{}"}, {"x", "", `{"":1}`}}},
		"a label":             {`{"labels":{}}`, `{"labels":{"app.kubernetes.io/name":"a"}}`, []changes.Change{{`labels["app.kubernetes.io/name"]`, "", `"a"`}}},
		"a name of no letter": {`{"a":{"\u202e\n":1,"":1}}`, `{"a":{"\u202e\n":2,"":2}}`, []changes.Change{{`a[""]`, "1", "2"}, {`a["\u202e\n"]`, "1", "2"}}},
		"a large number":      {`{"a":9007199254740993}`, `{"a":9007199254740992}`, []changes.Change{{"a", "9007199254740993", "9007199254740992"}}},
		"markup":              {`{"a":"<b>"}`, `{"a":"a && b"}`, []changes.Change{{"a", `"<b>"`, `"a && b"`}}},
		"the whole":           {`1`, `2`, []changes.Change{{"", "1", "2"}}},
	} {
		if got, more := changes.Between(decode(t, c.before), decode(t, c.after), nil); !slices.Equal(got, c.want) || more != 0 {
			t.Errorf("%s: %q and %d more, want %q", name, got, more, c.want)
		}
	}
}

func TestTextsAreMasked(t *testing.T) {
	t.Parallel()
	mask := func(names []string, text string) string {
		if slices.Contains(names, "token") {
			return "***"
		}
		return text
	}
	before := decode(t, `{"a":{"token":"one","n":1},"b":{"token":{"deep":["one"]}},"c":"plain"}`)
	after := decode(t, `{"a":{"token":"two","n":2},"b":1,"c":"text","d":{"token":"three","n":[3]}}`)
	want := []changes.Change{
		{"a.n", "1", "2"},
		{"a.token", `"***"`, `"***"`}, // it has changed, whatever it is
		{"b", `{"token":{"deep":["***"]}}`, "1"},
		{"c", `"plain"`, `"text"`},
		{"d", "", `{"n":[3],"token":"***"}`},
	}
	if got, _ := changes.Between(before, after, mask); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if text, _ := json.Marshal(after); !strings.Contains(string(text), "three") {
		t.Error("the value itself was masked")
	}
}

func TestWhatIsToldIsBounded(t *testing.T) {
	t.Parallel()
	after := map[string]any{}
	for i := range 100 {
		after[fmt.Sprintf("field%03d", i)] = strings.Repeat("é", 5000)
	}
	after["0"+strings.Repeat("n", 5000)] = "x"
	got, more := changes.Between(map[string]any{}, after, nil)
	if len(got) != changes.Max || more != 101-changes.Max {
		t.Fatalf("%d changes and %d more", len(got), more)
	}
	for _, c := range got {
		if utf8.RuneCountInString(c.After) > changes.MaxText || utf8.RuneCountInString(c.Field) > 512 {
			t.Errorf("%d characters of %.20s", utf8.RuneCountInString(c.After), c.Field)
		}
	}
	if last := got[len(got)-1]; !strings.HasSuffix(last.After, "é…") || last.Field != "field062" {
		t.Errorf("the last is %s", last.Field)
	}
}

// Whoever may change much in one place cannot hide with it what they change in another.
func TestManyChangesHideNoOther(t *testing.T) {
	t.Parallel()
	of := func(subject, mark string) any {
		annotations, stages := map[string]any{}, []any{}
		for i := range 2 * changes.Max {
			annotations[fmt.Sprintf("note%03d", i)] = mark
			stages = append(stages, map[string]any{"approvers": map[string]any{"users": []any{mark}}})
		}
		return map[string]any{
			"metadata": map[string]any{"annotations": annotations},
			"spec":     map[string]any{"stages": stages, "subjects": []any{map[string]any{"name": subject}}},
		}
	}
	got, more := changes.Between(of("bot", "a"), of("eve", "b"), nil)
	var fields []string
	for _, c := range got {
		fields = append(fields, c.Field)
	}
	if want := []string{"metadata.annotations", "spec.stages", "spec.subjects"}; !slices.Equal(fields, want) || more != 0 {
		t.Fatalf("got %q and %d more, want %q", fields, more, want)
	}
	if last := got[2]; last.Before != `[{"name":"bot"}]` || last.After != `[{"name":"eve"}]` {
		t.Errorf("got %q", last)
	}
}

// value draws a value of some depth out of few names, so that two have much in common.
func value(r *rand.Rand, depth int) any {
	switch kind := r.IntN(6); {
	case kind == 0:
		return nil
	case kind == 1 || depth == 0:
		return json.Number(strconv.Itoa(r.IntN(3)))
	case kind == 2:
		return []string{"", "a", "b"}[r.IntN(3)]
	case kind == 3:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = value(r, depth-1)
		}
		return list
	default:
		object := map[string]any{}
		for range r.IntN(4) {
			object[[]string{"a", "b", "c.d", ""}[r.IntN(4)]] = value(r, depth-1)
		}
		return object
	}
}

// There are changes exactly where there is a difference; the way back tells the
// same the other way round; no field is told twice; nothing is written to.
func TestProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		before, after := value(r, 3), value(r, 3)
		there, _ := changes.Between(before, after, nil)
		back, _ := changes.Between(after, before, nil)
		if (len(there) == 0) != reflect.DeepEqual(before, after) {
			t.Fatalf("%v to %v: %q", before, after, there)
		}
		seen := map[string]bool{}
		for i, c := range there {
			if back[i] != (changes.Change{Field: c.Field, Before: c.After, After: c.Before}) || seen[c.Field] || c.Before == c.After {
				t.Fatalf("%v to %v: %q and back %q", before, after, there, back)
			}
			seen[c.Field] = true
		}
		if same, _ := changes.Between(before, before, nil); same != nil {
			t.Fatalf("%v is not itself: %q", before, same)
		}
	}
}

func FuzzBetween(f *testing.F) {
	f.Add(`{"spec":{"effect":"Deny","conditions":[{"name":"a"}]}}`, `{"spec":{"effect":"Allow"}}`)
	f.Add(`[1,2]`, `{"a":"\ud800"}`)
	f.Add(`1e400`, `{"":{"":null}}`)
	f.Fuzz(func(t *testing.T, one, two string) {
		before, errBefore := changes.Decode([]byte(one))
		after, errAfter := changes.Decode([]byte(two))
		if errBefore != nil || errAfter != nil {
			return
		}
		const hidden = "[redacted]"
		got, more := changes.Between(before, after, func([]string, string) string { return hidden })
		if len(got) > changes.Max || more > 0 && len(got) < changes.Max || (len(got) == 0) != reflect.DeepEqual(before, after) {
			t.Fatalf("%d changes and %d more", len(got), more)
		}
		for _, c := range got {
			for _, text := range []string{c.Field, c.Before, c.After} {
				if utf8.RuneCountInString(text) > changes.MaxText || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x1b") {
					t.Fatalf("field %q", text)
				}
			}
		}
	})
}
