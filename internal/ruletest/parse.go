// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// The group, version and kind of test files.
const (
	// Group of RuleTest. It is no API group: no API server knows the kind.
	Group = "test.governance.ascendowkai.com"
	// APIVersion of RuleTest.
	APIVersion = Group + "/v1alpha1"
	// Kind of test files.
	Kind = "RuleTest"
)

// suite reads a document of kind RuleTest; what is wrong with it is in r.problems.
func (r *reader) suite(document spot) *Suite {
	s := &Suite{Position: r.at(resolve(document.node))}
	var metadata, cases bool
	r.object(document, fields{
		"apiVersion": func(v spot) { r.word(v, APIVersion) },
		"kind":       func(v spot) { r.word(v, Kind) },
		"metadata": func(v spot) {
			metadata = true
			r.object(v, fields{"name": func(v spot) { s.Name = r.text(v) }})
		},
		"policy": func(v spot) { r.policy(v, s) },
		"beside": func(v spot) { s.beside = r.paths(v) },
		"given": func(v spot) {
			r.list(v, func(item spot) { s.given = append(s.given, item) })
		},
		"defaults": func(v spot) { r.defaults(v, &s.defaults) },
		"cases": func(v spot) {
			cases = true
			r.list(v, func(item spot) { s.cases = append(s.cases, r.testCase(item)) })
		},
	})
	if !metadata || s.Name == "" {
		r.wrong(document, "it needs metadata.name, by which reports call it")
	}
	if !cases {
		r.wrong(document, "it has no cases, so it tests nothing; add some under cases")
	}
	r.uniqueNames(s)
	return s
}

// uniqueNames refuses two cases of one name, which reports could not tell apart.
func (r *reader) uniqueNames(s *Suite) {
	first := map[string]*testCase{}
	for _, c := range s.cases {
		if other := first[c.name]; other != nil && c.name != "" {
			r.problems = append(r.problems, problemAt(c.at, c.path, "another case, at line %d, has the same name %q; give each its own", other.at.Line, c.name))
			continue
		}
		first[c.name] = c
	}
}

func problemAt(at manifest.Position, path, format string, args ...any) manifest.Problem {
	return manifest.Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...)}
}

// policy reads the paths of the policy. An empty list is no policy but what is given.
func (r *reader) policy(v spot, s *Suite) {
	s.ownPolicy, s.policyAt = true, r.at(v.node)
	s.policy = r.paths(v)
}

// paths reads a path, or a list of them.
func (r *reader) paths(v spot) []string {
	switch node := resolve(v.node); {
	case node.Kind == yaml.SequenceNode && len(node.Content) == 0:
		return nil
	case node.Kind == yaml.MappingNode:
		r.wrong(v, "it is an object; it must be a list of files and folders")
		return nil
	}
	var paths []string
	r.oneOrMany(v, func(item spot) {
		if path := r.text(item); path != "" {
			paths = append(paths, r.relative(path))
		}
	})
	return paths
}

// relative is a path that is written relative to the test file.
func (r *reader) relative(path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(r.file), path)
}

func (r *reader) defaults(v spot, d *defaults) {
	r.object(v, fields{
		"agent":     func(v spot) { d.agent = r.placed(v) },
		"namespace": func(v spot) { d.namespace = r.text(v) },
		"at":        func(v spot) { d.at = r.times(v) },
	})
}

func (r *reader) times(v spot) []time.Time {
	var out []time.Time
	r.oneOrMany(v, func(item spot) {
		word := r.text(item)
		if word == "" {
			return
		}
		at, err := time.Parse(time.RFC3339, word)
		switch {
		case err != nil:
			r.wrong(item, "it is %q, which is no time; write it as 2026-03-04T10:00:00Z", word)
		case at.Nanosecond() != 0:
			r.wrong(item, "it is %q, no whole second, and the API server keeps times of creation by the second", word)
		default:
			out = append(out, at.UTC())
		}
	})
	return out
}

func (r *reader) testCase(v spot) *testCase {
	c := &testCase{at: r.at(resolve(v.node)), path: v.path}
	isObject := r.object(v, fields{
		"name":       func(v spot) { c.name = r.text(v) },
		"agent":      func(v spot) { c.agent = r.placed(v) },
		"namespace":  func(v spot) { c.namespace = r.text(v) },
		"at":         func(v spot) { c.times = r.times(v) },
		"anyTime":    func(v spot) { c.anyTime = r.truth(v) },
		"requester":  func(v spot) { c.requester = r.requester(v) },
		"action":     func(v spot) { c.action = r.action(v) },
		"actionFile": func(v spot) { c.file = r.placed(v) },
		"expect":     func(v spot) { r.expect(v, &c.want) },
	})
	if !isObject {
		return c
	}
	if c.name == "" {
		r.wrong(v, "it needs a name: one sentence that says what is promised")
	}
	if c.anyTime && len(c.times) > 0 {
		r.wrong(v, "it has at and anyTime; keep one of the two")
	}
	if c.file.string != "" {
		c.file.string = r.relative(c.file.string)
	}
	if (c.action.node == nil) == (c.file.string == "") {
		r.wrong(v, "it needs either action or actionFile")
	}
	if !c.want.said {
		r.wrong(v, "it expects nothing, so it cannot fail; say under expect what has to come out")
	}
	return c
}

// action reads the spec of an action as it is; the API server's checks come later.
func (r *reader) action(v spot) spot {
	spec, isObject := v.value.(map[string]any)
	if !isObject {
		r.wrong(v, "it is %s; it must be the spec of an AgentAction", kindOf(resolve(v.node)))
	}
	for _, field := range []string{"agentRef", "requester"} {
		if _, has := spec[field]; has {
			r.wrong(v, "it has %s; say who asks beside the action: agent, requester", field)
		}
	}
	return v
}

func (r *reader) requester(v spot) *v1alpha1.Requester {
	out := &v1alpha1.Requester{}
	isObject := r.object(v, fields{
		"username": func(v spot) { out.Username = r.text(v) },
		"uid":      func(v spot) { out.UID = r.text(v) },
		"groups": func(v spot) {
			r.list(v, func(item spot) { out.Groups = append(out.Groups, v1alpha1.UserName(r.text(item))) })
		},
	})
	if isObject && out.Username == "" {
		r.wrong(v, "it needs a username: nobody submits without one")
	}
	return out
}

// score reads a score and brings it to the form in which it is reported.
func (r *reader) score(v spot) string {
	word := r.text(v)
	if word == "" {
		return ""
	}
	score, err := risk.ParseScore(v1alpha1.Score(word))
	if err != nil {
		r.wrong(v, "it is %q, %v", word, risk.ErrNotNumber)
		return ""
	}
	return score.String()
}

// count reads a number that is not negative.
func (r *reader) count(v spot) *int {
	word := r.text(v)
	if word == "" {
		return nil
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 {
		r.wrong(v, "it is %q; it must be a whole number from 0", word)
		return nil
	}
	return &n
}
