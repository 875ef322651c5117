// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var errTimeout = errors.New("the receiver did not answer within 30 s")

// judge says what an answer means. Nothing of it is repeated but its code.
func judge(response *http.Response, answer []byte, now time.Time) Result {
	code := response.StatusCode
	result := Result{StatusCode: code}
	said := strings.TrimSpace(fmt.Sprintf("the receiver answered %d %s", code, http.StatusText(code)))
	switch {
	case code >= 200 && code < 300:
		return result
	case code == http.StatusGone:
		result.Gone, result.Err = true, ErrGone
	case code >= 300 && code < 400:
		result.Err = fmt.Errorf("%s: redirects are not followed; name the final address as the URL", said)
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		result.RetryAfter = retryAfter(response.Header.Get("Retry-After"), now)
		result.Err = errors.New(said)
	default:
		result.Err = errors.New(said)
	}
	if code >= 400 && slackWords[string(answer)] {
		result.Err = fmt.Errorf("%w: %s", result.Err, answer)
	}
	return result
}

// slackWords are what Slack says of a message it does not take; they may stand
// in status, where the words of no other receiver do.
// Source: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, "Handling errors".
var slackWords = map[string]bool{
	"invalid_payload": true, "invalid_blocks": true, "invalid_token": true, "user_not_found": true, "channel_not_found": true,
	"channel_is_archived": true, "action_prohibited": true, "posting_to_general_channel_denied": true, "no_active_hooks": true,
	"no_service": true, "no_service_id": true, "no_team": true, "no_text": true, "team_disabled": true, "too_many_attachments": true,
}

// retryAfter is how long a receiver asks to be left alone, by seconds or by a
// date; 0 when it says nothing that can be read, and a day at most.
// Source: RFC 9110, 10.2.3.
func retryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if errors.Is(err, strconv.ErrRange) && !strings.HasPrefix(value, "-") {
		wait = lastTry
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), lastTry)
}

// describe says why there was no answer, in words of this package: errors of
// the network hold names and addresses, and those of HTTP what a receiver sent.
func describe(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause // the time is up, or the operator stops
	}
	if errors.Is(err, ErrBlocked) {
		return chainOf(err)
	}
	if plain, is := errors.AsType[*plainError](err); is {
		return plain
	}
	if known := describeTLS(err); known != nil {
		return known
	}
	return describeNetwork(err)
}

// chainOf is the guard's own error, without what the dialler puts around it.
func chainOf(err error) error {
	var op *net.OpError
	for errors.As(err, &op) {
		err = op.Err
	}
	return err
}

func describeTLS(err error) error {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		op        *net.OpError
		record    tls.RecordHeaderError
		verify    *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &authority):
		return errors.New("the receiver's certificate is signed by an unknown authority; put that authority into spec.caBundle")
	case errors.As(err, &host):
		return errors.New("the receiver's certificate is for other names than the URL's; name the receiver as its certificate does")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errors.New("the receiver's certificate has expired or is not yet valid; renew it")
	case errors.As(err, &invalid), errors.As(err, &verify):
		return errors.New("the receiver's certificate is not valid for a server; give the receiver another")
	case errors.As(err, &op) && op.Op == "remote error": // as crypto/tls calls an alert
		return errors.New("the receiver refused the TLS handshake; it has to offer TLS 1.2 or 1.3 and ask for no client certificate")
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return errors.New("the receiver speaks no TLS on that port; name its https port")
	default:
		return nil
	}
}

func describeNetwork(err error) error {
	var (
		dns     *net.DNSError
		timeout net.Error
	)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return errors.New("the receiver's name is not in the DNS")
	case errors.As(err, &dns):
		return errors.New("the receiver's name cannot be looked up now: the DNS does not answer as it should")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the receiver refuses connections: nothing listens on that port")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return errors.New("there is no way to the receiver's address from here")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the receiver closed the connection before it answered")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("the receiver could not be connected to within 10 s")
	default:
		return errors.New("the receiver's answer cannot be read as HTTP, or the connection to it failed")
	}
}
