// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/simulate"
)

func TestHostileLogs(t *testing.T) {
	t.Parallel()
	policy := compile(t, bot, base)
	good := string(written(t, history(t, policy, newAction(1, "database_read", `{"table":"t"}`))...))
	for name, test := range map[string]struct {
		log     string
		actions int
		why     string // of what is passed over or not replayed
		fails   string
	}{
		"nothing":                    {log: ""},
		"empty lines":                {log: "\n\n" + good + "\r\n\n", actions: 1},
		"no end":                     {log: strings.TrimSpace(good), actions: 1},
		"torn":                       {log: good[:len(good)/2] + "\n" + good, actions: 1, why: "line that is no audit record"},
		"noise":                      {log: "\x00\xff\x1b[2J{}[]\nnull\n[]\n42\n\"a\"\n{\"event\":7}\n" + good, actions: 1, why: "line that is no audit record"},
		"deep":                       {log: strings.Repeat("[", 1<<20) + "\n" + good, actions: 1, why: "line that is no audit record"},
		"other events":               {log: `{"event":"admission.refused","uid":"u"}` + "\n" + good, actions: 1, why: "record of event admission.refused, in which policy did not decide"},
		"other kinds":                {log: `{"event":"action.denied","kind":"SmartRule","uid":"u"}` + "\n" + good, actions: 1, why: "record of event action.denied, in which policy did not decide"},
		"what goes with decisions":   {log: accompanying + good, actions: 1},
		"no uid":                     {log: `{"event":"action.denied","decision":"Denied","reason":"RuleDenied"}` + "\n", why: "record without the uid of an action"},
		"a request of another shape": {log: strings.Replace(good, `"parameters":{`, `"parameters":[{`, 1), why: "line that is no audit record"},
		"parameters that are a list": {log: strings.Replace(good, `"parameters":{"table":"t"}`, `"parameters":["t"]`, 1), why: "what was asked cannot be read any more"},
		"a request that is a number": {log: `{"event":"action.denied","uid":"u","decision":"Denied","reason":"RuleDenied","request":7}`, why: "what was asked cannot be read any more"},
		"a request that is null":     {log: `{"event":"action.denied","uid":"u","decision":"Denied","reason":"RuleDenied","request":null}`, why: "its record has no request: --audit-requests=false, or an operator that did not write it yet"},
		"a decision of the future":   {log: `{"event":"action.denied","uid":"u","decision":"Denied","reason":"New"}`, why: "decision Denied with reason New, which this version does not know"},
		"too long a line":            {log: good + strings.Repeat("x", 9<<20), fails: "audit.log:2: the line has more than 8 MiB"},
		"cut off within gzip":        {log: packed(t, good)[:60], fails: "audit.log:1: the file ends in the middle of what gzip has packed"},
		"gzip":                       {log: packed(t, good), actions: 1},
		"no gzip after all":          {log: "\x1f\x8b{}", fails: "unpack"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := simulate.Run(t.Context(), fromLog(t, []byte(test.log)), simulate.Options{Policy: policy})
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("got the error %v, want %s", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			all := slices.Concat(report.PassedOver, report.NotReplayed)
			if report.Actions != test.actions || (len(all) > 0) != (test.why != "") || (len(all) > 0 && all[0].Why != test.why) {
				t.Errorf("%d actions, passed over: %+v", report.Actions, all)
			}
		})
	}
}

// accompanying are records that every log has, of which a report says nothing.
const accompanying = `{"event":"audit.started"}
{"event":"policy.created","kind":"SmartRule","uid":"r"}
{"event":"policy.updated","kind":"Agent","uid":"a"}
{"event":"policy.deleted","kind":"SmartRule","uid":"r"}
{"event":"action.submitted","uid":"u","decision":"","reason":""}
{"event":"action.evaluated","uid":"u","decision":"","reason":""}
{"event":"approval.recorded","uid":"u","decision":"Pending","reason":""}
{"event":"action.overridden","uid":"u","decision":"Approved","reason":"EmergencyOverride"}
{"event":"action.collected","uid":"u","decision":"Approved","reason":"AutoApproved"}
{"event":"audit.checkpoint"}
{"event":"audit.stopped"}
`

func packed(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func FuzzLog(f *testing.F) {
	model, err := risk.Compile(nil)
	if err != nil {
		f.Fatal(err)
	}
	policy := &decision.Snapshot{Model: model} // so that each try is quick
	f.Add(written(f, history(f, policy, newAction(1, "database_read", `{"table":"t"}`))...))
	f.Add([]byte(`{"event":"action.denied","uid":"u","decision":"Denied","reason":"RuleDenied","request":{"agent":{"spec":{}},"namespace":{}}}`))
	f.Fuzz(func(t *testing.T, log []byte) {
		report, err := simulate.Run(t.Context(), simulate.FromFiles([]string{"-"}, bytes.NewReader(log)), simulate.Options{Policy: policy})
		if err != nil {
			return
		}
		var text bytes.Buffer
		if err := errors.Join(report.Text(&text, simulate.TextOptions{}), report.CSV(&text)); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(text.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' }); i >= 0 {
			t.Fatalf("what a log says reaches the terminal: %q", text.String()[i:])
		}
		if _, err := json.Marshal(report); err != nil {
			t.Fatal(err)
		}
	})
}
