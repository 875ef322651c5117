// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// delivered is what a receiver got.
type delivered struct {
	header http.Header
	body   []byte
}

// catch sends an event to a receiver that keeps what it gets.
func catch(t *testing.T, s *notify.Sender, change func(*notify.Target)) delivered {
	t.Helper()
	var got delivered
	server, to := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			t.Errorf("method %s", r.Method)
		}
		got.header = r.Header.Clone()
		got.body, _ = io.ReadAll(r.Body)
	})
	change(&to)
	if result := s.Send(t.Context(), to, sample()); result.Err != nil {
		t.Fatal(result.Err)
	}
	server.Close()
	return got
}

// standard says whether Standard Webhooks' own library takes it.
func standard(t *testing.T, key []byte, got delivered) bool {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhookRaw(key)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Verify(got.body, got.header) == nil
}

// ascend says whether a header is sha256= and the MAC of timestamp, dot and body.
func ascend(key []byte, header string, got delivered) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(got.header.Get("X-ASCEND-Timestamp") + "." + string(got.body)))
	return got.header.Get(header) == "sha256="+hex.EncodeToString(mac.Sum(nil))
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	s := sender(t)
	got := catch(t, s, func(*notify.Target) {})
	if !standard(t, secret, got) || !ascend(secret, "X-ASCEND-Signature", got) {
		t.Errorf("not verified: %v", got.header)
	}
	if standard(t, []byte("another secret of sixteen bytes"), got) || ascend([]byte("another"), "X-ASCEND-Signature", got) {
		t.Error("verified with another secret")
	}
	altered := delivered{got.header, append(slices.Clip(got.body), ' ')}
	if standard(t, secret, altered) || ascend(secret, "X-ASCEND-Signature", altered) {
		t.Error("verified with another body")
	}
	for header, want := range map[string]string{
		"Webhook-Id": "evt_0123456789abcdef", "X-Ascend-Delivery-Id": "evt_0123456789abcdef", "X-Ascend-Event-Type": "action.pending",
		"Content-Type": "application/cloudevents+json", "User-Agent": "ascend-operator/v1.2.3",
		"X-Ascend-Timestamp": got.header.Get("Webhook-Timestamp"), "X-Ascend-Signature-Previous": "", "Idempotency-Key": "", "Accept-Encoding": "",
	} {
		if got.header.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, got.header.Get(header), want)
		}
	}
}

// The timestamp is that of the try, in seconds.
func TestTimestampIsThatOfTheTry(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakePassiveClock(time.Unix(1_700_000_000, 999_999_999))
	s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here, Clock: clock})
	t.Cleanup(s.Close)
	for _, want := range []string{"1700000000", "1700000061"} {
		got := catch(t, s, func(*notify.Target) {})
		if got.header.Get("Webhook-Timestamp") != want || !ascend(secret, "X-ASCEND-Signature", got) {
			t.Errorf("got %v, want %s", got.header, want)
		}
		clock.SetTime(clock.Now().Add(time.Minute + time.Second - 999_999_999))
	}
}

// While a secret is rotated a delivery is good for who knows either.
func TestRotation(t *testing.T) {
	t.Parallel()
	s := sender(t)
	old := []byte("the secret from before the rotation")
	got := catch(t, s, func(to *notify.Target) { to.PreviousSecret = old })
	if !standard(t, secret, got) || !standard(t, old, got) || standard(t, []byte("neither of the two secrets"), got) {
		t.Errorf("webhook-signature: %v", got.header)
	}
	if !ascend(secret, "X-ASCEND-Signature", got) || !ascend(old, "X-ASCEND-Signature-Previous", got) || ascend(old, "X-ASCEND-Signature", got) {
		t.Errorf("X-ASCEND-Signature: %v", got.header)
	}
	if n := strings.Count(got.header.Get("Webhook-Signature"), "v1,"); n != 2 {
		t.Errorf("%d signatures", n)
	}
}

func TestSecretForms(t *testing.T) {
	t.Parallel()
	s := sender(t)
	key := []byte("\x00\x01\xfe\xff binary key of a secret")
	for name, value := range map[string]string{
		"whsec_": "whsec_" + base64.StdEncoding.EncodeToString(key), "whsec_ with a newline": "whsec_" + base64.StdEncoding.EncodeToString(key) + "\n",
	} {
		got := catch(t, s, func(to *notify.Target) { to.Secret = []byte(value) })
		if !standard(t, key, got) || !ascend(key, "X-ASCEND-Signature", got) {
			t.Errorf("%s: not verified", name)
		}
		// Standard Webhooks' libraries take the value as it stands in the Secret.
		verifier, err := standardwebhooks.NewWebhook(strings.TrimSpace(value))
		if err != nil || verifier.Verify(got.body, got.header) != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if key, err := notify.ParseSecret([]byte(" 0123456789abcdef\n")); err != nil || string(key) != "0123456789abcdef" {
		t.Errorf("got %q, %v", key, err)
	}
}

func TestSecretsRefused(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"": "shorter than 16", "123456789012345": "shorter than 16", "canary": "shorter than 16",
		"whsec_" + base64.StdEncoding.EncodeToString([]byte("123456789012345")): "shorter than 16",
		"whsec_canary!canary!canary": "no base64", "whsec_": "shorter than 16",
	} {
		_, err := notify.ParseSecret([]byte(value))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", value, err)
		}
		if errors.Is(err, notify.ErrShortSecret) != (want == "shorter than 16") {
			t.Errorf("%q: %v", value, err)
		}
	}
	s, called := sender(t), false
	_, to := receive(t, func(http.ResponseWriter, *http.Request) { called = true })
	for what, change := range map[string]func(*notify.Target){
		"spec.secretRef":         func(to *notify.Target) { to.Secret = []byte("short") },
		"spec.previousSecretRef": func(to *notify.Target) { to.PreviousSecret = []byte("whsec_!") },
		"name one in spec":       func(to *notify.Target) { to.Secret = nil },
	} {
		changed := to
		change(&changed)
		if result := s.Send(t.Context(), changed, sample()); result.Err == nil || !strings.Contains(result.Err.Error(), what) {
			t.Errorf("%s: %+v", what, result)
		}
	}
	if called {
		t.Error("something was sent")
	}
}

// Slack and Teams need no secret; where there is one, it signs.
func TestChatNeedsNoSecret(t *testing.T) {
	t.Parallel()
	s := sender(t)
	got := catch(t, s, func(to *notify.Target) { to.Secret, to.Format = nil, v1alpha1.FormatSlack })
	if got.header.Get("Webhook-Signature") != "" || got.header.Get("X-ASCEND-Signature") != "" || got.header.Get("Webhook-Id") == "" {
		t.Errorf("got %v", got.header)
	}
	got = catch(t, s, func(to *notify.Target) { to.Format = v1alpha1.FormatTeams })
	if !standard(t, secret, got) {
		t.Errorf("got %v", got.header)
	}
}
