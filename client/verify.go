// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// WebhookTolerance is how far the timestamp of a delivery may be from now.
const WebhookTolerance = 5 * time.Minute

// Event is what a delivery tells. Fields without a value were left out.
type Event struct {
	// ID is the same for each try of a delivery: handle an event once by it.
	ID string `json:"id"`
	// Type of the event, such as action.approved.
	Type v1alpha1.EventType `json:"type"`
	// Subject is the name of what it happened to: the action, or the agent.
	Subject string `json:"subject"`
	// Time at which it happened.
	Time time.Time `json:"time"`
	// Data as docs/notifications.md has it.
	Data json.RawMessage `json:"data"`
}

// VerifyWebhook says whether a delivery came from the operator as it is and now,
// and returns what it tells. body is what came over the wire, before anything
// reads it as JSON. Of several secrets, as while one is rotated, one has to fit.
// It knows the headers of Standard Webhooks, and those of ASCEND where the others
// are missing. Whether an ID was handled before, within 24 hours, is the
// caller's to know. It fails with a *SignatureError.
func VerifyWebhook(header http.Header, body []byte, secrets ...string) (*Event, error) {
	return verifyAt(header, body, secrets, time.Now())
}

func verifyAt(header http.Header, body []byte, secrets []string, now time.Time) (*Event, error) {
	if len(secrets) == 0 {
		return nil, unsigned("no secret was given", "Give the one that ConfigureWebhook was given.")
	}
	keys := make([][]byte, 0, len(secrets))
	for _, secret := range secrets {
		key, err := notify.ParseSecret([]byte(secret))
		if err != nil {
			return nil, unsigned(err.Error(), "")
		}
		keys = append(keys, key)
	}
	check := standard
	if header.Get(standardwebhooks.HeaderWebhookSignature) == "" && header.Get(notify.HeaderSignature) != "" {
		check = ascend
	}
	if err := check(header, body, keys, now); err != nil {
		return nil, err
	}
	event := &Event{}
	if err := json.Unmarshal(body, event); err != nil || event.ID == "" || event.Type == "" {
		return nil, unsigned("the body is no event", "Give the body as it came, before anything reads it; a subscription of the formats Slack and Teams has none.")
	}
	// The body is signed; the header of ASCEND's scheme is not.
	if id := header.Get(standardwebhooks.HeaderWebhookID); id != "" && id != event.ID {
		return nil, unsigned("webhook-id is not the id of the event", "Something changed the delivery on its way.")
	}
	return event, nil
}

func unsigned(message, help string) error {
	return &SignatureError{Problem{Message: "the delivery is not to be believed: " + message, Help: help}}
}

// fresh says whether a timestamp is that of now.
func fresh(name, timestamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return unsigned("header "+name+" is missing or no number", "")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > WebhookTolerance || age < -WebhookTolerance {
		return unsigned("header "+name+" is more than "+WebhookTolerance.String()+" from now", "It may be replayed; or a clock is wrong.")
	}
	return nil
}

// standard is the scheme of Standard Webhooks: over id, timestamp and body.
func standard(header http.Header, body []byte, keys [][]byte, now time.Time) error {
	id, timestamp := header.Get(standardwebhooks.HeaderWebhookID), header.Get(standardwebhooks.HeaderWebhookTimestamp)
	if id == "" {
		return unsigned("header webhook-id is missing", "")
	}
	if err := fresh(standardwebhooks.HeaderWebhookTimestamp, timestamp, now); err != nil {
		return err
	}
	given := strings.Fields(header.Get(standardwebhooks.HeaderWebhookSignature))
	return fits(given, keys, func(sum []byte) string { return "v1," + base64.StdEncoding.EncodeToString(sum) }, id+"."+timestamp+".", body)
}

// ascend is the scheme of ASCEND: over timestamp and body.
func ascend(header http.Header, body []byte, keys [][]byte, now time.Time) error {
	timestamp := header.Get(notify.HeaderTimestamp)
	if err := fresh(notify.HeaderTimestamp, timestamp, now); err != nil {
		return err
	}
	given := []string{header.Get(notify.HeaderSignature), header.Get(notify.HeaderPreviousSignature)}
	return fits(given, keys, func(sum []byte) string { return "sha256=" + hex.EncodeToString(sum) }, timestamp+".", body)
}

// fits says whether one of the signatures is by one of the keys, in constant time.
func fits(given []string, keys [][]byte, spell func([]byte) string, before string, body []byte) error {
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(before))
		mac.Write(body)
		want := []byte(spell(mac.Sum(nil)))
		for _, signature := range given {
			if hmac.Equal([]byte(signature), want) {
				return nil
			}
		}
	}
	return unsigned("no signature fits", "Is the secret the one of the subscription, and the body as it came?")
}
