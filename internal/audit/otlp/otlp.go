// SPDX-License-Identifier: Apache-2.0

// Package otlp keeps audit records in a collector of OpenTelemetry, by OTLP over
// HTTP. A write ends when the collector has answered that it has them.
package otlp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

const (
	// logsPath is added to an endpoint that has no path. Source: the specification
	// of OTLP/HTTP, "Default ports and paths".
	logsPath = "/v1/logs"
	// maxRequest bytes of lines go into one request, or one line: collectors refuse
	// more than their limit.
	maxRequest = 1 << 20
	// maxAnswer bytes of an answer are read, and maxQuoted bytes of it shown.
	maxAnswer   = 64 << 10
	maxQuoted   = 256
	contentType = "application/x-protobuf"
	// timeout of one request, where the context has none that is shorter.
	timeout = 30 * time.Second
)

// Options say where records go, and from whom they are.
type Options struct {
	// Endpoint is the URL of the collector, such as https://collector.example.com:4318.
	Endpoint string
	// HeadersFile has a header a line, such as Authorization: Bearer TOKEN. It is
	// read for each request, so that it can be changed. Empty: no headers.
	HeadersFile string
	// CAFile has the authorities of the collector's certificate, in PEM. Empty: those
	// of the machine.
	CAFile string
	// Replica and Version of the operator.
	Replica, Version string
}

// Sink is an audit.Sink. It may keep lines although Write has failed, so that
// the collector gets them twice: they have the same chain, sequence and hash.
type Sink struct {
	options  Options
	url      string
	client   *http.Client
	resource *resource.Resource
}

var _ audit.Sink = (*Sink)(nil)

// CheckEndpoint says what is wrong with the URL of a collector, nil when nothing is.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is no URL of a collector; write one such as https://collector.example.com:4318, and what authorizes into a file of headers", redacted(u))
	}
	return nil
}

// redacted is a URL without what may be secret in it, which is more than a
// password: a token stands in the place of the user, or in the query.
func redacted(u *url.URL) string {
	if u == nil || strings.Contains(u.Opaque, "@") {
		return "it"
	}
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment, bare.RawFragment = nil, "", "", ""
	return bare.String()
}

// New makes a sink. It fails where the options cannot be used; it asks nobody yet.
func New(options Options) (*Sink, error) {
	if err := CheckEndpoint(options.Endpoint); err != nil {
		return nil, err
	}
	s := &Sink{options: options, url: options.Endpoint}
	if u, _ := url.Parse(options.Endpoint); u.Path == "" || u.Path == "/" {
		s.url = strings.TrimSuffix(options.Endpoint, "/") + logsPath
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	if options.CAFile != "" {
		pem, err := os.ReadFile(options.CAFile)
		if err != nil {
			return nil, fmt.Errorf("authorities of the collector: %w", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("authorities of the collector: %s has no certificate in PEM", options.CAFile)
		}
	}
	s.client = &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if _, err := s.headers(); err != nil {
		return nil, err
	}
	s.resource = &resource.Resource{Attributes: []*collector.KeyValue{
		text("service.name", "ascend-operator"), text("service.version", options.Version), text("service.instance.id", options.Replica),
	}}
	return s, nil
}

// Name implements audit.Sink.
func (s *Sink) Name() string { return "otlp" }

// Close implements audit.Sink.
func (s *Sink) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Write implements audit.Sink.
func (s *Sink) Write(ctx context.Context, lines [][]byte) error {
	for done := 0; done < len(lines); {
		size, end := len(lines[done]), done+1
		for end < len(lines) && size+len(lines[end]) <= maxRequest {
			size += len(lines[end])
			end++
		}
		if err := s.send(ctx, lines[done:end]); err != nil {
			if done > 0 {
				return &audit.PartialError{Lines: done, Err: err}
			}
			return err
		}
		done = end
	}
	return nil
}

// send makes one request and returns nil when the collector has taken all of it.
func (s *Sink) send(ctx context.Context, lines [][]byte) error {
	body, err := s.encode(lines)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if request.Header, err = s.headers(); err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "ascend-operator/"+s.options.Version)
	answer, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", s.url, err)
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("POST %s: %s", s.url, answer.Status)
	}
	return s.taken(answer, content, len(lines))
}

// taken says what the collector did not take, by its answer of status 2xx.
func (s *Sink) taken(answer *http.Response, content []byte, sent int) error {
	if len(content) == 0 {
		return nil
	}
	rejected, why, err := partialSuccess(content)
	if kind := answer.Header.Get("Content-Type"); err != nil || !strings.HasPrefix(kind, contentType) {
		return fmt.Errorf("POST %s: %s, but the answer is of type %q and not that of a collector; correct the URL", s.url, answer.Status, kind)
	}
	if rejected > 0 {
		return fmt.Errorf("POST %s: the collector rejected %d of %d records: %q", s.url, rejected, sent, why[:min(len(why), maxQuoted)])
	}
	return nil
}

// encode writes lines as an ExportLogsServiceRequest, which on the wire is
// LogsData.
func (s *Sink) encode(lines [][]byte) ([]byte, error) {
	records := make([]*logs.LogRecord, len(lines))
	for i, line := range lines {
		var of struct {
			Chain    string
			Sequence int64
			Time     time.Time
			Event    string
		}
		if err := json.Unmarshal(line, &of); err != nil {
			return nil, fmt.Errorf("read an audit record: %w", err)
		}
		nanoseconds := uint64(max(0, of.Time.UnixNano()))
		records[i] = &logs.LogRecord{
			TimeUnixNano: nanoseconds, ObservedTimeUnixNano: nanoseconds, EventName: of.Event,
			SeverityNumber: logs.SeverityNumber_SEVERITY_NUMBER_INFO, SeverityText: "INFO",
			Body: &collector.AnyValue{Value: &collector.AnyValue_StringValue{StringValue: string(line)}},
			Attributes: []*collector.KeyValue{
				text("event", of.Event), text("chain", of.Chain),
				{Key: "sequence", Value: &collector.AnyValue{Value: &collector.AnyValue_IntValue{IntValue: of.Sequence}}},
			},
		}
	}
	return proto.Marshal(&logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{
		Resource:  s.resource,
		ScopeLogs: []*logs.ScopeLogs{{Scope: &collector.InstrumentationScope{Name: "ascend.audit", Version: audit.SchemaVersion}, LogRecords: records}},
	}}})
}

func text(name, value string) *collector.KeyValue {
	return &collector.KeyValue{Key: name, Value: &collector.AnyValue{Value: &collector.AnyValue_StringValue{StringValue: value}}}
}

// headers reads the file of headers. What stands there may be secret, so that
// messages name lines by their number.
func (s *Sink) headers() (http.Header, error) {
	headers := http.Header{}
	if s.options.HeadersFile == "" {
		return headers, nil
	}
	content, err := os.ReadFile(s.options.HeadersFile)
	if err != nil {
		return nil, fmt.Errorf("headers for the collector: %w", err)
	}
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("headers for the collector: line %d of %s is not NAME: VALUE", number, s.options.HeadersFile)
		}
		headers.Add(name, value)
	}
	return headers, nil
}

// The fields of ExportLogsServiceResponse and ExportLogsPartialSuccess. Source:
// opentelemetry/proto/collector/logs/v1/logs_service.proto.
const (
	fieldPartialSuccess = 1
	fieldRejected       = 1
	fieldErrorMessage   = 2
)

// partialSuccess reads the answer of a collector.
func partialSuccess(answer []byte) (rejected uint64, why string, err error) {
	err = fields(answer, func(number protowire.Number, _ uint64, inner []byte) error {
		if number != fieldPartialSuccess {
			return nil
		}
		return fields(inner, func(number protowire.Number, value uint64, text []byte) error {
			if number == fieldRejected {
				rejected = value
			}
			if number == fieldErrorMessage {
				why = string(text)
			}
			return nil
		})
	})
	return rejected, why, err
}

var errNoMessage = errors.New("not a message of protocol buffers")

// fields calls do with each field of a message: its number, and its value, a
// number or bytes.
func fields(message []byte, do func(number protowire.Number, value uint64, content []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errNoMessage
		}
		message = message[n:]
		var value uint64
		var content []byte
		switch kind { //nolint:exhaustive // the others are passed over
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			content, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return errNoMessage
		}
		if err := do(number, value, content); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}
