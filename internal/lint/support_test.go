// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/lint"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

var now = time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)

var compiler = sync.OnceValues(rules.NewCompiler)

// fataler is a test, or one try of a property.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// object is a policy object by "Kind namespace/name" and its spec in YAML.
func object(tb fataler, title, spec string) metav1.Object {
	tb.Helper()
	kind, key, _ := strings.Cut(title, " ")
	namespace, name, _ := strings.Cut(key, "/")
	var out metav1.Object
	switch kind {
	case "SmartRule":
		out = &v1alpha1.SmartRule{}
	case "ApprovalWorkflow":
		out = &v1alpha1.ApprovalWorkflow{}
	case "Agent":
		out = &v1alpha1.Agent{}
	case "RiskModel":
		out = &v1alpha1.RiskModel{}
	case "WebhookSubscription":
		out = &v1alpha1.WebhookSubscription{}
	default:
		tb.Fatal("no such kind: " + title)
	}
	if err := yaml.UnmarshalStrict([]byte("spec: "+spec), out); err != nil {
		tb.Fatal(title, err)
	}
	out.SetNamespace(namespace)
	out.SetName(name)
	if agent, isAgent := out.(*v1alpha1.Agent); isAgent && agent.Spec.State == "" {
		agent.Spec.State = v1alpha1.AgentActive // as the schema does
	}
	return out
}

// worldOf is the world in which there are these objects and nothing else.
func worldOf(tb fataler, objects []metav1.Object) *lint.World {
	tb.Helper()
	compile, err := compiler()
	if err != nil {
		tb.Fatal(err)
	}
	model, err := risk.Compile(nil)
	if err != nil {
		tb.Fatal(err)
	}
	snapshot := &decision.Snapshot{Model: model, Namespaces: map[string]*decision.Namespace{}}
	for _, o := range objects {
		ns := snapshot.Namespaces[o.GetNamespace()]
		if ns == nil {
			ns = &decision.Namespace{Agents: map[string]*decision.Agent{}}
			snapshot.Namespaces[o.GetNamespace()] = ns
		}
		switch o := o.(type) {
		case *v1alpha1.SmartRule:
			ns.Rules = ns.Rules.With([]*rules.Rule{compiled(tb, compile, o)}, nil)
		case *v1alpha1.ApprovalWorkflow:
			ns.Workflows = ns.Workflows.With([]*approval.Workflow{approval.Compile(o)}, nil)
		case *v1alpha1.Agent:
			ns.Agents[o.Name] = decision.NewAgent(o)
		}
	}
	return &lint.World{Snapshot: snapshot, Now: now, CheckURL: checkURL}
}

// compiledRules are those that were compiled before: a property needs the same
// rules again and again.
var compiledRules sync.Map

func compiled(tb fataler, compile *rules.Compiler, rule *v1alpha1.SmartRule) *rules.Rule {
	tb.Helper()
	digest, err := canonical.Digest(rule)
	if err != nil {
		tb.Fatal(err)
	}
	known, found := compiledRules.Load(digest)
	if !found {
		known, _ = compiledRules.LoadOrStore(digest, compile.Compile(rule))
	}
	out, isRule := known.(*rules.Rule)
	if !isRule {
		tb.Fatal("no rule")
	}
	return out
}

func checkURL(url, namespace string) error {
	if strings.HasPrefix(url, "https://") {
		return nil
	}
	return errors.New("is not for namespace " + namespace)
}

// said are the findings in one line each: "Severity Code kind/name path: message".
func said(found []lint.Found) []string {
	var out []string
	for _, f := range found {
		of := "namespace " + f.Namespace
		if f.Object != nil {
			of = f.Namespace + "/" + f.Object.GetName()
		}
		out = append(out, strings.Join([]string{string(f.Severity), string(f.Code), of, f.Finding.String()}, " "))
	}
	return out
}

// documents reads all policy in a file of YAML; other kinds are left out.
func documents(tb fataler, text []byte) []metav1.Object {
	tb.Helper()
	var out []metav1.Object
	for documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			tb.Fatal(err)
		}
		var head struct {
			Kind     string            `json:"kind"`
			Metadata metav1.ObjectMeta `json:"metadata"`
			Spec     any               `json:"spec"`
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			tb.Fatal(err)
		}
		if !slices.Contains([]string{"SmartRule", "ApprovalWorkflow", "Agent", "RiskModel", "WebhookSubscription"}, head.Kind) {
			continue
		}
		spec, err := yaml.Marshal(head.Spec)
		if err != nil {
			tb.Fatal(err)
		}
		asJSON, err := yaml.YAMLToJSON(spec)
		if err != nil {
			tb.Fatal(err)
		}
		if head.Metadata.Namespace == "" && head.Kind != "RiskModel" {
			head.Metadata.Namespace = v1alpha1.GlobalNamespace
		}
		o := object(tb, head.Kind+" "+head.Metadata.Namespace+"/"+head.Metadata.Name, string(asJSON))
		o.SetLabels(head.Metadata.Labels)
		out = append(out, o)
	}
}
