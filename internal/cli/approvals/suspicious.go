// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// finding is a field of an action with characters that do not show what they are.
type finding struct {
	// path of the field, such as parameters.table, fit for a terminal.
	path string
	// count of characters.
	count int
	// warnings in words, one a kind and word.
	warnings []string
}

// findings are what is suspicious in an action, in the order in which it is shown.
type findings struct {
	list  []finding
	count int
}

// add looks at the text of a field.
func (f *findings) add(path, text string) {
	found := terminal.Suspicious(text)
	if len(found) == 0 {
		return
	}
	f.list = append(f.list, finding{path, len(found), terminal.Warnings(text)})
	f.count += len(found)
}

// addJSON looks at every key and every string of a JSON object.
func (f *findings) addJSON(path string, raw *runtime.RawExtension) {
	value, err := decodeJSON(raw)
	if err != nil {
		f.add(path, string(raw.Raw))
		return
	}
	f.addValue(path, value)
}

func (f *findings) addValue(path string, value any) {
	switch v := value.(type) {
	case string:
		f.add(path, v)
	case []any:
		for i, item := range v {
			f.addValue(fmt.Sprintf("%s[%d]", path, i), item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below := path + "." + terminal.Mark(key)
			f.add("the key "+below, key)
			f.addValue(below, v[key])
		}
	}
}

// asked finds what is suspicious in the request itself: what the agent wrote,
// and what is approved.
func asked(action *v1alpha1.AgentAction) *findings {
	f := &findings{}
	spec := &action.Spec
	f.add("agent", string(spec.AgentRef.Name))
	f.add("type", spec.ActionType)
	f.add("resource", spec.Resource)
	f.add("description", spec.Description)
	if exception := spec.ExceptionRequest; exception != nil {
		f.add("exception", string(exception.RuleName))
		f.add("justification", exception.Justification)
	}
	f.addJSON("parameters", spec.Parameters)
	f.addJSON("context", spec.Context)
	if by := spec.Requester; by != nil {
		f.add("requester", by.Username)
	}
	return f
}

// everywhere adds what others wrote about it: approvers, rules, policy.
func everywhere(action *v1alpha1.AgentAction) *findings {
	f := asked(action)
	for _, key := range slices.Sorted(maps.Keys(action.Labels)) {
		f.add("label "+terminal.Mark(key), key+"="+action.Labels[key])
	}
	status := &action.Status
	f.add("message", status.Message)
	if status.Risk != nil {
		for i := range status.Risk.Factors {
			factor := &status.Risk.Factors[i]
			f.add("risk factor "+terminal.Mark(factor.Name), strings.Join([]string{factor.Name, factor.Value, factor.Note}, "\n"))
		}
	}
	for i := range status.MatchedRules {
		rule := &status.MatchedRules[i]
		f.add("rule "+terminal.Mark(string(rule.Name)), strings.Join([]string{string(rule.Name), rule.DisplayName, rule.Note}, "\n"))
	}
	for i := range action.Spec.Approvals {
		given := &action.Spec.Approvals[i]
		f.add("approver", given.Approver)
		f.add("comment of "+terminal.Mark(given.Approver), given.Comment)
	}
	if status.Approval != nil {
		for _, entry := range status.Approval.PendingApprovers {
			f.add("who can approve", entry)
		}
	}
	return f
}

// suspiciousWords says how many there are: "3 suspicious characters".
func suspiciousWords(n int) string { return terminal.Count(n, "suspicious character") }

// lines says what there is, at most so many lines, and how much more there is.
func (f *findings) lines(most int) []string {
	var lines []string
	for _, found := range f.list {
		for _, warning := range found.warnings {
			lines = append(lines, found.path+": "+warning)
		}
	}
	if more := len(lines) - most; most > 0 && more > 0 {
		lines = append(lines[:most], fmt.Sprintf("… %d more warnings", more))
	}
	return lines
}

// decodeJSON reads a JSON value with its numbers as they are written; nothing is nil.
func decodeJSON(raw *runtime.RawExtension) (any, error) {
	if raw == nil || len(raw.Raw) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw.Raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errors.New("there is more behind it")
	}
	return value, nil
}
