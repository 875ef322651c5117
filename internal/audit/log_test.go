// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.FixedZone("CET", 3600))

func sample(name string) audit.Record {
	return audit.Record{
		Time: noon, Event: v1alpha1.EventActionApproved, Namespace: "default", Name: name, UID: "uid-" + name,
		Agent: "tutorial-agent", ActionType: "database_read", Decision: v1alpha1.DecisionApproved,
		Reason: v1alpha1.ReasonAutoApproved, Message: "Low risk (2.1) is approved by workflow ascend-system/risk-low",
		Approvals: []audit.Approval{{Approver: "alice", Stage: "approval", Verdict: v1alpha1.VerdictApprove}},
	}
}

// verified reads a log and fails the test unless it is one unbroken chain.
func verified(t *testing.T, log []byte) []audit.Record {
	t.Helper()
	var records []audit.Record
	previous := ""
	for line := range bytes.Lines(log) {
		var r audit.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("line %d: %v: %q", len(records)+1, err, line)
		}
		bare := r
		bare.Hash = ""
		hash, err := canonical.Digest(bare)
		if err != nil {
			t.Fatal(err)
		}
		if r.Hash != hash {
			t.Errorf("record %d has the hash %s, its content %s", r.Sequence, r.Hash, hash)
		}
		if r.PreviousHash != previous || r.Sequence != uint64(len(records)+1) || (len(records) > 0 && r.Chain != records[0].Chain) {
			t.Errorf("record %d does not follow the one before", r.Sequence)
		}
		previous = r.Hash
		records = append(records, r)
	}
	return records
}

func TestRecordsFormAChain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := audit.NewLog(&out)
	for i := range 10 {
		if err := log.Append(t.Context(), sample(fmt.Sprint("act-", i))); err != nil {
			t.Fatal(err)
		}
	}
	records := verified(t, out.Bytes())
	if len(records) != 10 {
		t.Fatalf("%d records", len(records))
	}
	first := records[0]
	if first.SchemaVersion != "v1alpha1" || first.PreviousHash != "" || first.Chain == "" {
		t.Errorf("first record: %+v", first)
	}
	if got := first.Time; !got.Equal(noon) || got.Location() != time.UTC {
		t.Errorf("time %v is not %v in UTC", got, noon)
	}
}

func TestAChangedRecordBreaksTheChain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := audit.NewLog(&out).Append(t.Context(), sample("act-1")); err != nil {
		t.Fatal(err)
	}
	var r audit.Record
	if err := json.Unmarshal(bytes.Replace(out.Bytes(), []byte("alice"), []byte("mallo"), 1), &r); err != nil {
		t.Fatal(err)
	}
	want := r.Hash
	r.Hash = ""
	if hash, err := canonical.Digest(r); err != nil || hash == want {
		t.Errorf("the hash is still that of the content (error %v)", err)
	}
}

func TestEachProcessHasAChainOfItsOwn(t *testing.T) {
	t.Parallel()
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		if err := audit.NewLog(out).Append(t.Context(), sample("act-1")); err != nil {
			t.Fatal(err)
		}
	}
	if one, two := verified(t, a.Bytes())[0], verified(t, b.Bytes())[0]; one.Chain == two.Chain || one.Hash == two.Hash {
		t.Error("two logs share a chain")
	}
}

func TestManyWritersOneChain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := audit.NewLog(&out)
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			if err := log.Append(t.Context(), sample(fmt.Sprint("act-", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := len(verified(t, out.Bytes())); n != 50 {
		t.Errorf("%d records", n)
	}
}

// disk is a writer that can be full: it then takes some bytes and fails.
type disk struct {
	bytes.Buffer
	full bool
	fits int
}

var errFull = errors.New("no space left on device")

func (d *disk) Write(p []byte) (int, error) {
	if !d.full {
		return d.Buffer.Write(p)
	}
	n, _ := d.Buffer.Write(p[:min(d.fits, len(p))])
	return n, errFull
}

func TestAFailedWriteLeavesAWholeChain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fits int
		want string // the names of the records, and the range that is unconfirmed
	}{
		"nothing was written":     {0, "act-1 - act-2"},
		"half a line was written": {40, "act-1 lost - act-2 2-2"},
		"one and a half":          {900, "act-1 lost lost - act-2 2-3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := &disk{fits: test.fits}
			log := audit.NewLog(out)
			if err := log.Append(t.Context(), sample("act-1")); err != nil {
				t.Fatal(err)
			}
			out.full = true
			for range 3 {
				if err := log.Append(t.Context(), sample("lost"), sample("lost")); !errors.Is(err, errFull) {
					t.Fatalf("got %v", err)
				}
				out.fits = 0
			}
			out.full = false
			if err := log.Append(t.Context(), sample("act-2")); err != nil {
				t.Fatal(err)
			}
			var got []string
			var unconfirmed string
			for _, r := range verified(t, out.Bytes()) {
				got = append(got, cmp.Or(r.Name, "-"))
				if r.Journal != nil {
					unconfirmed = fmt.Sprintf(" %d-%d", r.Journal.UnconfirmedFrom, r.Journal.UnconfirmedTo)
				}
			}
			if got := strings.Join(got, " ") + unconfirmed; got != test.want {
				t.Errorf("records %s, want %s", got, test.want)
			}
		})
	}
}

func TestAShortWriteIsAFailure(t *testing.T) {
	t.Parallel()
	if err := audit.NewLog(short{}).Append(t.Context(), sample("act-1")); err == nil {
		t.Error("a line that was not written to its end counts as written")
	}
}

// short takes one byte and claims that all is well.
type short struct{}

func (short) Write([]byte) (int, error) { return 1, nil }

func TestCheckFollowsTheSink(t *testing.T) {
	t.Parallel()
	out := &disk{}
	log := audit.NewLog(out)
	check := func() error { return log.Check(t.Context()) }
	if err := errors.Join(check(), log.Append(t.Context(), sample("act-1")), check()); err != nil {
		t.Fatal(err)
	}
	out.full = true
	if err := log.Append(t.Context(), sample("lost")); err == nil {
		t.Fatal("the write succeeded")
	}
	if err := check(); !errors.Is(err, errFull) {
		t.Errorf("while the sink is full, Check says %v", err)
	}
	out.full = false
	if err := errors.Join(check(), check()); err != nil {
		t.Errorf("the sink has recovered, and Check says %v", err)
	}
	records := verified(t, out.Bytes())
	if len(records) != 2 || records[1].Event != audit.EventResumed || !strings.Contains(records[1].Message, "no space left") {
		t.Errorf("the gap is not told: %+v", records)
	}
}

func TestHostileTextStaysOneLine(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"newline":           "a\nb\r\nc",
		"forged record":     `x","decision":"Approved"}` + "\n" + `{"event":"action.approved"}`,
		"ANSI escape":       "\x1b[2K\x1b[31mroot\x1b[0m",
		"line separators":   "a\u2028b\u2029c\u0085d",
		"NUL and DEL":       "a\x00b\x7fc",
		"bidi, zero width":  "\u202egpj\u2066\u200b\ufeff",
		"not UTF-8":         "a\xff\xfeb",
		"outside the plane": "😀\U0010ffff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := audit.NewLog(&out)
			hostile := sample(text)
			hostile.Message, hostile.Requester, hostile.Resource = text, text, text
			hostile.Approvals[0].Comment = text
			if err := errors.Join(log.Append(t.Context(), hostile), log.Append(t.Context(), sample("act-2"))); err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(out.Bytes(), []byte("\n")); n != 2 {
				t.Errorf("%d lines for two records", n)
			}
			if i := bytes.IndexFunc(out.Bytes(), func(r rune) bool { return r < ' ' && r != '\n' || r == '\u2028' || r == '\u2029' }); i >= 0 {
				t.Errorf("a control character or separator stands as it is: %q", out.Bytes()[i:i+6])
			}
			records := verified(t, out.Bytes())
			if want := strings.ToValidUTF8(text, "\ufffd"); utf8.ValidString(text) && records[0].Message != want {
				t.Errorf("read back %q, want %q", records[0].Message, want)
			}
		})
	}
}
