// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const (
	// firstPause and lastPause bound the pause before a request is sent again: it
	// is drawn from 0 to firstPause, doubled each time.
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
	// maxAnswer is more than any object of the API server has, in bytes.
	maxAnswer = 4 << 20
)

// call is one request as it is sent, maybe more than once: it has to mean the
// same each time.
type call struct {
	// verb, resource and name say what it is, for errors.
	verb, resource, name string
	method, path         string
	query                url.Values
	contentType          string
	body                 []byte
	// once: a failure is the caller's to mend.
	once bool
}

// doing says what the call is for.
func (r *call) doing() string {
	text := r.verb + " " + r.resource
	if r.name != "" {
		text += " " + r.name
	}
	return text
}

// call sends a request until it is answered or its failure stays, and decodes
// the answer into an object. It fails with one of the errors of this package, or
// with ctx's where that was cancelled.
func (c *Client) call(ctx context.Context, r *call, into any) (reading, error) {
	for try := 0; ; try++ {
		at, answer, err := c.send(ctx, r)
		if err == nil {
			err = c.judge(r, answer, into)
		}
		if err == nil {
			return at, nil
		}
		if ctx.Err() != nil {
			return at, c.ended(ctx, r.doing(), err)
		}
		pause, again := retry(err, try, c.options.Timeout)
		if !again || r.once || try >= c.options.MaxRetries || !c.pause(ctx, pause) {
			return at, err
		}
	}
}

// ended is the error of a request whose ctx has ended.
func (c *Client) ended(ctx context.Context, doing string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	unanswered := (*ConnectionError)(nil)
	if !errors.As(err, &unanswered) {
		return err // it was answered; that says more
	}
	return &ConnectionError{Problem{Message: "cannot " + doing + ": no answer before the deadline", Help: unanswered.Help, cause: errors.Join(ctx.Err(), err)}}
}

// pause waits; false: the deadline is before the end of it.
func (c *Client) pause(ctx context.Context, pause time.Duration) bool {
	if deadline, has := ctx.Deadline(); has && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// retry says whether a failure may pass, and when to try again. The pause is
// drawn, so that many clients do not come back at once; one that the server asks
// for is kept where it is no longer than most.
func retry(err error, try int, most time.Duration) (time.Duration, bool) {
	pause := rand.N(min(firstPause<<min(try, 10), lastPause)) //nolint:gosec // no secret
	var (
		unreachable *ConnectionError
		limited     *RateLimitError
		broken      *ServerError
		absent      *OperatorAbsentError
	)
	switch {
	case errors.As(err, &limited):
		return max(pause, limited.RetryAfter), limited.RetryAfter <= most
	case errors.As(err, &broken):
		return pause, broken.passes()
	case errors.As(err, &unreachable), errors.As(err, &absent):
		return pause, true
	default:
		return 0, false
	}
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

// send sends a request once. It waits for a free place first, which does not
// count as the request's time.
func (c *Client) send(ctx context.Context, r *call) (reading, *answer, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return reading{}, nil, c.unanswered(r, ctx.Err())
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	at := reading{sent: time.Now()}
	response, err := c.open(ctx, r)
	if err != nil {
		return at, nil, c.unanswered(r, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return at, nil, c.unanswered(r, err)
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		at.date = date
	}
	return at, &answer{code: response.StatusCode, header: response.Header, body: body}, nil
}

// open sends a request and returns when the answer begins.
func (c *Client) open(ctx context.Context, r *call) (*http.Response, error) {
	target := *c.base
	target.RawPath = strings.TrimRight(target.EscapedPath(), "/") + r.path
	path, err := url.PathUnescape(target.RawPath)
	if err != nil {
		return nil, err
	}
	target.Path = path
	target.RawQuery = r.query.Encode()
	request, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "ascend-go-sdk")
	if r.contentType != "" {
		request.Header.Set("Content-Type", r.contentType)
	}
	return c.http.Do(request)
}

// unanswered is the error of a request without an answer.
func (c *Client) unanswered(r *call, err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // without the method and the address, which say nothing new
	}
	message, help := fmt.Sprintf("cannot %s: no answer from %s: %v", r.doing(), c.base.Host, err), "Is it running, and reachable from here?"
	if errors.Is(err, context.DeadlineExceeded) {
		message = fmt.Sprintf("cannot %s: no answer from %s within %s", r.doing(), c.base.Host, c.options.Timeout)
	}
	if r.verb == "create" {
		message += "; the action may have been made nevertheless, and nothing was run"
		help += " So has the operator to be, which it asks before a write:\n  kubectl get pods -n " + v1alpha1.GlobalNamespace
	}
	if untrusted := (*tls.CertificateVerificationError)(nil); errors.As(err, &untrusted) {
		help = "Is the address that of the API server? ASCEND_CA_FILE names the file with the authority of its certificate."
	}
	return &ConnectionError{Problem{Message: message, Help: help, cause: err}}
}

// unreadable is an answer that is none.
func unreadable(doing string) error {
	return &ConnectionError{Problem{Message: "cannot " + doing + ": the answer is not that of an API server", Help: "Is the address that of the API server?"}}
}

// judge decodes an answer, or turns it into the error that it is.
func (c *Client) judge(r *call, got *answer, into any) error {
	if got.code >= http.StatusOK && got.code < http.StatusMultipleChoices {
		if err := json.Unmarshal(got.body, into); err != nil {
			return unreadable(r.doing())
		}
		return nil
	}
	status := &metav1.Status{}
	if err := json.Unmarshal(got.body, status); err != nil || status.Kind != "Status" {
		status = nil
	}
	return c.explain(r, got, status)
}

// retryAfter is how long the server asks to be left alone; 0 where it does not.
func retryAfter(header http.Header, status *metav1.Status) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if (err != nil || seconds < 0) && status != nil && status.Details != nil {
		seconds = int(status.Details.RetryAfterSeconds)
	}
	return time.Duration(max(seconds, 0)) * time.Second
}
