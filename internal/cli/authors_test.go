// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

const (
	goodPolicy    = "testdata/policy/good"
	changedPolicy = "testdata/policy/changed"
	brokenPolicy  = "testdata/policy/broken"
)

// screens are where the output of a command goes: a narrow terminal, a wide one, a pipe.
var screens = map[string]desk{"80": {live: true, width: 80}, "120": {live: true, width: 120}, "piped": {}}

// liveRules are the rules of the cluster, of which one is in the way of another.
func liveRules() *cluster {
	rule := func(namespace, name string, effect v1alpha1.RuleEffect) *v1alpha1.SmartRule {
		priority := int32(50)
		return &v1alpha1.SmartRule{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "uid-" + "rule"},
			Spec: v1alpha1.SmartRuleSpec{
				Mode: v1alpha1.RuleEnforce, Priority: &priority, Effect: effect, OnError: v1alpha1.OnErrorRequireApproval,
				Match: v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"database_*"}}, Reason: "No databases",
			},
		}
	}
	c := &cluster{}
	c.objects = append(tutorial(),
		rule("ascend-system", "no-databases", v1alpha1.EffectDeny), rule("default", "ask-first", v1alpha1.EffectRequireApproval),
		tutorialAgent(func(spec *v1alpha1.AgentSpec) { spec.State = v1alpha1.AgentActive }), high(nil))
	return c
}

func TestRulesValidate(t *testing.T) {
	for name, argv := range map[string][]string{
		"good":     {"ascend", "rules", "validate", goodPolicy},
		"broken":   {"ascend", "rules", "validate", brokenPolicy},
		"quiet":    {"ascend", "rules", "validate", "--quiet", brokenPolicy},
		"github":   {"ascend", "rules", "validate", brokenPolicy, "-o", "github"},
		"json":     {"ascend", "rules", "validate", brokenPolicy + "/rules.yaml", "-o", "json"},
		"live":     {"ascend", "rules", "validate", "--live"},
		"strict":   {"ascend", "rules", "validate", "--live", "--strict"},
		"no-path":  {"ascend", "rules", "validate"},
		"no-file":  {"ascend", "rules", "validate", "testdata/policy/nowhere"},
		"format":   {"ascend", "rules", "validate", goodPolicy, "-o", "xml"},
		"no-stdin": {"ascend", "rules", "validate", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			checkGolden(t, screens["piped"].play(t.Context(), t, liveRules(), argv...).transcript(argv))
		})
	}
}

// What is read from stdin has lines, too.
func TestRulesValidateStdin(t *testing.T) {
	argv := []string{"ascend", "rules", "validate", "-"}
	d := desk{typed: "kind: SmartRule\napiVersion: governance.ascendowkai.com/v1\nmetadata: {name: \"\u202eevil\"}\n"}
	checkGolden(t, d.play(t.Context(), t, &cluster{}, argv...).transcript(argv))
}

func TestRulesTest(t *testing.T) {
	for name, argv := range map[string][]string{
		"passed":    {"ascend", "rules", "test", goodPolicy + "/tests/payments.yaml", "--verbose"},
		"failed":    {"ascend", "rules", "test", goodPolicy + "/tests"},
		"cover":     {"ascend", "rules", "test", goodPolicy + "/tests/payments.yaml", "--cover"},
		"cover-min": {"ascend", "rules", "test", goodPolicy + "/tests/payments.yaml", "--cover-min", "80"},
		"json":      {"ascend", "rules", "test", goodPolicy + "/tests/wrong.yaml", "-o", "json"},
		"junit":     {"ascend", "rules", "test", goodPolicy + "/tests", "-o", "junit"},
		"none":      {"ascend", "rules", "test", changedPolicy},
		"no-path":   {"ascend", "rules", "test"},
		"bad-min":   {"ascend", "rules", "test", goodPolicy, "--cover-min", "101"},
		"no-report": {"ascend", "rules", "test", goodPolicy + "/tests/payments.yaml", "--junit", "testdata/no/such/folder.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			checkGolden(t, screens["piped"].play(t.Context(), t, &cluster{}, argv...).transcript(argv))
		})
	}
}

// Reports are written beside what is printed.
func TestRulesTestReports(t *testing.T) {
	folder := t.TempDir()
	junit, report := filepath.Join(folder, "junit.xml"), filepath.Join(folder, "report.json")
	r := desk{}.play(t.Context(), t, &cluster{}, "ascend", "rules", "test", goodPolicy+"/tests", "--junit", junit, "--json", report)
	if r.code != session.ExitFound {
		t.Fatalf("got %+v", r)
	}
	for path, want := range map[string]string{junit: `<testsuites name="ascend rules test" tests="3" failures="1"`, report: `"failed": 1`} {
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %s: %v\n%s", path, want, err, text)
		}
	}
}

func TestRulesExplain(t *testing.T) {
	for width, d := range screens {
		t.Run(width, func(t *testing.T) {
			argv := []string{"ascend", "rules", "explain", "large-refunds", "--rules", goodPolicy}
			checkGolden(t, d.play(t.Context(), t, &cluster{}, argv...).transcript(argv))
		})
	}
	for name, argv := range map[string][]string{
		"live":      {"ascend", "rules", "explain", "ask-first"},
		"global":    {"ascend", "rules", "explain", "no-databases"},
		"qualified": {"ascend", "rules", "explain", "ascend-system/no-databases"},
		"missing":   {"ascend", "rules", "explain", "ask-frist"},
		"no-name":   {"ascend", "rules", "explain"},
		"complete":  {"ascend", "__complete", "rules", "explain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := desk{}.play(t.Context(), t, liveRules(), argv...)
			if name == "complete" {
				r.errOut = "" // cobra says there what it does
			}
			checkGolden(t, r.transcript(argv))
		})
	}
}

// pastLog is an audit log of past refunds and payouts, decided under goodPolicy.
func pastLog(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log := audit.NewLog(file)
	for i, past := range []struct {
		actionType, parameters string
		decision               v1alpha1.Decision
		reason, message        string
		rules                  []string
	}{
		{"payment_refund", `{"amount":20}`, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "Critical risk is approved", nil},
		{"payment_refund", `{"amount":200}`, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "Critical risk is approved", nil},
		{"payment_refund", `{"amount":900}`, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "Refunds above 500 need somebody of finance",
			[]string{"payments/large-refunds RequireApproval Enforce"}},
		{"payment_payout", `{"amount":5,"country":"FR"}`, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "Payouts stay at home",
			[]string{"payments/no-abroad Deny Enforce"}},
	} {
		name := fmt.Sprintf("act-%d", i+1)
		action := newAction(name, past.actionType, time.Duration(9-i)*time.Hour)
		action.Namespace = "payments"
		action.Spec.AgentRef.Name = "refunds"
		action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(past.parameters)}
		requester := v1alpha1.Requester{Username: "system:serviceaccount:payments:refunds"}
		if err := log.Append(t.Context(), audit.Record{
			Time: action.CreationTimestamp.Time, Event: "action." + v1alpha1.EventType(strings.ToLower(string(past.decision))),
			Namespace: "payments", Name: name, UID: "uid-" + name, Agent: "refunds", Requester: requester.Username,
			ActionType: past.actionType, Decision: past.decision, Reason: past.reason, Message: past.message,
			RiskScore: "10.0", MatchedRules: past.rules,
			Request: audit.NewRequest(action, requester),
		}); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestSimulate(t *testing.T) {
	log := pastLog(t)
	for name, argv := range map[string][]string{
		"same":      {"ascend", "simulate", "--rules", goodPolicy, "--against", goodPolicy, "--audit-log", log},
		"changed":   {"ascend", "simulate", "--rules", changedPolicy, "--against", goodPolicy, "--audit-log", log},
		"recorded":  {"ascend", "simulate", "--rules", changedPolicy, "--from", "audit-log", "--audit-log", log},
		"loosened":  {"ascend", "simulate", "--rules", changedPolicy, "--audit-log", log, "--fail-on", "loosened", "-o", "csv"},
		"never":     {"ascend", "simulate", "--rules", changedPolicy, "--audit-log", log, "--fail-on", "never", "--show", "1"},
		"since":     {"ascend", "simulate", "--rules", changedPolicy, "--audit-log", log, "--since", "7h30m"},
		"nothing":   {"ascend", "simulate", "--rules", changedPolicy, "--audit-log", log, "-n", "elsewhere"},
		"json":      {"ascend", "simulate", "--rules", changedPolicy, "--audit-log", log, "-o", "json"},
		"cluster":   {"ascend", "simulate", "--rules", changedPolicy, "--overlay", "--agent-id", "tutorial-agent"},
		"broken":    {"ascend", "simulate", "--rules", brokenPolicy, "--audit-log", log},
		"no-rules":  {"ascend", "simulate", "--audit-log", log},
		"no-log":    {"ascend", "simulate", "--rules", goodPolicy, "--from", "audit-log"},
		"two-logs":  {"ascend", "simulate", "--rules", goodPolicy, "--from", "cluster", "--audit-log", log},
		"bad-since": {"ascend", "simulate", "--rules", goodPolicy, "--since", "-1h"},
	} {
		t.Run(name, func(t *testing.T) {
			r := desk{}.play(t.Context(), t, liveRules(), argv...)
			text := strings.ReplaceAll(r.transcript(argv), log, "audit.log")
			checkGolden(t, text)
		})
	}
	for width, d := range screens {
		t.Run(width, func(t *testing.T) {
			argv := []string{"ascend", "simulate", "--rules", changedPolicy, "--audit-log", log}
			checkGolden(t, strings.ReplaceAll(d.play(t.Context(), t, &cluster{}, argv...).transcript(argv), log, "audit.log"))
		})
	}
}
