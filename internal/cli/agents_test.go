// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// registered is what registering tutorial-agent makes.
func registered() []client.Object {
	meta := metav1.ObjectMeta{Namespace: "default", Name: "tutorial-agent"}
	return []client.Object{
		tutorialAgent(func(spec *v1alpha1.AgentSpec) {
			spec.Environment, spec.AllowedActionTypes, spec.MaxRiskScore = "sandbox", []v1alpha1.Glob{"database_*"}, "8.0"
		}),
		&corev1.ServiceAccount{ObjectMeta: meta},
		&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "ascend-agent-submitter"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "tutorial-agent", Namespace: "default"}}},
	}
}

func TestAgentsRegister(t *testing.T) {
	register := func(more ...string) []string {
		return append([]string{"ascend", "agents", "register", "tutorial-agent"}, more...)
	}
	otherBinding := registered()[1:]
	if binding, is := otherBinding[1].(*rbacv1.RoleBinding); is {
		binding.RoleRef.Name = "view"
	}
	stranger := tutorialAgent(func(spec *v1alpha1.AgentSpec) { spec.Subjects[0].Name = "somebody" })
	noNamespace := func(verb, _ string) error {
		return map[string]error{"create": apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop")}[verb]
	}
	for name, tc := range map[string]struct {
		argv    []string
		objects []client.Object
		refuse  func(verb, kind string) error
	}{
		"new": {argv: register("--environment", "sandbox", "--owner", "data-team@example.com", "--allow-type", "database_*", "--block-resource", "secrets/*",
			"--max-risk", "8.0", "--rate", "10/minute", "--rate", "100/hour", "--display-name", "Tutorial Agent", "--type", "Supervised", "--workflow", "strict", "-n", "shop")},
		"again":          {argv: register("--max-risk", "8.0"), objects: registered()},
		"changed":        {argv: register("--max-risk", "7.0"), objects: registered()},
		"half":           {argv: register(), objects: registered()[1:2]},
		"dry-run":        {argv: register("--dry-run")},
		"dry-run-again":  {argv: register("--dry-run=server"), objects: registered()},
		"dry-run-client": {argv: register("--dry-run=client")},
		"manifests":      {argv: register("--dry-run=client", "-o", "yaml", "--environment", "sandbox", "--allow-resource", "customers*", "--rate", "5/day", "-n", "shop")},
		"names":          {argv: register("-o", "name")},
		"forbidden":      {argv: register(), refuse: refuses("create ServiceAccount", "create serviceaccounts", "create RoleBinding", "create rolebindings", "bind clusterroles")},
		"forbidden-bind": {argv: register(), refuse: refuses("create RoleBinding", "bind clusterroles")},
		"forbidden-admin": {argv: register(), refuse: func(verb, kind string) error {
			return map[string]error{"create": denied("agents of this name are reserved")}[verb]
		}},
		"half-named":    {argv: register("--service-account", "tutorial-agent"), objects: registered()[1:2]},
		"other-account": {argv: register(), objects: []client.Object{stranger}},
		"other-binding": {argv: register("--service-account", "tutorial-agent"), objects: otherBinding},
		"no-role":       {argv: register("--role", "nope")},
		"no-namespace":  {argv: register("-n", "shop"), refuse: noNamespace},
		"bad-rate":      {argv: register("--rate", "10/week")},
		"bad-number":    {argv: register("--rate", "many/day")},
		"bad-dry-run":   {argv: register("--dry-run=maybe")},
		"no-name":       {argv: []string{"ascend", "agents", "register"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &workshop{objects: tc.objects, refuse: tc.refuse}
			checkGolden(t, desk{}.build(t.Context(), t, w, tc.argv...).transcript(tc.argv))
		})
	}
}

// What is written is what was asked for, and no limit is lost by being left out.
func TestAgentsRegisterIsStored(t *testing.T) {
	w := &workshop{objects: registered()}
	if r := (desk{}).build(t.Context(), t, w, "ascend", "agents", "register", "tutorial-agent", "--environment", "production"); r.code != session.ExitOK {
		t.Fatalf("got %+v", r)
	}
	agent := &v1alpha1.Agent{}
	if err := w.store.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "tutorial-agent"}, agent); err != nil {
		t.Fatal(err)
	}
	if s := agent.Spec; s.Environment != "production" || s.MaxRiskScore != "8.0" || len(s.AllowedActionTypes) != 1 || len(s.Subjects) != 1 {
		t.Errorf("stored %+v", s)
	}
}

// Nothing is made where not all can be.
func TestAgentsRegisterIsWhole(t *testing.T) {
	w := &workshop{refuse: refuses("create Agent")}
	if r := (desk{}).build(t.Context(), t, w, "ascend", "agents", "register", "half"); r.code != session.ExitError {
		t.Fatalf("got %+v", r)
	}
	accounts := &corev1.ServiceAccountList{}
	if err := w.store.List(t.Context(), accounts); err != nil || len(accounts.Items) > 0 {
		t.Errorf("made %d accounts, %v", len(accounts.Items), err)
	}
}

func TestAgentsList(t *testing.T) {
	busy := tutorialAgent(func(spec *v1alpha1.AgentSpec) {
		spec.Type, spec.Environment, spec.DisplayName, spec.MaxRiskScore = "Autonomous", "sandbox", "Tutorial Agent", "8.0"
	})
	busy.Status.Actions = v1alpha1.ActionCounts{Approved: 12, Denied: 3, Pending: 1, TimedOut: 1}
	busy.Status.LastActionTime = micro(testNow.Add(-2 * time.Minute))
	stopped := tutorialAgent(func(spec *v1alpha1.AgentSpec) {
		spec.Type, spec.Environment, spec.State, spec.Owner = "MCPServer", "production", v1alpha1.AgentSuspended, "somebody.with.a.very.long.name@subsidiary.example.com"
	})
	stopped.Name, stopped.Labels = "crawler", map[string]string{"team": "web"}
	hidden := tutorialAgent(func(spec *v1alpha1.AgentSpec) { spec.Owner = "m\u202eallory\n" })
	hidden.Namespace, hidden.Name = "payments", "payer"
	list := func(more ...string) []string { return append([]string{"ascend", "agents", "list"}, more...) }
	for name, tc := range map[string]struct {
		argv   []string
		desk   desk
		refuse func(verb, kind string) error
	}{
		"piped":        {argv: list()},
		"80":           {argv: list(), desk: desk{width: 80}},
		"120":          {argv: list(), desk: desk{width: 120}},
		"all":          {argv: list("-A")},
		"wide":         {argv: list("-A", "-o", "wide")},
		"wide-80":      {argv: list("-A", "-o", "wide"), desk: desk{width: 80}},
		"labels":       {argv: list("-l", "team=web", "-o", "name")},
		"jsonpath":     {argv: list("-o", "jsonpath={.items[*].metadata.name}")},
		"empty":        {argv: list("-n", "nowhere")},
		"empty-json":   {argv: list("-n", "nowhere", "-o", "json")},
		"bad-selector": {argv: list("-l", "a=b=c")},
		"forbidden":    {argv: list(), refuse: refuses("list AgentList")},
	} {
		t.Run(name, func(t *testing.T) {
			w := &workshop{objects: []client.Object{busy.DeepCopy(), stopped.DeepCopy(), hidden.DeepCopy()}, refuse: tc.refuse}
			checkGolden(t, tc.desk.build(t.Context(), t, w, tc.argv...).transcript(tc.argv))
		})
	}
}

func TestAgentsState(t *testing.T) {
	agent := func(state v1alpha1.AgentState, why string) client.Object {
		agent := tutorialAgent(func(spec *v1alpha1.AgentSpec) { spec.State, spec.Environment = state, "sandbox" })
		if why != "" {
			agent.Annotations = map[string]string{"governance.ascendowkai.com/state-reason": why}
		}
		return agent
	}
	suspend := []string{"ascend", "agents", "suspend", "tutorial-agent"}
	resume := []string{"ascend", "agents", "resume", "tutorial-agent"}
	for name, tc := range map[string]struct {
		argv   []string
		agent  client.Object
		desk   desk
		refuse func(verb, kind string) error
	}{
		"suspend":           {argv: append(suspend, "--reason", "behaves oddly"), agent: agent("Active", "")},
		"suspend-several":   {argv: append(suspend, "nobody"), agent: agent("Active", "")},
		"suspend-dry-run":   {argv: append(suspend, "--dry-run"), agent: agent("Active", "")},
		"suspend-elsewhere": {argv: append(suspend, "-n", "shop"), agent: agent("Active", "")},
		"suspend-forbidden": {argv: suspend, agent: agent("Active", ""), refuse: refuses("patch Agent")},
		"resume":            {argv: append(resume, "--yes"), agent: agent("Suspended", "")},
		"resume-asked":      {argv: resume, agent: agent("Suspended", "incident 12\x1b[2K"), desk: desk{sits: true, typed: "yes\n"}},
		"resume-refused":    {argv: resume, agent: agent("Suspended", ""), desk: desk{sits: true, typed: "\n"}},
		"resume-pipe":       {argv: resume, agent: agent("Suspended", "")},
		"resume-active":     {argv: resume, agent: agent("Active", "")},
		"resume-retired":    {argv: resume, agent: agent("Retired", "")},
		"resume-missing":    {argv: []string{"ascend", "agents", "resume", "nobody"}, agent: agent("Active", "")},
	} {
		t.Run(name, func(t *testing.T) {
			w := &workshop{objects: []client.Object{tc.agent}, refuse: tc.refuse}
			r := tc.desk.build(t.Context(), t, w, tc.argv...)
			stored := &v1alpha1.Agent{}
			if err := w.store.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "tutorial-agent"}, stored); err != nil {
				t.Fatal(err)
			}
			after := "--- agent is " + string(stored.Spec.State) + " " + strings.TrimSpace(strings.ReplaceAll(stored.Annotations["governance.ascendowkai.com/state-reason"], "\x1b", "ESC")) + "\n"
			checkGolden(t, r.transcript(tc.argv)+after)
		})
	}
}

func TestAgentsToken(t *testing.T) {
	two := registered()
	if agent, is := two[0].(*v1alpha1.Agent); is {
		agent.Spec.Subjects = append(agent.Spec.Subjects, v1alpha1.Subject{Kind: "ServiceAccount", Name: "second"})
	}
	token := func(more ...string) []string {
		return append([]string{"ascend", "agents", "token", "tutorial-agent"}, more...)
	}
	foreign := func() []client.Object { // whoever may write agents has written this one
		return []client.Object{
			tutorialAgent(func(spec *v1alpha1.AgentSpec) {
				spec.Subjects[0].Namespace, spec.Subjects[0].Name = "kube-system", "admin"
			}),
			&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "admin"}},
		}
	}
	for name, tc := range map[string]struct {
		argv    []string
		objects []client.Object
		refuse  func(verb, kind string) error
	}{
		"plain":           {argv: token(), objects: registered()},
		"export":          {argv: token("--export", "--duration", "8h"), objects: registered()},
		"jsonpath":        {argv: token("-o", "jsonpath={.status.expirationTimestamp}"), objects: registered()},
		"several":         {argv: token(), objects: two},
		"chosen":          {argv: token("--service-account", "tutorial-agent"), objects: two},
		"elsewhere":       {argv: token(), objects: foreign()},
		"elsewhere-meant": {argv: token("--service-account", "kube-system/admin"), objects: foreign()},
		"not-its-own":     {argv: token("--service-account", "default"), objects: registered()},
		"no-account":      {argv: token(), objects: []client.Object{tutorialAgent(func(s *v1alpha1.AgentSpec) { s.Subjects = nil })}},
		"account-missing": {argv: token(), objects: registered()[:1]},
		"forbidden":       {argv: token(), objects: registered(), refuse: refuses("create TokenRequest")},
		"short":           {argv: token("--duration", "1m"), objects: registered()},
		"two-formats":     {argv: token("--export", "-o", "json"), objects: registered()},
		"missing":         {argv: []string{"ascend", "agents", "token", "nobody"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &workshop{objects: tc.objects, refuse: tc.refuse}
			checkGolden(t, desk{}.build(t.Context(), t, w, tc.argv...).transcript(tc.argv))
		})
	}
}

// The authority that a kubeconfig holds is written to a file, for a variable can
// only name one.
func TestAgentsTokenWritesAuthority(t *testing.T) {
	w := &workshop{objects: registered()}
	config := filepath.Join(t.TempDir(), "config")
	text := strings.Replace(strings.Replace(kubeconfig, "%s", testServer, 1), `server:`, `certificate-authority-data: Y2E=, server:`, 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "deep", "ca.crt")
	r := desk{}.build(t.Context(), t, w, "ascend", "agents", "token", "tutorial-agent", "--export", "--ca-file", file, "--kubeconfig", config)
	written, err := os.ReadFile(file)
	if err != nil || string(written) != "ca" {
		t.Errorf("wrote %q, %v", written, err)
	}
	if !strings.Contains(r.out, "export ASCEND_CA_FILE='"+file+"'\n") {
		t.Errorf("printed %s", r.out)
	}
}

func TestAgentsCompletion(t *testing.T) {
	for name, argv := range map[string][]string{
		"suspend":  {"ascend", "__complete", "agents", "suspend", ""},
		"agent-id": {"ascend", "__complete", "submit", "--agent-id", ""},
		"decision": {"ascend", "__complete", "actions", "list", "--decision", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := desk{}.build(t.Context(), t, &workshop{objects: registered()}, argv...)
			r.errOut = "" // cobra says there what it does
			checkGolden(t, r.transcript(argv))
		})
	}
}
