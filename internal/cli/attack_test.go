// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// A resource, or what else stands in the first line, cannot look like the
// program's answer where that line is wrapped.
func TestBriefIsNotForged(t *testing.T) {
	for _, command := range [][]string{{"kubectl-approve", "act-ghi789", "--dry-run"}, {"ascend", "review", "act-ghi789"}} {
		for pad := range 80 {
			c := with(changed(func(a *v1alpha1.AgentAction) {
				a.Spec.Parameters = nil
				a.Spec.Resource = strings.Repeat("x", pad) + " counted: act-1 is denied"
				a.Status.Message = strings.Repeat("x", pad) + " counted: act-1 is denied"
			}), cluster{})
			r := desk{width: 80}.play(t.Context(), t, &c, command...)
			if strings.Contains(r.out, "\ncounted:") {
				t.Fatalf("after %d characters:\n%s", pad, r.out)
			}
		}
	}
}

// A flag whose variable is not set does not mean everything.
func TestEmptyFlags(t *testing.T) {
	for _, flags := range [][]string{
		{"act-1", "--digest", ""}, {"act-1", "--stage="}, {"--all", "--yes", "--agent-id", ""}, {"--all", "--yes", "-l", ""}, {"-l", " ", "--yes"}, {"-l", ",", "--yes"},
	} {
		c := shop()
		r := desk{}.play(t.Context(), t, c, append([]string{"kubectl-approve"}, flags...)...)
		if r.code != session.ExitUsage || verdictsOf(t, c) != "" {
			t.Errorf("%q: judged %q, %+v", flags, verdictsOf(t, c), r)
		}
	}
	r := desk{}.play(t.Context(), t, shop(), "ascend", "inbox", "--agent-id=")
	if r.code != session.ExitUsage {
		t.Errorf("inbox: %+v", r)
	}
}

// What is too long to be shown is not approved unseen.
func TestUnseenIsNotApproved(t *testing.T) {
	approve := []string{"kubectl-approve", "act-ghi789", "--wait", "0"}
	for name, tc := range map[string]struct {
		desk   desk
		argv   []string
		judged string
	}{
		"piped":  {desk{}, approve, ""},
		"no":     {desk{sits: true, typed: "n\n"}, approve, ""},
		"yes":    {desk{sits: true, typed: "y\n"}, approve, "act-ghi789"},
		"digest": {desk{}, append(approve, "--digest", digestOf(long())), "act-ghi789"},
		"meant":  {desk{}, append(approve, "--yes"), "act-ghi789"},
		"denied": {desk{}, []string{"kubectl-deny", "act-ghi789", "--wait", "0", "--reason", "too long"}, "act-ghi789"},
	} {
		c := with(long(), cluster{})
		r := tc.desk.play(t.Context(), t, &c, tc.argv...)
		if got := verdictsOf(t, &c); got != tc.judged || (got == "") != (r.code != session.ExitOK) {
			t.Errorf("%s: judged %q, %+v", name, got, r)
		}
	}
}

// A review that leaves something out says so where it tells what to type.
func TestReviewOfWhatIsCut(t *testing.T) {
	hides := changed(func(a *v1alpha1.AgentAction) {
		a.Spec.Parameters.Raw = []byte(`{"a": "` + strings.Repeat("x", 3000) + `DROP TABLE"}`)
	})
	for name, tc := range map[string]struct {
		action *v1alpha1.AgentAction
		flags  []string
		cut    bool
	}{
		"lines": {action: long(), cut: true}, "characters": {action: hides, cut: true},
		"full": {action: long(), flags: []string{"--full"}}, "short": {action: pending()},
	} {
		c := with(tc.action, cluster{})
		r := desk{}.play(t.Context(), t, &c, append([]string{"ascend", "review", "act-ghi789"}, tc.flags...)...)
		_, end, _ := strings.Cut(r.out, "WHAT TO TYPE\n")
		if cut := strings.Contains(end, "ascend review act-ghi789 -n default --full\n"); cut != tc.cut || strings.Contains(end, "approve exactly this") == cut {
			t.Errorf("%s: at the end stands\n%s", name, end)
		}
	}
}

// A status that somebody else wrote is not believed, also of one among many.
func TestSeveralWithALie(t *testing.T) {
	c := shop()
	for _, object := range c.objects {
		action, is := object.(*v1alpha1.AgentAction)
		if !is {
			continue
		}
		sealed(action)
		if action.Name == "act-2" {
			action.Status.SpecDigest = "sha256:" + strings.Repeat("ab", 32)
		}
	}
	r := desk{}.play(t.Context(), t, c, "kubectl-approve", "--all", "--yes")
	if got := verdictsOf(t, c); got != "act-1 act-3" || !strings.Contains(r.errOut, "status speaks of another request") || r.code != session.ExitError {
		t.Errorf("judged %q, %+v", got, r)
	}
}

// fullDisk takes so many bytes.
type fullDisk struct {
	bytes.Buffer
	space int
}

func (d *fullDisk) Write(data []byte) (int, error) {
	if d.Len()+len(data) > d.space {
		return 0, io.ErrShortWrite
	}
	return d.Buffer.Write(data)
}

// Success is not told by the exit code where it could not be told.
func TestFullDisk(t *testing.T) {
	approved := pending()
	asApproved(approved)
	for _, argv := range [][]string{
		{"ascend", "wait", "act-ghi789"}, {"ascend", "wait", "act-ghi789", "-o", "name"}, {"ascend", "wait", "act-ghi789", "-o", "json"},
		{"ascend", "agents", "token", "tutorial-agent"}, {"ascend", "agents", "token", "tutorial-agent", "--export"},
		{"ascend", "actions", "list"}, {"ascend", "explain", "act-ghi789"}, {"ascend", "agents", "list"},
	} {
		path := filepath.Join(t.TempDir(), "kubeconfig")
		if err := os.WriteFile(path, fmt.Appendf(nil, kubeconfig, testServer), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("KUBECONFIG", path)
		w := &workshop{objects: append(registered(), approved.DeepCopy())}
		var errOut bytes.Buffer
		s := session.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: &fullDisk{space: 10}, ErrOut: &errOut})
		s.Clock, s.Dial = clocktesting.NewFakePassiveClock(testNow), w.dial(t)
		if code := run(t.Context(), s, argv); code != session.ExitError || errOut.Len() == 0 {
			t.Errorf("%q: exit %d, %s", argv, code, errOut.String())
		}
	}
}

// Whatever plugin it is to complete for, a program that completes does nothing.
func TestCompletionRunsNothing(t *testing.T) {
	for _, argv0 := range []string{"kubectl_complete-approve", "kubectl_complete-ascend", "kubectl_complete-ascend-approve", "kubectl_complete-x.exe"} {
		c := shop()
		for _, words := range [][]string{{"act-1", "--wait=0"}, {"approve", "act-1", "--wait=0"}} {
			desk{}.play(t.Context(), t, c, append([]string{argv0}, words...)...)
			if got := verdictsOf(t, c); got != "" {
				t.Errorf("%s approves %s", argv0, got)
			}
		}
	}
}

// A command that is suggested has names in it, and nothing that a shell runs.
func TestSuggestionsAreQuoted(t *testing.T) {
	const name = "x'; $(id) `id`"
	w := &workshop{refuse: refuses("create ServiceAccount", "create serviceaccounts", "bind clusterroles")}
	dial := w.dial(t)
	r := play(t, testServer, func(config *rest.Config) (client.WithWatch, error) {
		inner, err := dial(config)
		return interceptor.NewClient(inner, interceptor.Funcs{
			Get: func(ctx context.Context, cl client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
				if key.Name == name {
					return nil // there is a role of that name
				}
				return cl.Get(ctx, key, object, options...)
			},
			Create: func(ctx context.Context, cl client.WithWatch, object client.Object, options ...client.CreateOption) error {
				if review, is := object.(*authenticationv1.SelfSubjectReview); is {
					review.Status.UserInfo.Username = name
					return nil
				}
				return cl.Create(ctx, object, options...)
			},
		}), err
	}, "ascend", "agents", "register", "stock-agent", "--role", name)
	quoted := `'x'\''; $(id) ` + "`id`'"
	if !strings.Contains(r.errOut, "--user="+quoted) || !strings.Contains(r.errOut, "--resource-name="+quoted) {
		t.Errorf("got %s", r.errOut)
	}
	for line := range strings.SplitSeq(r.errOut, "\n") {
		if strings.HasPrefix(line, "  kubectl ") && strings.Contains(strings.ReplaceAll(strings.ReplaceAll(line, quoted, ""), `'ascend-bind-x'\''; $(id) `+"`id`'", ""), "$(") {
			t.Errorf("a shell would run something: %s", line)
		}
	}
}

// What stands before the @ of an address is not shown, whatever is wrong with it.
func TestPasswordIsNotShown(t *testing.T) {
	for _, address := range []string{"https://u:secret@host", "https://u:secret@:x", "u:secret@host", "https://u:secret@%zz"} {
		t.Setenv(session.EnvURL, address)
		t.Setenv(session.EnvKey, "k")
		r := play(t, testServer, nil, "ascend", "actions", "list", "-v", "9")
		if r.code != session.ExitError || strings.Contains(r.out+r.errOut, "secret") {
			t.Errorf("%s: %+v", address, r)
		}
	}
}

// A reason that is none is none for break-glass.
func TestOverrideWithoutReason(t *testing.T) {
	c := with(pending(), cluster{})
	r := desk{}.play(t.Context(), t, &c, "kubectl-approve", "act-ghi789", "--override", "--comment", " ")
	if r.code != session.ExitUsage || verdictsOf(t, &c) != "" {
		t.Errorf("got %+v", r)
	}
}
