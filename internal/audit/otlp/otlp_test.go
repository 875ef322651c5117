// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/audit/otlp"
)

// receiver is a collector.
type receiver struct {
	mu      sync.Mutex
	records []*logs.LogRecord
	service map[string]string // attributes of the resource
	asked   []*http.Request
	answer  http.HandlerFunc // nil: it takes all
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, request)
	if r.answer != nil {
		r.answer(w, request)
		return
	}
	body, err := io.ReadAll(request.Body)
	var data logs.LogsData
	if err != nil || proto.Unmarshal(body, &data) != nil {
		http.Error(w, "not OTLP", http.StatusBadRequest)
		return
	}
	for _, of := range data.GetResourceLogs() {
		r.service = map[string]string{}
		for _, attribute := range of.GetResource().GetAttributes() {
			r.service[attribute.GetKey()] = attribute.GetValue().GetStringValue()
		}
		for _, scope := range of.GetScopeLogs() {
			r.records = append(r.records, scope.GetLogRecords()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (r *receiver) set(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func newSink(t *testing.T, options otlp.Options) *otlp.Sink {
	t.Helper()
	options.Replica, options.Version = "ascend-0", "v1.2.3"
	sink, err := otlp.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return sink
}

func record(name string) audit.Record {
	return audit.Record{Time: time.Date(2026, 11, 22, 12, 0, 0, 5, time.UTC), Event: v1alpha1.EventActionApproved, Name: name}
}

func TestRecordsReachACollectorAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	collector := &receiver{}
	server := httptest.NewServer(collector)
	defer server.Close()
	headers := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(headers, []byte("# for the collector\nAuthorization: Bearer s3cret\n\nX-Tenant:  shop \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	log, err := audit.Open(audit.Options{Sinks: []audit.Sink{
		audit.NewWriter("text", &out), newSink(t, otlp.Options{Endpoint: server.URL, HeadersFile: headers}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.Append(t.Context(), record("act-1"), record("act-2")), log.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 4 || len(collector.records) != 4 {
		t.Fatalf("%d lines, %d records", len(lines), len(collector.records))
	}
	for i, got := range collector.records {
		var want audit.Record
		if err := json.Unmarshal([]byte(lines[i]), &want); err != nil {
			t.Fatal(err)
		}
		attributes := map[string]string{}
		for _, a := range got.GetAttributes() {
			attributes[a.GetKey()] = a.GetValue().GetStringValue()
			if a.GetKey() == "sequence" {
				attributes["sequence"] = strconv.FormatInt(a.GetValue().GetIntValue(), 10)
			}
		}
		if got.GetBody().GetStringValue() != lines[i] || got.GetEventName() != string(want.Event) ||
			attributes["event"] != string(want.Event) || attributes["chain"] != want.Chain || attributes["sequence"] != strconv.FormatUint(want.Sequence, 10) ||
			got.GetTimeUnixNano() != uint64(want.Time.UnixNano()) {
			t.Errorf("record %d: %v", i, got)
		}
	}
	if s := collector.service; s["service.name"] != "ascend-operator" || s["service.version"] != "v1.2.3" || s["service.instance.id"] != "ascend-0" {
		t.Errorf("resource %v", s)
	}
	for _, request := range collector.asked {
		if request.URL.Path != "/v1/logs" || request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/x-protobuf" ||
			request.Header.Get("Authorization") != "Bearer s3cret" || request.Header.Get("X-Tenant") != "shop" || request.Header.Get("User-Agent") != "ascend-operator/v1.2.3" {
			t.Errorf("%s %s %v", request.Method, request.URL, request.Header)
		}
	}
}

// partial is an answer that rejects some records.
func partial(rejected uint64, why string) []byte {
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), rejected)
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), why)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

func TestWhatACollectorDoesNotTakeIsSentAgain(t *testing.T) {
	t.Parallel()
	protobuf := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(body)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string // empty: it is taken
	}{
		"503": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "s3cret of the answer", http.StatusServiceUnavailable)
		}, "503 Service Unavailable"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "307 Temporary Redirect"},
		"some are rejected":        {protobuf(partial(1, "too old")), `the collector rejected 1 of 1 records: "too old"`},
		"no collector":             {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Please log in</html>")) }, "not that of a collector"},
		"half an answer":           {protobuf(partial(1, "too old")[:5]), "not that of a collector"},
		"it ends the connection":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"a warning and none lost":  {protobuf(partial(0, "slow down")), ""},
		"an answer that says more": {protobuf(append(partial(0, ""), protowire.AppendFixed32(protowire.AppendTag(nil, 9, protowire.Fixed32Type), 7)...)), ""},
		"202 and nothing else":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := &receiver{}
			server := httptest.NewServer(collector)
			defer server.Close()
			log, err := audit.Open(audit.Options{Sinks: []audit.Sink{
				audit.NewWriter("text", io.Discard), newSink(t, otlp.Options{Endpoint: server.URL + "/custom/path"}),
			}})
			if err != nil {
				t.Fatal(err)
			}
			collector.set(test.answer)
			err = log.Append(t.Context(), record("act-1"))
			if (test.want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret")) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			collector.set(nil)
			if err := errors.Join(log.Append(t.Context(), record("act-2")), log.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range collector.records {
				var read audit.Record
				if err := json.Unmarshal([]byte(r.GetBody().GetStringValue()), &read); err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprint(read.Sequence, " ", read.Event))
			}
			want := "1 audit.started, 3 action.approved, 4 audit.stopped" // the second one was taken by what answered
			if test.want != "" {
				want = "1 audit.started, 2 action.approved, 3 audit.resumed, 4 action.approved, 5 audit.stopped"
			}
			if text := strings.Join(got, ", "); text != want {
				t.Errorf("the collector has %s, want %s", text, want)
			}
		})
	}
}

func TestManyRecordsGoInSeveralRequests(t *testing.T) {
	t.Parallel()
	collector := &receiver{}
	server := httptest.NewServer(collector)
	defer server.Close()
	sink := newSink(t, otlp.Options{Endpoint: server.URL + "/"})
	line := []byte(`{"chain":"c","sequence":1,"event":"action.approved","message":"` + strings.Repeat("x", 300<<10) + `"}`)
	lines := make([][]byte, 10)
	for i := range lines {
		lines[i] = line
	}
	if err := sink.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	if len(collector.records) != 10 || len(collector.asked) != 4 {
		t.Errorf("%d records in %d requests", len(collector.records), len(collector.asked))
	}
	collector.set(func(w http.ResponseWriter, _ *http.Request) {
		if len(collector.asked) > 4+2 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	var partial *audit.PartialError
	if err := sink.Write(t.Context(), lines); !errors.As(err, &partial) || partial.Lines != 6 || !strings.Contains(err.Error(), "429") {
		t.Errorf("got %v", err)
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}

func TestACollectorThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	collector := &receiver{answer: func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}}
	server := httptest.NewServer(collector)
	defer server.Close()
	log, err := audit.Open(audit.Options{
		Sinks:       []audit.Sink{audit.NewWriter("text", io.Discard), newSink(t, otlp.Options{Endpoint: server.URL})},
		SinkTimeout: 3 * time.Second, // what does not hang has to be done in it
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), record("act-1")); err == nil || !strings.Contains(err.Error(), "otlp") {
		t.Errorf("got %v", err)
	}
	collector.set(nil)
	deadline := time.Now().Add(time.Minute)
	for log.Check(t.Context()) != nil && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if err := errors.Join(log.Append(t.Context(), record("act-2")), log.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestTheCollectorsCertificateIsChecked(t *testing.T) {
	t.Parallel()
	collector := &receiver{}
	server := httptest.NewTLSServer(collector)
	server.Config.ErrorLog = nil
	defer server.Close()
	line := [][]byte{[]byte(`{"chain":"c","sequence":1}`)}
	if err := newSink(t, otlp.Options{Endpoint: server.URL}).Write(t.Context(), line); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an authority that nobody knows: %v", err)
	}
	authority := filepath.Join(t.TempDir(), "ca.crt")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newSink(t, otlp.Options{Endpoint: server.URL, CAFile: authority}).Write(t.Context(), line); err != nil {
		t.Error(err)
	}
}

func TestOptionsThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const good = "http://127.0.0.1:4318"
	for name, test := range map[string]struct {
		options otlp.Options
		want    string
	}{
		"no URL":        {otlp.Options{Endpoint: "collector:4318"}, "no URL of a collector"},
		"a password":    {otlp.Options{Endpoint: "https://user:s3cret@collector"}, "no URL of a collector"},
		"a user":        {otlp.Options{Endpoint: "https://s3cret@collector"}, `"https://collector" is no URL of a collector`},
		"no scheme":     {otlp.Options{Endpoint: "user:s3cret@collector:4318"}, "no URL of a collector"},
		"a query":       {otlp.Options{Endpoint: good + "?key=s3cret"}, "no URL of a collector"},
		"a fragment":    {otlp.Options{Endpoint: good + "#s3cret"}, "no URL of a collector"},
		"bad escape":    {otlp.Options{Endpoint: "https://a%zz"}, "no URL of a collector"},
		"no headers":    {otlp.Options{Endpoint: good, HeadersFile: folder + "/none"}, "no such file"},
		"bad headers":   {otlp.Options{Endpoint: good, HeadersFile: file}, "line 1 of " + file + " is not NAME: VALUE"},
		"no authority":  {otlp.Options{Endpoint: good, CAFile: folder + "/none"}, "no such file"},
		"bad authority": {otlp.Options{Endpoint: good, CAFile: file}, "no certificate in PEM"},
	} {
		if _, err := otlp.New(test.options); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
