// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The kinds that are read.
const (
	KindSmartRule           = "SmartRule"
	KindApprovalWorkflow    = "ApprovalWorkflow"
	KindRiskModel           = "RiskModel"
	KindAgent               = "Agent"
	KindWebhookSubscription = "WebhookSubscription"
	KindAgentAction         = "AgentAction"
	KindNamespace           = "Namespace"
	// KindRuleTest is of the documents that are returned in Set.Tests.
	KindRuleTest = "RuleTest"
)

// newObject makes an empty object of each of our kinds.
var newObject = map[string]func() client.Object{
	KindSmartRule:           func() client.Object { return &v1alpha1.SmartRule{} },
	KindApprovalWorkflow:    func() client.Object { return &v1alpha1.ApprovalWorkflow{} },
	KindRiskModel:           func() client.Object { return &v1alpha1.RiskModel{} },
	KindAgent:               func() client.Object { return &v1alpha1.Agent{} },
	KindWebhookSubscription: func() client.Object { return &v1alpha1.WebhookSubscription{} },
	KindAgentAction:         func() client.Object { return &v1alpha1.AgentAction{} },
}

// role is what a document is to us.
type role int

const (
	// foreign documents are passed over.
	foreign role = iota
	ours
	namespace
	test
	list
	// mistaken documents seem to be meant for us and cannot be taken.
	mistaken
)

// coreKinds are those of the core API that are read.
var coreKinds = map[string]role{KindNamespace: namespace, "List": list}

// header is what a document says it is.
type header struct {
	apiVersion, kind string
	// path and message say what is wrong, where the role is mistaken.
	path, message string
}

// classify tells what a document is. named says that somebody named its file:
// then it has to be an object at least.
func classify(value map[string]any, named bool) (header, role) {
	h, faulty := readHeader(value)
	if faulty {
		return h, mistaken
	}
	group, _, _ := strings.Cut(h.apiVersion, "/")
	ourGroup := group == v1alpha1.GroupVersion.Group
	switch {
	case h.kind == KindRuleTest && (h.apiVersion == "" || strings.TrimPrefix(group, "test.") == v1alpha1.GroupVersion.Group):
		return h, test
	case h.apiVersion == "" || h.kind == "":
		return h.incomplete(value, named)
	case ourGroup && h.apiVersion != v1alpha1.GroupVersion.String():
		return h.mistake("apiVersion", "there is no %s; write %s", quote(h.apiVersion), v1alpha1.GroupVersion)
	case ourGroup:
		return h.ofOurGroup(value)
	case h.apiVersion == "v1":
		return h, coreKinds[h.kind]
	case newObject[h.kind] != nil && resembles(group):
		return h.mistake("apiVersion", "there is no %s in %s; write %s", h.kind, quote(h.apiVersion), v1alpha1.GroupVersion)
	}
	return h, foreign
}

// readHeader is faulty where apiVersion or kind is no text.
func readHeader(value map[string]any) (h header, faulty bool) {
	for _, field := range []struct {
		name, example string
		into          *string
	}{{"apiVersion", v1alpha1.GroupVersion.String(), &h.apiVersion}, {"kind", KindSmartRule, &h.kind}} {
		given, there := value[field.name]
		text, isText := given.(string)
		if there && !isText {
			h, _ = h.mistake(field.name, "it is %s; it must be text, such as %s", typeName(given), field.example)
			return h, true
		}
		*field.into = text
	}
	return h, false
}

func (h header) mistake(path, format string, args ...any) (header, role) {
	h.path, h.message = path, fmt.Sprintf(format, args...)
	return h, mistaken
}

// incomplete is of a document without apiVersion or kind, which in a folder is
// mostly the configuration of something else.
func (h header) incomplete(value map[string]any, named bool) (header, role) {
	group, _, _ := strings.Cut(h.apiVersion, "/")
	_, hasSpec := value["spec"]
	meant := group == v1alpha1.GroupVersion.Group || newObject[h.kind] != nil || hasSpec && value["metadata"] != nil
	switch {
	case !meant && !named:
		return h, foreign
	case h.apiVersion == "" && newObject[h.kind] != nil:
		return h.mistake("apiVersion", "it is required; write %s", v1alpha1.GroupVersion)
	case h.apiVersion == "":
		return h.mistake("apiVersion", "it is required, and so is kind; policy has %s and one of %s", v1alpha1.GroupVersion, knownKinds())
	}
	return h.mistake("kind", "it is required; write one of %s", knownKinds())
}

func (h header) ofOurGroup(value map[string]any) (header, role) {
	if newObject[h.kind] != nil {
		return h, ours
	}
	if single, isList := strings.CutSuffix(h.kind, "List"); isList && newObject[single] != nil {
		if _, hasItems := value["items"].([]any); hasItems {
			return h, list
		}
	}
	message := fmt.Sprintf("there is no kind %s in %s; write one of %s", quote(h.kind), v1alpha1.GroupVersion, knownKinds())
	if near := closest(h.kind, kindNames()); near != "" {
		message = fmt.Sprintf("there is no kind %s in %s; did you mean %s?", quote(h.kind), v1alpha1.GroupVersion, near)
	}
	return h.mistake("kind", "%s", message)
}

// resembles says whether a group is a misspelling of ours rather than another's.
func resembles(group string) bool {
	return strings.Contains(group, "ascend") || group == v1alpha1.GroupVersion.Version ||
		distance(strings.ToLower(group), v1alpha1.GroupVersion.Group) <= 4
}

func kindNames() []string { return slices.Sorted(maps.Keys(newObject)) }

func knownKinds() string { return strings.Join(kindNames(), ", ") }

func kindOf(name string) schema.GroupVersionKind {
	if name == KindNamespace {
		return schema.GroupVersionKind{Version: "v1", Kind: name}
	}
	return v1alpha1.GroupVersion.WithKind(name)
}
