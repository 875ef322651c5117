// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"nothing secret stays byte for byte": {`{"table": "customers",  "affected_rows":1.50}`, ""},
		"a password":                         {`{"password":"hunter2","n":1}`, `{"n":1,"password":"[redacted]"}`},
		"under any spelling":                 {`{"API-Key":"k","x_Access_Key_id":"i","clientSecret":"s"}`, `{"API-Key":"[redacted]","clientSecret":"[redacted]","x_Access_Key_id":"[redacted]"}`},
		"at any depth":                       {`{"headers":[{"Authorization":"Bearer x"}]}`, `{"headers":[{"Authorization":"[redacted]"}]}`},
		"all that is below":                  {`{"credentials":{"user":"u","list":["a",2]}}`, `{"credentials":{"list":["[redacted]",2],"user":"[redacted]"}}`},
		"a variable of a container":          {`{"env":[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"HOME","value":"/root"}]}`, `{"env":[{"name":"DB_PASSWORD","value":"[redacted]"},{"name":"HOME","value":"/root"}]}`},
		"a header by key and value":          {`{"headers":[{"Key":"Authorization","Value":["Bearer x"]}]}`, `{"headers":[{"Key":"Authorization","Value":["[redacted]"]}]}`},
		"not where the secret is kept":       {`{"name":"TOKEN","valueFrom":{"configMapKeyRef":{"name":"c","key":"k"}}}`, ""},
		"behind an escape":                   {`{"p\u0061ssword":"hunter2"}`, `{"password":"[redacted]"}`},
		"a number is none":                   {`{"max_tokens": 4096}`, ""},
		"nor is an empty text":               {`{"token": ""}`, ""},
		"nor is a value that speaks of one":  {`{"description": "reset the password"}`, ""},
		"large numbers keep their digits":    {`{"id":12345678901234567890,"token":"t"}`, `{"id":12345678901234567890,"token":"[redacted]"}`},
		"what cannot be read is left out":    {`{"token": `, `"[redacted]"`},
	} {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			if want == "" {
				want = tc.raw
			}
			if got := string(redact(json.RawMessage(tc.raw))); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	if redact(nil) != nil {
		t.Error("nothing became something")
	}
}

func TestKeptAnnotations(t *testing.T) {
	of := map[string]string{"a": "1", "example.com/api-token": "t", "empty-secret": "", lastApplied: `{"spec":{}}`}
	got := keptAnnotations(of)
	want := map[string]string{"a": "1", "example.com/api-token": Redacted, "empty-secret": ""}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if of["example.com/api-token"] != "t" || len(of) != 4 {
		t.Error("the object's own annotations were changed")
	}
}

// No text under the name of a secret is left, and the rest is JSON still.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{`{"password":"CANARY"}`, `{"a":{"token":["CANARY"]}}`, `{"x":"CANARY"}`, `[{"Cookie":{"y":"CANARY"}}]`, `{`, `"\u00"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if !json.Valid([]byte(raw)) {
			return
		}
		out := redact(json.RawMessage(raw))
		if !json.Valid(out) {
			t.Fatalf("%q became %q, which is no JSON", raw, out)
		}
		if wrapped := redact(json.RawMessage(`{"my-passWord":` + raw + `}`)); strings.Contains(string(wrapped), "CANARY") && !strings.Contains(keysOf(t, raw), "CANARY") {
			t.Fatalf("%q is left in %q", raw, wrapped)
		}
	})
}

// keysOf is the names in a JSON text, which are not redacted.
func keysOf(t *testing.T, raw string) string {
	t.Helper()
	var b strings.Builder
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				b.WriteString(name + "\n")
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	var value any
	if err := json.Unmarshal([]byte(raw), &value); err != nil {
		t.Fatal(err)
	}
	walk(value)
	return b.String()
}
