// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// The words that drawn policy and actions are made of: few, so that they meet.
var (
	typeGlobs     = []v1alpha1.Glob{"database_read", "database_*", "*_read", "file_?ead", "*", "file_copy", "d*e"}
	agentGlobs    = []v1alpha1.Glob{"alice", "bob", "a*", "*", "?ob", "carol"}
	resourceGlobs = []v1alpha1.Glob{"users", "user*", "*", "log/*", "l*", "secrets"}
	places        = []v1alpha1.Environment{"production", "sandbox", "Staging", "dr-site"}
	classes       = []v1alpha1.DataClassification{"pii", "public"}
	scores        = []v1alpha1.Score{"", "", "", "3.0", "5.0", "8.0"}
	conditions    = []string{
		"risk.score > 5", "risk.level == 'Low'", "risk.level in ['High', 'Critical']", "action.actionType.startsWith('file_')",
		"action.parameters.rows > 3", "true", "action.actionType == 'database_read' && risk.score < 2.5", "!(risk.level != 'High')",
	}
	namespaces = []string{"shop", "shop", v1alpha1.GlobalNamespace, v1alpha1.GlobalNamespace, "team"}
)

// some is none or some of the words, each once.
func some[T comparable](t *rapid.T, label string, words []T) []T {
	if rapid.Bool().Draw(t, "any "+label) {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 2, rapid.ID[T]).Draw(t, label)
}

func one[T any](t *rapid.T, label string, words ...T) T {
	return rapid.SampledFrom(words).Draw(t, label)
}

func drawSelected(t *rapid.T) *v1alpha1.AgentMatch {
	switch one(t, "by agent", 0, 0, 0, 1, 2) {
	case 1:
		return &v1alpha1.AgentMatch{Names: some(t, "agents", agentGlobs)}
	case 2:
		return &v1alpha1.AgentMatch{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": one(t, "team", "a", "b")}}}
	default:
		return nil
	}
}

func drawReference(t *rapid.T) *v1alpha1.WorkflowReference {
	return &v1alpha1.WorkflowReference{Name: v1alpha1.ObjectName(one(t, "reference", "w0", "w1", "w2", "none"))}
}

func drawRule(t *rapid.T, name string) *v1alpha1.SmartRule {
	r := &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Namespace: one(t, "scope", namespaces...), Name: name}}
	s := &r.Spec
	s.Mode = one(t, "mode", v1alpha1.RuleEnforce, v1alpha1.RuleEnforce, v1alpha1.RuleEnforce, v1alpha1.RuleAudit, v1alpha1.RuleDisabled)
	s.Effect = one(t, "effect", v1alpha1.EffectDeny, v1alpha1.EffectRequireApproval, v1alpha1.EffectRequireApproval, v1alpha1.EffectAllow, v1alpha1.EffectAllow, v1alpha1.EffectAdjustRisk)
	s.OnError = one(t, "onError", v1alpha1.OnErrorRequireApproval, v1alpha1.OnErrorSkip)
	priority := rapid.Int32Range(0, 2).Draw(t, "priority")
	s.Priority = &priority
	if s.Effect == v1alpha1.EffectAdjustRisk {
		s.RiskAdjustment = one(t, "delta", v1alpha1.Delta("+3.0"), "-2.0", "0.0")
	}
	if s.Effect == v1alpha1.EffectRequireApproval && rapid.Bool().Draw(t, "refers") {
		s.WorkflowRef = drawReference(t)
	}
	if s.Effect == v1alpha1.EffectDeny && one(t, "excepts", 0, 0, 1) == 1 {
		s.ExceptionWorkflowRef = drawReference(t)
	}
	s.Match = v1alpha1.RuleMatch{
		ActionTypes: some(t, "types", typeGlobs), Agents: drawSelected(t), MinRiskScore: one(t, "least", scores...),
	}
	if rapid.Bool().Draw(t, "by little") {
		s.Match = v1alpha1.RuleMatch{ActionTypes: s.Match.ActionTypes}
	}
	if one(t, "narrow", 0, 0, 1) == 1 {
		s.Match.Environments = some(t, "places", places)
		s.Match.DataClassifications = some(t, "classes", classes)
		s.Match.Resources = some(t, "resources", resourceGlobs)
	}
	var written []string
	if one(t, "conditional", 0, 0, 1) == 1 {
		written = some(t, "conditions", conditions)
	}
	for i, expression := range written {
		s.Conditions = append(s.Conditions, v1alpha1.RuleCondition{Name: fmt.Sprint("c", i), Expression: expression})
	}
	if from := one(t, "window", 0, 0, 0, 0, -2, 1); from != 0 {
		s.NotBefore = &metav1.Time{Time: now.Add(time.Duration(from) * time.Hour)}
		s.NotAfter = &metav1.Time{Time: s.NotBefore.Add(3 * time.Hour)}
	}
	return r
}

func drawWorkflow(t *rapid.T, name string) *v1alpha1.ApprovalWorkflow {
	w := &v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: one(t, "scope", namespaces...), Name: name}}
	s := &w.Spec
	s.Priority = rapid.Int32Range(0, 2).Draw(t, "priority")
	s.AllowNamespaceOverride = rapid.Bool().Draw(t, "may be replaced")
	if s.AutoApprove = one(t, "auto", 0, 0, 1) == 1; !s.AutoApprove {
		s.Stages = []v1alpha1.Stage{{Name: "s-" + w.Namespace + "-" + name, Approvers: v1alpha1.ApproverSet{Groups: []v1alpha1.UserName{"guards"}}}}
	}
	if one(t, "selects", 0, 1, 1, 1, 1) == 0 {
		return w
	}
	s.Selector = &v1alpha1.WorkflowSelector{
		RiskLevels:  some(t, "levels", []v1alpha1.RiskLevel{"Low", "Medium", "High", "Critical"}),
		ActionTypes: some(t, "types", typeGlobs), Agents: drawSelected(t),
	}
	if rapid.Bool().Draw(t, "wide") {
		s.Selector.ActionTypes, s.Selector.Agents = nil, nil
	}
	if rapid.Bool().Draw(t, "by place") {
		s.Selector.Environments = some(t, "places", places)
	}
	return w
}

func drawAgent(t *rapid.T, namespace, name string) *v1alpha1.Agent {
	a := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"team": one(t, "team", "a", "b")}}}
	s := &a.Spec
	s.State = one(t, "state", v1alpha1.AgentActive, v1alpha1.AgentActive, v1alpha1.AgentActive, v1alpha1.AgentRetired)
	s.Environment = one(t, "place", append(places, "")...)
	s.AllowedActionTypes = some(t, "allowed types", typeGlobs)
	s.AllowedResources = some(t, "allowed", resourceGlobs)
	s.BlockedResources = some(t, "blocked", resourceGlobs)
	s.MaxRiskScore = one(t, "most", "", "", v1alpha1.Score("6.0"), "4.0")
	if one(t, "has a workflow", 0, 0, 0, 1) == 1 {
		s.WorkflowRef = drawReference(t)
	}
	return a
}

// drawReplaceable draws, now and then, a global workflow that a namespace replaces.
func drawReplaceable(t *rapid.T) []metav1.Object {
	if one(t, "replaceable", 0, 0, 0, 1) == 0 {
		return nil
	}
	global, own := drawWorkflow(t, "global"), drawWorkflow(t, "own")
	global.Namespace, global.Spec.AllowNamespaceOverride, global.Spec.Priority = v1alpha1.GlobalNamespace, true, 3
	own.Namespace, own.Spec.Selector = "shop", &v1alpha1.WorkflowSelector{}
	return []metav1.Object{global, own}
}

// drawTwins draws, now and then, a rule twice.
func drawTwins(t *rapid.T) []metav1.Object {
	if one(t, "twins", 0, 0, 0, 1) == 0 {
		return nil
	}
	first := drawRule(t, "first")
	first.Spec.Conditions, first.Spec.Mode = nil, v1alpha1.RuleEnforce
	second := first.DeepCopy()
	second.Name = "second"
	return []metav1.Object{second, first}
}

func drawPolicy(t *rapid.T) []metav1.Object {
	out := append(drawReplaceable(t), drawTwins(t)...)
	for i := range rapid.SampledFrom([]int{0, 0, 3, 6, 9}).Draw(t, "rules") {
		out = append(out, drawRule(t, fmt.Sprint("r", i)))
	}
	for i := range rapid.SampledFrom([]int{0, 2, 4, 6}).Draw(t, "workflows") {
		out = append(out, drawWorkflow(t, fmt.Sprint("w", i)))
	}
	for _, name := range []string{"alice", "bob"} {
		if rapid.Bool().Draw(t, name) {
			out = append(out, drawAgent(t, one(t, "scope of "+name, namespaces...), name))
		}
	}
	return out
}

// drawAction draws what an agent may ask for, and more.
func drawAction(t *rapid.T, agent *v1alpha1.Agent) *request.Request {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: agent.Namespace, Name: "act", CreationTimestamp: metav1.Time{Time: now}}}
	action.Spec.AgentRef.Name = v1alpha1.ObjectName(agent.Name)
	action.Spec.ActionType = one(t, "type", "database_read", "database_read", "file_read", "file_copy", "database_delete", "odd")
	parameters := map[string]any{}
	for _, claim := range []struct {
		key    string
		values []any
	}{
		{"table", []any{nil, "users", "userspace", "secrets", "log/a"}},
		{"data_classification", []any{nil, "pii", "public", "odd"}},
		{"environment", []any{nil, nil, "sandbox", "production", "odd", 7}},
		{"rows", []any{nil, 1, 9, "many"}},
	} {
		if value := one(t, claim.key, claim.values...); value != nil {
			parameters[claim.key] = value
		}
	}
	raw, err := json.Marshal(parameters)
	if err != nil {
		t.Fatal(err)
	}
	action.Spec.Parameters = &runtime.RawExtension{Raw: raw}
	if rule := one(t, "exception", "", "", "r0", "r1"); rule != "" {
		action.Spec.ExceptionRequest = &v1alpha1.ExceptionRequest{RuleName: v1alpha1.ObjectName(rule), Justification: "please"}
	}
	req, err := request.Read(action, v1alpha1.Requester{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
