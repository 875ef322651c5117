// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const pathText = `spec:
  match:
    agents:
      selector:
        matchLabels:
          a.b/c: one
          a: two
          "x]y": three
    names: &names [p, q]
    again: *names
  base: &base
    colour: red
    shape: {round: true}
  copy:
    <<: *base
    colour: blue
  both:
    <<: [{first: 1}, *base]
  conditions:
  - name: bulk
    expression: "true"
  - - deep
  empty:
`

func TestFind(t *testing.T) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(pathText), &document); err != nil {
		t.Fatal(err)
	}
	root := document.Content[0]
	for _, c := range []struct{ title, path, want string }{
		{"the document", "", "1:1"},
		{"a field", "spec.match.agents", "3:5"},
		{"a key with dots in brackets", "spec.match.agents.selector.matchLabels[a.b/c]", "6:11"},
		{"a key with dots", "spec.match.agents.selector.matchLabels.a.b/c", "6:11"},
		{"its shorter neighbour", "spec.match.agents.selector.matchLabels[a]", "7:11"},
		{"a key with a bracket", "spec.match.agents.selector.matchLabels[x]y]", "8:11"},
		{"an item", "spec.match.names[1]", "9:23"},
		{"an item of an alias", "spec.match.again[1]", "9:23"},
		{"an alias", "spec.match.again", "10:5"},
		{"a merged field", "spec.copy.shape.round", "13:13"},
		{"a field that is set beside a merge", "spec.copy.colour", "16:5"},
		{"the first of two merged", "spec.both.first", "18:11"},
		{"the second of two merged", "spec.both.colour", "12:5"},
		{"a field of an item", "spec.conditions[0].expression", "21:5"},
		{"an item of an item", "spec.conditions[1][0]", "22:7"},
		{"not written", "spec.match.resources[3].x", "2:3"},
		{"not written in an item", "spec.conditions[0].nowhere", "20:5"},
		{"past the end", "spec.conditions[2].name", "19:3"},
		{"a huge index", "spec.conditions[99999999999999999999]", "19:3"},
		{"below a text", "spec.conditions[0].name.x", "20:5"},
		{"below nothing", "spec.empty.x", "23:3"},
		{"nonsense", "][.[", "1:1"},
		{"a key as an index", "spec[0]", "1:1"},
	} {
		t.Run(c.title, func(t *testing.T) {
			node := find(root, c.path)
			if got := fmt.Sprintf("%d:%d", node.Line, node.Column); got != c.want {
				t.Errorf("find(%q) is at %s, want %s", c.path, got, c.want)
			}
		})
	}
}

// Whatever the document and the path, a position in the document comes back.
func FuzzFind(f *testing.F) {
	f.Add(pathText, "spec.match.agents.selector.matchLabels[a.b/c]")
	f.Add("a: &a\n  <<: *a\n  b: [*a, {c: *a}]\n", "a.b[0].b[1].c.x")
	f.Add(`{"a": [{"b.c": 1}, {"": 2}]}`, "a[1][]")
	f.Add("- [x]\n", "[0][0]")
	f.Fuzz(func(t *testing.T, text, path string) {
		found, _ := documents("fuzz.yaml", []byte(text), 10)
		lines := strings.Split(text, "\n")
		for _, d := range found {
			at := d.At(path)
			if at.Line < 1 || at.Line > len(lines)+strings.Count(text, "\r") || at.Column < 1 || at.Column > len(text)+1 {
				t.Errorf("%q in\n%s\nis at %s, which is outside", path, text, at)
			}
		}
	})
}

// Mistakes in the text are told where they are, and nothing is so broken that
// reading it ends in anything but documents and problems within the text.
func FuzzDocuments(f *testing.F) {
	f.Add("a: b: c\n---\nx: [\n")
	f.Add("--- {a: b}\n...\nc: d\n")
	f.Add(`{"a": "\ud83d\ude00", "b" 1}`)
	f.Add("\ufeffa: &a {b: *a}\n<<: [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range []string{"fuzz.yaml", "fuzz.json"} {
			l := &loader{options: Options{Namespace: "default"}, set: &Set{}, files: map[string]int{}, objects: map[Key]*Object{}}
			l.text(file, []byte(text), true)
			for _, p := range l.problems {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Errorf("%q: %s", text, p)
				}
			}
		}
	})
}
