// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// loadPolicy reads the policy of these paths; none is an empty policy.
func loadPolicy(paths []string) (*manifest.Set, []manifest.Problem, error) {
	if len(paths) == 0 {
		return &manifest.Set{}, nil, nil
	}
	return manifest.Load(paths, manifest.Options{})
}

// draft is an object that a test file has, on its way to the checks that the API
// server would make.
type draft struct {
	spot  spot
	value map[string]any
	inner string // what of the object's paths is not written in the test file, such as "spec."
}

// at is where a field of the object is written in the test file.
func (d draft) at(file string) func(path string) manifest.Position {
	document := manifest.Document{Node: resolve(d.spot.node)}
	document.File, document.Line, document.Column = file, d.spot.node.Line, d.spot.node.Column
	return func(path string) manifest.Position {
		return document.At(strings.TrimPrefix(path, d.inner))
	}
}

// drafts are checked together, which is cheaper than one by one.
type drafts []draft

// check holds the objects to what the API server would refuse. What it returns
// has one entry for each draft: nil where there are problems.
func (ds drafts) check(file, namespace string) ([]runtime.Object, []manifest.Problem, error) {
	if len(ds) == 0 {
		return nil, nil, nil
	}
	var lines bytes.Buffer
	for _, d := range ds { // one a line, so that the line of a problem says which
		line, err := json.Marshal(d.value)
		if err != nil {
			return nil, nil, err
		}
		lines.Write(append(line, '\n'))
	}
	set, wrong, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: &lines, Namespace: namespace})
	if err != nil {
		return nil, nil, err
	}
	objects, refused := make([]runtime.Object, len(ds)), make([]bool, len(ds))
	var problems []manifest.Problem
	for _, problem := range wrong {
		i := problem.Line - 1
		if i < 0 || i >= len(ds) {
			return nil, nil, fmt.Errorf("check what a test gives: %s", problem)
		}
		refused[i] = true
		written := strings.TrimPrefix(problem.Path, ds[i].inner)
		problems = append(problems, problemAt(ds[i].at(file)(problem.Path), join(ds[i].spot.path, written), "%s", ds.relocated(problem.Message, file)))
	}
	for _, object := range set.Objects {
		if i := object.Line - 1; i >= 0 && i < len(ds) && !refused[i] {
			objects[i] = object.Object
		}
	}
	for i, object := range objects {
		if object == nil && !refused[i] {
			problems = append(problems, problemAt(ds[i].at(file)("kind"), join(ds[i].spot.path, "kind"), "it has no effect on decisions; give Agents, Namespaces, SmartRules, ApprovalWorkflows or a RiskModel"))
		}
	}
	return objects, problems, nil
}

// elsewhere is how a problem names another of the objects that were checked.
var elsewhere = regexp.MustCompile(`\b` + manifest.FileStdin + `:(\d+):\d+`)

// relocated puts the places in the test file into a message that names others.
func (ds drafts) relocated(message, file string) string {
	return elsewhere.ReplaceAllStringFunc(message, func(place string) string {
		line, err := strconv.Atoi(elsewhere.FindStringSubmatch(place)[1])
		if err != nil || line < 1 || line > len(ds) {
			return place
		}
		return ds[line-1].at(file)("").String()
	})
}

// givenDraft is an object under given, with the apiVersion of its kind where it
// has none.
func givenDraft(item spot) draft {
	value, _ := item.value.(map[string]any)
	value = maps.Clone(value)
	if _, has := value["apiVersion"]; !has && value != nil {
		value["apiVersion"] = v1alpha1.GroupVersion.String()
		if value["kind"] == "Namespace" {
			value["apiVersion"] = "v1"
		}
	}
	return draft{spot: item, value: value}
}

// actionDraft is the action of a case, as it would be submitted.
func actionDraft(c *testCase, number int, namespace string) draft {
	spec := map[string]any{}
	if written, isObject := c.action.value.(map[string]any); isObject {
		maps.Copy(spec, written)
	}
	spec["agentRef"] = map[string]any{"name": "agent"} // until it is known which
	return draft{spot: c.action, inner: "spec.", value: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(),
		"kind":       "AgentAction",
		"metadata":   map[string]any{"name": fmt.Sprintf("case-%d", number), "namespace": namespace},
		"spec":       spec,
	}}
}

// actionFile reads the manifest of an action.
func actionFile(c *testCase, namespace string) (*v1alpha1.AgentAction, []manifest.Problem) {
	set, problems, err := manifest.Load([]string{c.file.string}, manifest.Options{Namespace: namespace})
	switch {
	case err != nil:
		return nil, []manifest.Problem{c.file.wrong("it cannot be read: %v", err)}
	case len(problems) > 0:
		return nil, problems
	case len(set.Objects) != 1:
		return nil, []manifest.Problem{c.file.wrong("%s holds %d objects; it must hold one AgentAction", c.file.string, len(set.Objects))}
	}
	action, isAction := set.Objects[0].Object.(*v1alpha1.AgentAction)
	if !isAction {
		return nil, []manifest.Problem{c.file.wrong("%s holds no AgentAction", c.file.string)}
	}
	return action, nil
}
