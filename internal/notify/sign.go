// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// MinSecretBytes is how long a signing secret is at least.
const MinSecretBytes = 16

// ErrShortSecret is of a secret that is too short to sign with.
var ErrShortSecret = errors.New("the signing secret is shorter than 16 bytes; " +
	"write a longer one into the Secret, for example what `openssl rand -base64 32` prints, behind whsec_")

// ParseSecret is the key in the value of a Secret: what whsec_ and base64 stand
// for, otherwise the bytes as they are. White space around the value does not
// count, for editors and `echo` leave it. Fewer than MinSecretBytes are
// ErrShortSecret. Errors never hold any of it.
// Source: Standard Webhooks specification, "Signature scheme".
func ParseSecret(value []byte) ([]byte, error) {
	key := bytes.TrimSpace(value)
	if encoded, is := bytes.CutPrefix(key, []byte("whsec_")); is {
		decoded, err := base64.StdEncoding.DecodeString(string(encoded))
		if err != nil {
			return nil, errors.New("the signing secret begins with whsec_, and what follows is no base64; " +
				"write whsec_ and then what `openssl rand -base64 32` prints")
		}
		key = decoded
	}
	if len(key) < MinSecretBytes {
		return nil, ErrShortSecret
	}
	return key, nil
}

// The headers of a delivery beside those of Standard Webhooks.
const (
	HeaderSignature         = "X-ASCEND-Signature"
	HeaderPreviousSignature = "X-ASCEND-Signature-Previous"
	HeaderTimestamp         = "X-ASCEND-Timestamp"
	HeaderEventType         = "X-ASCEND-Event-Type"
	HeaderDeliveryID        = "X-ASCEND-Delivery-ID"
)

// sign sets the headers of a delivery: who it is from, over the very bytes of
// the body. Without a secret there are no signatures.
func sign(header http.Header, target Target, event Event, body []byte, now time.Time) error {
	stamp := strconv.FormatInt(now.Unix(), 10)
	header.Set(standardwebhooks.HeaderWebhookID, event.ID)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, stamp)
	header.Set(HeaderTimestamp, stamp)
	header.Set(HeaderEventType, string(event.Type))
	header.Set(HeaderDeliveryID, event.ID)
	var signatures []string
	for _, by := range []struct {
		header, field string
		secret        []byte
	}{{HeaderSignature, "secretRef", target.Secret}, {HeaderPreviousSignature, "previousSecretRef", target.PreviousSecret}} {
		if by.secret == nil {
			continue
		}
		key, err := ParseSecret(by.secret)
		if err != nil {
			return fmt.Errorf("spec.%s: %w", by.field, err)
		}
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return errors.New("the signing secret cannot be used; write another into the Secret")
		}
		signature, err := signer.Sign(event.ID, now, body)
		if err != nil {
			return errors.New("the delivery cannot be signed; write another secret into the Secret")
		}
		signatures = append(signatures, signature)
		header.Set(by.header, "sha256="+hex.EncodeToString(mac(key, stamp, body)))
	}
	if signatures == nil && (target.Format == v1alpha1.FormatCloudEvents || target.Format == "") {
		return errors.New("there is no signing secret, by which the receiver knows a delivery; name one in spec.secretRef")
	}
	if signatures != nil {
		header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	}
	return nil
}

// mac is ASCEND's: HMAC-SHA-256 over the timestamp, a dot and the body.
func mac(key []byte, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(stamp + "."))
	h.Write(body)
	return h.Sum(nil)
}
