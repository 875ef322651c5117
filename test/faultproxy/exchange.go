// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// exchange is one request on its way.
type exchange struct {
	*Entry
	fault Fault
	body  []byte
}

type exchangeKey struct{}

// bodyLimit is the largest body there may be, in bytes: more than the API server
// takes.
const bodyLimit = 8 << 20

// errCut ends the request without another word.
var errCut = errors.New("cut")

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	entry, fault := p.begin(describe(r, body))
	defer p.note(func() { entry.Done = true })
	x := &exchange{Entry: entry, fault: fault, body: body}
	if p.wait(r.Context(), fault.Delay) != nil {
		cut(r, fault)
	}
	switch fault.Kind {
	case CutBefore:
		cut(r, fault)
	case Unauthorized:
		answer(w, Fault{Code: http.StatusUnauthorized, Skew: fault.Skew})
		return
	case Status:
		answer(w, fault)
		return
	case None, CutAfter, CutMiddle, Twice, DropWatch, Gone, Stall, Stale: // need the server's answer
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
}

// cut ends the request, or the whole connection, by a panic that net/http knows.
func cut(r *http.Request, fault Fault) {
	if fault.Connection {
		cutConnection(r.Context())
	}
	panic(http.ErrAbortHandler)
}

// wait returns an error when the client gives up first, or the proxy ends.
func (p *Proxy) wait(ctx context.Context, delay time.Duration) error {
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.closed.Done():
		return p.closed.Err()
	}
}

// answer writes an answer of our own.
func answer(w http.ResponseWriter, fault Fault) {
	body := fault.Body
	if body == "" {
		body = statusObject(fault)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", time.Now().Add(fault.Skew).UTC().Format(http.TimeFormat))
	for name, value := range fault.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(fault.Code)
	_, _ = io.WriteString(w, body) // a client that is gone needs no answer
}

// statusObject is the body that the API server gives an error.
func statusObject(fault Fault) string {
	status := metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Message: http.StatusText(fault.Code), Reason: metav1.StatusReason(reasons[fault.Code]), Code: int32(fault.Code),
	}
	if seconds, err := strconv.ParseInt(fault.Header["Retry-After"], 10, 32); err == nil {
		status.Details = &metav1.StatusDetails{RetryAfterSeconds: int32(seconds)}
	}
	text, err := json.Marshal(status)
	if err != nil {
		panic(err) // not for a Status
	}
	return string(text)
}

// reverseProxy forwards what serve lets through.
func (p *Proxy) reverseProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(p.upstream) },
		Transport:      roundTripper(p.roundTrip),
		FlushInterval:  -1, // each event of a watch at once
		ModifyResponse: p.answered,
		ErrorLog:       log.New(io.Discard, "", 0),
		// A server that cannot be had is a connection that fails, not an answer.
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, _ error) { cut(r, exchangeOf(r).fault) },
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func exchangeOf(r *http.Request) *exchange {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		panic("faultproxy: a request that serve has not seen")
	}
	return x
}

// roundTrip asks the API server, twice if that is the fault.
func (p *Proxy) roundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r)
	if x.fault.Kind == Twice {
		first := r.Clone(r.Context())
		first.Body = io.NopCloser(bytes.NewReader(x.body))
		if err := p.once(x, first); err != nil {
			return nil, err
		}
	}
	p.note(func() { x.Forwarded++ })
	return p.transport.RoundTrip(r)
}

// once asks and throws the answer away, all of it: then what was asked is done.
func (p *Proxy) once(x *exchange, r *http.Request) error {
	p.note(func() { x.Forwarded++ })
	response, err := p.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if x.Verb == "watch" {
		return nil
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// answered changes the answer of the API server, or refuses to pass it on.
func (p *Proxy) answered(response *http.Response) error {
	x := exchangeOf(response.Request)
	p.note(func() { x.Code = response.StatusCode })
	if x.fault.Skew != 0 {
		response.Header.Set("Date", time.Now().Add(x.fault.Skew).UTC().Format(http.TimeFormat))
	}
	var err error
	if x.Verb == "watch" {
		err = p.watched(x, response)
	} else {
		err = p.read(x, response)
	}
	if err != nil {
		return err
	}
	return p.wait(response.Request.Context(), x.fault.DelayAnswer)
}

// read applies a fault to an answer that has an end.
func (p *Proxy) read(x *exchange, response *http.Response) error {
	if x.fault.Kind == None && response.Request.Method != http.MethodGet {
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	served := body
	if response.Request.Method == http.MethodGet && response.StatusCode == http.StatusOK {
		served = p.remember(x, body)
	}
	response.Body = io.NopCloser(bytes.NewReader(served))
	response.ContentLength = int64(len(served))
	response.Header.Set("Content-Length", strconv.Itoa(len(served)))
	switch x.fault.Kind {
	case CutAfter:
		return errCut
	case CutMiddle:
		half := io.MultiReader(bytes.NewReader(served[:len(served)/2]), failing{})
		response.Body = p.cutting(response.Request, x.fault, half)
	case None, CutBefore, Status, Unauthorized, Twice, DropWatch, Gone, Stall, Stale: // nothing, or done
	}
	return nil
}

// remember keeps the answer to a GET, and returns the one before if that is the
// fault.
func (p *Proxy) remember(x *exchange, body []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := x.Path + "?" + x.Query
	before, there := p.answers[at]
	if x.fault.Kind == Stale && there {
		return before
	}
	p.answers[at] = body
	return body
}

// failing is a reader that does not.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// cutting is a body whose error cuts the connection too, if the fault says so.
// ReverseProxy itself only resets the request.
func (p *Proxy) cutting(r *http.Request, fault Fault, from io.Reader) io.ReadCloser {
	return readCloser{reader(func(buffer []byte) (int, error) {
		n, err := from.Read(buffer)
		if errors.Is(err, errCut) && fault.Connection {
			cutConnection(r.Context())
		}
		return n, err
	}), func() error { return nil }}
}

type reader func([]byte) (int, error)

func (f reader) Read(buffer []byte) (int, error) { return f(buffer) }

type readCloser struct {
	io.Reader
	close func() error
}

func (r readCloser) Close() error { return r.close() }
