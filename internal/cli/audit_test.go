// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

// dayLog is an audit log of trailtest.Day.
const dayLog = "testdata/trail/audit.log"

// The log is that of the Day.
func TestDayLog(t *testing.T) {
	want := trailtest.Lines(trailtest.Day())
	if *update {
		if err := os.MkdirAll(filepath.Dir(dayLog), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dayLog, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(dayLog); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is another log, %v; write it with -update", dayLog, err)
	}
}

// packFolder is where a pack of evidence is made, in a folder of the test.
var packFolder = regexp.MustCompile(`[^\s'"]*/pack\b`)

// packHash is the hash of a pack, in which stand the version of the program and paths.
var packHash = regexp.MustCompile(`manifest.json: [0-9a-f]{64}`)

// withoutPack takes out of a text what is another in each run.
func withoutPack(text string) string {
	return packHash.ReplaceAllString(packFolder.ReplaceAllString(text, "pack"), "manifest.json: HASH")
}

// auditing runs a command without a cluster.
func auditing(t *testing.T, d desk, argv ...string) string {
	t.Helper()
	return withoutPack(d.play(t.Context(), t, &cluster{}, argv...).transcript(argv))
}

func TestAuditTail(t *testing.T) {
	t.Setenv("ASCEND_AUDIT_LOG", "")
	for name, argv := range map[string][]string{
		"last":         {"ascend", "audit", "tail", dayLog},
		"two":          {"ascend", "audit", "tail", "--lines", "2", dayLog},
		"all-colours":  {"ascend", "audit", "tail", "--lines", "0", "--color", "always", dayLog},
		"event":        {"ascend", "audit", "tail", "--event", "policy.*,agent.*", "--event", "*.denied", dayLog},
		"action":       {"ascend", "audit", "tail", "--action", "default/act-drop", "--actor", "*@example.com", dayLog},
		"decision":     {"ascend", "audit", "tail", "--decision", "denied", dayLog},
		"namespace":    {"ascend", "audit", "tail", "-n", "payments", dayLog},
		"agent":        {"ascend", "audit", "tail", "--agent-id", "refunds", "--control", "PCI-DSS:*", dayLog},
		"kind":         {"ascend", "audit", "tail", "--kind", "smartrule", dayLog},
		"period":       {"ascend", "audit", "tail", "--since", "2025-12-19T13:05:00Z", "--until", "50m", "--lines", "0", dayLog},
		"json":         {"ascend", "audit", "tail", "--lines", "1", "-o", "json", dayLog},
		"nothing":      {"ascend", "audit", "tail", "--agent-id", "nobody", dayLog},
		"stdin":        {"ascend", "audit", "tail", "-"},
		"follow-stdin": {"ascend", "audit", "tail", "-f", "-"},
		"no-file":      {"ascend", "audit", "tail"},
		"missing":      {"ascend", "audit", "tail", "testdata/trail/nowhere.log"},
		"bad-lines":    {"ascend", "audit", "tail", "--lines", "-1", dayLog},
		"bad-since":    {"ascend", "audit", "tail", "--since", "yesterday", dayLog},
		"bad-period":   {"ascend", "audit", "tail", "--since", "1h", "--until", "2h", dayLog},
		"bad-decision": {"ascend", "audit", "tail", "--decision", "maybe", dayLog},
		"bad-output":   {"ascend", "audit", "tail", "-o", "yaml", dayLog},
		"empty-event":  {"ascend", "audit", "tail", "--event", "", dayLog},
		"follow-dir":   {"ascend", "audit", "tail", "-f", "testdata/trail"},
		"follow-two":   {"ascend", "audit", "tail", "-f", dayLog, dayLog},
	} {
		t.Run(name, func(t *testing.T) {
			d := desk{typed: string(trailtest.Lines(trailtest.Day()[:3])) + "torn\n"}
			checkGolden(t, auditing(t, d, argv...))
		})
	}
}

// Without an argument it is the file that the environment names.
func TestAuditLogOfTheEnvironment(t *testing.T) {
	t.Setenv("ASCEND_AUDIT_LOG", dayLog)
	if r := (desk{}).play(t.Context(), t, &cluster{}, "ascend", "audit", "tail", "--lines", "1"); r.code != session.ExitOK || !strings.Contains(r.out, "audit.stopped") {
		t.Errorf("%+v", r)
	}
}

// What is written while it runs is shown, also after a rotation, until Ctrl-C.
func TestAuditTailFollows(t *testing.T) {
	day := trailtest.Day()
	path := trailtest.Write(t, "audit.log", day[:4])
	r := &running{out: &stream{}, errOut: &stream{}, code: make(chan int, 1)}
	s := session.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: r.out, ErrOut: r.errOut})
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	ctx, r.interrupt = context.WithCancel(ctx)
	go func() {
		r.code <- run(ctx, s, []string{"ascend", "audit", "tail", "-f", "--lines", "1", "--event", "action.*", path})
	}()
	r.until(t, "action.evaluated")
	add := func(flags int, from, to int) {
		t.Helper()
		file, err := os.OpenFile(path, os.O_WRONLY|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.Write(trailtest.Lines(day[from:to])); err != nil {
			t.Fatal(err)
		}
	}
	add(os.O_APPEND, 4, 6)
	r.until(t, "act-drop")
	if err := os.Rename(path, filepath.Join(filepath.Dir(path), "audit-20251219T130600.000000Z.log")); err != nil {
		t.Fatal(err)
	}
	add(os.O_CREATE, 6, 8)
	r.until(t, "action.pending")
	r.interrupt()
	if code := r.end(t); code != session.ExitOK {
		t.Errorf("exit code %d: %s", code, r.errOut)
	}
	if lines := strings.Split(strings.TrimSpace(r.out.String()), "\n"); len(lines) != 5 || !strings.Contains(lines[0], "action.evaluated") {
		t.Errorf("%d lines:\n%s", len(lines), r.out)
	}
}

func TestAuditShow(t *testing.T) {
	t.Setenv("ASCEND_AUDIT_LOG", "")
	text := string(trailtest.Lines(trailtest.Day()))
	for name, tc := range map[string]struct {
		typed string
		argv  []string
	}{
		"name":      {"", []string{"ascend", "audit", "show", "act-pay", dayLog}},
		"uid":       {"", []string{"ascend", "audit", "show", "uid-act-read", dayLog, "--color", "always"}},
		"resource":  {"", []string{"ascend", "audit", "show", "agentaction.governance.ascendowkai.com/act-read", "-n", "default", dayLog}},
		"json":      {"", []string{"ascend", "audit", "show", "act-back", "-o", "json", dayLog}},
		"changed":   {strings.Replace(text, "3 rows", "0 rows", 1), []string{"ascend", "audit", "show", "act-drop", "-"}},
		"torn":      {text[:len(text)-9], []string{"ascend", "audit", "show", "act-pay", "-"}},
		"path":      {"", []string{"ascend", "audit", "show", "payments/act-pay", dayLog}},
		"two-paths": {"", []string{"ascend", "audit", "show", "payments/act-pay", "-n", "default", dayLog}},
		"elsewhere": {"", []string{"ascend", "audit", "show", "act-pay", "-n", "default", dayLog}},
		"no-name":   {"", []string{"ascend", "audit", "show"}},
		"no-file":   {"", []string{"ascend", "audit", "show", "act-pay"}},
		"format":    {"", []string{"ascend", "audit", "show", "act-pay", dayLog, "-o", "wide"}},
	} {
		t.Run(name, func(t *testing.T) { checkGolden(t, auditing(t, desk{typed: tc.typed}, tc.argv...)) })
	}
}

func TestAuditExport(t *testing.T) {
	t.Setenv("ASCEND_AUDIT_LOG", "")
	for name, argv := range map[string][]string{
		"csv":        {"ascend", "audit", "export", "--format", "csv", "--event", "approval.recorded", dayLog},
		"ocsf":       {"ascend", "audit", "export", "--format", "ocsf", "--event", "policy.updated", dayLog},
		"jsonl":      {"ascend", "audit", "export", "--format", "jsonl", "--event", "audit.started", "-"},
		"no-format":  {"ascend", "audit", "export", dayLog},
		"bad-format": {"ascend", "audit", "export", "--format", "xml", dayLog},
		"no-file":    {"ascend", "audit", "export", "--format", "csv"},
		"no-output":  {"ascend", "audit", "export", "--format", "csv", "--output", "", dayLog},
		"nowhere":    {"ascend", "audit", "export", "--format", "csv", "--output", "testdata/nowhere/x.csv", dayLog},
		"missing":    {"ascend", "audit", "export", "--format", "csv", "testdata/trail/nowhere.log"},
	} {
		t.Run(name, func(t *testing.T) {
			d := desk{typed: string(trailtest.Lines(trailtest.Day()[:3])) + "torn\n"}
			text := regexp.MustCompile(`\.export-\d+`).ReplaceAllString(auditing(t, d, argv...), ".export-NUMBER")
			checkGolden(t, text)
		})
	}
}

// A file takes the place of the one before only when it is complete.
func TestAuditExportToFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "out.jsonl")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	export := func(from string) result {
		t.Helper()
		return desk{}.play(t.Context(), t, &cluster{}, "ascend", "audit", "export", "--format", "jsonl", "-o", path, from)
	}
	if r := export("testdata/trail/nowhere.log"); r.code != session.ExitError {
		t.Errorf("%+v", r)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "before" {
		t.Errorf("it is %q, %v", text, err)
	}
	if r := export(dayLog); r.code != session.ExitOK || r.errOut != "38 records written\n" || r.out != "" {
		t.Errorf("%+v", r)
	}
	if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, trailtest.Lines(trailtest.Day())) {
		t.Errorf("it is another text, %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("%v is left, %v", entries, err)
	}
}

// A file that is read is not written to: of the trail, only what was chosen would be left.
func TestAuditExportOntoTheTrail(t *testing.T) {
	text := trailtest.Lines(trailtest.Day())
	current := trailtest.Write(t, "audit.log", trailtest.Day())
	rotated := filepath.Join(filepath.Dir(current), "audit-20251219T130600.000000Z.log")
	if err := os.WriteFile(rotated, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{current, rotated} {
		for _, from := range []string{current, filepath.Dir(current)} {
			r := desk{}.play(t.Context(), t, &cluster{}, "ascend", "audit", "export", "--format", "jsonl", "--decision", "Denied", "-o", path, from)
			if r.code != session.ExitError || !strings.Contains(r.errOut, "is a file of the trail that is read") {
				t.Errorf("%+v", r)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s is another text, %v", path, err)
			}
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(current)); err != nil || len(entries) != 2 {
		t.Errorf("%v is left, %v", entries, err)
	}
}

// Also one that comes by standard input, and one that was rotated out just now, so that it
// has no line yet.
func TestAuditExportOntoWhatHasNoName(t *testing.T) {
	text := trailtest.Lines(trailtest.Day())
	current := trailtest.Write(t, "audit.log", trailtest.Day())
	empty := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(empty), "audit-20251219T130600.000000Z.log"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(current)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for path, argument := range map[string]string{current: "-", empty: empty} {
		before, _ := os.Stat(path)
		errOut := &bytes.Buffer{}
		s := session.New(genericiooptions.IOStreams{In: in, Out: io.Discard, ErrOut: errOut})
		code := run(t.Context(), s, []string{"ascend", "audit", "export", "--format", "jsonl", "--decision", "Denied", "-o", path, argument})
		if after, err := os.Stat(path); code != session.ExitError || !strings.Contains(errOut.String(), "is a file of the trail that is read") || err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: code %d, %s", argument, code, errOut)
		}
	}
}

func TestAuditEvidence(t *testing.T) {
	t.Setenv("ASCEND_AUDIT_LOG", "")
	full := filepath.Join(t.TempDir(), "pack")
	if err := os.MkdirAll(filepath.Join(full, "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(trailtest.Lines(trailtest.Day())), "3 rows", "0 rows", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, argv := range map[string][]string{
		"soc2":         {"ascend", "audit", "evidence", "--framework", "soc2", "--output", "PACK", dayLog},
		"period":       {"ascend", "audit", "evidence", "--framework", "PCI-DSS", "--since", "2025-12-19T13:17:00Z", "--output", "PACK/", dayLog},
		"changed":      {"ascend", "audit", "evidence", "--framework", "HIPAA", "--output", "PACK", changed},
		"unknown":      {"ascend", "audit", "evidence", "--framework", "ISO-27001", "--output", "PACK", dayLog},
		"full":         {"ascend", "audit", "evidence", "--framework", "SOC2", "--output", full, dayLog},
		"no-framework": {"ascend", "audit", "evidence", "--output", "PACK", dayLog},
		"no-output":    {"ascend", "audit", "evidence", "--framework", "SOC2", dayLog},
		"stdin":        {"ascend", "audit", "evidence", "--framework", "SOC2", "--output", "PACK", "-"},
		"no-anchors":   {"ascend", "audit", "evidence", "--framework", "SOC2", "--anchors", dayLog + ".none", "--output", "PACK", dayLog},
		"bad-key":      {"ascend", "audit", "evidence", "--framework", "SOC2", "--public-key", dayLog, "--output", "PACK", dayLog},
		"missing":      {"ascend", "audit", "evidence", "--framework", "SOC2", "--output", "PACK", "testdata/trail/nowhere.log"},
	} {
		t.Run(name, func(t *testing.T) {
			pack := filepath.Join(t.TempDir(), "pack")
			for i := range argv {
				argv[i] = strings.Replace(argv[i], "PACK", pack, 1)
			}
			text := strings.ReplaceAll(auditing(t, desk{}, argv...), changed, "audit.log")
			checkGolden(t, text)
			if _, err := os.Stat(filepath.Join(pack, "index.html")); (err == nil) != (name == "soc2" || name == "period" || name == "changed") {
				t.Errorf("index.html: %v", err)
			}
		})
	}
}

// endless gives the text again and again, and says on read that it was asked twice.
type endless struct {
	text []byte
	n    int
	read chan struct{}
}

func (e *endless) Read(to []byte) (int, error) {
	e.n++
	if e.n == 2 {
		close(e.read)
	}
	return copy(to, e.text), nil
}

// Ctrl-C ends whatever reads the trail, and leaves nothing half written.
func TestAuditInterrupted(t *testing.T) {
	folder := t.TempDir()
	for name, test := range map[string]struct {
		argv []string
		code int
		said string
	}{
		"export":      {[]string{"export", "--format", "csv", "-"}, session.ExitError, "interrupted"},
		"export file": {[]string{"export", "--format", "csv", "-o", filepath.Join(folder, "all.csv"), "-"}, session.ExitError, "interrupted"},
		"tail":        {[]string{"tail", "-"}, session.ExitError, "interrupted"},
		"tail all":    {[]string{"tail", "--lines", "0", "-"}, session.ExitError, "interrupted"},
		"tail -f":     {[]string{"tail", "-f", "-"}, session.ExitOK, ""},
		"show":        {[]string{"show", "nothing", "-"}, session.ExitError, "interrupted"},
		"verify":      {[]string{"verify", "-"}, session.ExitError, "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &endless{text: trailtest.Lines(trailtest.Day()[2:3]), read: make(chan struct{})}
			errOut := &stream{}
			s := session.New(genericiooptions.IOStreams{In: in, Out: io.Discard, ErrOut: errOut})
			ctx, interrupt := context.WithCancel(t.Context())
			code := make(chan int, 1)
			go func() { code <- run(ctx, s, append([]string{"ascend", "audit"}, test.argv...)) }()
			<-in.read
			interrupt()
			select {
			case got := <-code:
				if got != test.code || !strings.Contains(errOut.String(), test.said) {
					t.Errorf("code %d, %s", got, errOut)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("it goes on")
			}
		})
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// With --lines 0 no record is kept: each is printed before the next one is read.
func TestAuditTailOfAllKeepsNothing(t *testing.T) {
	from, to := io.Pipe()
	out := &stream{}
	s := session.New(genericiooptions.IOStreams{In: from, Out: out, ErrOut: io.Discard})
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), s, []string{"ascend", "audit", "tail", "--lines", "0", "-"}) }()
	if _, err := to.Write(trailtest.Lines(trailtest.Day()[:1])); err != nil {
		t.Fatal(err)
	}
	(&running{out: out, errOut: &stream{}}).until(t, "audit.started")
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != session.ExitOK {
		t.Errorf("code %d", got)
	}
}
