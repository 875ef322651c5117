// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"
)

const (
	webhookKey = "a secret of 16 bytes"
	delivery   = `{"specversion":"1.0","id":"msg-1","type":"action.approved","subject":"act-1","time":"2026-01-02T12:00:00.000000Z","data":{"action_id":"act-1"}}`
)

func macOf(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// signed are the headers of a delivery, of one scheme or the other.
func signed(scheme, key string, at time.Time, body string) http.Header {
	header, stamp := http.Header{}, strconv.FormatInt(at.Unix(), 10)
	if scheme == "standard" {
		header.Set("webhook-id", "msg-1")
		header.Set("webhook-timestamp", stamp)
		header.Set("webhook-signature", "v1,bm8= v1,"+base64.StdEncoding.EncodeToString(macOf(key, "msg-1."+stamp+"."+body)))
		return header
	}
	header.Set("X-ASCEND-Timestamp", stamp)
	header.Set("X-ASCEND-Delivery-ID", "msg-1")
	header.Set("X-ASCEND-Signature", "sha256=00")
	header.Set("X-ASCEND-Signature-Previous", "sha256="+hex.EncodeToString(macOf(key, stamp+"."+body)))
	return header
}

func TestVerifyWebhook(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, scheme := range []string{"standard", "ascend"} {
		good := signed(scheme, webhookKey, now, delivery)
		encoded := "whsec_" + base64.StdEncoding.EncodeToString([]byte(webhookKey))
		for _, secrets := range [][]string{{webhookKey}, {"another secret, as long", webhookKey}, {encoded}, {webhookKey + "\n"}} {
			event, err := verifyAt(good, []byte(delivery), secrets, now.Add(WebhookTolerance))
			if err != nil || event.ID != "msg-1" || event.Type != "action.approved" || event.Subject != "act-1" || string(event.Data) != `{"action_id":"act-1"}` {
				t.Errorf("%s: %+v, %v", scheme, event, err)
			}
		}
		for name, test := range map[string]struct {
			header  http.Header
			body    string
			secrets []string
			now     time.Time
		}{
			"altered":         {good, delivery + " ", []string{webhookKey}, now},
			"other secret":    {good, delivery, []string{"another secret, as long"}, now},
			"no secret":       {good, delivery, nil, now},
			"short secret":    {good, delivery, []string{"short"}, now},
			"old":             {good, delivery, []string{webhookKey}, now.Add(WebhookTolerance + time.Second)},
			"of the future":   {good, delivery, []string{webhookKey}, now.Add(-WebhookTolerance - time.Second)},
			"no headers":      {http.Header{}, delivery, []string{webhookKey}, now},
			"no event":        {signed(scheme, webhookKey, now, "{}"), "{}", []string{webhookKey}, now},
			"no JSON":         {signed(scheme, webhookKey, now, "x"), "x", []string{webhookKey}, now},
			"no signature":    {without(good, "webhook-signature", "X-ASCEND-Signature", "X-ASCEND-Signature-Previous"), delivery, []string{webhookKey}, now},
			"no timestamp":    {without(good, "webhook-timestamp", "X-ASCEND-Timestamp"), delivery, []string{webhookKey}, now},
			"other timestamp": {with(good, strconv.FormatInt(now.Unix()+1, 10), "webhook-timestamp", "X-ASCEND-Timestamp"), delivery, []string{webhookKey}, now},
		} {
			var no *SignatureError
			if event, err := verifyAt(test.header, []byte(test.body), test.secrets, test.now); event != nil || !errors.As(err, &no) {
				t.Errorf("%s: %s: %+v, %v", scheme, name, event, err)
			}
		}
	}
	if _, err := VerifyWebhook(signed("standard", webhookKey, time.Now(), delivery), []byte(delivery), webhookKey); err != nil {
		t.Error(err)
	}
}

func without(header http.Header, names ...string) http.Header {
	left := header.Clone()
	for _, name := range names {
		left.Del(name)
	}
	return left
}

func with(header http.Header, value string, names ...string) http.Header {
	changed := header.Clone()
	for _, name := range names {
		if changed.Get(name) != "" {
			changed.Set(name, value)
		}
	}
	return changed
}
