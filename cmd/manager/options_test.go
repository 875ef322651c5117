// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestWrongFlagsAreRefusedWithAReason(t *testing.T) {
	for name, test := range map[string]struct {
		arguments []string
		want      []string
	}{
		"no workers":          {[]string{"--workers=0"}, []string{"--workers: must be at least 1, not 0"}},
		"not a number":        {[]string{"--workers=many"}, []string{`invalid value "many" for flag -workers`}},
		"unknown flag":        {[]string{"--worker=3"}, []string{"flag provided but not defined: -worker", "Usage: manager [flags]"}},
		"an argument":         {[]string{"start"}, []string{`unknown argument "start"; there are only flags`, "See manager --help."}},
		"no address":          {[]string{"--metrics-bind-address=8080"}, []string{`--metrics-bind-address: "8080" is no address; write host:port, :port for every interface, or 0 for none`}},
		"no such port":        {[]string{"--health-probe-bind-address=:808080"}, []string{`--health-probe-bind-address: ":808080" is no address`}},
		"no audit log":        {[]string{"--audit-log="}, []string{"--audit-log: must not be empty; name a file, or - for standard output"}},
		"negative size":       {[]string{"--audit-log-max-size=-1"}, []string{"--audit-log-max-size: must not be less than 0, as -1 is"}},
		"negative files":      {[]string{"--audit-log-max-files=-2"}, []string{"--audit-log-max-files: must not be less than 0, as -2 is"}},
		"ignore failures":     {[]string{"--audit-on-failure=ignore"}, []string{`--audit-on-failure: "ignore" is neither stop nor continue`}},
		"every key":           {[]string{"--audit-redact-keys=pin,*"}, []string{`--audit-redact-keys: "*" is no pattern of a name; write some of its letters`}},
		"no sink timeout":     {[]string{"--audit-sink-timeout=0s"}, []string{"--audit-sink-timeout: must be longer than 0"}},
		"no anchors":          {[]string{"--audit-anchor-interval=0s"}, []string{"--audit-anchor-interval: must be longer than 0"}},
		"no collector":        {[]string{"--audit-otlp-endpoint=collector:4318"}, []string{`--audit-otlp-endpoint: "collector:4318" is no URL of a collector; write one such as https://`}},
		"headers for nobody":  {[]string{"--audit-otlp-headers-file=/headers"}, []string{"--audit-otlp-endpoint: must be given with --audit-otlp-headers-file"}},
		"never collects":      {[]string{"--collect-interval=0s"}, []string{"--collect-interval: must be longer than 0, not 0s"}},
		"no time to end":      {[]string{"--shutdown-timeout=-1s"}, []string{"--shutdown-timeout: must be longer than 0, not -1s"}},
		"approval URL":        {[]string{"--approval-url=ascend.example.com"}, []string{`--approval-url: "ascend.example.com" is no URL`}},
		"script URL":          {[]string{"--approval-url=javascript:alert({namespace},{name})"}, []string{"is no URL"}},
		"unknown placeholder": {[]string{"--approval-url=https://a.example.com/{namespace}/{name}/{id}"}, []string{"with the placeholders {namespace} and {name}"}},
		"too long a page":     {[]string{"--approval-url=https://a.example.com/{namespace}/{name}/" + strings.Repeat("x", 1800)}, []string{"the limit of status.approvalURL is 2048"}},
		"one page for all":    {[]string{"--approval-url=https://a.example.com/{name}"}, []string{"leads to the same page for every action"}},
		"two leaders":         {[]string{"--leader-elect", "--leader-election-lease-duration=5s"}, []string{"must be longer than --leader-election-renew-deadline, 10s", "two replicas could lead at once"}},
		"no second try":       {[]string{"--leader-elect", "--leader-election-retry-period=9s"}, []string{"must be longer than 1.2 times --leader-election-retry-period, 9s"}},
		"no webhook address":  {[]string{"--webhook-bind-address=0"}, []string{`--webhook-bind-address: "0" is no address; write host:port, or :port for every interface`}},
		"any webhook port":    {[]string{"--webhook-bind-address=:0"}, []string{`--webhook-bind-address: ":0" is no address`}},
		"no webhook host":     {[]string{"--webhook-hosts="}, []string{`--webhook-hosts: "" is neither a DNS name nor an IP address`}},
		"a webhook URL":       {[]string{"--webhook-hosts=ok.example.com,https://a.example.com:9443"}, []string{`--webhook-hosts: "https://a.example.com:9443" is neither a DNS name nor an IP address; write hosts without port`}},
		"a name alone":        {[]string{"--webhook-client-name=api-server"}, []string{`--webhook-client-name: "api-server" says nothing without --webhook-client-ca-file; give the authority`}},
		"keys pile up":        {[]string{"--seal-key-max-age=1m"}, []string{"--seal-key-max-age: must be at least 1h0m0s, not 1m0s"}},
		"no namespace":        {[]string{"--leader-elect", "--leader-election-namespace="}, []string{`--leader-election-namespace: "" is no name of a namespace`}},
		"all at once":         {[]string{"--workers=-1", "--audit-log=", "--collect-interval=-5m"}, []string{"--workers:", "--audit-log:", "--collect-interval:"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if code := command(t.Context(), test.arguments, &out); code != exitMisuse {
				t.Errorf("exit code %d, want %d", code, exitMisuse)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the message lacks %q:\n%s", want, out.String())
				}
			}
		})
	}
}

func TestGoodFlagsPass(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string][]string{
		"none":               nil,
		"as in a Deployment": {"--leader-elect", "--leader-election-namespace=ascend-system", "--health-probe-bind-address=:8081", "--metrics-bind-address=:8443", "--audit-log=/var/log/ascend/audit.log"},
		"nothing served":     {"--metrics-bind-address=0", "--health-probe-bind-address=0"},
		"IPv6":               {"--metrics-bind-address=[::1]:8080", "--webhook-bind-address=[::1]:9443", "--webhook-hosts=::1"},
		"webhooks elsewhere": {"--webhook-bind-address=127.0.0.1:19443", "--webhook-hosts=127.0.0.1, localhost", "--webhook-cert-dir=/certificates"},
		"known callers":      {"--webhook-client-ca-file=/callers/ca.crt", "--webhook-client-name=kube-apiserver"},
		"everything of audit": {"--audit-log=audit.log", "--audit-log-max-size=0", "--audit-log-max-files=7", "--audit-on-failure=continue", "--audit-redact-keys=*pin,ssn",
			"--audit-otlp-endpoint=https://collector.example.com:4318", "--audit-otlp-headers-file=/headers", "--audit-otlp-ca-file=/ca.crt"},
		"approval URL": {"--approval-url=https://ascend.example.com/{namespace}/{name}?from=kubectl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var options Options
			flags := flag.NewFlagSet("manager", flag.ContinueOnError)
			options.bind(flags)
			if err := flags.Parse(arguments); err != nil {
				t.Fatal(err)
			}
			if err := options.validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHelp compares with testdata/help.txt, so that a change of the text is
// read by somebody.
func TestHelp(t *testing.T) {
	var out bytes.Buffer
	if code := command(t.Context(), []string{"--help"}, &out); code != 0 {
		t.Errorf("exit code %d", code)
	}
	const golden = "testdata/help.txt"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("the help differs from %s; if that is meant, run go test ./cmd/manager -update\n%s", golden, out.String())
	}
}

func TestRequestsAreKeptUnlessTheFlagSaysNo(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{true, false} {
		var out bytes.Buffer
		keeper, err := recorder(&Options{AuditRequests: keep, AuditRedactKeys: "ssn"}, audit.NewLog(&out))
		if err != nil {
			t.Fatal(err)
		}
		asked := &audit.Request{ActionType: "database_read", Parameters: []byte(`{"ssn":"CANARY"}`)}
		if err := keeper.Append(t.Context(), audit.Record{Request: asked}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "database_read"); got != keep || strings.Contains(out.String(), "CANARY") {
			t.Errorf("--audit-requests=%v wrote %s", keep, out.String())
		}
	}
}

func TestMetricsArePlainOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for address, secure := range map[string]bool{
		"0": false, "127.0.0.1:8080": false, "localhost:8080": false, "[::1]:8080": false,
		":8443": true, "0.0.0.0:8443": true, "[::]:8443": true, "10.0.0.7:8443": true, "metrics.example.com:8443": true,
	} {
		got := metricsOptions(address)
		if got.SecureServing != secure || (got.FilterProvider != nil) != secure || got.BindAddress != address {
			t.Errorf("%s: secure %v, filtered %v", address, got.SecureServing, got.FilterProvider != nil)
		}
	}
}

// auditOptions are the defaults with that file.
func auditOptions(t *testing.T, arguments ...string) *Options {
	t.Helper()
	options := &Options{}
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	options.bind(flags)
	if err := flags.Parse(arguments); err != nil {
		t.Fatal(err)
	}
	return options
}

func TestTheAuditLogBeginsOnALineOfItsOwn(t *testing.T) {
	t.Parallel()
	const record = `{"chain":"c","sequence":1,"hash":"sha256:x"}` + "\n"
	for name, before := range map[string]string{"new": "", "whole lines": record, "an unfinished one": record + `{"b"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir() + "/audit.log"
			if before != "" {
				if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			trail, err := openTrail(auditOptions(t, "--audit-log="+path))
			if err != nil {
				t.Fatal(err)
			}
			trail.end()
			text, err := os.ReadFile(path)
			after, found := strings.CutPrefix(string(text), before)
			lines := strings.Split(strings.Trim(after, "\n"), "\n")
			if err != nil || !found || len(lines) != 2 || !strings.Contains(lines[0], "audit.started") || !strings.Contains(lines[1], "audit.stopped") {
				t.Errorf("the file is %q (error %v)", text, err)
			}
			if unfinished := strings.Contains(lines[0], `"unfinished":4`); unfinished != (name == "an unfinished one") {
				t.Errorf("the first record does not say what was before it: %s", lines[0])
			}
		})
	}
}

func TestSinksThatCannotBeUsedAreNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, test := range map[string]struct {
		arguments []string
		want      string
	}{
		"no folder":  {[]string{"--audit-log=" + folder + "/no/such/folder/audit.log"}, "--audit-log"},
		"a folder":   {[]string{"--audit-log=" + folder}, "--audit-log"},
		"no headers": {[]string{"--audit-log=" + folder + "/audit.log", "--audit-otlp-endpoint=http://127.0.0.1:4318", "--audit-otlp-headers-file=" + folder + "/none"}, "--audit-otlp-endpoint: headers"},
	} {
		if _, err := openTrail(auditOptions(t, test.arguments...)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAPipeThatNobodyReadsKeepsNoRecords(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/pipe"
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	options := auditOptions(t, "--audit-log="+path)
	if _, err := openTrail(options); err == nil || !strings.Contains(err.Error(), "nobody reads from it") {
		t.Fatalf("without a reader: %v", err)
	}
	read := func() *os.File {
		reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		return reader
	}
	first := read()
	trail, err := openTrail(options)
	if err != nil {
		t.Fatal(err)
	}
	err = trail.Append(t.Context(), audit.Record{Name: "read"})
	// A process that another test starts has the pipe, too, from its fork to its exec.
	syscall.ForkLock.RLock()
	err = errors.Join(err, first.Close())
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := trail.Append(t.Context(), audit.Record{Name: "unread"}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("after the reader has gone: %v", err)
	}
	if err := trail.Check(t.Context()); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Check says %v", err)
	}
	second := read()
	defer second.Close()
	if err := errors.Join(trail.Check(t.Context()), trail.Append(t.Context(), audit.Record{Name: "again"}), trail.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 16<<10)
	n, err := second.Read(text)
	if got := string(text[:n]); err != nil || !strings.Contains(got, "audit.resumed") || !strings.Contains(got, `"name":"again"`) || strings.Contains(got, `"name":"unread"`) {
		t.Errorf("the next reader has got %q (error %v)", got, err)
	}
}
