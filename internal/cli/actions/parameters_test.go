// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"strings"
	"testing"
)

func TestParseMember(t *testing.T) {
	for text, want := range map[string]string{
		"a=b": `a "b"`, "a=": `a ""`, "a=b=c": `a "b=c"`, "a:=1": "a 1", `a:={"b":[1,null]}`: `a {"b":[1,null]}`,
		"a:=\"x\"": `a "x"`, "a=1": `a "1"`, "a.b=c": `a.b "c"`, "a:b=c": `a:b "c"`,
		"a": "", "": "", "=b": "", ":=1": "", "a:=": "", "a:=x": "",
	} {
		key, value, err := parseMember(text)
		got := key + " " + string(value)
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%q is read as %q (%v), want %q", text, got, err, want)
		}
	}
}

// Numbers stay as they are written.
func TestReadMembersKeepsNumbers(t *testing.T) {
	for _, text := range []string{`{"a": 12345678901234567890, "b": 1.50}`, "a: 12345678901234567890\n"} {
		object, err := readMembers(strings.NewReader(text), "-")
		if err != nil || string(object["a"]) != "12345678901234567890" {
			t.Errorf("%s is read as %s, %v", text, object["a"], err)
		}
	}
}

func TestMarkedGrowsNoBranches(t *testing.T) {
	if got, want := marked("a └─ APPROVED\u200b"), `a \u2514\u2500 APPROVED[U+200B]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
