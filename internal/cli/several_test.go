// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// shop is a cluster with three actions that wait for alice, and one for others.
func shop(objects ...client.Object) *cluster {
	of := func(name, table string) *v1alpha1.AgentAction {
		return waiting(name, func(a *v1alpha1.AgentAction) {
			a.Spec.Parameters.Raw = fmt.Appendf(nil, `{"table": %q, "affected_rows": 3}`, table)
			a.Labels = map[string]string{"app": "shop"}
		})
	}
	managers := of("act-managers", "salaries")
	managers.Status.Approval.PendingApprovers = []string{"group:managers"}
	return &cluster{all: true, operator: approves, objects: append([]client.Object{
		of("act-1", "orders"), of("act-2", "customers"), of("act-3", "stock"), managers, high(nil), tutorialAgent(nil)}, objects...)}
}

// verdictsOf are the actions that alice has judged.
func verdictsOf(t *testing.T, c *cluster) string {
	t.Helper()
	list := &v1alpha1.AgentActionList{}
	if err := c.store.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range list.Items {
		if givenBy(&list.Items[i], alice) > 0 {
			names = append(names, list.Items[i].Name)
		}
	}
	return strings.Join(names, " ")
}

func TestSeveral(t *testing.T) {
	suspicious := func() *v1alpha1.AgentAction {
		action := hostile()
		action.Name, action.UID, action.Labels = "act-4", "uid-act-4", map[string]string{"app": "shop"}
		return sealed(action)
	}
	none := func() *cluster { c := shop(); c.objects = c.objects[3:]; return c }
	late := func() *cluster {
		c := shop()
		c.meanwhile = []func(*v1alpha1.AgentAction){denies}
		return c
	}
	for name, tc := range map[string]struct {
		desk    desk
		cluster *cluster
		argv    []string
		judged  string
	}{
		"yes":            {desk{width: 80, sits: true, typed: "y\n"}, shop(), []string{"kubectl-approve", "-l", "app=shop"}, "act-1 act-2 act-3"},
		"no":             {desk{width: 120, sits: true, typed: "n\n"}, shop(), []string{"kubectl-approve", "--all"}, ""},
		"end-of-input":   {desk{sits: true}, shop(), []string{"kubectl-approve", "--all"}, ""},
		"no-terminal":    {desk{typed: "y\n"}, shop(), []string{"kubectl-approve", "--all"}, ""},
		"yes-flag":       {desk{}, shop(), []string{"kubectl-approve", "--agent-id", "tutorial-agent", "--yes", "-A"}, "act-1 act-2 act-3"},
		"one-refused":    {desk{}, late(), []string{"kubectl-approve", "--all", "--yes"}, "act-2 act-3"},
		"deny":           {desk{sits: true, typed: "yes\n"}, shop(), []string{"kubectl-deny", "--all", "--reason", "the agent runs amok", "--wait", "0"}, "act-1 act-2 act-3"},
		"none":           {desk{}, none(), []string{"kubectl-approve", "--all"}, ""},
		"dry-run":        {desk{}, shop(), []string{"kubectl-approve", "--all", "--dry-run"}, ""},
		"dry-run-client": {desk{}, shop(), []string{"kubectl-approve", "--all", "--dry-run=client"}, ""},
		"names":          {desk{}, shop(), []string{"kubectl-approve", "act-1", "act-3", "-o", "name"}, "act-1 act-3"},
		"suspicious-no":  {desk{width: 80, sits: true, typed: "y\nn\n"}, shop(suspicious()), []string{"kubectl-approve", "-l", "app=shop"}, ""},
		"suspicious-yes": {desk{width: 80, sits: true, typed: "y\ny\n"}, shop(suspicious()), []string{"kubectl-approve", "-l", "app=shop"}, "act-1 act-2 act-3 act-4"},
		"suspicious":     {desk{}, shop(suspicious()), []string{"kubectl-approve", "--all", "--yes"}, ""},
		"accepted":       {desk{}, shop(suspicious()), []string{"kubectl-approve", "--all", "--yes", "--accept-suspicious"}, "act-1 act-2 act-3 act-4"},
		"names-and-all":  {desk{}, shop(), []string{"kubectl-approve", "act-1", "--all"}, ""},
		"name-and-A":     {desk{}, shop(), []string{"kubectl-approve", "act-1", "-A"}, ""},
		"bad-selector":   {desk{}, shop(), []string{"kubectl-approve", "-l", "=="}, ""},
		"override-all":   {desk{}, shop(), []string{"kubectl-approve", "--all", "--override", "--comment", "incident"}, ""},
		"bad-dry-run":    {desk{}, shop(), []string{"kubectl-approve", "act-1", "--dry-run=maybe"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := tc.desk.play(t.Context(), t, tc.cluster, tc.argv...)
			checkGolden(t, r.transcript(tc.argv))
			if got := verdictsOf(t, tc.cluster); got != tc.judged {
				t.Errorf("judged %q, want %q", got, tc.judged)
			}
		})
	}
}

// What comes in after the list was shown is not approved.
func TestNothingNewIsApproved(t *testing.T) {
	c := shop()
	c.meanwhile = []func(*v1alpha1.AgentAction){func(*v1alpha1.AgentAction) {
		late := waiting("act-0", nil)
		if err := c.store.Create(t.Context(), late); err != nil {
			t.Error(err)
		}
	}}
	desk{}.play(t.Context(), t, c, "kubectl-approve", "--all", "--yes")
	if got := verdictsOf(t, c); got != "act-1 act-2 act-3" {
		t.Errorf("judged %q, want those that were listed", got)
	}
}

// Nobody reads a list of hundreds.
func TestTooManyAtOnce(t *testing.T) {
	c := &cluster{}
	for i := range 101 {
		c.objects = append(c.objects, waiting(fmt.Sprintf("act-%d", i), nil))
	}
	r := desk{}.play(t.Context(), t, c, "kubectl-approve", "--all", "--yes")
	if r.code != session.ExitError || !strings.Contains(r.errOut, "101 actions are too many") || verdictsOf(t, c) != "" {
		t.Errorf("got %+v", r)
	}
}

// Ctrl-C at the question writes nothing.
func TestInterruptedConfirmation(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	c := shop()
	d := desk{sits: true, asked: stop}
	r := d.play(ctx, t, c, "kubectl-approve", "--all")
	if r.code != session.ExitError || !strings.Contains(r.errOut, "interrupted; nothing was approved") || verdictsOf(t, c) != "" {
		t.Errorf("got %+v", r)
	}
}

func TestSuspicious(t *testing.T) {
	approve := []string{"kubectl-approve", "act-ghi789"}
	digest := digestOf(hostile())
	for name, tc := range map[string]struct {
		desk   desk
		argv   []string
		judged string
	}{
		"refused":      {desk{}, approve, ""},
		"asked-no":     {desk{width: 80, sits: true, typed: "\n"}, approve, ""},
		"asked-yes":    {desk{width: 120, sits: true, typed: "y\n"}, approve, "act-ghi789"},
		"accepted":     {desk{}, append(approve, "--accept-suspicious", "--digest", digest), "act-ghi789"},
		"digest-alone": {desk{}, append(approve, "--digest", digest), ""},
		"denied":       {desk{width: 80}, []string{"kubectl-deny", "act-ghi789", "--reason", "no"}, "act-ghi789"},
		"dry-run":      {desk{}, append(approve, "--dry-run"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := with(hostile(), cluster{})
			argv := slices.Concat(tc.argv, []string{"--wait", "0"})
			r := tc.desk.play(t.Context(), t, &c, argv...)
			checkGolden(t, r.transcript(argv))
			mustFit(t, r.out, 0)
			if got := verdictsOf(t, &c); got != tc.judged {
				t.Errorf("judged %q, want %q", got, tc.judged)
			}
		})
	}
}

// What is long is short before a verdict, and says so.
func TestBriefIsBounded(t *testing.T) {
	c := with(long(), cluster{})
	r := desk{width: 80}.play(t.Context(), t, &c, "kubectl-approve", "act-ghi789", "--wait", "0", "--yes")
	if lines := strings.Count(r.out, "\n"); r.code != session.ExitOK || lines > 40 {
		t.Errorf("exit %d and %d lines, want 0 and at most 40:\n%s", r.code, lines, r.out)
	}
	for _, says := range []string{"more characters)", "ascend review act-ghi789 -n default --full"} {
		if !strings.Contains(r.out, says) {
			t.Errorf("it does not say %q:\n%s", says, r.out)
		}
	}
}

func TestDigest(t *testing.T) {
	digest := digestOf(pending())
	lied := changed(func(a *v1alpha1.AgentAction) { a.Status.SpecDigest = "sha256:" + strings.Repeat("ab", 32) })
	approve := func(digest string) []string { return []string{"kubectl-approve", "act-ghi789", "--digest", digest} }
	for name, tc := range map[string]struct {
		action *v1alpha1.AgentAction
		argv   []string
		judged string
	}{
		"whole":      {pending(), approve(digest), "act-ghi789"},
		"short":      {pending(), approve(digest[len("sha256:"):][:12]), "act-ghi789"},
		"upper-case": {pending(), approve(strings.ToUpper(digest)), "act-ghi789"},
		"other":      {pending(), approve("sha256:" + strings.Repeat("0", 64)), ""},
		"too-short":  {pending(), approve(digest[:len("sha256:")+11]), ""},
		"too-long":   {pending(), approve(digest + "0"), ""},
		"no-hex":     {pending(), approve("sha256:zzzzzzzzzzzz"), ""},
		"lied":       {lied, approve("sha256:" + strings.Repeat("ab", 32)), ""},
		"unnamed":    {lied, []string{"kubectl-approve", "act-ghi789"}, ""},
		"denied":     {lied, []string{"kubectl-deny", "act-ghi789", "--reason", "forged"}, "act-ghi789"},
		"several":    {pending(), append(approve(digest), "act-1"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := with(tc.action, cluster{})
			argv := slices.Concat(tc.argv, []string{"--wait", "0"})
			checkGolden(t, desk{}.play(t.Context(), t, &c, argv...).transcript(argv))
			if got := verdictsOf(t, &c); got != tc.judged {
				t.Errorf("judged %q, want %q", got, tc.judged)
			}
		})
	}
}

// -o prints the object that was written, and nothing else, on stdout.
func TestVerdictOutput(t *testing.T) {
	for name, argv := range map[string][]string{
		"json":       {"kubectl-approve", "act-ghi789", "-o", "json"},
		"jsonpath":   {"kubectl-approve", "act-ghi789", "-o", "jsonpath={.status.decision}"},
		"dry-client": {"kubectl-deny", "act-ghi789", "--reason", "no", "--dry-run=client", "-o", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			c := with(pending(), cluster{operator: approves})
			checkGolden(t, desk{}.play(t.Context(), t, &c, argv...).transcript(argv))
		})
	}
}
