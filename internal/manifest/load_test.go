// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// load reads the paths and fails where nothing can be read at all.
func load(t *testing.T, o manifest.Options, paths ...string) (set *manifest.Set, texts []string) {
	t.Helper()
	set, problems, err := manifest.Load(paths, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	return set, texts
}

// text reads a text by the standard input.
func text(t *testing.T, content string) (set *manifest.Set, problems []string) {
	t.Helper()
	return load(t, manifest.Options{Stdin: strings.NewReader(content)}, manifest.Stdin)
}

// folder writes files and returns the folder they are in.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	top := t.TempDir()
	for name, content := range files {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// rule is a SmartRule in one line.
func rule(name, rest string) string {
	return "{apiVersion: governance.ascendowkai.com/v1alpha1, kind: SmartRule, metadata: {name: " + name + "}, spec: {effect: Deny" + rest + "}}\n"
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d problems, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i, words := range want {
		if !strings.Contains(got[i], words) {
			t.Errorf("problem %d does not say %q: %s", i, words, got[i])
		}
	}
}

func names(set *manifest.Set) string {
	var keys []string
	for _, o := range set.Objects {
		keys = append(keys, o.Key().String())
	}
	return strings.Join(keys, ", ")
}

// What this project ships has no problems, kustomized or file by file.
func TestShippedPolicyHasNoProblems(t *testing.T) {
	for path, count := range map[string]int{
		"../../config/samples": 6, "../../config/starter-policy": 30, "../../config/starter-policy-strict": 30,
		"../../config/starter-policy/rules": 24, "../../config/starter-policy-strict/kustomization.yaml": 30,
	} {
		set, problems := load(t, manifest.Options{}, path)
		expect(t, problems)
		if len(set.Objects) != count {
			t.Errorf("%s: got %d objects, want %d", path, len(set.Objects), count)
		}
	}
	samples, err := filepath.Glob("../../config/samples/*.yaml")
	if err != nil || len(samples) < 12 {
		t.Fatalf("the samples: %v, %v", samples, err)
	}
	for _, file := range samples {
		_, problems := load(t, manifest.Options{}, file)
		expect(t, problems)
	}
}

// Folders are walked in order of names; what is none of ours is passed over.
func TestFolders(t *testing.T) {
	top := folder(t, map[string]string{
		"b.yml": rule("b", ""), "a/x.yaml": rule("x", ""), "a/y.json": `{"kind": "List", "apiVersion": "v1", "items": []}`,
		"a/kustomization.yaml": "a: b: c\n", ".git/c.yaml": "a: b: c\n", "c.txt": "a: b: c\n", ".d.yaml": rule("d", ""),
		"values.yaml": "replicas: 1\n", "t.yaml": "apiVersion: governance.ascendowkai.com/v1alpha1\nkind: RuleTest\nmetadata: {name: t}\n",
	})
	if err := os.Symlink("../b.yml", filepath.Join(top, "a", "inside.yaml")); err != nil {
		t.Fatal(err)
	}
	set, problems := load(t, manifest.Options{Namespace: "team"}, top)
	expect(t, problems)
	// b is read by the link, which comes first.
	if got, want := names(set), "SmartRule team/d, SmartRule team/b, SmartRule team/x"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(set.Tests) != 1 || set.Foreign != 1 {
		t.Errorf("got %d tests and %d passed over", len(set.Tests), set.Foreign)
	}
}

func TestLinksOutOfAFolder(t *testing.T) {
	outside := folder(t, map[string]string{"secret.yaml": rule("secret", ""), "dir/other.yaml": rule("other", "")})
	top := folder(t, map[string]string{"a.yaml": rule("a", "")})
	for name, to := range map[string]string{"link.yaml": filepath.Join(outside, "secret.yaml"), "up.yaml": "../../../../../../etc/passwd.yaml", "gone.yaml": "nowhere.yaml", "dir": filepath.Join(outside, "dir")} {
		if err := os.Symlink(to, filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	set, problems := load(t, manifest.Options{}, top)
	expect(t, problems, "gone.yaml: it is a link to a file that does not exist", "link.yaml: it is a link out of the folder", "up.yaml: it is a link out of the folder")
	if got := names(set); got != "SmartRule default/a" {
		t.Errorf("got %s", got)
	}
}

// A file is read once, however often it is reached.
func TestReachedTwice(t *testing.T) {
	top := folder(t, map[string]string{"a.yaml": rule("a", "")})
	set, problems := load(t, manifest.Options{}, top, filepath.Join(top, "a.yaml"), top+"/.")
	expect(t, problems)
	if len(set.Objects) != 1 {
		t.Errorf("got %s", names(set))
	}
}

func TestWhatStopsEverything(t *testing.T) {
	for _, c := range []struct {
		title string
		paths []string
		o     manifest.Options
		words string
	}{
		{"nothing named", nil, manifest.Options{}, "name one"},
		{"no such path", []string{"testdata/nowhere"}, manifest.Options{}, `there is no file or folder "testdata/nowhere"`},
		{"no standard input", []string{"-"}, manifest.Options{}, "no standard input"},
		{"a broken standard input", []string{"-"}, manifest.Options{Stdin: iotest.ErrReader(os.ErrDeadlineExceeded)}, "read stdin"},
	} {
		t.Run(c.title, func(t *testing.T) {
			_, _, err := manifest.Load(c.paths, c.o)
			if err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v, want %q", err, c.words)
			}
		})
	}
}

// Size, number and aliases are bounded, and the problem says so.
func TestLimits(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	large := "{apiVersion: governance.ascendowkai.com/v1alpha1, kind: Agent, metadata: {name: a, annotations: {a: " + strings.Repeat("x", 4<<20) + "}}, spec: {}}"
	for _, c := range []struct {
		title, text string
		want        []string
	}{
		{"a large file", strings.Repeat("#", 16<<20+1), []string{"stdin: it is larger than 16 MiB"}},
		{"many documents", strings.Repeat("{kind: Pod, apiVersion: v1}\n---\n", 20_001), []string{"stdin:40001:1: this and what follows is not read: 20000 documents are the limit"}},
		{"a billion laughs", bomb.String(), []string{"aliases make it larger"}},
		{"an anchor in itself", "a: &a\n  b: [*a]\n", []string{`the anchor "a" contains itself`}},
		{"a merge of itself", "a: &a\n  <<: *a\n", []string{`the anchor "a" contains itself`}},
		{"many items", "kind: List\napiVersion: v1\nitems: [" + strings.Repeat("{},", 20_001) + "]", nil},
		{"deep lists", strings.Repeat("{kind: List, apiVersion: v1, items: [", 9) + strings.Repeat("]}", 9), []string{"more than 8 deep"}},
		{"a deep document", strings.Repeat("[", 20_000), []string{"exceeded max depth"}},
		{"a large object", large, []string{"metadata.annotations", "the API server takes 3145728"}},
	} {
		t.Run(c.title, func(t *testing.T) {
			_, problems := text(t, c.text)
			if c.title == "many items" {
				if last := problems[len(problems)-1]; len(problems) != 20_000 || !strings.Contains(last, "20000 documents") {
					t.Errorf("got %d problems, the last: %s", len(problems), last)
				}
				return
			}
			for _, words := range c.want {
				if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, words) }) {
					t.Errorf("no problem says %q: %.500s", words, problems)
				}
			}
			if len(problems) != len(c.want) {
				t.Errorf("got %d problems, want %d: %.500s", len(problems), len(c.want), problems)
			}
		})
	}
}

// Anchors, aliases and merge keys work, and defaults are applied.
func TestValues(t *testing.T) {
	set, problems := text(t, `
apiVersion: governance.ascendowkai.com/v1alpha1
kind: SmartRule
metadata: {name: &name a}
spec: &spec
  effect: Deny
  match: {actionTypes: &types [x, z], resources: *types}
---
apiVersion: governance.ascendowkai.com/v1alpha1
kind: SmartRule
metadata: {name: b, namespace: team}
spec:
  <<: &base {effect: Deny, priority: 7}
  priority: 9
---
apiVersion: governance.ascendowkai.com/v1alpha1
kind: RiskModel
metadata: {name: default, namespace: ignored}
spec: {}
status: {conditions: 7}
---
apiVersion: governance.ascendowkai.com/v1alpha1
kind: AgentAction
metadata: {generateName: act-}
spec: {agentRef: {name: a}, actionType: read, parameters: {rows: 3, deep: [1.5, "x"]}}
---
apiVersion: v1
kind: Namespace
metadata: {name: team, labels: {tier: gold}}
`)
	expect(t, problems)
	rules := set.Rules()
	if len(rules) != 2 || rules[0].Namespace != "default" || rules[0].Spec.Mode != v1alpha1.RuleEnforce || rules[0].Spec.OnError != v1alpha1.OnErrorRequireApproval {
		t.Errorf("defaults: %+v", rules)
	}
	if p := rules[1].Spec.Priority; p == nil || *p != 9 {
		t.Errorf("merge: %v", p)
	}
	if got, want := names(set), "SmartRule default/a, SmartRule team/b, RiskModel default, AgentAction default/, Namespace team"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want := map[string]string{"tier": "gold", "kubernetes.io/metadata.name": "team"}
	if spaces := set.Namespaces(); len(spaces) != 1 || !maps.Equal(spaces[0].Labels, want) {
		t.Errorf("namespaces: %+v", spaces)
	}
	if set.Of(rules[1]).At("spec.effect") != (manifest.Position{File: "stdin", Line: 13, Column: 14}) {
		t.Errorf("spec.effect is at %s", set.Of(rules[1]).At("spec.effect"))
	}
}

// A test file is decoded strictly, with positions.
func TestDocumentDecode(t *testing.T) {
	set, problems := text(t, "kind: RuleTest\ncases:\n- nam: a\n  count: 1\n---\nkind: RuleTest\ncases:\n- count: many\n")
	expect(t, problems)
	type file struct {
		Kind  string `json:"kind"`
		Cases []struct {
			Name  string `json:"name"`
			Count int    `json:"count"`
		} `json:"cases"`
	}
	var got []string
	for _, document := range set.Tests {
		for _, p := range document.Decode(&file{}) {
			got = append(got, p.String())
		}
	}
	want := []string{
		"stdin:3:3: cases[0].nam: there is no such field; did you mean name?",
		"stdin:7:1: cases.count: it is a JSON string; it must be of type int",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- want, + got:\n%s", diff)
	}
}
