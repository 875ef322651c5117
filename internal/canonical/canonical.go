// SPDX-License-Identifier: Apache-2.0

// Package canonical gives values one spelling, RFC 8785 canonical JSON, and a
// digest over it, so that what was asked, approved and recorded can be compared.
package canonical

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"
)

// DigestLength is the length in bytes of what Digest returns.
const DigestLength = len("sha256:") + 2*sha256.Size

// JSON returns the RFC 8785 canonical JSON of v: keys sorted, numbers as
// ECMAScript writes them, no white space. Numbers are IEEE 754 doubles, as the
// RFC has it, so integers beyond 2^53 lose digits. It fails where v cannot be
// marshalled to JSON, or holds text that is not valid UTF-8.
func JSON(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshal to JSON: %w", err)
	}
	out, err := jcs.Transform(plain)
	if err != nil {
		return nil, fmt.Errorf("transform to canonical JSON: %w", err)
	}
	return out, nil
}

// Digest returns "sha256:" and the hexadecimal SHA-256 of JSON(v). It fails as JSON does.
func Digest(v any) (string, error) {
	canonical, err := JSON(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
