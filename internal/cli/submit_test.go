// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// ask begins a command line that asks to write customers.
func ask(more ...string) []string {
	return append([]string{"ascend", "submit", "--agent-id", "tutorial-agent", "--type", "database_write", "--param", "table=customers"}, more...)
}

func TestSubmit(t *testing.T) {
	const manifest = `apiVersion: governance.ascendowkai.com/v1alpha1
kind: AgentAction
metadata: {name: act-mine, namespace: payments}
spec:
  agentRef: {name: tutorial-agent}
  actionType: database_read
  parameters: {table: orders, rows: 1234567890123}
`
	for name, tc := range map[string]struct {
		argv     []string
		typed    string
		operator func(*v1alpha1.AgentAction)
		later    []func(*v1alpha1.AgentAction)
		desk     desk
	}{
		"approved":         {argv: ask(), operator: asApproved},
		"pending":          {argv: ask(), operator: asPending},
		"pending-80":       {argv: ask(), operator: asPending, desk: desk{width: 80}},
		"pending-120":      {argv: ask("-n", "default"), operator: asPending, desk: desk{width: 120}},
		"denied":           {argv: ask(), operator: asDenied},
		"denied-80":        {argv: ask(), operator: asDenied, desk: desk{width: 80}},
		"not-waited":       {argv: ask("--wait=0"), operator: asApproved},
		"waited":           {argv: ask("--wait"), operator: asPending, later: []func(*v1alpha1.AgentAction){asApproved}},
		"waited-live-80":   {argv: ask("--wait"), operator: asPending, later: []func(*v1alpha1.AgentAction){asApproved}, desk: desk{width: 80, live: true}},
		"waited-live-120":  {argv: ask("--wait"), operator: asPending, later: []func(*v1alpha1.AgentAction){asDenied}, desk: desk{width: 120, live: true}},
		"waited-in-vain":   {argv: ask("--wait=50ms"), operator: asPending},
		"timed-out":        {argv: ask("--wait"), operator: asTimedOut},
		"cancelled":        {argv: ask("--wait"), operator: asCancelled},
		"dry-run":          {argv: ask("--dry-run")},
		"dry-run-client":   {argv: ask("--dry-run=client", "-o", "yaml", "--param", "rows:=150", "--context-param", "ticket=T-1", "--ttl", "1h", "--resource", "customers", "--description", "Fix it", "--exception-from", "no-bulk", "--justification", "one row")},
		"name":             {argv: ask("-o", "name"), operator: asApproved},
		"jsonpath":         {argv: ask("-o", "jsonpath={.status.risk.score}{\"\\n\"}", "--name", "act-mine"), operator: asApproved},
		"file":             {argv: []string{"ascend", "submit", "-f", "-", "-o", "yaml"}, typed: manifest, operator: asApproved},
		"spec-alone":       {argv: []string{"ascend", "submit", "-f", "-"}, typed: `{"agentRef":{"name":"a"},"actionType":"x"}`, operator: asApproved},
		"params-of-stdin":  {argv: []string{"ascend", "submit", "--agent-id", "a", "--type", "x", "--params", "-", "--param", "table=users", "--dry-run=client", "-o", "yaml"}, typed: "table: customers\nrows: 3\n"},
		"two-documents":    {argv: []string{"ascend", "submit", "-f", "-"}, typed: manifest + "---\n" + manifest},
		"other-kind":       {argv: []string{"ascend", "submit", "-f", "-"}, typed: "apiVersion: v1\nkind: ConfigMap\n"},
		"unknown-field":    {argv: []string{"ascend", "submit", "-f", "-"}, typed: strings.Replace(manifest, "actionType", "actiontype", 1)},
		"twice-in-file":    {argv: []string{"ascend", "submit", "-f", "-"}, typed: "actionType: a\nactionType: b\n"},
		"empty-file":       {argv: []string{"ascend", "submit", "-f", "-"}},
		"no-file":          {argv: []string{"ascend", "submit", "-f", "no/such/file.yaml"}},
		"file-and-flags":   {argv: ask("-f", "-")},
		"other-namespace":  {argv: []string{"ascend", "submit", "-f", "-", "-n", "default"}, typed: manifest},
		"no-agent":         {argv: []string{"ascend", "submit", "--type", "x"}},
		"no-type":          {argv: []string{"ascend", "submit", "--agent-id", "a"}},
		"bad-param":        {argv: ask("--param", "rows")},
		"bad-json":         {argv: ask("--param", "rows:=many")},
		"param-twice":      {argv: ask("--param", "table=orders")},
		"params-no-object": {argv: ask("--params", "-"), typed: "[1, 2]"},
		"half-exception":   {argv: ask("--exception-from", "no-bulk")},
		"wait-with-space":  {argv: ask("--wait", "5m")},
		"bad-wait":         {argv: ask("--wait=soon")},
		"name-taken":       {argv: ask("--name", "act-taken")},
		"unknown-answer":   {argv: ask(), operator: func(a *v1alpha1.AgentAction) { a.Status.Decision = "Maybe\x1b" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(session.EnvAgentID, "")
			w := &workshop{operator: tc.operator, later: tc.later, objects: []client.Object{newAction("act-taken", "x", 0)}}
			tc.desk.typed = tc.typed
			checkGolden(t, tc.desk.build(t.Context(), t, w, tc.argv...).transcript(tc.argv))
		})
	}
}

// ASCEND_AGENT_ID stands for --agent-id, and what -f says goes before it.
func TestSubmitAgentOfEnvironment(t *testing.T) {
	t.Setenv(session.EnvAgentID, "from-environment")
	for _, tc := range []struct{ file, want string }{
		{"actionType: x\n", "from-environment"},
		{"actionType: x\nagentRef: {name: from-file}\n", "from-file"},
	} {
		path := filepath.Join(t.TempDir(), "action.yaml")
		if err := os.WriteFile(path, []byte(tc.file), 0o600); err != nil {
			t.Fatal(err)
		}
		r := desk{}.build(t.Context(), t, &workshop{operator: asApproved}, "ascend", "submit", "-f", path, "-o", "jsonpath={.spec.agentRef.name}")
		if r.out != tc.want || r.code != session.ExitOK {
			t.Errorf("submitted for %+v, want %s", r, tc.want)
		}
	}
}

// What admission refuses is told in its words.
func TestSubmitRefused(t *testing.T) {
	w := &workshop{refuse: func(verb, kind string) error {
		if verb == "create" {
			return denied("alice is not a subject of Agent tutorial-agent\nAsk its owner to add you")
		}
		return nil
	}}
	argv := ask()
	checkGolden(t, desk{}.build(t.Context(), t, w, argv...).transcript(argv))
}

func TestWait(t *testing.T) {
	ended := func(a *v1alpha1.AgentAction) {
		asApproved(a)
		a.Status.ValidUntil, a.Status.Reason = micro(testNow), v1alpha1.ReasonAgentSuspended
	}
	argv := func(more ...string) []string { return append([]string{"ascend", "wait", "act-ghi789"}, more...) }
	for name, tc := range map[string]struct {
		argv   []string
		later  []func(*v1alpha1.AgentAction)
		refuse func(verb, kind string) error
		desk   desk
		// reported: the outcome of act-ghi789 is, which uses its approval.
		reported bool
	}{
		"approved":         {argv: argv(), later: []func(*v1alpha1.AgentAction){asApproved}},
		"denied":           {argv: argv(), later: []func(*v1alpha1.AgentAction){asDenied}},
		"timed-out":        {argv: argv(), later: []func(*v1alpha1.AgentAction){asTimedOut}},
		"cancelled":        {argv: argv(), later: []func(*v1alpha1.AgentAction){asCancelled}},
		"in-vain":          {argv: argv("--timeout", "50ms")},
		"in-vain-live-80":  {argv: argv("--timeout", "50ms"), desk: desk{width: 80, live: true}},
		"in-vain-live-120": {argv: argv("--timeout", "50ms"), desk: desk{width: 120, live: true}},
		"json":             {argv: argv("-o", "jsonpath={.status.decision}"), later: []func(*v1alpha1.AgentAction){asApproved}},
		"used":             {argv: argv(), later: []func(*v1alpha1.AgentAction){asApproved}, reported: true},
		"withdrawn":        {argv: argv(), later: []func(*v1alpha1.AgentAction){ended}},
		"deleted":          {argv: argv(), later: []func(*v1alpha1.AgentAction){asDeleted}},
		"polled":           {argv: argv(), later: []func(*v1alpha1.AgentAction){asApproved}, refuse: refuses("watch AgentActionList")},
		"polled-no-list":   {argv: argv("--timeout", "50ms"), refuse: refuses("list AgentActionList")},
		"forbidden":        {argv: argv(), refuse: refuses("list AgentActionList", "get AgentAction")},
		"missing":          {argv: []string{"ascend", "wait", "act-nope"}},
		"elsewhere":        {argv: []string{"ascend", "wait", "act-elsewhere"}},
		"elsewhere-hidden": {argv: []string{"ascend", "wait", "act-elsewhere"}, refuse: refuses("list PartialObjectMetadataList")},
		"negative":         {argv: argv("--timeout", "-1s")},
	} {
		t.Run(name, func(t *testing.T) {
			w := &workshop{objects: everyWord(), later: tc.later, refuse: tc.refuse}
			for _, object := range w.objects {
				if action, is := object.(*v1alpha1.AgentAction); is && tc.reported && action.Name == "act-ghi789" {
					action.Spec.Outcome = &v1alpha1.Outcome{Result: v1alpha1.OutcomeFailed}
				}
			}
			checkGolden(t, tc.desk.build(t.Context(), t, w, tc.argv...).transcript(tc.argv))
		})
	}
}

// Ctrl-C ends the waiting, not the action.
func TestWaitInterrupted(t *testing.T) {
	ctx, stop := contextThatEnds(t)
	defer stop()
	argv := []string{"ascend", "wait", "act-ghi789"}
	r := desk{}.build(ctx, t, &workshop{objects: tutorial()}, argv...)
	checkGolden(t, r.transcript(argv))
}

func TestActionsGet(t *testing.T) {
	get := func(more ...string) []string { return append([]string{"ascend", "actions", "get"}, more...) }
	for name, tc := range map[string]struct {
		argv []string
		desk desk
	}{
		"one":       {argv: get("act-ghi789")},
		"wide":      {argv: get("act-ghi789", "-o", "wide")},
		"wide-80":   {argv: get("act-ghi789", "-o", "wide"), desk: desk{width: 80}},
		"wide-120":  {argv: get("act-ghi789", "-o", "wide"), desk: desk{width: 120}},
		"colours":   {argv: get("act-ghi789", "act-abc123", "--color", "always")},
		"yaml":      {argv: get("act-abc123", "-o", "yaml")},
		"jsonpath":  {argv: get("act-abc123", "-o", "jsonpath={.status.risk.score}")},
		"several":   {argv: get("act-ghi789", "agentaction/act-abc123", "act-nope")},
		"template":  {argv: get("act-ghi789", "act-abc123", "-o", "go-template={{range .items}}{{.metadata.name}} {{end}}")},
		"missing":   {argv: get("act-nope")},
		"elsewhere": {argv: get("act-elsewhere")},
		"bad-path":  {argv: get("act-abc123", "-o", "jsonpath={.status")},
		"bad-color": {argv: get("act-abc123", "--color", "sometimes")},
		"no-name":   {argv: get()},
	} {
		t.Run(name, func(t *testing.T) {
			checkGolden(t, tc.desk.build(t.Context(), t, &workshop{objects: everyWord()}, tc.argv...).transcript(tc.argv))
		})
	}
}

func TestCancelAndReport(t *testing.T) {
	approved := func() *v1alpha1.AgentAction {
		a := pending()
		asApproved(a)
		return a
	}
	reported := func() *v1alpha1.AgentAction {
		a := approved()
		a.Spec.Outcome = &v1alpha1.Outcome{Result: v1alpha1.OutcomeSucceeded}
		return a
	}
	cancel := func(more ...string) []string {
		return append([]string{"ascend", "actions", "cancel", "act-ghi789"}, more...)
	}
	report := func(more ...string) []string {
		return append([]string{"ascend", "actions", "report", "act-ghi789"}, more...)
	}
	for name, tc := range map[string]struct {
		argv     []string
		action   *v1alpha1.AgentAction
		operator func(*v1alpha1.AgentAction)
		refuse   func(verb, kind string) error
		desk     desk
	}{
		"cancel":           {argv: cancel("--yes"), action: pending(), operator: asCancelled},
		"cancel-asked":     {argv: cancel(), action: pending(), operator: asCancelled, desk: desk{sits: true, typed: "y\n"}},
		"cancel-refused":   {argv: cancel(), action: pending(), desk: desk{sits: true, typed: "n\n"}},
		"cancel-pipe":      {argv: cancel(), action: pending()},
		"cancel-late":      {argv: cancel("-y"), action: approved()},
		"cancel-meanwhile": {argv: cancel("-y"), action: pending(), operator: asDenied},
		"cancel-twice":     {argv: cancel("-y"), action: func() *v1alpha1.AgentAction { a := pending(); a.Spec.Cancelled = true; return a }()},
		"cancel-dry-run":   {argv: cancel("--dry-run"), action: pending()},
		"cancel-stranger": {argv: cancel("-y"), action: pending(), refuse: func(verb, _ string) error {
			return map[string]error{"patch": denied("only the requester can withdraw an action")}[verb]
		}},
		"report":            {argv: report("--succeeded", "--message", "1 row updated"), action: approved()},
		"report-failed":     {argv: report("--failed"), action: approved()},
		"report-both":       {argv: report("--failed", "--succeeded"), action: approved()},
		"report-neither":    {argv: report(), action: approved()},
		"report-unapproved": {argv: report("--failed"), action: pending()},
		"report-twice":      {argv: report("--failed"), action: reported()},
		"report-dry-run":    {argv: report("--failed", "--dry-run=client"), action: approved()},
		"report-long":       {argv: report("--failed", "--message", strings.Repeat("x", 4097)), action: approved()},
	} {
		t.Run(name, func(t *testing.T) {
			w := &workshop{objects: []client.Object{tc.action}, operator: tc.operator, refuse: tc.refuse}
			r := tc.desk.build(t.Context(), t, w, tc.argv...)
			if name == "report-long" {
				tc.argv = tc.argv[:len(tc.argv)-1]
			}
			checkGolden(t, r.transcript(tc.argv))
		})
	}
}

// What is reported is the outcome with the time at which it was.
func TestReportIsStored(t *testing.T) {
	action := pending()
	asApproved(action)
	w := &workshop{objects: []client.Object{action}}
	desk{}.build(t.Context(), t, w, "ascend", "actions", "report", "act-ghi789", "--failed", "--message", "no route")
	stored := &v1alpha1.AgentAction{}
	if err := w.store.Get(t.Context(), client.ObjectKeyFromObject(action), stored); err != nil {
		t.Fatal(err)
	}
	got := stored.Spec.Outcome
	if got == nil || got.Result != v1alpha1.OutcomeFailed || got.Message != "no route" || got.CompletedAt == nil || !got.CompletedAt.Equal(micro(testNow)) {
		t.Errorf("stored %+v", got)
	}
}

// Every command of developers has a help.
func TestDeveloperHelp(t *testing.T) {
	for _, argv := range [][]string{
		{"ascend", "submit"}, {"ascend", "wait"}, {"ascend", "actions", "list"}, {"ascend", "actions", "get"}, {"ascend", "actions", "cancel"}, {"ascend", "actions", "report"},
		{"ascend", "agents"}, {"ascend", "agents", "register"}, {"ascend", "agents", "list"}, {"ascend", "agents", "suspend"}, {"ascend", "agents", "resume"}, {"kubectl-ascend", "agents", "token"},
	} {
		t.Run(strings.Join(argv[1:], "-"), func(t *testing.T) {
			argv = append(argv, "--help")
			r := desk{}.build(t.Context(), t, &workshop{}, argv...)
			// The flags of the connection are cli-runtime's and change with it.
			r.out, _, _ = strings.Cut(r.out, "Global Flags:")
			checkGolden(t, r.transcript(argv))
		})
	}
}
