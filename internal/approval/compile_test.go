// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

func TestCompileReportsWhatIsWrongByItsPath(t *testing.T) {
	const alice = "stages: [{name: s, approvers: {users: [alice]}}]\n"
	cases := map[string]struct {
		spec string
		want []string // "path: start of the detail"
	}{
		"neither":                       {`{}`, []string{"spec.stages: give either"}},
		"both":                          {"autoApprove: true\n" + alice, []string{"spec.stages: give either"}},
		"override without stages":       {"autoApprove: true\nemergencyOverride: {approvers: {groups: [g]}}", []string{"spec.emergencyOverride: a workflow that approves by itself"}},
		"six stages":                    {"stages: [" + strings.Repeat("{name: s, approvers: {users: [a]}},", 6) + "]", []string{"spec.stages: must have at most 5 items", "spec.stages[1].name: ", "spec.stages[2].name: ", "spec.stages[3].name: ", "spec.stages[4].name: ", "spec.stages[5].name: "}},
		"no name":                       {`stages: [{approvers: {users: [a]}}]`, []string{"spec.stages[0].name: a stage needs a name"}},
		"the reserved name":             {`stages: [{name: emergency-override, approvers: {users: [a]}}]`, []string{"spec.stages[0].name: is reserved"}},
		"no approvers":                  {`stages: [{name: s, approvers: {users: [""], groups: [""], serviceAccounts: [{name: a}]}}]`, []string{"spec.stages[0].approvers: name at least one"}},
		"required below one":            {`stages: [{name: s, required: -1, approvers: {users: [a]}}]`, []string{"spec.stages[0].required: must be at least 1"}},
		"required above twenty":         {`stages: [{name: s, required: 21, approvers: {groups: [a]}}]`, []string{"spec.stages[0].required: must be at most 20"}},
		"required above the people":     {`stages: [{name: s, required: 2, approvers: {users: [a]}}]`, []string{"spec.stages[0].required: is larger than"}},
		"times that are none":           {"timeout: 0s\napprovalValidity: -1h\nstages: [{name: s, timeout: 0s, approvers: {users: [a]}}]", []string{"spec.timeout: must be longer than 0s", "spec.approvalValidity: must be longer", "spec.stages[0].timeout: must be longer"}},
		"a policy that approves":        {"onTimeout: Approved\n" + alice, []string{"spec.onTimeout: supported values"}},
		"an escalation that never is":   {`stages: [{name: s, approvers: {users: [a]}, escalation: {approvers: {users: [b]}}}]`, []string{"spec.stages[0].escalation.after: give it"}},
		"an escalation that comes late": {`stages: [{name: s, timeout: 1h, approvers: {users: [a]}, escalation: {after: 1h, approvers: {users: [b]}}}]`, []string{"spec.stages[0].escalation.after: must be shorter than the stage's timeout of 1h0m0s"}},
		"an escalation to nobody":       {`stages: [{name: s, approvers: {users: [a]}, escalation: {after: 0s, approvers: {}}}]`, []string{"spec.stages[0].escalation.after: must be longer", "spec.stages[0].escalation.approvers: name at least one"}},
		"an override by too few":        {"emergencyOverride: {approvers: {users: [a]}}\n" + alice, []string{"spec.emergencyOverride.required: is larger than"}},
		"scores that are none":          {"selector: {minRiskScore: high, maxRiskScore: \"11\"}\n" + alice, []string{"spec.selector.minRiskScore: ", "spec.selector.maxRiskScore: "}},
		"scores the wrong way round":    {"selector: {minRiskScore: \"7.0\", maxRiskScore: \"3.0\"}\n" + alice, []string{"spec.selector.minRiskScore: must not be above maxRiskScore, which is 3.0"}},
		"a level that is none":          {"selector: {riskLevels: [Low, Severe]}\n" + alice, []string{"spec.selector.riskLevels[1]: supported values"}},
		"a selector of labels":          {"selector: {agents: {selector: {matchExpressions: [{key: a, operator: Like}]}}}\n" + alice, []string{"spec.selector.agents.selector: "}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := workflow(t, "shop", "w", tc.spec)
			var aggregate kerrors.Aggregate
			if !errors.As(w.Err(), &aggregate) {
				t.Fatalf("error %v", w.Err())
			}
			var got []string
			for _, err := range aggregate.Errors() {
				var at *field.Error
				if !errors.As(err, &at) {
					t.Fatalf("%T", err)
				}
				got = append(got, at.Field+": "+at.Detail)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("got %q, want %q", got, tc.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tc.want[i]) {
					t.Errorf("got %q, want %q", got[i], tc.want[i])
				}
			}
			if w.AutoApprove() {
				t.Error("approves by itself")
			}
			if state := ask(chain(w)).at(minute); state.Result != approval.Waiting {
				t.Errorf("does not ask a human: %+v", state)
			}
		})
	}
}

func TestBrokenWorkflowsStayStrict(t *testing.T) {
	t.Run("what has no readable stage asks who holds the verb", func(t *testing.T) {
		r := ask(chain(workflow(t, "shop", "w", "autoApprove: true\nonTimeout: Approved")))
		if got := r.at(minute); got.Status.PendingApprovers[0] != approval.VerbApprove || r.chain.MissingWorkflows() != nil {
			t.Errorf("%+v", got.Status)
		}
		if got := r.at(25 * time.Hour); got.Result != approval.TimedOut || got.OnTimeout != v1alpha1.OnTimeoutDenied {
			t.Errorf("a policy that is not known: %s %s", got.Result, got.OnTimeout)
		}
	})
	t.Run("a stage that names nobody is passed by nobody", func(t *testing.T) {
		r := ask(chain(workflow(t, "shop", "w", `stages: [{name: s, approvers: {}}]`)))
		got := r.at(minute, r.yes("", "s", 1), as("user:", r.yes("alice", "s", 1)), as(approval.VerbApprove, r.yes("bob", "s", 1)))
		if got.Result != approval.Waiting || got.Status.PendingApprovers != nil {
			t.Errorf("%+v", got.Status)
		}
	})
	t.Run("an escalation that cannot be read never comes", func(t *testing.T) {
		r := ask(chain(workflow(t, "shop", "w", `stages: [{name: s, approvers: {users: [a]}, escalation: {after: 0s, approvers: {users: [b]}}}]`)))
		if got := r.at(time.Hour, r.yes("b", "s", minute)); got.Result != approval.Waiting || got.Status.Escalated {
			t.Errorf("%+v", got.Status)
		}
	})
	t.Run("an override that cannot be read is none", func(t *testing.T) {
		r := ask(chain(workflow(t, "shop", "w", "emergencyOverride: {required: -1, approvers: {users: [a, b, c]}}\n"+onePerson)))
		if got := r.at(time.Minute, r.override("a", 1), r.override("b", 1), r.override("c", 1)); got.Result != approval.Waiting {
			t.Errorf("%+v", got)
		}
	})
	t.Run("one that is global is not replaced by a namespace's", func(t *testing.T) {
		const spec = "allowNamespaceOverride: true\n" + onePerson
		for name, tc := range map[string]struct {
			w    *approval.Workflow
			want bool
		}{
			"sound and global":  {sound(t, v1alpha1.GlobalNamespace, "w", spec), true},
			"sound and local":   {sound(t, "shop", "w", spec), false},
			"broken and global": {workflow(t, v1alpha1.GlobalNamespace, "w", spec+"onTimeout: Approved"), false},
		} {
			if tc.w.AllowNamespaceOverride() != tc.want {
				t.Errorf("%s: %v", name, !tc.want)
			}
		}
	})
}

func TestCompileKeepsWhatItIsGiven(t *testing.T) {
	object := &v1alpha1.ApprovalWorkflow{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: "w"},
		Spec:       v1alpha1.ApprovalWorkflowSpec{AutoApprove: true},
	}
	w := approval.Compile(object)
	revision := w.Revision()
	object.Spec.AutoApprove = false
	if !w.Spec().AutoApprove || !w.AutoApprove() || !w.Global() || w.Missing() || w.Err() != nil ||
		w.Key().String() != "ascend-system/w" || w.Validity() != approval.DefaultValidity {
		t.Errorf("%+v", w)
	}
	if changed := approval.Compile(object).Revision(); changed == revision || !strings.HasPrefix(changed, "sha256:") {
		t.Errorf("revision %q after %q", changed, revision)
	}
	none := approval.Compile(nil)
	if !none.Missing() || none.Key() != (approval.Key{}) || none.Key().String() != "" {
		t.Errorf("%+v", none)
	}
	if approval.Missing(approval.Key{Name: "a"}).Revision() == approval.Missing(approval.Key{Name: "b"}).Revision() {
		t.Error("two missing workflows have one revision")
	}
}

func TestChainOrder(t *testing.T) {
	make1 := func(namespace, name, stage string) *approval.Workflow {
		return sound(t, namespace, name, "stages: [{name: "+stage+", approvers: {users: [alice]}}]")
	}
	a, b := make1("a", "z", "one"), make1("b", "a", "two")
	global := make1(v1alpha1.GlobalNamespace, "z", "three")
	auto := sound(t, "a", "auto", "autoApprove: true")

	for name, given := range map[string][]*approval.Workflow{
		"as they come":    {a, b, global},
		"the other way":   {global, b, a},
		"with repeats":    {b, b, a, global, a},
		"with idle parts": {nil, auto, b, a, global},
	} {
		c := approval.NewChain(given)
		var keys []string
		for _, w := range c.Workflows() {
			keys = append(keys, w.Key().String())
		}
		if diff := cmp.Diff([]string{"ascend-system/z", "a/z", "b/a"}, keys); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if c.Revision() != chain(a, b, global).Revision() {
			t.Errorf("%s: another revision", name)
		}
	}
	if chain(a).Revision() == chain(a, b).Revision() || chain(a).Revision() == chain(make1("a", "y", "one")).Revision() {
		t.Error("different chains have one revision")
	}
	if !chain(auto, nil).Empty() {
		t.Error("a workflow that approves by itself waits")
	}
}

func TestStageIDs(t *testing.T) {
	long := strings.Repeat("w", 253)
	stages := func(names ...string) string {
		var b strings.Builder
		for _, n := range names {
			b.WriteString("- {name: \"" + n + "\", approvers: {users: [alice]}}\n")
		}
		return "stages:\n" + b.String()
	}
	c := chain(
		workflow(t, "a", "w", stages("one", "two", "emergency-override", "")),
		workflow(t, "b", "w", stages("two", "two", "three")),
		workflow(t, strings.Repeat("n", 63), long, stages("one")),
		workflow(t, strings.Repeat("n", 63), long+"x", stages("one")),
	)
	ids := c.Stages()
	if diff := cmp.Diff([]string{"a/w/one", "a/w/two", "a/w/emergency-override", "a/w/", "b/w/two", "b/w/two#2", "three"}, ids[:7]); diff != "" {
		t.Error(diff)
	}
	if ids[7] == ids[8] || !strings.HasPrefix(ids[7], strings.Repeat("n", 63)+"/www") || !strings.HasSuffix(ids[7], "www/one") {
		t.Errorf("long ids %q and %q", ids[7], ids[8])
	}
	for _, id := range ids {
		if len(id)+len("@2026-01-02T12:10:00.000000Z") > 256 {
			t.Errorf("%q leaves no room for a round", id)
		}
	}
}
