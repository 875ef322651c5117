// SPDX-License-Identifier: Apache-2.0

// Package seal marks what the operator has stamped, so that it knows its own
// stamps again: who submitted an action, and who gave an approval.
//
// A seal is "v1.KEYID.MAC", where MAC is the unpadded base64url of the
// HMAC-SHA-256, by the key of that id, over the RFC 8785 canonical JSON of the
// claims. The claims name their purpose and the object they were stamped on, so
// that a seal is worth nothing on another object, for another person, another
// stage or another purpose.
package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// AdmissionWindow is how far requester.admittedAt and
// metadata.creationTimestamp of an action may be apart: the time that the API
// server may take between admission and storing, and the difference between the
// clocks of two nodes. Within it a submission's seal would fit another action
// of the same name with the same request, so a name must not come free before
// the window after admittedAt has passed.
const AdmissionWindow = 5 * time.Minute

const (
	version   = "v1"
	idLength  = 8  // hexadecimal digits of a key id
	macLength = 43 // base64url characters of 32 bytes, without padding
)

var (
	// ErrMissing says that there is no seal.
	ErrMissing = errors.New("it carries no seal")
	// ErrMalformed says that the text is no seal at all.
	ErrMalformed = errors.New("its seal is not of the form v1.KEYID.MAC")
	// ErrUnknownKey says that nobody here has the key with that id.
	ErrUnknownKey = errors.New("its seal is by a key that is not known")
	// ErrForged says that the seal does not belong to what it stands on.
	ErrForged = errors.New("its seal was not made for it, or it was changed afterwards")
	// ErrIncomplete says that what is to be sealed does not say all it has to.
	ErrIncomplete = errors.New("it cannot be sealed")
	// ErrNoRing says that no key has been loaded.
	ErrNoRing = errors.New("no key to seal with is loaded")
)

// encoding is strict: of the spellings of the same bytes only one is taken.
var encoding = base64.RawURLEncoding.Strict()

// KeyOf returns the id of the key that a seal names; false where the text does
// not have the form of a seal.
func KeyOf(seal string) (keyID string, ok bool) {
	rest, ok := strings.CutPrefix(seal, version+".")
	if !ok {
		return "", false
	}
	keyID, mac, ok := strings.Cut(rest, ".")
	if !ok || !wellFormedID(keyID) || len(mac) != macLength {
		return "", false
	}
	raw, err := encoding.DecodeString(mac) // skips line breaks, hence the second look
	if err != nil || len(raw) != sha256.Size {
		return "", false
	}
	return keyID, true
}

// wellFormedID says whether the text is 8 lower-case hexadecimal digits.
func wellFormedID(id string) bool {
	return len(id) == idLength && strings.Trim(id, "0123456789abcdef") == ""
}

// write makes the seal over claims.
func write(keyID string, key signer, claims any) (string, error) {
	text, err := canonical.JSON(claims)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	return version + "." + keyID + "." + encoding.EncodeToString(key(text)), nil
}

// same compares in a time that says nothing about where two seals differ.
func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
